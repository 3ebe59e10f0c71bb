//! The snippets of the chapter on tonic.

use std::convert::Infallible;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

#[tokio::test]
async fn a_channel_under_a_breaker() {
    // guide: channel
    use std::time::Duration;
    use tonic::transport::Endpoint;
    use tower::ServiceBuilder;
    use tower_breaker::{CircuitBreakerLayer, Config};

    let channel = Endpoint::from_static("http://[::1]:50051")
        .timeout(Duration::from_secs(2)) // inside the breaker
        .connect_lazy(); // the breaker sees a server that is down; `connect` would fail instead
    let channel = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(Config::grpc_client().name("orders")))
        .service(channel);
    // let orders = OrdersClient::new(channel); // or `OrdersClient::with_interceptor(channel, auth)`
    // guide: end
    let _ = channel;
}

#[test]
fn a_server_under_a_breaker() -> Result<(), tower_breaker::ConfigError> {
    // guide: server
    use std::time::Duration;
    use tonic::transport::Server;
    use tower_breaker::{CircuitBreakerLayer, Config, Settings};

    // tonic's own timeout is outside every layer and drops the call.
    let limit = Duration::from_secs(10);
    let settings = Settings::grpc().to_builder().cancelled_after(limit).build()?;
    let server = Server::builder()
        .timeout(limit)
        .layer(CircuitBreakerLayer::new(Config::grpc().name("database").settings(settings)));
    // guide: end
    let _ = server;
    Ok(())
}

#[derive(Clone)]
struct Orders;

#[derive(Clone)]
struct Prices;

impl NamedService for Orders {
    const NAME: &'static str = "orders";
}

impl NamedService for Prices {
    const NAME: &'static str = "prices";
}

macro_rules! empty_service {
    ($name:ty) => {
        impl Service<Request<Body>> for $name {
            type Response = Response<Body>;
            type Error = Infallible;
            type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, _: Request<Body>) -> Self::Future {
                std::future::ready(Ok(Response::default()))
            }
        }
    };
}

empty_service!(Orders);
empty_service!(Prices);

#[test]
fn a_breaker_for_each_service_of_a_server() {
    let (orders, prices) = (Orders, Prices);
    // guide: services
    use tonic::{service::LayerExt, transport::Server};
    use tower_breaker::{CircuitBreakerLayer, Config};

    let guarded = |name: &'static str| CircuitBreakerLayer::new(Config::grpc().name(name));
    let server = Server::builder()
        .add_service(guarded("orders").named_layer(orders))
        .add_service(guarded("prices").named_layer(prices));
    // guide: end
    let _ = server;
}
