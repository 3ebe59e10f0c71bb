//! One fault per connection.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::timeout::{Timeout, error::Elapsed};
use tower_breaker::{CircuitOpen, Class, State, Trip};

use super::client::*;
use super::server::{Server, hang, read_but_the_end, read_request, refused};
use crate::support::until::{LONG, until};

#[tokio::test]
async fn refused_connections_open_the_circuit_and_keep_their_error() {
    let (client, handle) = guard(http1(), three());
    let address = refused().await;
    for _ in 0..3 {
        let error = get(&client, address).await.unwrap_err();
        assert!(of_client(&error).is_connect(), "{error:?}");
    }
    assert_eq!(handle.state(), State::Open);
    assert!(get(&client, address).await.unwrap_err().is::<CircuitOpen>());
    counted(&handle, [(Class::Failure, 3)]);
}

#[tokio::test]
async fn a_reset_in_the_head_is_a_failure() {
    let (client, handle) = guard(http1(), three());
    let server = Server::new(async |_, mut stream: TcpStream| {
        read_but_the_end(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await;
    })
    .await;
    for _ in 0..3 {
        assert!(!of_client(&get(&client, server.address).await.unwrap_err()).is_connect());
    }
    assert!(get(&client, server.address).await.unwrap_err().is::<CircuitOpen>());
    counted(&handle, [(Class::Failure, 3)]);
    assert_eq!(server.connections(), 3, "a rejection opens no connection");
}

#[tokio::test]
async fn a_reset_in_the_body_is_a_failure_after_a_good_head() {
    let (client, handle) = guard(http1(), three());
    let seen = Arc::new(Semaphore::new(0));
    let may = Arc::clone(&seen);
    let server = Server::new(move |_, mut stream| {
        let may = Arc::clone(&may);
        async move {
            read_but_the_end(&mut stream).await;
            stream.write_all(&HELLO.replace('5', "50").into_bytes()).await.unwrap();
            may.acquire().await.unwrap().forget();
        }
    })
    .await;
    for failures in 1..=3 {
        let mut body = get(&client, server.address).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
        assert_eq!(handle.snapshot().totals.failure, failures - 1, "the call has not ended");
        seen.add_permits(1);
        body.frame().await.unwrap().unwrap_err();
        counted(&handle, [(Class::Failure, failures)]);
    }
    assert_eq!(handle.state(), State::Open);
    assert_eq!(handle.snapshot().last_error.unwrap().reason, Some("body broke"));
}

#[tokio::test]
async fn a_server_that_hangs_is_a_failure_by_the_timeout_inside() {
    let timeout = Timeout::new(http1(), Duration::from_millis(20));
    let (client, handle) = guard(timeout, three());
    let server = Server::new(async |_, stream| hang(stream).await).await;
    for _ in 0..3 {
        assert!(get(&client, server.address).await.unwrap_err().is::<Elapsed>());
    }
    counted(&handle, [(Class::Failure, 3)]);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test]
async fn a_hanging_call_that_its_caller_drops_is_cancelled_and_a_failure_if_it_hung_for_long() {
    let after = Duration::from_millis(30);
    for (patience, class) in
        [(Duration::from_secs(3600), Class::Cancelled), (after, Class::Failure)]
    {
        let (client, handle) = guard(http1(), three().cancelled_after(patience));
        let server = Server::new(async |_, stream| hang(stream).await).await;
        timeout(after * 2, get(&client, server.address)).await.unwrap_err();
        counted(&handle, [(class, 1)]);
    }
}

#[tokio::test]
async fn hanging_calls_open_the_circuit_while_they_hang() {
    let overdue = Trip::none().overdue(3, Duration::from_millis(50));
    let (client, handle) = guard(http1(), three().trip(overdue));
    let server = Server::new(async |_, stream| hang(stream).await).await;
    let address = server.address;
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client, address).await })
        })
        .collect();
    until(&handle, |snapshot| snapshot.in_flight == Some(3)).await;
    let mut events = handle.events();
    assert_eq!(timeout(LONG, events.recv()).await.unwrap().unwrap().to, State::Open);
    assert!(get(&client, address).await.unwrap_err().is::<CircuitOpen>());
    calls.iter().for_each(|call| call.abort());
}

#[tokio::test]
async fn a_body_that_drips_is_not_slow_and_a_head_that_drips_is() {
    let slow = Trip::none().slow(Duration::from_millis(100), 0.5, 1);
    for (dripping, state) in [(false, State::Closed), (true, State::Open)] {
        let (client, handle) = guard(http1(), three().trip(slow));
        let server = Server::new(move |_, mut stream| async move {
            read_request(&mut stream).await;
            // Everything up to the first byte of the body arrives at once, unless the head drips.
            let (at_once, rest) = HELLO.split_at(if dripping { 0 } else { HELLO.len() - 4 });
            stream.write_all(at_once.as_bytes()).await.unwrap();
            let (drops, rest) = rest.split_at(4);
            for byte in drops.as_bytes() {
                sleep(Duration::from_millis(30)).await;
                stream.write_all(&[*byte]).await.unwrap();
            }
            stream.write_all(rest.as_bytes()).await.unwrap();
        })
        .await;
        assert_eq!(whole(&client, server.address).await.unwrap(), "hello");
        counted(&handle, [(Class::Success, 1)]);
        assert_eq!(handle.state(), state, "the head drips: {dripping}");
    }
}
