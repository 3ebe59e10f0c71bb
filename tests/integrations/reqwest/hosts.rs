//! One breaker per host.

use reqwest_middleware::ClientBuilder;
use tower_breaker::{
    AsRejection, CircuitOpen, Class, Config, State,
    integration::with_reqwest_middleware::CircuitBreakerMiddleware, rejection::RejectWithHttp,
};

use super::client::*;
use crate::support::sockets::{Act, RawServer, answer, write};

#[tokio::test]
async fn a_host_that_is_down_does_not_affect_another() {
    let breakers = CircuitBreakerMiddleware::per_host(config(tripping()));
    let client = ClientBuilder::new(client()).with(breakers.clone()).build();
    let down = RawServer::start(vec![Act::Request, Act::Reset]).await;
    let well = RawServer::start(answer("200 OK", "well")).await;
    for _ in 0..3 {
        client.get(down.url()).send().await.unwrap_err();
        assert_eq!(client.get(well.url()).send().await.unwrap().text().await.unwrap(), "well");
    }
    let handle = breakers.handle(down.url()).unwrap();
    handle.hold_for(LONG);
    let error = client.get(format!("{}other/path", down.url())).send().await.unwrap_err();
    let open = error.as_rejection().unwrap();
    assert_eq!(open.name(), format!("http://{}", down.address));
    assert_eq!(down.connections(), 3);
    assert_eq!(client.get(well.url()).send().await.unwrap().text().await.unwrap(), "well");
    ended_now(&breakers.handle(well.url()).unwrap(), &[(Class::Success, 4)]);
    let states: Vec<_> = breakers.handles().iter().map(|handle| handle.state()).collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&State::Open) && states.contains(&State::Closed));

    down.acts(answer("200 OK", "back"));
    handle.reset();
    assert_eq!(client.get(down.url()).send().await.unwrap().text().await.unwrap(), "back");
}

#[tokio::test]
async fn one_breaker_may_guard_all_hosts() {
    let breaker = CircuitBreakerMiddleware::new(config(tripping()).name("all"));
    let client = ClientBuilder::new(client()).with(breaker.clone()).build();
    let down = RawServer::start(vec![Act::Request, Act::Reset]).await;
    let well = RawServer::start(answer("200 OK", "")).await;
    for _ in 0..3 {
        client.get(down.url()).send().await.unwrap_err();
    }
    breaker.handle().hold_for(LONG);
    let error = client.get(well.url()).send().await.unwrap_err();
    assert_eq!(CircuitOpen::find(&error).unwrap().name(), "all");
    assert_eq!(well.connections(), 0);
    // The outer error is a middleware error that contains the rejection.
    let reqwest_middleware::Error::Middleware(any) = error else { panic!("{error:?}") };
    assert!(any.downcast_ref::<CircuitOpen>().is_some());
}

#[tokio::test]
async fn a_body_can_be_read_to_its_end_after_its_breaker_was_evicted() {
    let one = std::num::NonZeroUsize::MIN;
    let breakers = CircuitBreakerMiddleware::per_host(config(counting())).capacity(one);
    let client = ClientBuilder::new(client()).with(breakers.clone()).build();
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe";
    let held = RawServer::start(vec![Act::Request, write(begun), Act::Wait, write("llo")]).await;
    let other = RawServer::start(answer("200 OK", "")).await;
    let response = client.get(held.url()).send().await.unwrap();
    client.get(other.url()).send().await.unwrap();
    assert!(breakers.handle(held.url()).is_none(), "there is room for one");
    held.go_on();
    assert_eq!(response.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_rejection_can_be_a_response() {
    let config = Config::http_client().on_rejected(RejectWithHttp);
    let breaker = CircuitBreakerMiddleware::new(config);
    breaker.handle().force_open(Some(LONG));
    let client = ClientBuilder::new(client()).with(breaker).build();
    let response = client.get("http://api.example.com/v1").send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.url().as_str(), "http://api.example.com/v1");
    assert_eq!(response.headers()["x-circuit-open"], "http_client");
    assert_eq!(response.headers()["retry-after"], "30");
    assert!(response.error_for_status().unwrap_err().is_status());
}

#[tokio::test]
async fn rules_and_every_classifier_work_in_the_middleware() {
    let server = RawServer::start(answer("404 Not Found", "")).await;
    let refuses = config(counting()).classify_fn(
        |result: Result<&reqwest::Response, &reqwest_middleware::Error>| match result {
            Ok(response) if response.status() == 404 => tower_breaker::Outcome::failure(),
            _ => tower_breaker::Outcome::success(),
        },
    );
    let breaker = CircuitBreakerMiddleware::new(refuses);
    let client = ClientBuilder::new(super::client::client()).with(breaker.clone()).build();
    client.get(server.url()).send().await.unwrap();
    ended_now(&breaker.handle(), &[(Class::Failure, 1)]);

    let (_port, nowhere) = RawServer::nowhere();
    let ignores =
        config(counting()).ignore_errors(|error: &reqwest_middleware::Error| error.is_connect());
    let breaker = CircuitBreakerMiddleware::new(ignores);
    let client = ClientBuilder::new(super::client::client()).with(breaker.clone()).build();
    client.get(format!("http://{nowhere}/")).send().await.unwrap_err();
    ended_now(&breaker.handle(), &[(Class::Ignored, 1)]);
}
