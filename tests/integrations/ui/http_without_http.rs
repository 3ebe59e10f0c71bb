//! A preset for HTTP around a service of numbers.

use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, Config};

fn main() {
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(Config::http()))
        .service(service_fn(|n: u32| async move { Ok::<_, std::io::Error>(n) }));
    let _ = service.oneshot(1);
}
