//! hyper on both sides of HTTP/2: many streams on one connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt, service_fn};
use tower_breaker::{BoxError, Class};

use super::client::*;

type Streaming = UnsyncBoxBody<Bytes, BoxError>;

/// A server whose bodies send one frame, wait for a permit of `go`, and then end as the request path says.
struct Server {
    address: SocketAddr,
    go: Arc<Semaphore>,
    /// Closes the connections when it is dropped.
    connections: tokio::task::JoinSet<()>,
}

impl Server {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let go = Arc::new(Semaphore::new(0));
        let mut connections = tokio::task::JoinSet::new();
        let may = Arc::clone(&go);
        connections.spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let may = Arc::clone(&may);
                let answers = hyper::service::service_fn(move |request: Request<Incoming>| {
                    let body = body(request.uri().path(), Arc::clone(&may));
                    std::future::ready(Ok::<_, Infallible>(Response::new(body)))
                });
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let connection = builder.serve_connection(TokioIo::new(stream), answers);
                serving.spawn(async move { drop(connection.await) });
            }
        });
        Self { address, go, connections }
    }
}

fn body(path: &str, go: Arc<Semaphore>) -> Streaming {
    let breaks = path == "/breaks";
    let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"hello")))]);
    let rest = stream::once(async move {
        go.acquire().await?.forget();
        if breaks { Err("as ordered".into()) } else { Ok(Frame::data(Bytes::from_static(b"!"))) }
    });
    if path == "/empty" {
        return Empty::new().map_err(|never| match never {}).boxed_unsync();
    }
    StreamBody::new(first.chain(rest)).boxed_unsync()
}

/// hyper's client for one connection.
async fn connection(
    address: SocketAddr,
) -> impl Service<Request<Empty<Bytes>>, Response = Response<Incoming>, Error = BoxError> + Clone {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let client = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream);
    let (sender, connection) = client.await.unwrap();
    tokio::spawn(connection);
    service_fn(move |request| {
        let mut sender = sender.clone();
        async move { Ok(sender.send_request(request).await?) }
    })
}

fn to(address: SocketAddr, path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://{address}{path}")).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn each_stream_of_a_connection_is_settled_by_its_end() {
    let server = Server::new().await;
    let (client, handle) = counted_service(connection(server.address).await);
    let mut open = Vec::new();
    for path in ["/ends", "/breaks", "/ends", "/breaks", "/breaks"] {
        let mut body = client.clone().oneshot(to(server.address, path)).await.unwrap().into_body();
        assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
        open.push((path, body));
    }
    assert_eq!(handle.snapshot().totals.settled(), 0);
    server.go.add_permits(5);
    for (path, body) in open {
        let expected = if path == "/ends" { Received::data("!") } else { Received::broken("") };
        assert_eq!(receive(body).await, expected);
    }
    ended_now(&handle, &[(Class::Success, 2), (Class::Failure, 3)]);
}

#[tokio::test]
async fn a_lost_connection_fails_each_of_its_streams_once() {
    let mut server = Server::new().await;
    let (client, handle) = counted_service(connection(server.address).await);
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut body =
            client.clone().oneshot(to(server.address, "/ends")).await.unwrap().into_body();
        assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
        open.push(body);
    }
    server.connections.shutdown().await;
    for body in open {
        assert_eq!(receive(body).await, Received::broken(""));
    }
    ended_now(&handle, &[(Class::Failure, 20)]);
}

#[tokio::test]
async fn an_empty_body_is_settled_by_the_head_that_ends_its_stream() {
    let server = Server::new().await;
    let (client, handle) = counted_service(connection(server.address).await);
    let answer = client.clone().oneshot(to(server.address, "/empty")).await.unwrap();
    ended_now(&handle, &[(Class::Success, 1)]);
    assert_eq!(receive(answer.into_body()).await, Received::default());
}

#[tokio::test]
async fn dropped_streams_are_each_settled_by_the_content_they_had() {
    let server = Server::new().await;
    let (client, handle) = counted_service(connection(server.address).await);
    let mut begun = client.clone().oneshot(to(server.address, "/ends")).await.unwrap().into_body();
    let unread = client.clone().oneshot(to(server.address, "/ends")).await.unwrap().into_body();
    receive_exactly(&mut begun, 5).await;
    drop((begun, unread));
    ended_now(&handle, &[(Class::Success, 1), (Class::Cancelled, 1)]);
}
