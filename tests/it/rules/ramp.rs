//! The ramp.

use tower_breaker::{Backoff, Cause, Outcome, Probe, Ramp, State, Trip};

use crate::support::breakers::*;

/// Makes `calls` calls that succeed, and returns how many pass.
fn passed(handle: &tower_breaker::BreakerHandle, calls: usize) -> Vec<usize> {
    let pass = |_: &usize| handle.try_acquire().map(tower_breaker::Permit::success).is_ok();
    (0..calls).filter(pass).collect()
}

#[tokio::test(start_paused = true)]
async fn each_step_admits_its_share_spread_evenly() {
    let handle = breaker(plain().ramp(Ramp::new([10, 25, 50], S(10))));
    probe(&handle).await.success();
    assert_eq!(handle.state(), State::HalfOpen);
    assert_eq!(passed(&handle, 40), [9, 19, 29, 39]);
    pass(S(10)).await;
    assert_eq!(passed(&handle, 8), [3, 7]);
    pass(S(10)).await;
    assert_eq!(passed(&handle, 4), [1, 3]);
    pass(S(10)).await;
    assert_eq!(passed(&handle, 4), [0, 1, 2, 3]);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_counter_runs_through_all_steps() {
    let handle = breaker(plain().ramp(Ramp::new([10, 50], S(10))));
    probe(&handle).await.success();
    assert_eq!(passed(&handle, 5), [0; 0]);
    pass(S(10)).await;
    // Call 5 at 50 %: half of 6 is more than half of 5.
    assert_eq!(passed(&handle, 3), [0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_belongs_to_the_epoch_of_its_probes_and_its_end_begins_another() {
    let handle = breaker(plain().ramp(Ramp::new([100], S(10))));
    let mut events = handle.events();
    let first = probe(&handle).await;
    let epoch = handle.snapshot().epoch;
    first.success();
    assert_eq!(handle.snapshot().epoch, epoch);
    let end = tokio::time::Instant::now().into_std() + S(10);
    pass(S(17)).await;
    assert_eq!(handle.state(), State::Closed, "read, but not applied yet");
    assert_eq!(handle.snapshot().epoch, epoch);
    let call = admit(&handle);
    assert_eq!(handle.snapshot().epoch, epoch + 1);
    call.success();
    let last = drain(&mut events).pop().expect("closed");
    assert_eq!(
        (last.from, last.to, last.cause),
        (State::HalfOpen, State::Closed, Cause::Recovered)
    );
    assert_eq!(last.due_since, Some(end));
}

#[tokio::test(start_paused = true)]
async fn a_single_failure_does_not_end_a_ramp_and_the_trip_rules_do() {
    let cooldown = Backoff::exponential(COOLDOWN, S(100)).jitter(0.0);
    let handle = breaker(plain().cooldown(cooldown).ramp(Ramp::new([100], S(10))));
    probe(&handle).await.success();
    fail(&handle, 2);
    assert_eq!(
        (handle.state(), handle.snapshot().window.consecutive_failures),
        (State::HalfOpen, 2)
    );
    fail(&handle, 1);
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.cause), (State::Open, Cause::ConsecutiveFailures));
    assert_eq!(
        (snapshot.attempt, open_for(&handle)),
        (1, S(20)),
        "the attempt continues, because the circuit has not recovered"
    );
}

#[tokio::test(start_paused = true)]
async fn the_window_counts_in_a_ramp() {
    let trip = Trip::none().consecutive(3).failure_rate(0.5, 4);
    let handle = breaker(ruled(trip).ramp(Ramp::new([100], S(10))));
    probe(&handle).await.success();
    succeed(&handle, 2);
    fail(&handle, 2);
    assert_eq!(handle.snapshot().cause, Cause::FailureRate);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_resets_at_the_end_of_a_ramp() {
    let cooldown = Backoff::exponential(COOLDOWN, S(100)).jitter(0.0);
    let handle = breaker(plain().cooldown(cooldown).ramp(Ramp::new([100], S(10))));
    probe(&handle).await.failure();
    assert_eq!(handle.snapshot().attempt, 1);
    pass(S(20)).await;
    admit(&handle).success();
    assert_eq!(handle.snapshot().attempt, 1, "not before the end of the ramp");
    pass(S(10)).await;
    fail(&handle, 3);
    assert_eq!((handle.snapshot().attempt, open_for(&handle)), (0, COOLDOWN));
}

#[tokio::test(start_paused = true)]
async fn without_a_ramp_failures_soon_after_closing_continue_with_the_next_attempt() {
    let cooldown = Backoff::exponential(COOLDOWN, S(100)).jitter(0.0);
    let handle = breaker(plain().cooldown(cooldown));
    probe(&handle).await.failure();
    pass(S(20)).await;
    admit(&handle).success();
    fail(&handle, 3);
    assert_eq!((handle.snapshot().attempt, open_for(&handle)), (2, S(40)));
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_a_ramp() {
    let handle = breaker(plain().ramp(Ramp::new([100], S(10))));
    probe(&handle).await.success();
    settle(&handle, Outcome::throttled().retry_after(S(30)));
    assert_eq!((handle.snapshot().cause, open_for(&handle)), (Cause::Throttled, S(30)));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_after_the_ramp_began_does_not_reopen_by_itself() {
    let probes = Probe::successes(1).in_flight(2);
    let handle = breaker(plain().probe(probes).ramp(Ramp::new([100], S(10))));
    let first = probe(&handle).await;
    let second = admit(&handle);
    first.success();
    second.failure();
    assert_eq!(handle.state(), State::HalfOpen);
    pass(S(35)).await;
    admit(&handle).success();
    assert_eq!(handle.state(), State::Closed, "its lease ended when the ramp began");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_settles_after_the_end_of_a_ramp_decides_nothing() {
    let handle = breaker(plain().ramp(Ramp::new([100], S(10))));
    let mut events = handle.events();
    probe(&handle).await.success();
    fail(&handle, 2);
    let last = admit(&handle);
    pass(S(10)).await;
    assert_eq!(handle.state(), State::Closed);
    last.failure();
    assert_eq!(handle.state(), State::Closed, "a result of the ramp decides nothing after it");
    let last = drain(&mut events).pop().expect("closed");
    assert_eq!((last.to, last.cause), (State::Closed, Cause::Recovered));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_that_is_disabled_ends() {
    let handle = breaker(plain().ramp(Ramp::new([1], S(1_000))));
    probe(&handle).await.success();
    assert!(handle.try_acquire().is_err());
    handle.reconfigure(plain().build().unwrap());
    admit(&handle).success();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_outlived_its_lease_decides_nothing_in_a_ramp() {
    let probes = Probe::sample(3, 0.6).in_flight(2).lease(S(1));
    let handle = breaker(plain().probe(probes).ramp(Ramp::new([100], S(10))));
    trip(&handle);
    pass(COOLDOWN).await;
    let hung = admit(&handle);
    pass(S(1)).await;
    succeed(&handle, 2);
    assert_eq!(
        (handle.snapshot().cause, handle.state()),
        (Cause::CooldownElapsed, State::HalfOpen)
    );
    hung.failure();
    let snapshot = handle.snapshot();
    assert_eq!(snapshot.window.consecutive_failures, 0);
    assert_eq!((snapshot.totals.late, snapshot.totals.success), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_that_an_operator_ends_was_not_due() {
    let handle = breaker(plain().ramp(Ramp::new([100], S(10))));
    probe(&handle).await.success();
    let mut events = handle.events();
    handle.force_closed();
    assert_eq!(drain(&mut events).pop().expect("closed").due_since, None);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_ends_after_its_lease_in_a_ramp_is_no_longer_in_flight() {
    let half_open = Probe::successes(1).in_flight(2).lease(S(5));
    let handle = breaker(plain().probe(half_open).ramp(Ramp::new([100], S(100))));
    let first = probe(&handle).await;
    let hung = admit(&handle);
    first.success();
    pass(S(6)).await;
    assert_eq!(handle.snapshot().probes, 1);
    hung.success();
    assert_eq!((handle.snapshot().probes, handle.snapshot().totals.late), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_wait_of_a_failed_probe_survives_a_smaller_sample() {
    let ramp = Ramp::new([100], S(100));
    let sample = |calls, rate| plain().probe(Probe::sample(calls, rate)).ramp(ramp.clone());
    let handle = breaker(sample(10, 0.5));
    probe(&handle).await.success();
    let last = admit(&handle);
    handle.reconfigure(sample(2, 1.0).build().unwrap());
    last.settle(Outcome::throttled().retry_after(S(60)));
    assert_eq!(handle.snapshot().probes, 0, "1 success of 2 is enough to start the ramp");
    fail(&handle, 3);
    assert_eq!(open_for(&handle), S(60));
}
