//! The snippets of the chapter on testing.

// guide: paused_time
use std::time::Duration;
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Config, State};

#[tokio::test(start_paused = true)]
async fn the_circuit_closes_after_the_outage() {
    let breaker = CircuitBreakerLayer::new(Config::default());
    let handle = breaker.handle();
    let up =
        service_fn(|up: bool| async move { if up { Ok(()) } else { Err(BoxError::from("down")) } });
    let service = ServiceBuilder::new().layer(breaker).service(up);

    for _ in 0..5 {
        service.clone().oneshot(false).await.unwrap_err();
    }
    let error = service.clone().oneshot(true).await.unwrap_err();
    assert!(CircuitOpen::find(&*error).is_some());

    tokio::time::sleep(Duration::from_secs(7)).await; // 5 s with up to 20 % of jitter, without waiting
    service.oneshot(true).await.unwrap();
    assert_eq!(handle.state(), State::Closed);
}
// guide: end

#[tokio::test]
async fn a_circuit_that_is_open_in_a_test() {
    // guide: forced
    let breaker = CircuitBreakerLayer::new(Config::default());
    breaker.handle().force_open(None);
    // guide: end
    let service = ServiceBuilder::new()
        .layer(breaker)
        .service(service_fn(|_: ()| async { Ok::<_, BoxError>(()) }));
    assert!(CircuitOpen::find(&*service.oneshot(()).await.unwrap_err()).is_some());
}
