//! A guarded axum server and clients that disconnect.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_breaker::{BoxError, BreakerHandle, CircuitBreakerLayer, Class, Config};

use super::client::*;

type Piece = Result<Bytes, BoxError>;

fn piece(text: &'static str) -> impl Stream<Item = Piece> + Send {
    stream::iter([Ok(Bytes::from_static(text.as_bytes()))])
}

/// Serves the streams that `body` makes.
async fn serve<S>(
    body: impl Fn() -> S + Clone + Send + Sync + 'static,
) -> (SocketAddr, BreakerHandle)
where
    S: Stream<Item = Piece> + Send + 'static,
{
    let layer = CircuitBreakerLayer::new(Config::http().settings(counting().build().unwrap()));
    let handle = layer.handle();
    let handler = get(move || std::future::ready(Body::from_stream(body())));
    let app = Router::new().route("/", handler).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, handle)
}

/// Sends a request and reads the response up to `end`.
async fn ask(address: SocketAddr, method: &str, end: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} / HTTP/1.1\r\nhost: test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        match stream.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => break,
        }
    }
    (stream, String::from_utf8(read).unwrap())
}

#[tokio::test]
async fn a_stream_that_ends_is_a_success() {
    let (address, handle) = serve(|| piece("one").chain(piece("two"))).await;
    let (_stream, answer) = ask(address, "GET", "0\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), "{answer}");
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_client_that_disconnects_before_the_first_content_is_cancelled() {
    let (address, handle) = serve(stream::pending).await;
    let (stream, answer) = ask(address, "GET", "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    pending(&handle);
    drop(stream);
    ended(&handle, &[(Class::Cancelled, 1)]).await;
}

#[tokio::test]
async fn a_client_that_disconnects_after_content_is_a_success() {
    let (address, handle) = serve(|| piece("one").chain(stream::pending())).await;
    let (stream, _) = ask(address, "GET", "one\r\n").await;
    pending(&handle);
    drop(stream);
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_client_that_disconnects_while_content_flows_is_a_success() {
    let (address, handle) = serve(|| stream::repeat_with(|| Ok(Bytes::from_static(b"more")))).await;
    let (stream, _) = ask(address, "GET", "more\r\n").await;
    pending(&handle);
    drop(stream);
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_stream_that_yields_an_error_is_a_failure_before_or_after_content() {
    fn broken() -> impl Stream<Item = Piece> + Send {
        stream::once(async {
            // The yield lets the server write what was sent before.
            tokio::task::yield_now().await;
            Err("the database went away".into())
        })
    }
    let (address, handle) = serve(|| piece("one").chain(broken())).await;
    let (_, answer) = ask(address, "GET", "0\r\n\r\n").await;
    assert!(answer.ends_with("\r\n3\r\none\r\n"), "the end is not written: {answer}");
    ended(&handle, &[(Class::Failure, 1)]).await;

    let (address, handle) = serve(broken).await;
    ask(address, "GET", "0\r\n\r\n").await;
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_body_that_panics_is_a_failure_before_or_after_content() {
    fn panics() -> impl Stream<Item = Piece> + Send {
        stream::once(async { panic!("in the body, as ordered") })
    }
    let (address, handle) = serve(|| piece("one").chain(panics())).await;
    ask(address, "GET", "0\r\n\r\n").await;
    ended(&handle, &[(Class::Failure, 1)]).await;

    let (address, handle) = serve(panics).await;
    ask(address, "GET", "0\r\n\r\n").await;
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_head_request_is_settled_by_its_head() {
    let (address, handle) = serve(stream::pending).await;
    let (_stream, answer) = ask(address, "HEAD", "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    ended_now(&handle, &[(Class::Success, 1)]);
}

#[tokio::test]
async fn a_slow_reader_is_a_pending_call_and_one_success() {
    let go = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go);
    let (address, handle) = serve(move || {
        let gate = Arc::clone(&gate);
        let last = async move {
            gate.acquire().await?.forget();
            Ok(Bytes::from_static(b"two"))
        };
        piece("one").chain(stream::once(last))
    })
    .await;
    let (mut stream, _) = ask(address, "GET", "one\r\n").await;
    pending(&handle);
    go.add_permits(1);
    let mut rest = [0; 13];
    stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"3\r\ntwo\r\n0\r\n\r\n");
    ended(&handle, &[(Class::Success, 1)]).await;
}
