//! hyper-util's client against real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{BoxError, Layer, Service, ServiceExt};
use tower_breaker::BreakerBody;
use tower_breaker::{Backoff, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, State};

use crate::support::doubles::opening_after;

type Answer = Response<BreakerBody<Incoming>>;

/// A guarded client with a connection per request.
fn client()
-> (impl Service<Request<Empty<Bytes>>, Response = Answer, Error = BoxError> + Clone, BreakerHandle)
{
    let cooldown = Backoff::fixed(Duration::from_millis(100));
    let settings = opening_after(3).to_builder().cooldown(cooldown).build().unwrap();
    let layer = CircuitBreakerLayer::new(Config::http_client().settings(settings));
    let handle = layer.handle();
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    (layer.layer(client), handle)
}

async fn get<S>(client: &S, address: SocketAddr) -> Result<Answer, BoxError>
where
    S: Service<Request<Empty<Bytes>>, Response = Answer, Error = BoxError> + Clone,
{
    let uri = format!("http://{address}/");
    client.clone().oneshot(Request::builder().uri(uri).body(Empty::new()).unwrap()).await
}

/// A server that handles every connection with `serve` and counts the connections.
async fn server<F>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::Relaxed);
            serve(stream).await;
        }
    });
    (address, count)
}

/// Reads a request and writes a response.
async fn answer(mut stream: TcpStream, answer: &str) {
    let mut request = [0; 1024];
    let _ = stream.read(&mut request).await;
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// Makes three calls that fail and one that is rejected.
async fn opens<S>(client: &S, handle: &BreakerHandle, address: SocketAddr)
where
    S: Service<Request<Empty<Bytes>>, Response = Answer, Error = BoxError> + Clone,
{
    for failure in 1..=3 {
        assert_eq!(handle.state(), State::Closed);
        if let Err(error) = get(client, address).await {
            assert!(CircuitOpen::find(&*error).is_none(), "{error}");
        }
        assert_eq!(handle.snapshot().totals.failure, failure);
    }
    handle.hold_for(Duration::from_secs(3600));
    assert_eq!(handle.state(), State::Open);
    assert!(get(client, address).await.unwrap_err().is::<CircuitOpen>());
}

#[tokio::test]
async fn refused_connections_open_the_circuit() {
    let (client, handle) = client();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    opens(&client, &handle, address).await;
}

#[tokio::test]
async fn reset_connections_open_the_circuit() {
    let (client, handle) = client();
    // The socket is closed with unread bytes, so the kernel sends a reset.
    let (address, connections) =
        server(async |stream: TcpStream| stream.readable().await.unwrap()).await;
    opens(&client, &handle, address).await;
    assert_eq!(connections.load(Ordering::Relaxed), 3, "a rejection opens no connection");
}

#[tokio::test]
async fn truncated_responses_open_the_circuit() {
    let (client, handle) = client();
    let (address, _) = server(|stream| answer(stream, "HTTP/1.1 200 O")).await;
    opens(&client, &handle, address).await;
}

#[tokio::test]
async fn responses_with_503_open_the_circuit() {
    let (client, handle) = client();
    let unavailable = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let (address, connections) = server(move |stream| answer(stream, unavailable)).await;
    opens(&client, &handle, address).await;
    assert_eq!(connections.load(Ordering::Relaxed), 3);
    assert_eq!(handle.snapshot().last_error.unwrap().code, Some(503));
}

#[tokio::test]
async fn one_429_holds_the_circuit_for_its_retry_after() {
    let (client, handle) = client();
    let slow_down =
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n";
    let (address, _) = server(move |stream| answer(stream, slow_down)).await;
    assert_eq!(get(&client, address).await.unwrap().status(), 429);
    let error = get(&client, address).await.unwrap_err();
    let wait = CircuitOpen::find(&*error).unwrap().retry_after().unwrap();
    assert!((Duration::from_secs(25)..=Duration::from_secs(33)).contains(&wait), "{wait:?}");
    handle.force_closed();
}

#[tokio::test]
async fn the_rejection_of_another_breaker_does_not_open_the_circuit() {
    let (client, handle) = client();
    let open =
        "HTTP/1.1 503 Service Unavailable\r\nx-circuit-open: db\r\ncontent-length: 0\r\n\r\n";
    let (address, _) = server(move |stream| answer(stream, open)).await;
    for _ in 0..20 {
        assert_eq!(get(&client, address).await.unwrap().status(), 503);
    }
    assert_eq!((handle.state(), handle.snapshot().totals.ignored), (State::Closed, 20));
}

#[tokio::test]
async fn the_circuit_closes_when_the_server_is_back() {
    let (client, handle) = client();
    let back = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&back);
    let (address, _) = server(move |stream| {
        let back = seen.load(Ordering::Relaxed) == 1;
        async move {
            if back {
                answer(stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
            }
        }
    })
    .await;
    for _ in 0..3 {
        get(&client, address).await.unwrap_err();
    }
    back.store(1, Ordering::Relaxed);
    let recovers = async {
        let mut watch = handle.watch();
        while watch.state() != State::HalfOpen {
            watch.changed().await;
        }
        get(&client, address).await.unwrap()
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), recovers).await.expect("in time");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
    assert_eq!(handle.state(), State::Closed);
}
