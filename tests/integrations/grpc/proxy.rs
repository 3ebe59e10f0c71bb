//! A guarded client in front of HTTP/2 servers that speak no gRPC or malformed gRPC.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::stream::{Iter, iter};
use http::response::Builder;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tower_breaker::{Class, State};

use super::client::{counted, ended, until};
use super::generated::orders::Order;

type Frames = Vec<Result<Frame<Bytes>, Infallible>>;
type Body = StreamBody<Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

/// An empty message in the framing of gRPC.
const MESSAGE: &[u8] = &[0; 5];

/// Starts a server that sends the same response to every request.
async fn serve(answer: impl Fn() -> Response<Body> + Clone + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |_| std::future::ready(Ok::<_, Infallible>(answer())));
            let server = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn answer(head: Builder, frames: Frames) -> Response<Body> {
    head.body(StreamBody::new(iter(frames))).unwrap()
}

fn head(status: u16) -> Builder {
    Response::builder().status(status)
}

fn grpc() -> Builder {
    head(200).header("content-type", "application/grpc")
}

fn data(data: &'static [u8]) -> Result<Frame<Bytes>, Infallible> {
    Ok(Frame::data(Bytes::from_static(data)))
}

fn trailers(name: &'static str, value: &'static str) -> Result<Frame<Bytes>, Infallible> {
    Ok(Frame::trailers(HeaderMap::from_iter([(
        name.parse().unwrap(),
        HeaderValue::from_static(value),
    )])))
}

/// An HTML page like that of a proxy.
fn page(status: u16) -> Response<Body> {
    let head = head(status).header("content-type", "text/html").header("retry-after", "3");
    answer(head, vec![data(b"<html><body>no healthy upstream</body></html>")])
}

/// Checks the class of one call, whatever its client returns.
async fn class(class: Class, answer: impl Fn() -> Response<Body> + Clone + Send + Sync + 'static) {
    let (mut client, handle) = counted(serve(answer).await);
    let _ = client.get(Order::ok()).await;
    ended(&handle, &[(class, 1)]).await;
}

#[tokio::test]
async fn the_page_of_a_proxy_is_a_failure() {
    for status in [500, 502, 503, 504] {
        class(Class::Failure, move || page(status)).await;
    }
    let (mut client, handle) = counted(serve(|| page(503)).await);
    client.get(Order::ok()).await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
    assert_eq!(handle.snapshot().last_error.unwrap().code, Some(503));
}

#[tokio::test]
async fn the_rate_limit_of_a_proxy_holds_the_circuit() {
    let (mut client, handle) = counted(serve(|| page(429)).await);
    client.get(Order::ok()).await.unwrap_err();
    ended(&handle, &[(Class::Throttled, 1)]).await;
    until(&handle, |snapshot| snapshot.state == State::Open).await;
}

#[tokio::test]
async fn a_page_with_status_200_is_a_failure() {
    class(Class::Failure, || page(200)).await;
}

#[tokio::test]
async fn an_empty_response_without_a_grpc_status_is_a_failure() {
    class(Class::Failure, || answer(grpc(), vec![])).await;
}

#[tokio::test]
async fn a_message_without_trailers_is_a_failure() {
    class(Class::Failure, || answer(grpc(), vec![data(MESSAGE)])).await;
}

#[tokio::test]
async fn trailers_without_a_grpc_status_are_a_failure() {
    class(Class::Failure, || answer(grpc(), vec![data(MESSAGE), trailers("x-cache", "miss")]))
        .await;
}

#[tokio::test]
async fn a_grpc_status_that_is_not_a_number_is_a_failure() {
    class(Class::Failure, || answer(grpc().header("grpc-status", "banana"), vec![])).await;
    class(Class::Failure, || {
        answer(grpc(), vec![data(MESSAGE), trailers("grpc-status", "banana")])
    })
    .await;
}

#[tokio::test]
async fn the_same_server_with_a_grpc_status_is_a_success() {
    class(Class::Success, || answer(grpc(), vec![data(MESSAGE), trailers("grpc-status", "0")]))
        .await;
    class(Class::Success, || answer(grpc().header("grpc-status", "5"), vec![])).await;
}
