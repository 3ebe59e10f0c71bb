//! A breaker in the connector. It sees connections and nothing else.

use tower::{Layer, ServiceExt};
use tower_breaker::{
    AsRejection, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Class, Config, State,
};

use super::client::*;
use crate::support::sockets::{Act, RawServer, answer, write};

/// A client whose connections are guarded.
fn connecting() -> (reqwest::Client, BreakerHandle) {
    let settings = tripping().build().unwrap();
    let layer = CircuitBreakerLayer::new(Config::default().settings(settings));
    let handle = layer.handle();
    (builder().connector_layer(layer).build().unwrap(), handle)
}

#[tokio::test]
async fn a_connector_counts_connections_and_not_responses() {
    let (client, handle) = connecting();
    let server = RawServer::start(answer("500 Internal Server Error", "")).await;
    for _ in 0..5 {
        assert_eq!(client.get(server.url()).send().await.unwrap().status(), 500);
    }
    server.acts(vec![Act::Request, Act::Reset]);
    for _ in 0..5 {
        client.get(server.url()).send().await.unwrap_err();
    }
    ended_now(&handle, &[(Class::Success, 10)]);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test]
async fn a_rejection_looks_like_a_failed_connection_and_affects_every_host() {
    let (client, handle) = connecting();
    let (_port, nowhere) = RawServer::nowhere();
    for _ in 0..3 {
        let error = client.get(format!("http://{nowhere}/")).send().await.unwrap_err();
        assert!(error.is_connect() && error.as_rejection().is_none(), "{error:?}");
    }
    handle.hold_for(LONG);
    // The connector cannot distinguish hosts, so that each upstream needs its own client.
    let other = RawServer::start(answer("200 OK", "")).await;
    let error = client.get(other.url()).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert_eq!(error.as_rejection().unwrap().name(), "default");
    assert_eq!(CircuitOpen::find(&error), error.as_rejection());
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_reused_connection_does_not_reach_the_connector() {
    let (client, handle) = connecting();
    let once = [Act::Request, write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")];
    let server = RawServer::start([once.clone(), once].concat()).await;
    assert_eq!(client.get(server.url()).send().await.unwrap().text().await.unwrap(), "ok");
    handle.force_open(None);
    assert_eq!(client.get(server.url()).send().await.unwrap().text().await.unwrap(), "ok");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_breaker_around_the_client_ignores_what_the_one_in_the_connector_rejects() {
    let (client, inner) = connecting();
    inner.force_open(None);
    let server = RawServer::start(answer("200 OK", "")).await;
    for (client, handle) in Guarded::both(|| client.clone(), counting()) {
        let error = client.get(&server.url()).await.unwrap_err();
        assert_eq!(rejection(&error).name(), "default");
        ended_now(&handle, &[(Class::Ignored, 1)]);
    }
    let layer = CircuitBreakerLayer::new(
        config(counting()).on_rejected(tower_breaker::rejection::RejectWithBreakerError),
    );
    let handle = layer.handle();
    let request = client.get(server.url()).build().unwrap();
    layer.layer(client).oneshot(request).await.unwrap_err();
    ended_now(&handle, &[(Class::Ignored, 1)]);
}
