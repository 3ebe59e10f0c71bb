//! The gRPC server.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::layer::util::Identity;
use tower::util::MapResponseLayer;
use tower::{BoxError, Layer, Service};

use super::generated::orders::orders_server::OrdersServer;
use super::handler::Handler;
use super::reset::Resets;

/// The service that a layer of the server wraps.
pub(crate) type Inner = tower::util::MapResponse<Routes, OnResponse>;

type OnResponse = fn(Response<tonic::body::Body>) -> Response<Resets>;

/// A server that runs until it is dropped. Calls that are in flight then may still end.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    pub(crate) handler: Handler,
    _stop: oneshot::Sender<()>,
}

/// Starts a server without a layer.
pub(crate) async fn serve() -> Serving {
    serve_with(Identity::new()).await
}

/// Starts a server with a layer around all its services.
pub(crate) async fn serve_with<L, B>(layer: L) -> Serving
where
    L: Layer<Inner> + Clone + Send + Sync + 'static,
    L::Service: Service<
            Request<tonic::body::Body>,
            Response = Response<B>,
            Error: Into<BoxError> + Send,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    serve_by(Server::builder(), layer).await
}

/// Starts a server with the given settings and a layer around all its services.
pub(crate) async fn serve_by<L, B>(server: Server, layer: L) -> Serving
where
    L: Layer<Inner> + Clone + Send + Sync + 'static,
    L::Service: Service<
            Request<tonic::body::Body>,
            Response = Response<B>,
            Error: Into<BoxError> + Send,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Handler::new();
    let (stop, stopped) = oneshot::channel::<()>();
    let resets = MapResponseLayer::new(Resets::response as OnResponse);
    let serving = server
        .layer(layer)
        .layer(resets)
        .add_service(OrdersServer::new(handler.clone()))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async {
            let _ = stopped.await;
        });
    tokio::spawn(serving);
    Serving { address, handler, _stop: stop }
}
