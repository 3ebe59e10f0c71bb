//! A classifier of `io::Error` around a service that fails with a `BoxError`.

use tower::{BoxError, Service, ServiceBuilder, service_fn};
use tower_breaker::{CircuitBreakerLayer, Config, Outcome};

fn serve(_: impl Service<u32>) {}

fn main() {
    let config = Config::default().classify_fn(|result: Result<&u32, &std::io::Error>| {
        if result.is_ok() { Outcome::success() } else { Outcome::failure() }
    });
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(config))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    serve(service);
}
