//! A preset for HTTP around a service of numbers, in a stack that is passed as a service.

use tower::{Service, ServiceBuilder, service_fn};
use tower_breaker::{CircuitBreakerLayer, Config};

fn serve(_: impl Service<u32>) {}

fn main() {
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(Config::http()))
        .service(service_fn(|n: u32| async move { Ok::<_, std::io::Error>(n) }));
    serve(service);
}
