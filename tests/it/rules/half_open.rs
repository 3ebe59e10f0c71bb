//! Half-open: what closes the circuit and what reopens it.

use tower_breaker::{
    Backoff, Cause, CircuitBreakerLayer, CircuitOpen, Config, Outcome, Probe, State, Throttled,
    Trip,
};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn the_first_successful_probe_closes_and_the_first_failed_one_reopens() {
    let handle = breaker(plain());
    probe(&handle).await.failure();
    assert_eq!((handle.state(), handle.snapshot().cause), (State::Open, Cause::ProbeFailed));
    pass(COOLDOWN).await;
    admit(&handle).success();
    assert_eq!((handle.state(), handle.snapshot().cause), (State::Closed, Cause::Recovered));
}

#[tokio::test(start_paused = true)]
async fn the_configured_number_of_successes_closes() {
    let handle = breaker(plain().probe(Probe::successes(3)));
    probe(&handle).await.success();
    admit(&handle).success();
    assert_eq!(handle.state(), State::HalfOpen);
    admit(&handle).success();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn successes_do_not_outweigh_a_failure() {
    let handle = breaker(plain().probe(Probe::successes(3)));
    probe(&handle).await.success();
    admit(&handle).success();
    admit(&handle).failure();
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_or_ignored_probe_returns_its_lease_and_decides_nothing() {
    let handle = breaker(plain());
    let first = probe(&handle).await;
    let epoch = handle.snapshot().epoch;
    drop(first);
    assert!(handle.would_admit());
    admit(&handle).ignore();
    let third = admit(&handle);
    assert!(third.is_probe());
    assert_eq!((handle.state(), handle.snapshot().epoch), (State::HalfOpen, epoch));
    third.success();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn exhausted_and_throttled_fail_a_probe() {
    for outcome in [Outcome::exhausted().retry_after(S(1)), Outcome::throttled()] {
        let handle = breaker(plain());
        probe(&handle).await.settle(outcome);
        assert_eq!((handle.snapshot().cause, open_for(&handle)), (Cause::ProbeFailed, COOLDOWN));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_fails_only_if_there_is_a_slow_rule() {
    for (trip, expected) in [
        (Trip::none().consecutive(3).slow(S(1), 1.0, 100), State::Open),
        (Trip::none().consecutive(3), State::Closed),
    ] {
        let handle = breaker(ruled(trip));
        let probe = probe(&handle).await;
        pass(S(1)).await;
        probe.success();
        assert_eq!(handle.state(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_ignored_probe_is_replaced() {
    let slow = Trip::none().consecutive(3).slow(S(1), 1.0, 100);
    let handle = breaker(ruled(slow).throttled(Throttled::ignore()));
    let first = probe(&handle).await;
    pass(S(2)).await;
    first.ignore();
    assert_eq!(handle.state(), State::HalfOpen);
    let second = admit(&handle);
    pass(S(2)).await;
    second.settle(Outcome::throttled());
    assert_eq!(handle.state(), State::HalfOpen);
    admit(&handle).success();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn min_calls_does_not_protect_a_failing_probe() {
    let handle = breaker(ruled(Trip::none().consecutive(3).failure_rate(0.5, 1_000)));
    probe(&handle).await.failure();
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_hung_probe_ends_and_the_breaker_reopens_with_the_next_cooldown() {
    let cooldown = Backoff::exponential(COOLDOWN, S(100)).jitter(0.0);
    let handle = breaker(plain().cooldown(cooldown).probe(Probe::successes(1).lease(S(35))));
    let mut events = handle.events();
    let hung = probe(&handle).await;
    pass(S(35) - MS(1)).await;
    assert_eq!(handle.try_acquire().unwrap_err().state(), State::HalfOpen);
    pass(MS(1)).await;
    let rejection = handle.try_acquire().unwrap_err();
    assert_eq!((rejection.state(), rejection.cause()), (State::Open, Cause::LeaseExpired));
    assert_eq!((open_for(&handle), handle.snapshot().attempt), (S(20), 1));
    let before = handle.snapshot();
    hung.success();
    let after = handle.snapshot();
    assert_eq!((after.totals.late, after.totals.success), (1, 0));
    assert_eq!((after.epoch, after.state, after.until), (before.epoch, before.state, before.until));
    let to: Vec<_> = drain(&mut events).iter().map(|event| event.to).collect();
    assert_eq!(to, [State::Open, State::HalfOpen, State::Open]);
}

#[tokio::test(start_paused = true)]
async fn a_late_success_of_a_hung_probe_applies_the_expired_lease() {
    let handle = breaker(plain());
    let hung = probe(&handle).await;
    pass(S(35)).await;
    hung.success();
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.cause), (State::Open, Cause::LeaseExpired));
    assert_eq!((snapshot.totals.late, snapshot.totals.success), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_wait_in_the_late_response_of_a_hung_probe_is_kept() {
    let handle = breaker(plain());
    let hung = probe(&handle).await;
    pass(S(35)).await;
    hung.settle(Outcome::throttled().retry_after(S(50)));
    assert_eq!(open_for(&handle), S(50));
}

#[tokio::test(start_paused = true)]
async fn would_admit_recovers_from_a_hung_probe() {
    let handle = breaker(plain());
    let _hung = probe(&handle).await;
    pass(S(35)).await;
    assert!(!handle.would_admit());
    pass(COOLDOWN).await;
    assert!(handle.would_admit(), "the cooldown has begun");
}

#[tokio::test(start_paused = true)]
async fn a_service_recovers_from_a_hung_probe() {
    use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
    let config = Config::default().settings(plain().build().unwrap());
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let mut service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(|()| async { Ok::<_, tower::BoxError>(()) }));
    let _hung = probe(&handle).await;
    pass(S(35)).await;
    let error = service.ready().await.unwrap().call(()).await.unwrap_err();
    let open = CircuitOpen::find(&*error).expect("a rejection");
    assert_eq!((open.state(), open.retry_after()), (State::Open, Some(COOLDOWN)));
    pass(COOLDOWN).await;
    service.ready().await.unwrap().call(()).await.unwrap();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_sample_reopens_at_its_rate() {
    let handle = breaker(plain().probe(Probe::sample(10, 0.3)));
    probe(&handle).await.failure();
    admit(&handle).failure();
    for _ in 0..7 {
        admit(&handle).success();
        assert_eq!(handle.state(), State::HalfOpen);
    }
    admit(&handle).failure();
    assert_eq!((handle.state(), handle.snapshot().cause), (State::Open, Cause::ProbeFailed));
}

#[tokio::test(start_paused = true)]
async fn a_sample_closes_once_its_rate_can_no_longer_be_reached() {
    let handle = breaker(plain().probe(Probe::sample(10, 0.3)));
    probe(&handle).await.failure();
    for _ in 0..7 {
        admit(&handle).success();
    }
    assert_eq!(handle.state(), State::HalfOpen, "1 of 8 failed, 2 to come");
    admit(&handle).success();
    assert_eq!(handle.state(), State::Closed, "1 of 9 failed, 1 to come");
}

#[tokio::test(start_paused = true)]
async fn a_sample_replaces_cancelled_and_ignored_probes_and_counts_expired_leases() {
    let handle = breaker(plain().probe(Probe::sample(4, 0.5).in_flight(4).lease(S(5))));
    drop(probe(&handle).await);
    admit(&handle).ignore();
    let hung = admit(&handle);
    pass(S(5)).await;
    let other = admit(&handle);
    assert_eq!(handle.snapshot().probes, 1, "the lease of the hung probe is free");
    hung.success();
    assert_eq!((handle.state(), handle.snapshot().totals.late), (State::HalfOpen, 1));
    other.failure();
    assert_eq!(handle.state(), State::Open, "2 of 4 failed");
}

#[tokio::test(start_paused = true)]
async fn a_sample_starts_no_probe_that_cannot_change_its_result() {
    let handle = breaker(plain().probe(Probe::sample(3, 0.3).in_flight(2)));
    probe(&handle).await.success();
    admit(&handle).success();
    let _last = admit(&handle);
    assert!(handle.try_acquire().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_sample_that_shrinks_below_its_settled_probes_is_decided() {
    let handle = breaker(plain().probe(Probe::sample(10, 0.5)));
    probe(&handle).await.success();
    for _ in 0..3 {
        admit(&handle).success();
    }
    handle.reconfigure(plain().probe(Probe::sample(3, 0.5)).build().unwrap());
    assert_eq!(handle.state(), State::HalfOpen, "new settings change no state");
    assert!(handle.would_admit());
    admit(&handle).success();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_wait_of_a_failed_probe_in_a_sample_is_the_minimum_of_the_next_open_period() {
    let handle = breaker(plain().probe(Probe::sample(4, 0.5)));
    probe(&handle).await.settle(Outcome::throttled().retry_after(S(60)));
    pass(S(5)).await;
    admit(&handle).failure();
    assert_eq!(open_for(&handle), S(55));
}
