//! A gRPC service whose mood decides how calls end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::stream::{BoxStream, StreamExt, iter, once};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use tower::BoxError;
use tower_breaker::classify::Grpc;
use tower_breaker::{CircuitBreakerLayer, rejection::RejectWithGrpc};

use crate::orders::orders_server::{Orders, OrdersServer};
use crate::orders::{Order, Reply};

type Replies = BoxStream<'static, Result<Reply, Status>>;

/// The end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// With `UNAVAILABLE`; streams, after their replies.
    Down,
    /// Never.
    Hangs,
    /// With `OK`, after [`Service::resume`].
    Waits,
}

/// The service. Clones share its state.
#[derive(Clone)]
pub(crate) struct Service(Arc<Inside>);

struct Inside {
    mood: Mutex<Mood>,
    calls: AtomicUsize,
    go: Notify,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inside {
            mood: Mutex::new(Mood::Well),
            calls: AtomicUsize::new(0),
            go: Notify::new(),
        }))
    }

    /// Starts a server with this layer on a free port.
    pub(crate) async fn start(
        &self,
        breaker: CircuitBreakerLayer<Grpc, RejectWithGrpc>,
    ) -> Result<SocketAddr, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = Server::builder()
            .layer(breaker)
            .add_service(OrdersServer::new(self.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        Ok(address)
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.0.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// The number of calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Ends a call that waits.
    pub(crate) fn resume(&self) {
        self.0.go.notify_one();
    }

    fn called(&self) -> Mood {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        *self.0.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn end(&self, mood: Mood) -> Result<(), Status> {
        match mood {
            Mood::Well => Ok(()),
            Mood::Down => Err(Status::unavailable("no database")),
            Mood::Hangs => std::future::pending().await,
            Mood::Waits => {
                self.0.go.notified().await;
                Ok(())
            }
        }
    }
}

#[tonic::async_trait]
impl Orders for Service {
    async fn get(&self, _: Request<Order>) -> Result<Response<Reply>, Status> {
        let mood = self.called();
        self.end(mood).await?;
        Ok(Response::new(Reply::default()))
    }

    type WatchStream = Replies;

    async fn watch(&self, order: Request<Order>) -> Result<Response<Replies>, Status> {
        let (mood, this) = (self.called(), self.clone());
        let replies = iter(0..order.into_inner().replies).map(|number| Ok(Reply { number }));
        let end = once(async move { this.end(mood).await.err() });
        Ok(Response::new(replies.chain(end.filter_map(async |error| error.map(Err))).boxed()))
    }

    async fn put(&self, _: Request<Streaming<Order>>) -> Result<Response<Reply>, Status> {
        Err(Status::unimplemented("put"))
    }

    type TalkStream = Replies;

    async fn talk(&self, _: Request<Streaming<Order>>) -> Result<Response<Replies>, Status> {
        Err(Status::unimplemented("talk"))
    }
}
