//! An override on `io::Error` around a service that fails with a `BoxError`.

use tower::{BoxError, Service, ServiceBuilder, service_fn};
use tower_breaker::{CircuitBreakerLayer, Config};

fn serve(_: impl Service<u32>) {}

fn main() {
    let config = Config::default()
        .ignore_errors(|error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound);
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(config))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    serve(service);
}
