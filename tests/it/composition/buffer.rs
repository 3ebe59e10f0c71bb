//! Breakers under a buffer. The first readiness error ends the worker of a buffer, so a rejection must never be one.

use tower::{ServiceBuilder, ServiceExt};
use tower_breaker::{CircuitBreakerLayer, CircuitOpen, State};

use super::dependency::*;

#[tokio::test(start_paused = true)]
async fn a_buffer_survives_an_open_circuit() {
    let dependency = Dependency::new();
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let mut service = ServiceBuilder::new().buffer(10).layer(layer).service(dependency.service());
    dependency.down(true);
    for _ in 0..2 {
        call(&mut service).await.unwrap_err();
    }
    for _ in 0..100 {
        let error = call(&mut service).await.unwrap_err();
        assert!(CircuitOpen::find(&*error).is_some(), "{error}");
    }
    dependency.down(false);
    tokio::time::advance(COOLDOWN).await;
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!((handle.state(), dependency.hits()), (State::Closed, 3));
}

#[tokio::test(start_paused = true)]
async fn a_buffer_over_a_pending_breaker_keeps_its_requests_until_a_probe_is_admitted() {
    let dependency = Dependency::new();
    let layer = CircuitBreakerLayer::new(config().pending_while_open());
    let handle = layer.handle();
    let service = ServiceBuilder::new().buffer(10).layer(layer).service(dependency.service());
    handle.hold_for(COOLDOWN);
    let start = tokio::time::Instant::now();
    let callers: Vec<_> = (0..5).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), "ok");
    }
    assert_eq!((start.elapsed(), dependency.hits()), (COOLDOWN, 5));
}

#[tokio::test(start_paused = true)]
async fn a_dead_buffer_inside_opens_the_circuit() {
    // The first readiness error ends the worker. From then on, `poll_ready` always fails.
    let broken = tower::service_fn(async |()| Ok::<(), tower::BoxError>(()));
    let broken = tower::util::BoxService::new(Broken(broken));
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let mut service = ServiceBuilder::new().layer(layer).buffer(10).service(broken);
    for _ in 0..3 {
        call(&mut service).await.unwrap_err();
    }
    assert_eq!(handle.state(), State::Open);
    assert!(call(&mut service).await.unwrap_err().is::<CircuitOpen>());
}

struct Broken<S>(S);

impl<S: tower::Service<(), Error = tower::BoxError>> tower::Service<()> for Broken<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        std::task::Poll::Ready(Err("broken".into()))
    }

    fn call(&mut self, (): ()) -> S::Future {
        self.0.call(())
    }
}
