//! Admission, and what a rejection contains.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_breaker::{Backoff, Cause, Outcome, Probe, Ramp, State};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn an_open_circuit_admits_the_first_probe_of_a_new_epoch_at_its_deadline() {
    let handle = breaker(plain());
    trip(&handle);
    let open = handle.snapshot().epoch;
    pass(COOLDOWN - MS(1)).await;
    assert!(handle.try_acquire().is_err());
    assert_eq!(handle.snapshot().epoch, open);
    pass(MS(1)).await;
    let probe = admit(&handle);
    assert!(probe.is_probe());
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.epoch, snapshot.probes), (State::HalfOpen, open + 1, 1));
}

#[tokio::test(start_paused = true)]
async fn permits_of_a_closed_circuit_are_not_probes() {
    let handle = breaker(plain());
    let permits: Vec<_> = (0..100).map(|_| admit(&handle)).collect();
    assert!(permits.iter().all(|permit| !permit.is_probe()));
}

#[tokio::test(start_paused = true)]
async fn half_open_admits_one_probe_by_default() {
    let handle = breaker(plain());
    let _probe = probe(&handle).await;
    assert!(!handle.would_admit());
    assert_eq!(handle.try_acquire().unwrap_err().state(), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn half_open_admits_as_many_probes_as_it_has_leases_and_rejects_the_next() {
    let handle = breaker(plain().probe(Probe::successes(5).in_flight(3)));
    let first = probe(&handle).await;
    let _others = [admit(&handle), admit(&handle)];
    assert_eq!(handle.snapshot().probes, 3);
    assert!(handle.try_acquire().is_err());
    first.success();
    assert!(admit(&handle).is_probe(), "a returned lease is available again");
}

#[tokio::test(start_paused = true)]
async fn an_open_rejection_has_name_state_cause_and_the_exact_time_left() {
    let handle = breaker(plain());
    trip(&handle);
    pass(MS(2_500)).await;
    let rejection = handle.try_acquire().unwrap_err();
    assert_eq!(rejection.name(), "test");
    assert_eq!((rejection.state(), rejection.cause()), (State::Open, Cause::ConsecutiveFailures));
    assert_eq!(rejection.retry_after(), Some(MS(7_500)));
    assert_eq!(rejection.retry_after_secs(), Some(8), "rounded up");
    pass(MS(7_499)).await;
    assert_eq!(handle.try_acquire().unwrap_err().retry_after_secs(), Some(1), "at least 1 s");
}

#[tokio::test(start_paused = true)]
async fn a_forced_open_rejection_has_the_time_to_its_expiry_if_there_is_one() {
    let handle = breaker(plain());
    handle.force_open(None);
    let rejection = handle.try_acquire().unwrap_err();
    assert_eq!((rejection.state(), rejection.cause()), (State::ForcedOpen, Cause::ForceOpen));
    assert_eq!((rejection.retry_after(), rejection.retry_after_secs()), (None, None));
    handle.force_open(Some(S(30)));
    pass(S(12)).await;
    assert_eq!(handle.try_acquire().unwrap_err().retry_after(), Some(S(18)));
}

#[tokio::test(start_paused = true)]
async fn a_half_open_rejection_waits_for_the_lease_but_at_most_the_first_cooldown() {
    let handle = breaker(plain().probe(Probe::successes(1).lease(S(35))));
    let _probe = probe(&handle).await;
    let rejection = handle.try_acquire().unwrap_err();
    assert_eq!(
        (rejection.state(), rejection.cause()),
        (State::HalfOpen, Cause::ConsecutiveFailures),
        "the cause of the trip, not of half-open"
    );
    assert_eq!(rejection.retry_after(), Some(COOLDOWN));
    pass(S(24)).await;
    assert_eq!(handle.try_acquire().unwrap_err().retry_after(), Some(COOLDOWN));
    pass(S(2)).await;
    assert_eq!(
        handle.try_acquire().unwrap_err().retry_after(),
        Some(S(9)),
        "the rest of the lease"
    );
}

#[tokio::test(start_paused = true)]
async fn a_half_open_rejection_waits_for_the_oldest_of_several_leases() {
    let handle = breaker(plain().probe(Probe::successes(9).in_flight(2).lease(S(8))));
    let first = probe(&handle).await;
    pass(S(3)).await;
    let _second = admit(&handle);
    assert_eq!(handle.try_acquire().unwrap_err().retry_after(), Some(S(5)));
    first.success();
    let _third = admit(&handle);
    assert_eq!(handle.try_acquire().unwrap_err().retry_after(), Some(S(8)));
}

#[tokio::test(start_paused = true)]
async fn the_first_cooldown_bounds_a_half_open_rejection_even_after_longer_cooldowns() {
    let cooldown = Backoff::exponential(S(10), S(80)).jitter(0.0);
    let handle = breaker(plain().cooldown(cooldown));
    probe(&handle).await.failure();
    assert_eq!(open_for(&handle), S(20));
    pass(S(20)).await;
    let _probe = admit(&handle);
    assert_eq!(handle.try_acquire().unwrap_err().retry_after(), Some(S(10)));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_rejection_has_no_retry_after() {
    let handle = breaker(plain().ramp(Ramp::new([1], S(10))));
    probe(&handle).await.success();
    let rejection = handle.try_acquire().unwrap_err();
    assert_eq!((rejection.state(), rejection.retry_after()), (State::HalfOpen, None));
}

/// Calls `try_acquire` on real threads, with the paused clock of the runtime, and returns the number of permits.
fn race(handle: &tower_breaker::BreakerHandle, threads: usize, each: usize) -> usize {
    let runtime = tokio::runtime::Handle::current();
    let (admitted, barrier) = (AtomicUsize::new(0), Barrier::new(threads));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _clock = runtime.enter();
                barrier.wait();
                for _ in 0..each {
                    if let Ok(permit) = handle.try_acquire() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                        // The permit is never dropped, so its lease is never returned.
                        std::mem::forget(permit);
                    }
                }
            });
        }
    });
    admitted.into_inner()
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_threads_that_race_into_half_open_exactly_one_is_admitted() {
    let handle = breaker(plain());
    let mut events = handle.events();
    trip(&handle);
    pass(COOLDOWN).await;
    assert_eq!(race(&handle, 1_000, 1), 1);
    assert_eq!(handle.snapshot().totals.rejected, 999);
    let half_opens = drain(&mut events).iter().filter(|e| e.to == State::HalfOpen).count();
    assert_eq!(half_opens, 1);
}

#[tokio::test(start_paused = true)]
async fn threads_that_race_for_several_leases_get_exactly_those() {
    for _ in 0..50 {
        let handle = breaker(plain().probe(Probe::successes(100).in_flight(3)));
        trip(&handle);
        pass(COOLDOWN).await;
        assert_eq!(race(&handle, 4, 10), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn no_trip_rule_counts_rejections() {
    let handle = breaker(plain());
    trip(&handle);
    for _ in 0..100 {
        assert!(handle.try_acquire().is_err());
    }
    assert_eq!(open_for(&handle), COOLDOWN, "not lengthened");
    pass(COOLDOWN).await;
    admit(&handle).success();
    assert_eq!(handle.snapshot().window.consecutive_failures, 0);
    assert_eq!(handle.snapshot().totals.rejected, 100);
}

#[tokio::test(start_paused = true)]
async fn advancing_by_zero_changes_nothing() {
    let handle = breaker(plain().cooldown(Backoff::fixed(MS(1))));
    trip(&handle);
    pass(Duration::ZERO).await;
    assert_eq!(handle.state(), State::Open);
    assert!(handle.try_acquire().is_err());
    pass(MS(1)).await;
    settle(&handle, Outcome::success());
    assert_eq!(handle.state(), State::Closed);
}
