//! The snippet of the chapter on hyper-util's client.

#[tokio::test]
async fn the_breaker_goes_around_the_timeout_and_the_pool() {
    // guide: hyper
    use bytes::Bytes;
    use http_body_util::Full;
    use hyper_util::{client::legacy::Client, rt::TokioExecutor};
    use std::time::Duration;
    use tower::{ServiceBuilder, timeout::TimeoutLayer};
    use tower_breaker::{CircuitBreakerLayer, Config};

    let client = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(Config::http_client()))
        .layer(TimeoutLayer::new(Duration::from_secs(30)))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());
    // guide: end
    let request = http::Request::get("http://127.0.0.1:1/").body(Full::default()).unwrap();
    let error = tower::ServiceExt::oneshot(client, request).await.unwrap_err();
    assert!(error.downcast_ref::<hyper_util::client::legacy::Error>().unwrap().is_connect());
}
