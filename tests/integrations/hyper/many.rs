//! Many HTTP/2 streams on one connection that is reset.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;
use http_body_util::Empty;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::watch;
use tokio::time::sleep;
use tower::Layer;
use tower_breaker::{
    BreakerHandle, Cause, CircuitBreakerLayer, Class, Config, Settings, SettingsBuilder, State,
    Trip,
};

use super::client::*;
use super::server::{Server, refused};
use crate::support::until::until;

/// An HTTP/2 server that responds, holds its responses or closes its connections, as the channel tells.
async fn server(mut stop: watch::Receiver<Tell>) -> Server {
    stop.mark_unchanged();
    Server::new(move |_, stream| {
        let (mut stop, answering) = (stop.clone(), stop.clone());
        async move {
            let serve = service_fn(move |_| {
                let mut answering = answering.clone();
                async move {
                    answering.wait_for(|tell| *tell == Tell::Answer).await.unwrap();
                    Ok::<_, std::convert::Infallible>(Response::new(Empty::<Bytes>::new()))
                }
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(200)
                .serve_connection(TokioIo::new(stream), serve);
            tokio::select! {
                _ = connection => {}
                _ = stop.wait_for(|tell| *tell == Tell::Close) => {}
            }
        }
    })
    .await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tell {
    Answer,
    Hold,
    Close,
}

/// Makes `before` good calls, then `streams` concurrent calls on a connection that the server closes.
async fn reset_under(
    settings: SettingsBuilder,
    before: usize,
    streams: usize,
) -> (BreakerHandle, Vec<State>) {
    let (tell, told) = watch::channel(Tell::Answer);
    let server = server(told).await;
    let (client, handle) = guard(http2(), settings.track_in_flight(true));
    let mut events = handle.events();
    for _ in 0..before {
        get(&client, server.address).await.unwrap();
    }
    tell.send(Tell::Hold).unwrap();
    let calls = join_all((0..streams).map(|_| get(&client, server.address)));
    let close = async {
        until(&handle, |snapshot| snapshot.in_flight == Some(streams as u64)).await;
        tell.send(Tell::Close).unwrap();
    };
    let (results, ()) = tokio::join!(calls, close);
    assert!(results.iter().all(Result::is_err), "{results:?}");
    let seen = std::iter::from_fn(|| events.try_recv()).map(|event| event.unwrap().to).collect();
    (handle, seen)
}

#[tokio::test]
async fn one_reset_of_a_hundred_streams_after_many_good_calls_does_not_open_the_circuit() {
    // The unchanged preset.
    let (handle, seen) = reset_under(Settings::http_client().to_builder(), 101, 100).await;
    counted(&handle, [(Class::Success, 101), (Class::Failure, 100)]);
    assert_eq!((handle.state(), seen), (State::Closed, vec![]));
    assert_eq!(handle.snapshot().window.consecutive_failures, 100);
}

#[tokio::test]
async fn consecutive_failures_must_span_a_time_or_one_reset_opens_the_circuit() {
    let in_a_row = Trip::none().consecutive(5);
    for (over, state) in [(Duration::from_secs(60), State::Closed), (Duration::ZERO, State::Open)] {
        let settings = three().trip(in_a_row.consecutive_over(over));
        let (handle, seen) = reset_under(settings, 0, 100).await;
        assert_eq!(handle.state(), state, "{over:?}");
        assert_eq!(seen.len(), usize::from(state == State::Open));
    }
}

#[tokio::test]
async fn a_failure_after_that_time_opens_the_circuit() {
    let over = Duration::from_millis(500);
    let settings = three().trip(Trip::none().consecutive(5).consecutive_over(over));
    let (handle, seen) = reset_under(settings, 1, 100).await;
    assert_eq!(seen, []);
    sleep(over).await;
    let (client, address) = (http2(), refused().await);
    let layer = CircuitBreakerLayer::join(&handle, Config::http_client());
    get(&layer.layer(client), address).await.unwrap_err();
    assert_eq!(
        (handle.state(), handle.snapshot().cause),
        (State::Open, Cause::ConsecutiveFailures)
    );
}

#[tokio::test]
async fn after_few_good_calls_a_reset_of_a_hundred_streams_is_half_of_all_calls_and_opens_the_circuit()
 {
    // The other rule of the preset: half of at least 20 calls within 30 s.
    let (handle, seen) = reset_under(Settings::http_client().to_builder(), 10, 100).await;
    assert_eq!((handle.state(), seen), (State::Open, vec![State::Open]));
    assert_eq!(handle.snapshot().cause, Cause::FailureRate);
}
