//! Services that fail before they can be called.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::buffer::Buffer;
use tower::reconnect::Reconnect;
use tower::util::BoxService;
use tower::{Service, ServiceExt, service_fn};
use tower_breaker::{BoxError, CircuitOpen, Class, State};

use super::client::*;
use super::server::{Server, read_request, refused};
use crate::support::until::until;

/// One HTTP/1 connection, ready as long as it is open.
#[derive(Debug)]
struct Connection(SendRequest<Empty<Bytes>>);

impl Connection {
    async fn new(server: &Server) -> hyper::Result<Self> {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (send, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(send))
    }
}

impl Service<Request<Empty<Bytes>>> for Connection {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = futures_util::future::BoxFuture<'static, Result<Response<Incoming>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(ready!(self.0.poll_ready(cx))?))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> Self::Future {
        let response = self.0.send_request(request);
        Box::pin(async move { Ok(response.await?) })
    }
}

#[tokio::test]
async fn a_closed_connection_is_not_ready_and_each_attempt_is_a_failure() {
    let server = Server::new(async |_, mut stream| {
        read_request(&mut stream).await;
        stream.write_all(HELLO.as_bytes()).await.unwrap();
    })
    .await;
    let (mut client, handle) = guard(Connection::new(&server).await.unwrap(), three());
    let call = client.ready().await.unwrap().call(request(server.address));
    http_body_util::BodyExt::collect(call.await.unwrap().into_body()).await.unwrap();
    counted(&handle, [(Class::Success, 1)]);
    for failures in 1..=3 {
        assert_eq!(handle.state(), State::Closed);
        client.ready().await.unwrap_err().downcast::<hyper::Error>().unwrap();
        counted(&handle, [(Class::Success, 1), (Class::Failure, failures)]);
    }
    assert_eq!(handle.snapshot().last_error.unwrap().reason, Some("not ready"));
    // An open circuit is ready and rejects, without polling the connection.
    let rejected = client.ready().await.unwrap().call(request(server.address));
    assert!(rejected.await.unwrap_err().is::<CircuitOpen>());
    // A probe whose connection is not ready reopens the circuit.
    handle.force_closed();
    handle.hold_for(std::time::Duration::from_millis(1));
    until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;
    client.ready().await.unwrap_err();
    assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Open, 4));
}

#[tokio::test]
async fn a_buffer_whose_worker_died_is_not_ready() {
    let dies = service_fn(async |_: Request<Empty<Bytes>>| {
        Err::<Response<Incoming>, BoxError>("never called".into())
    });
    let (client, handle) = guard(Buffer::new(BoxService::new(NotReady(dies)), 1), three());
    let address = ([127, 0, 0, 1], 9).into();
    for _ in 0..3 {
        get(&client, address).await.unwrap_err();
    }
    assert_eq!(handle.state(), State::Open);
    assert_eq!(handle.snapshot().last_error.unwrap().reason, Some("not ready"));
    assert!(get(&client, address).await.unwrap_err().is::<CircuitOpen>());
    counted(&handle, [(Class::Failure, 3)]);
}

struct NotReady<S>(S);

impl<S, R> Service<R> for NotReady<S>
where
    S: Service<R, Error = BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = S::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Err("no file descriptors".into()))
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

#[tokio::test]
async fn each_connection_that_a_reconnecting_service_cannot_make_is_a_failure() {
    let address = refused().await;
    let connect = service_fn(|address: std::net::SocketAddr| {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            let (send, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok::<_, BoxError>(Connection(send))
        })
    });
    let reconnect = Reconnect::new(connect, address);
    let (mut client, handle) = guard(reconnect, three());
    for failures in 1..=3 {
        client.ready().await.unwrap().call(request(address)).await.unwrap_err();
        counted(&handle, [(Class::Failure, failures)]);
    }
    let rejected = client.ready().await.unwrap().call(request(address));
    assert!(rejected.await.unwrap_err().is::<CircuitOpen>());
    assert_eq!(handle.state(), State::Open);
}
