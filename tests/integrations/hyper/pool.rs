//! The connection pool. The breaker counts calls, not connections and not the retries of the client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncWriteExt;
use tokio::runtime;
use tokio::time::sleep;
use tower_breaker::{BoxError, Class, State};

use super::client::*;
use super::server::{Server, read_request};
use crate::support::until::LONG;

#[tokio::test]
async fn a_connection_whose_responses_are_failures_is_reused() {
    let (client, handle) = guard(http1(), three());
    let server = Server::new(async |_, mut stream: tokio::net::TcpStream| {
        while read_request(&mut stream).await {
            stream.write_all(EMPTY_503.as_bytes()).await.unwrap();
        }
    })
    .await;
    for _ in 0..3 {
        assert_eq!(get(&client, server.address).await.unwrap().status(), 503);
    }
    assert_eq!((handle.state(), server.connections()), (State::Open, 1));
    // The connection is also reused after the circuit was open.
    handle.reset();
    assert_eq!(get(&client, server.address).await.unwrap().status(), 503);
    assert_eq!(server.connections(), 1);
    counted(&handle, [(Class::Failure, 4)]);
}

#[tokio::test]
async fn a_connection_that_broke_in_a_body_is_not_reused() {
    let (client, handle) = guard(http1(), three());
    let server = Server::new(async |number, mut stream: tokio::net::TcpStream| {
        while read_request(&mut stream).await {
            if number == 0 {
                stream.write_all(&HELLO.as_bytes()[..HELLO.len() - 2]).await.unwrap();
                return;
            }
            stream.write_all(HELLO.as_bytes()).await.unwrap();
        }
    })
    .await;
    whole(&client, server.address).await.unwrap_err();
    for _ in 0..3 {
        assert_eq!(whole(&client, server.address).await.unwrap(), "hello");
    }
    counted(&handle, [(Class::Failure, 1), (Class::Success, 3)]);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_pooled_connection_that_dies_of_the_next_request_is_one_failure() {
    let (client, handle) = guard(http1(), three());
    let server = Server::new(async |number, mut stream: tokio::net::TcpStream| {
        read_request(&mut stream).await;
        stream.write_all(HELLO.as_bytes()).await.unwrap();
        // The server has read the second request, so the client must not send it again.
        while read_request(&mut stream).await && number > 0 {
            stream.write_all(HELLO.as_bytes()).await.unwrap();
        }
    })
    .await;
    whole(&client, server.address).await.unwrap();
    whole(&client, server.address).await.unwrap_err();
    whole(&client, server.address).await.unwrap();
    counted(&handle, [(Class::Success, 2), (Class::Failure, 1)]);
    assert_eq!(server.connections(), 2);
}

/// A server on a thread that closes each connection after its first response, when the test asks for it. It then reports
/// back, so that a single-threaded test can wait without giving the client's own task a chance to notice.
struct Closing {
    address: SocketAddr,
    close: mpsc::Sender<()>,
    closed: mpsc::Receiver<()>,
}

impl Closing {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (close, told) = mpsc::channel();
        let (report, closed) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    head.extend(byte);
                }
                stream.write_all(HELLO.as_bytes()).unwrap();
                if told.recv().is_err() {
                    return;
                }
                // On loopback, the close has reached the client's kernel when this returns.
                drop(stream);
                report.send(()).unwrap();
            }
        });
        Self { address, close, closed }
    }
}

/// Calls twice. The pooled connection dies between the two calls. Its task notices either while the request is on the
/// way to it, or only after it has written the request.
fn twice(client: &Guarded, in_time: bool) -> Result<Bytes, BoxError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().event_interval(1).build();
    runtime.unwrap().block_on(async {
        let server = Closing::new();
        assert_eq!(whole(client, server.address).await.unwrap(), "hello");
        // A separate task returns the connection to the pool.
        sleep(Duration::from_millis(50)).await;
        server.close.send(()).unwrap();
        server.closed.recv_timeout(LONG).unwrap();
        if in_time {
            // This task runs before that of the connection, and the runtime polls its sockets between two tasks.
            tokio::spawn(async {});
        }
        whole(client, server.address).await
    })
}

fn retrying(retries: bool) -> Pooled {
    Client::builder(TokioExecutor::new()).retry_canceled_requests(retries).build_http()
}

#[test]
fn a_retry_of_the_client_on_a_connection_that_died_idle_is_not_counted() {
    let (client, handle) = guard(retrying(true), three());
    assert_eq!(twice(&client, true).unwrap(), "hello");
    counted(&handle, [(Class::Success, 2)]);
    // Without the retry of the client, the same call fails and is one failure.
    let (client, handle) = guard(retrying(false), three());
    twice(&client, true).unwrap_err();
    counted(&handle, [(Class::Success, 1), (Class::Failure, 1)]);
}

#[test]
fn a_request_that_was_written_to_a_dead_connection_is_one_failure() {
    let (client, handle) = guard(retrying(true), three());
    twice(&client, false).unwrap_err();
    counted(&handle, [(Class::Success, 1), (Class::Failure, 1)]);
}
