//! Manual operations. `manual_table.rs` checks the whole table.

use std::time::Duration;

use tower_breaker::{Backoff, Cause, Mode, Outcome, Ramp, State, Trip};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn forced_open_is_sticky() {
    let handle = breaker(plain());
    trip(&handle);
    handle.force_open(None);
    for _ in 0..10 {
        pass(S(100_000)).await;
        assert_eq!(handle.try_acquire().unwrap_err().state(), State::ForcedOpen);
    }
    assert_eq!((handle.state(), handle.mode()), (State::ForcedOpen, Mode::ForcedOpen));
    assert_eq!(handle.snapshot().until, None);
}

#[tokio::test(start_paused = true)]
async fn a_forced_open_with_a_duration_ends_after_it() {
    let handle = breaker(plain());
    handle.force_open(Some(S(30)));
    pass(S(30) - MS(1)).await;
    assert!(handle.try_acquire().is_err());
    pass(MS(1)).await;
    let probe = admit(&handle);
    assert!(probe.is_probe(), "a probe decides");
    assert_eq!(handle.mode(), Mode::Normal);
    probe.failure();
    assert_eq!(open_for(&handle), COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn a_released_breaker_waits_for_its_earlier_deadline() {
    let handle = breaker(plain().cooldown(Backoff::fixed(S(50))));
    let late = admit(&handle);
    trip(&handle);
    handle.force_open(None);
    late.settle(Outcome::throttled().retry_after(S(60)));
    pass(S(20)).await;
    handle.release();
    assert_eq!((open_for(&handle), handle.snapshot().cause), (S(40), Cause::Release));
    handle.force_open(None);
    pass(S(41)).await;
    handle.release();
    assert!(admit(&handle).is_probe(), "at once, because its deadline has passed");
}

#[tokio::test(start_paused = true)]
async fn force_closed_forgets_waits_and_attempts_and_is_not_sticky() {
    let handle = breaker(plain().cooldown(Backoff::exponential(S(5), S(60)).jitter(0.0)));
    fail(&handle, 3);
    pass(S(5)).await;
    admit(&handle).failure();
    handle.hold_for(S(1_000));
    handle.force_closed();
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.attempt, snapshot.until), (State::Closed, 0, None));
    fail(&handle, 3);
    assert_eq!((open_for(&handle), handle.snapshot().attempt), (S(5), 0));
}

#[tokio::test(start_paused = true)]
async fn reset_restores_everything_except_the_totals() {
    let handle = breaker(plain());
    fail(&handle, 3);
    handle.force_open(None);
    handle.reset();
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.mode), (State::Closed, Mode::Normal));
    assert_eq!((snapshot.cause, snapshot.attempt), (Cause::Start, 0));
    assert_eq!(snapshot.totals.failure, 3);
}

#[tokio::test(start_paused = true)]
async fn disabled_admits_every_call_and_never_counts_it() {
    let handle = breaker(ruled(Trip::none().consecutive(1).overdue(1, S(1))));
    handle.disable();
    let before = handle.snapshot().totals;
    let later = [admit(&handle), admit(&handle)];
    for _ in 0..10 {
        settle(&handle, Outcome::failure());
        settle(&handle, Outcome::exhausted());
    }
    assert_eq!((handle.state(), handle.snapshot().in_flight), (State::Disabled, Some(0)));
    handle.release();
    pass(S(5)).await;
    later.into_iter().for_each(tower_breaker::Permit::failure);
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.totals, snapshot.state), (before, State::Closed));
}

#[tokio::test(start_paused = true)]
async fn shadow_applies_the_rules_and_rejects_nothing() {
    let handle = breaker(plain());
    handle.shadow();
    trip(&handle);
    for _ in 0..5 {
        let inert = admit(&handle);
        assert!(!inert.is_probe());
        inert.success();
    }
    let totals = handle.snapshot().totals;
    assert_eq!((totals.would_reject, totals.rejected, totals.success), (5, 0, 0));
    assert_eq!((handle.state(), handle.mode()), (State::Open, Mode::Shadow));
    pass(COOLDOWN).await;
    let probe = admit(&handle);
    assert!(probe.is_probe());
    admit(&handle).failure();
    assert_eq!(handle.snapshot().totals.would_reject, 6);
    probe.success();
    assert_eq!((handle.state(), handle.snapshot().totals.success), (State::Closed, 1));
}

#[tokio::test(start_paused = true)]
async fn in_shadow_the_admission_that_fires_overdue_counts_as_would_reject() {
    let handle = breaker(ruled(Trip::none().overdue(1, S(1))));
    handle.shadow();
    let _hung = admit(&handle);
    pass(S(2)).await;
    drop(admit(&handle));
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.totals.would_reject), (State::Open, 1));
    assert_eq!(snapshot.in_flight, Some(1), "the hung call");
}

#[tokio::test(start_paused = true)]
async fn shadow_starts_closed_and_ends_closed() {
    let handle = breaker(plain());
    trip(&handle);
    handle.shadow();
    assert_eq!((handle.state(), handle.mode()), (State::Closed, Mode::Shadow));
    trip(&handle);
    handle.release();
    assert_eq!((handle.state(), handle.mode()), (State::Closed, Mode::Normal));
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_an_operator_has_no_cap_and_no_jitter() {
    let handle = breaker(plain().hold_jitter(1.0));
    handle.hold_for(S(1_000_000));
    let snapshot = handle.snapshot();
    assert_eq!((open_for(&handle), snapshot.cause), (S(1_000_000), Cause::Hold));
    assert_eq!(snapshot.asked_until, None);
}

#[tokio::test(start_paused = true)]
async fn a_hold_while_disabled_is_not_remembered() {
    let handle = breaker(plain());
    handle.disable();
    handle.hold_for(S(1_000));
    handle.force_open(None);
    handle.release();
    assert!(admit(&handle).is_probe());
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_zero_lets_a_probe_decide() {
    let handle = breaker(plain());
    handle.hold_for(Duration::ZERO);
    assert!(admit(&handle).is_probe());
}

#[tokio::test(start_paused = true)]
async fn a_verb_makes_the_result_of_a_probe_late() {
    let handle = breaker(plain());
    let probe = probe(&handle).await;
    handle.hold_for(S(20));
    probe.success();
    assert_eq!((handle.state(), handle.snapshot().totals.late), (State::Open, 1));
}

#[tokio::test(start_paused = true)]
async fn the_last_forced_open_sets_the_duration() {
    let handle = breaker(plain());
    handle.force_open(Some(S(10)));
    handle.force_open(None);
    pass(S(100)).await;
    assert_eq!(handle.state(), State::ForcedOpen);
    handle.force_open(Some(S(10)));
    pass(S(10)).await;
    assert_eq!(handle.state(), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_verb_first_applies_the_end_of_a_ramp() {
    let cooldown = Backoff::exponential(COOLDOWN, S(100)).jitter(0.0);
    let handle = breaker(plain().cooldown(cooldown).ramp(Ramp::new([100], S(10))));
    probe(&handle).await.failure();
    pass(S(20)).await;
    admit(&handle).success();
    let mut events = handle.events();
    pass(S(1_000)).await;
    assert_eq!((handle.state(), handle.snapshot().attempt), (State::Closed, 1), "no call was made");
    handle.hold_for(S(5));
    let causes: Vec<_> = drain(&mut events).iter().map(|event| event.cause).collect();
    assert_eq!(causes, [Cause::Recovered, Cause::Hold]);
    pass(S(5)).await;
    admit(&handle).failure();
    assert_eq!((handle.snapshot().attempt, open_for(&handle)), (0, COOLDOWN));
}

#[tokio::test(start_paused = true)]
async fn a_verb_first_applies_an_expired_lease() {
    let cooldown = Backoff::exponential(COOLDOWN, S(100)).jitter(0.0);
    let handle = breaker(plain().cooldown(cooldown));
    let mut events = handle.events();
    let _hung = probe(&handle).await;
    pass(S(35)).await;
    handle.hold_for(S(5));
    let last = drain(&mut events).pop().expect("opened");
    assert_eq!((last.cause, last.attempt), (Cause::LeaseExpired, 1));
    assert_eq!(open_for(&handle), S(20), "a hold shortens no open period");
}
