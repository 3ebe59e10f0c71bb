//! Defects that concern guarded calls.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower::load_shed::error::Overloaded;
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{
    CircuitBreakerLayer, Config, FallbackLayer, Outcome, Probe, State, fallback::OnError,
};

use crate::support::breakers::*;

/// F11: a lock was held during the guarded call, so five concurrent calls took the time of five. The store of
/// gobreaker and the pinned epoch of recloser have the same defect.
#[tokio::test(start_paused = true)]
async fn concurrent_calls_take_the_time_of_one() {
    for half_open in [false, true] {
        let settings = plain().probe(Probe::successes(5).in_flight(5)).build().unwrap();
        let layer = CircuitBreakerLayer::new(Config::default().settings(settings));
        let handle = layer.handle();
        if half_open {
            handle.hold_for(Duration::ZERO);
        }
        let service = layer.layer(service_fn(|()| async {
            sleep(MS(200)).await;
            Ok::<_, BoxError>(())
        }));
        let start = Instant::now();
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!((start.elapsed(), handle.state()), (MS(200), State::Closed));
    }
}

/// F10: calls that the bulkhead of the breaker refused counted as failures and opened the circuit.
#[tokio::test(start_paused = true)]
async fn a_refusal_by_a_limit_inside_opens_nothing_if_classified_as_ignored() {
    let classify = |result: Result<&(), &BoxError>| match result {
        Ok(()) => Outcome::success(),
        Err(error) if error.is::<Overloaded>() => Outcome::ignored(),
        Err(_) => Outcome::failure(),
    };
    let config = Config::default().settings(plain().build().unwrap()).classify_fn(classify);
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let service = ServiceBuilder::new().layer(layer).load_shed().concurrency_limit(1).service(
        service_fn(|hangs: bool| async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok::<_, BoxError>(())
        }),
    );
    let hung = tokio::spawn(service.clone().oneshot(true));
    tokio::task::yield_now().await;
    for _ in 0..50 {
        assert!(service.clone().oneshot(false).await.unwrap_err().is::<Overloaded>());
    }
    assert_eq!((handle.state(), handle.snapshot().totals.ignored), (State::Closed, 50));
    hung.abort();
    assert!(hung.await.unwrap_err().is_cancelled());
    service.oneshot(false).await.unwrap();
}

/// P23, P26: successes of a backup counted for the primary, so they closed its circuit. Failures of the backup were not
/// counted.
#[tokio::test(start_paused = true)]
async fn primary_and_backup_each_count_their_own_results() {
    let layers = ["primary", "backup"].map(|name| {
        let settings = plain().build().unwrap();
        CircuitBreakerLayer::new(Config::default().name(name).settings(settings))
    });
    let [primary, backup] = layers.each_ref().map(CircuitBreakerLayer::handle);
    let [guards_primary, guards_backup] = layers;
    let service = ServiceBuilder::new()
        .layer(
            FallbackLayer::service(guards_backup.layer(service_fn(|works: bool| async move {
                if works { Ok("backup") } else { Err(BoxError::from("backup down")) }
            })))
            .when(OnError),
        )
        .layer(guards_primary)
        .service(service_fn(|_: bool| async { Err(BoxError::from("primary down")) }));
    for _ in 0..5 {
        assert_eq!(service.clone().oneshot(true).await.unwrap(), "backup");
    }
    let (first, second) = (primary.snapshot().totals, backup.snapshot().totals);
    assert_eq!((first.success, first.failure, first.rejected), (0, 3, 2));
    assert_eq!((second.success, second.failure, second.rejected), (5, 0, 0));
    assert_eq!((primary.state(), backup.state()), (State::Open, State::Closed));
    for _ in 0..3 {
        service.clone().oneshot(false).await.unwrap_err();
    }
    assert_eq!((backup.state(), backup.snapshot().totals.failure), (State::Open, 3));
    assert_eq!(primary.snapshot().totals.failure, 3);
}
