//! HTTP/2 connections that their server ends.

use std::sync::Arc;

use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower_breaker::{Class, State};

use super::client::*;
use super::server::Server;

/// The client's preface, before its first frame (RFC 9113, section 3.4).
const PREFACE: usize = 24;
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/// `:status: 200` on stream 1, as a complete head.
const HEAD: [u8; 10] = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88];
/// `hello` on stream 1, with more data to follow.
const DATA: [u8; 14] = [0, 0, 5, 0, 0, 0, 0, 0, 1, b'h', b'e', b'l', b'l', b'o'];

const NO_ERROR: u8 = 0;
const ENHANCE_YOUR_CALM: u8 = 0xb;

/// A GOAWAY frame: no stream above `last` was or will be handled.
const fn goaway(last: u8, code: u8) -> [u8; 17] {
    [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last, 0, 0, 0, code]
}

/// Reads up to the head of a request.
async fn read_head(stream: &mut TcpStream) {
    stream.read_exact(&mut [0; PREFACE]).await.unwrap();
    stream.write_all(&SETTINGS).await.unwrap();
    loop {
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]);
        stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
        if frame[3] == 1 {
            return;
        }
    }
}

#[tokio::test]
async fn a_goaway_before_the_head_is_one_failure_for_each_call() {
    for (last, code) in [(0, ENHANCE_YOUR_CALM), (1, ENHANCE_YOUR_CALM), (0, NO_ERROR)] {
        let (client, handle) = guard(http2(), three());
        let server = Server::new(move |_, mut stream: TcpStream| async move {
            read_head(&mut stream).await;
            stream.write_all(&goaway(last, code)).await.unwrap();
        })
        .await;
        for failures in 1..=3 {
            assert_eq!(handle.state(), State::Closed);
            get(&client, server.address).await.unwrap_err();
            counted(&handle, [(Class::Failure, failures)]);
        }
        assert_eq!((handle.state(), server.connections()), (State::Open, 3));
    }
}

#[tokio::test]
async fn a_goaway_in_the_body_is_a_failure_after_a_good_head() {
    let (client, handle) = guard(http2(), three());
    let seen = Arc::new(Semaphore::new(0));
    let may = Arc::clone(&seen);
    let server = Server::new(move |_, mut stream| {
        let may = Arc::clone(&may);
        async move {
            read_head(&mut stream).await;
            stream.write_all(&[&HEAD[..], &DATA].concat()).await.unwrap();
            may.acquire().await.unwrap().forget();
            stream.write_all(&goaway(1, ENHANCE_YOUR_CALM)).await.unwrap();
        }
    })
    .await;
    let mut body = get(&client, server.address).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
    assert_eq!(handle.snapshot().in_flight, Some(1));
    seen.add_permits(1);
    body.frame().await.unwrap().unwrap_err();
    counted(&handle, [(Class::Failure, 1)]);
}

#[tokio::test]
async fn a_graceful_shutdown_of_a_connection_fails_no_call() {
    let (client, handle) = guard(http2(), three());
    let begun = Arc::new(Semaphore::new(0));
    let finish = Arc::new(Semaphore::new(0));
    let (start, may) = (Arc::clone(&begun), Arc::clone(&finish));
    let server = Server::new(move |_, stream| {
        let (start, may, begun) = (Arc::clone(&start), Arc::clone(&may), Arc::clone(&start));
        async move {
            let serve = service_fn(move |_| {
                let (start, may) = (Arc::clone(&start), Arc::clone(&may));
                async move {
                    start.add_permits(1);
                    may.acquire().await.unwrap().forget();
                    Ok::<_, std::convert::Infallible>(http::Response::new(
                        Empty::<bytes::Bytes>::new(),
                    ))
                }
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), serve);
            tokio::pin!(connection);
            // The connection accepts one request only.
            tokio::select! {
                _ = &mut connection => return,
                permit = begun.acquire() => permit.unwrap().forget(),
            }
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    })
    .await;
    for calls in 1..=3 {
        let call = get(&client, server.address);
        finish.add_permits(1);
        assert_eq!(call.await.unwrap().status(), 200);
        counted(&handle, [(Class::Success, calls)]);
    }
    assert_eq!(server.connections(), 3);
}
