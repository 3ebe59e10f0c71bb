//! Transitions that are due by time alone, and how waiters see them.

use tower_breaker::{Backoff, Cause, Outcome, Probe, Ramp, State};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn an_open_circuit_past_its_deadline_reads_as_half_open_and_reading_changes_nothing() {
    let handle = breaker(plain());
    let mut events = handle.events();
    trip(&handle);
    let open = handle.snapshot();
    pass(COOLDOWN - MS(1)).await;
    assert_eq!(handle.state(), State::Open);
    pass(MS(1)).await;
    for _ in 0..3 {
        assert_eq!((handle.state(), handle.snapshot().state), (State::HalfOpen, State::HalfOpen));
        assert!(handle.would_admit());
    }
    let read = handle.snapshot();
    assert_eq!((read.epoch, read.since, read.cause), (open.epoch, open.since, open.cause));
    assert_eq!(drain(&mut events).len(), 1, "only the trip");
}

#[tokio::test(start_paused = true)]
async fn the_first_probe_reports_its_time_and_since_when_it_was_due() {
    let handle = breaker(plain());
    let mut events = handle.events();
    trip(&handle);
    let due = handle.snapshot().until;
    pass(S(25)).await;
    let now = tokio::time::Instant::now().into_std();
    drop(admit(&handle));
    drop(admit(&handle));
    let transitions = drain(&mut events);
    assert_eq!(transitions.len(), 2, "once");
    assert_eq!((transitions[1].from, transitions[1].to), (State::Open, State::HalfOpen));
    assert_eq!((transitions[1].at, transitions[1].due_since), (now, due));
    assert_eq!((transitions[0].open_for, transitions[0].due_since), (Some(COOLDOWN), None));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_sees_the_lazy_half_open_by_its_timer() {
    let handle = breaker(plain());
    trip(&handle);
    let start = tokio::time::Instant::now();
    assert_eq!(handle.changed().await, State::HalfOpen);
    assert_eq!(start.elapsed(), COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_sees_a_lease_end_by_its_timer() {
    let handle = breaker(plain().probe(Probe::successes(1).lease(S(35))));
    let _hung = probe(&handle).await;
    let start = tokio::time::Instant::now();
    assert_eq!(handle.changed().await, State::Open);
    assert_eq!((start.elapsed(), handle.snapshot().cause), (S(35), Cause::LeaseExpired));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_began_before_the_probe_sees_its_lease_end() {
    let handle = breaker(plain());
    drop(probe(&handle).await);
    let waiter = tokio::spawn({
        let mut watch = handle.watch();
        async move { watch.changed().await }
    });
    tokio::task::yield_now().await;
    let _hung = admit(&handle);
    let state = tokio::time::timeout(S(60), waiter).await.expect("woken").expect("no panic");
    assert_eq!(state, State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_sees_a_ramp_end_by_its_timer() {
    let handle = breaker(plain().ramp(Ramp::new([10, 50], S(7))));
    let first = probe(&handle).await;
    let mut watch = handle.watch();
    first.success();
    let start = tokio::time::Instant::now();
    assert_eq!(watch.changed().await, State::Closed);
    assert_eq!((start.elapsed(), handle.snapshot().cause), (S(14), Cause::Recovered));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_sees_a_forced_open_expire_by_its_timer() {
    let handle = breaker(plain());
    let mut events = handle.events();
    handle.force_open(Some(S(30)));
    handle.hold_for(S(50));
    let mut watch = handle.watch();
    let start = tokio::time::Instant::now();
    assert_eq!(watch.changed().await, State::Open);
    assert_eq!(start.elapsed(), S(30));
    assert_eq!(watch.changed().await, State::HalfOpen);
    assert_eq!(start.elapsed(), S(50));
    let transitions = drain(&mut events);
    assert_eq!(
        (transitions.len(), transitions[1].to, transitions[1].cause),
        (2, State::Open, Cause::ForceOpenExpired)
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_forced_open_half_opens_with_the_next_call() {
    let handle = breaker(plain());
    let mut events = handle.events();
    let expiry = tokio::time::Instant::now().into_std() + S(30);
    handle.force_open(Some(S(30)));
    pass(S(100)).await;
    assert_eq!(handle.state(), State::HalfOpen);
    assert!(admit(&handle).is_probe());
    let transitions = drain(&mut events);
    let to: Vec<_> = transitions.iter().map(|event| event.to).collect();
    assert_eq!(to, [State::ForcedOpen, State::Open, State::HalfOpen]);
    assert_eq!(
        (transitions[1].cause, transitions[1].due_since),
        (Cause::ForceOpenExpired, Some(expiry))
    );
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_woken_at_the_new_time_of_a_moved_deadline() {
    let handle = breaker(plain());
    let late = admit(&handle);
    trip(&handle);
    let waiter = tokio::spawn({
        let mut watch = handle.watch();
        async move { (watch.changed().await, tokio::time::Instant::now()) }
    });
    tokio::task::yield_now().await;
    let start = tokio::time::Instant::now();
    late.settle(Outcome::throttled().retry_after(S(40)));
    let (state, at) = waiter.await.expect("no panic");
    assert_eq!((state, at - start), (State::HalfOpen, S(40)));
}

#[tokio::test(start_paused = true)]
async fn changed_reports_only_transitions_after_its_creation() {
    let handle = breaker(plain());
    let changed = handle.changed();
    trip(&handle);
    assert_eq!(now_or_never(changed).await, Some(State::Open));
    assert!(now_or_never(handle.changed()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_watch_misses_nothing_between_two_waits() {
    let handle = breaker(plain().cooldown(Backoff::fixed(S(1))));
    let mut watch = handle.watch();
    handle.force_open(None);
    handle.force_closed();
    assert_eq!(now_or_never(watch.changed()).await, Some(State::Closed), "a new epoch");
    assert!(now_or_never(watch.changed()).await.is_none());
    handle.force_open(None);
    assert_eq!(now_or_never(watch.changed()).await, Some(State::ForcedOpen));
}

#[tokio::test(start_paused = true)]
async fn no_timer_runs_if_nothing_is_due() {
    let handle = breaker(plain());
    let mut watch = handle.watch();
    assert!(tokio::time::timeout(S(1_000_000), watch.changed()).await.is_err());
    handle.force_open(None);
    assert_eq!(watch.changed().await, State::ForcedOpen);
    assert!(tokio::time::timeout(S(1_000_000), watch.changed()).await.is_err());
}
