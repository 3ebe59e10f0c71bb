//! The service. The order of a call decides how the call ends.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, iter, once};
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status, Streaming};

use super::details::retry_info;
use super::generated::orders::orders_server::Orders;
use super::generated::orders::{End, Order, Reply};
use super::reset::RESET;

type Replies = BoxStream<'static, Result<Reply, Status>>;

/// Clones share one state.
#[derive(Clone)]
pub(crate) struct Handler(Arc<Inside>);

struct Inside {
    hits: AtomicUsize,
    held: Semaphore,
}

impl Handler {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inside { hits: AtomicUsize::new(0), held: Semaphore::new(0) }))
    }

    /// Returns the number of calls that the service has received.
    pub(crate) fn hits(&self) -> usize {
        self.0.hits.load(Ordering::SeqCst)
    }

    /// Ends one held call.
    pub(crate) fn let_end(&self) {
        self.0.held.add_permits(1);
    }

    fn hit(&self) {
        self.0.hits.fetch_add(1, Ordering::SeqCst);
    }

    async fn end(&self, order: Order) -> Result<(), Status> {
        if order.held {
            self.0.held.acquire().await.expect("never closed").forget();
        }
        match order.end() {
            End::Status if order.code == Code::Ok as i32 => Ok(()),
            End::Status => Err(status(order)),
            End::Reset => {
                let mut status = Status::aborted("to be reset");
                status.metadata_mut().insert(RESET, "1".parse().unwrap());
                Err(status)
            }
            End::Panic => panic!("as ordered"),
            End::Hang => pending().await,
        }
    }

    fn replies(self, order: Order) -> Replies {
        let replies = iter(0..order.replies).map(|number| Ok(Reply { number }));
        let end = once(async move { self.end(order).await.err() });
        replies.chain(end.filter_map(async |error| error.map(Err))).boxed()
    }
}

fn status(order: Order) -> Status {
    let code = Code::from(order.code);
    let mut status = match order.retry_delay_ms {
        Some(ms) => Status::with_details(code, "as ordered", retry_info(code, ms)),
        None => Status::new(code, "as ordered"),
    };
    if let Some(ms) = order.pushback_ms {
        let metadata = status.metadata_mut();
        metadata.insert("grpc-retry-pushback-ms", ms.to_string().parse().unwrap());
    }
    status
}

#[tonic::async_trait]
impl Orders for Handler {
    async fn get(&self, order: Request<Order>) -> Result<Response<Reply>, Status> {
        self.hit();
        self.end(order.into_inner()).await?;
        Ok(Response::new(Reply::default()))
    }

    type WatchStream = Replies;

    async fn watch(&self, order: Request<Order>) -> Result<Response<Replies>, Status> {
        self.hit();
        Ok(Response::new(self.clone().replies(order.into_inner())))
    }

    async fn put(&self, orders: Request<Streaming<Order>>) -> Result<Response<Reply>, Status> {
        self.hit();
        let (mut orders, mut number, mut last) = (orders.into_inner(), 0, Order::ok());
        while let Some(order) = orders.message().await? {
            (number, last) = (number + 1, order);
        }
        self.end(last).await?;
        Ok(Response::new(Reply { number }))
    }

    type TalkStream = Replies;

    async fn talk(&self, orders: Request<Streaming<Order>>) -> Result<Response<Replies>, Status> {
        self.hit();
        let this = self.clone();
        let replies = orders.into_inner().flat_map(move |order| match order {
            Ok(order) => this.clone().replies(order),
            Err(status) => once(async { Err(status) }).boxed(),
        });
        Ok(Response::new(replies.boxed()))
    }
}
