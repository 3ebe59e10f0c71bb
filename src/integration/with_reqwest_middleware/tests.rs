//! Origins, eviction, and the errors of rejections.

use std::error::Error as _;
use std::io;

use super::*;
use crate::classify::{ErrorsAsFailures, Http, Outcomes};
use crate::{
    AsRejection, BoxError, BreakerError, CircuitOpen, State, Trip, rejection::RejectWithBoxError,
};

fn per_host(capacity: usize) -> CircuitBreakerMiddleware<PerHost<Http, RejectWithBoxError>> {
    let capacity = NonZeroUsize::new(capacity).unwrap();
    CircuitBreakerMiddleware::per_host(Config::http_client().name("ignored")).capacity(capacity)
}

/// Looks up the breaker of `url`, creating it if necessary, and releases it.
fn used(breakers: &CircuitBreakerMiddleware<PerHost<Http, RejectWithBoxError>>, url: &str) {
    breakers.breakers.layer(&url.parse().unwrap());
}

fn names(breakers: &CircuitBreakerMiddleware<PerHost<Http, RejectWithBoxError>>) -> Vec<String> {
    breakers.handles().iter().map(|handle| handle.name().to_owned()).collect()
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let breakers = per_host(9);
    for url in [
        "https://api.example.com/v1?key=secret",
        "https://user:password@api.example.com:443/v2",
        "https://API.example.com",
        "http://api.example.com",
        "https://api.example.com:8443",
        "http://[::1]:8080/",
    ] {
        used(&breakers, url);
    }
    let expected = [
        "http://[::1]:8080",
        "http://api.example.com",
        "https://api.example.com",
        "https://api.example.com:8443",
    ];
    assert_eq!(names(&breakers), expected);
    let handle = breakers.handle("https://api.example.com/any/path").unwrap();
    assert_eq!(handle.name(), "https://api.example.com");
    assert!(breakers.handle("https://example.com").is_none());
    assert!(breakers.handle("no url").is_none());
}

#[test]
fn the_least_recently_used_is_evicted_at_capacity() {
    let breakers = per_host(3);
    for url in ["http://a", "http://b", "http://c", "http://a", "http://d"] {
        used(&breakers, url);
    }
    assert_eq!(names(&breakers), ["http://a", "http://c", "http://d"]);
    let fewer = breakers.clone().capacity(NonZeroUsize::MIN);
    assert_eq!(names(&breakers), ["http://d"]);
    used(&fewer, "http://e");
    assert_eq!(names(&fewer), ["http://e"]);
}

#[test]
fn an_open_breaker_is_kept_longer_than_a_closed_one() {
    let breakers = per_host(2);
    used(&breakers, "http://down");
    breakers.handle("http://down").unwrap().force_open(None);
    for url in ["http://b", "http://c", "http://d"] {
        used(&breakers, url);
    }
    assert_eq!(names(&breakers), ["http://d", "http://down"]);
    breakers.handle("http://d").unwrap().disable();
    // No other breaker is left to evict.
    used(&breakers, "http://e");
    assert_eq!(names(&breakers), ["http://d", "http://e"]);
}

#[test]
fn a_held_breaker_is_kept_longest() {
    let breakers = per_host(2);
    used(&breakers, "http://watched");
    let handle = breakers.handle("http://watched").unwrap();
    let events = handle.events();
    drop(handle);
    used(&breakers, "http://down");
    breakers.handle("http://down").unwrap().force_open(None);
    used(&breakers, "http://c");
    assert_eq!(names(&breakers), ["http://c", "http://watched"]);
    drop(events);
    used(&breakers, "http://called");
    let permit = breakers.handle("http://called").unwrap().try_acquire().unwrap();
    used(&breakers, "http://d");
    used(&breakers, "http://e");
    assert_eq!(names(&breakers), ["http://called", "http://e"]);
    drop(permit);
}

#[test]
fn there_are_never_more_than_the_capacity() {
    let breakers = per_host(4);
    let mut held = Vec::new();
    for n in 0..100 {
        used(&breakers, &format!("http://host{n}"));
        held.extend(breakers.handles());
        assert!(breakers.handles().len() <= 4);
    }
    drop(held);
}

#[test]
fn new_settings_apply_to_all_breakers_and_to_future_ones() {
    let breakers = per_host(4);
    used(&breakers, "http://a");
    let settings = Settings::builder().trip(Trip::none().consecutive(2)).build().unwrap();
    breakers.reconfigure(settings);
    used(&breakers, "http://b");
    for handle in breakers.handles() {
        for _ in 0..2 {
            handle.try_acquire().unwrap().failure();
        }
        assert_eq!(handle.state(), State::Open, "{}", handle.name());
    }
}

fn open() -> CircuitOpen {
    let handle = BreakerHandle::new("api", Settings::default());
    handle.force_open(None);
    handle.try_acquire().unwrap_err()
}

#[test]
fn a_rejection_is_found_through_transparent_errors() {
    for error in [
        IntoMiddlewareError::into_error(BoxError::from(open())),
        BreakerError::<Error>::Open(open()).into_error(),
        Error::from(open()).into_error(),
    ] {
        assert_eq!(error.as_rejection().unwrap().name(), "api");
        assert_eq!(error.to_string(), "rejected by the circuit breaker");
        assert_eq!(error.source().unwrap().to_string(), open().to_string());
        // The wrapping that reqwest-retry does.
        let wrapped = Error::Middleware(anyhow::Error::new(error));
        assert_eq!(wrapped.as_rejection().unwrap().name(), "api");
        assert_eq!(BoxError::from(wrapped).as_rejection().unwrap().name(), "api");
    }
    let Error::Middleware(any) = Error::from(open()) else { panic!("not ours") };
    assert_eq!(any.downcast_ref::<CircuitOpen>().unwrap().name(), "api");
}

#[test]
fn an_error_of_the_client_is_unchanged() {
    fn parsed(url: impl IntoUrl) -> reqwest::Error {
        url.into_url().unwrap_err()
    }
    let from_client = || Error::from(parsed("no url"));
    for error in [
        BoxError::from(from_client()).into_error(),
        BreakerError::Inner(from_client()).into_error(),
    ] {
        assert!(error.is_builder(), "{error:?}");
        assert!(error.as_rejection().is_none());
    }
    let other = BoxError::from(io::Error::other("lost")).into_error();
    assert!(other.is_middleware());
    assert_eq!(other.to_string(), "lost");
}

#[test]
fn a_downstream_rejection_is_ignored() {
    let outcome = Outcomes::<(), _>::outcome(&ErrorsAsFailures, Err(&Error::from(open())));
    assert_eq!(outcome.class(), crate::Class::Ignored);
    let failed = Error::Middleware(anyhow::anyhow!("lost"));
    let outcome = Outcomes::<(), _>::outcome(&ErrorsAsFailures, Err(&failed));
    assert_eq!(outcome.class(), crate::Class::Failure);
}

#[test]
fn a_middleware_made_from_a_layer_shares_its_breaker() {
    let layer = CircuitBreakerLayer::new(Config::http_client().name("shared"));
    let middleware = CircuitBreakerMiddleware::from(layer.clone());
    layer.handle().force_open(None);
    assert_eq!(middleware.handle().state(), State::ForcedOpen);
}
