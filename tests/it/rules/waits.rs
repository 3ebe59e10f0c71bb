//! The length of open periods: cooldowns and waits that servers request.

use std::time::Duration;

use tower_breaker::{
    Backoff, BreakerHandle, Cause, Exhausted, Outcome, Settings, State, Throttled, Trip,
};

use crate::support::breakers::*;

fn doubling() -> Backoff {
    Backoff::exponential(S(5), S(60)).jitter(0.0)
}

/// Returns the length of each of `trips` open periods when every probe fails.
async fn waits(handle: &BreakerHandle, trips: usize) -> Vec<Duration> {
    fail(handle, 3);
    let mut waits = vec![open_for(handle)];
    for _ in 1..trips {
        pass(open_for(handle)).await;
        admit(handle).failure();
        waits.push(open_for(handle));
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn a_cooldown_doubles_with_each_failed_half_open_up_to_its_maximum() {
    let handle = breaker(plain().cooldown(doubling()));
    assert_eq!(waits(&handle, 6).await, [5, 10, 20, 40, 60, 60].map(S));
    assert_eq!(handle.snapshot().attempt, 5);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_cooldown_does_not_grow() {
    let handle = breaker(plain());
    assert_eq!(waits(&handle, 4).await, [COOLDOWN; 4]);
}

#[tokio::test(start_paused = true)]
async fn jitter_stays_within_its_share_and_uses_both_sides() {
    let mut seen = Vec::new();
    for seed in 0..200 {
        let cooldown = Backoff::exponential(S(10), S(1_000)).jitter(0.2);
        let handle = breaker(plain().cooldown(cooldown).seed(seed));
        fail(&handle, 3);
        seen.push(open_for(&handle));
    }
    assert!(seen.iter().all(|wait| (S(8)..=S(12)).contains(wait)));
    assert!(seen.iter().any(|wait| *wait < S(9)) && seen.iter().any(|wait| *wait > S(11)));
}

#[tokio::test(start_paused = true)]
async fn no_cooldown_exceeds_its_maximum_after_jitter() {
    for seed in 0..100 {
        let cooldown = Backoff::exponential(S(10), S(11)).jitter(0.9);
        let handle = breaker(plain().cooldown(cooldown).seed(seed));
        assert!(waits(&handle, 4).await.iter().all(|wait| *wait <= S(11)), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_seed_makes_every_wait_exact_and_without_one_breakers_differ() {
    let settings = |seed: Option<u64>| {
        let plain = plain().cooldown(Backoff::exponential(S(10), S(1_000)).jitter(0.5));
        seed.map_or(plain.clone(), |seed| plain.seed(seed))
    };
    let draw = async |seed| waits(&breaker(settings(seed)), 5).await;
    assert_eq!(draw(Some(7)).await, draw(Some(7)).await);
    assert_ne!(draw(Some(7)).await, draw(Some(8)).await);
    assert_ne!(draw(None).await, draw(None).await);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_passes_one_probe_and_fails_again_gets_the_next_attempt() {
    let handle = breaker(plain().cooldown(doubling()));
    for expected in [5, 10, 20, 40] {
        fail(&handle, 3);
        assert_eq!(open_for(&handle), S(expected));
        pass(S(expected)).await;
        admit(&handle).success();
        assert_eq!(handle.state(), State::Closed);
        // Closed for less than the last cooldown, so not stable.
        pass(S(expected) - MS(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_was_closed_for_its_last_cooldown_resets_the_attempt() {
    let handle = breaker(plain().cooldown(doubling()));
    waits(&handle, 3).await;
    pass(S(20)).await;
    admit(&handle).success();
    pass(S(20)).await;
    fail(&handle, 3);
    assert_eq!((open_for(&handle), handle.snapshot().attempt), (S(5), 0));
}

#[tokio::test(start_paused = true)]
async fn stable_for_sets_how_long_closed_must_last() {
    for (stable, closed, expected) in [(S(100), S(99), 10), (S(100), S(100), 5), (S(0), S(0), 5)] {
        let handle = breaker(plain().cooldown(doubling()).stable_for(stable));
        waits(&handle, 1).await;
        pass(S(5)).await;
        admit(&handle).success();
        pass(closed).await;
        fail(&handle, 3);
        assert_eq!(open_for(&handle), S(expected), "{stable:?} {closed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stable_closed_resets_the_attempt_also_when_a_hold_ends_it() {
    let handle = breaker(plain().cooldown(doubling()));
    waits(&handle, 4).await;
    pass(S(40)).await;
    admit(&handle).success();
    pass(S(3_600)).await;
    settle(&handle, Outcome::throttled().retry_after(S(30)));
    pass(S(30)).await;
    admit(&handle).failure();
    assert!(open_for(&handle) <= S(10), "{:?}", open_for(&handle));
}

#[tokio::test(start_paused = true)]
async fn a_hold_without_a_trip_lasts_as_requested_without_a_cooldown() {
    let handle = breaker(plain().cooldown(Backoff::fixed(S(50))));
    settle(&handle, Outcome::throttled().retry_after(S(20)));
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.cause, snapshot.attempt), (Cause::Throttled, 0));
    assert_eq!(open_for(&handle), S(20));
}

#[tokio::test(start_paused = true)]
async fn a_hold_below_the_minimum_is_neutral() {
    for outcome in [Outcome::throttled(), Outcome::exhausted()] {
        let handle = breaker(plain());
        settle(&handle, outcome.retry_after(MS(999)));
        settle(&handle, outcome.retry_after(Duration::ZERO));
        assert_eq!(handle.state(), State::Closed);
        settle(&handle, outcome.retry_after(S(1)));
        assert_eq!(open_for(&handle), S(1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_of_a_failure_never_opens_by_itself_and_lengthens_the_trip_it_causes() {
    let handle = breaker(plain());
    for _ in 0..2 {
        settle(&handle, Outcome::failure().retry_after(S(40)));
    }
    assert_eq!(handle.state(), State::Closed);
    settle(&handle, Outcome::failure().retry_after(S(30)));
    assert_eq!((handle.snapshot().cause, open_for(&handle)), (Cause::ConsecutiveFailures, S(30)));
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_survives_the_trip_a_failed_probe_and_a_shorter_later_wait() {
    let throttled = Throttled::hold().max_hold(S(300));
    let handle = breaker(plain().throttled(throttled));
    let long = Outcome::failure().retry_after(S(120));
    let [early, later] = [admit(&handle), admit(&handle)];
    fail(&handle, 2);
    settle(&handle, long);
    assert_eq!(open_for(&handle), S(120), "the trip");
    early.settle(Outcome::throttled().retry_after(S(30)));
    assert_eq!(open_for(&handle), S(120), "a shorter wait");
    pass(S(120) - MS(1)).await;
    assert!(handle.try_acquire().is_err());
    pass(MS(1)).await;
    admit(&handle).settle(long);
    assert_eq!(open_for(&handle), S(120), "the failed probe");
    later.settle(Outcome::failure().retry_after(S(5)));
    assert_eq!(open_for(&handle), S(120));
    assert_eq!(handle.snapshot().asked_until, None, "no wait was capped");
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_capped_and_the_requested_end_is_kept() {
    let handle = breaker(plain());
    let start = tokio::time::Instant::now().into_std();
    settle(&handle, Outcome::throttled().retry_after(S(120)));
    assert_eq!(open_for(&handle), S(60));
    assert_eq!(handle.snapshot().asked_until, Some(start + S(120)));
    pass(S(60)).await;
    let probe = admit(&handle);
    assert_eq!(handle.snapshot().asked_until, Some(start + S(120)), "a probe may pass at the cap");
    pass(S(30)).await;
    probe.failure();
    assert_eq!(handle.snapshot().asked_until, Some(start + S(120)));
    pass(S(30)).await;
    assert_eq!(handle.snapshot().asked_until, None, "the requested end has passed");
}

#[tokio::test(start_paused = true)]
async fn throttled_and_exhausted_have_separate_caps() {
    let settings = plain()
        .throttled(Throttled::hold().max_hold(S(20)))
        .exhausted(Exhausted::hold(S(30)).max_hold(S(40)));
    for (outcome, expected) in [(Outcome::throttled(), S(20)), (Outcome::exhausted(), S(40))] {
        let handle = breaker(settings.clone());
        settle(&handle, outcome.retry_after(S(1_000)));
        assert_eq!(open_for(&handle), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_of_a_server_grows_by_at_most_a_tenth_and_never_shrinks() {
    let mut seen = Vec::new();
    for seed in 0..200 {
        let settings = Settings::builder().trip(Trip::none()).seed(seed);
        let handle = breaker(settings);
        settle(&handle, Outcome::throttled().retry_after(S(20)));
        seen.push(open_for(&handle));
    }
    assert!(seen.iter().all(|wait| (S(20)..=S(22)).contains(wait)));
    let cut = breaker(Settings::builder().trip(Trip::none()).hold_jitter(1.0));
    settle(&cut, Outcome::throttled().retry_after(S(60)));
    assert_eq!(open_for(&cut), S(60), "not above the cap");
    assert!(
        seen.iter().any(|wait| *wait < MS(20_500)) && seen.iter().any(|wait| *wait > MS(21_500))
    );
}

#[tokio::test(start_paused = true)]
async fn the_longest_waits_are_harmless() {
    let endless = Duration::MAX;
    let throttled = Throttled::hold().max_hold(S(60 * 60 * 24 * 365 * 30));
    for outcome in [Outcome::throttled(), Outcome::exhausted(), Outcome::failure()] {
        let handle = breaker(plain().throttled(throttled).hold_jitter(1.0));
        let late = admit(&handle);
        let calls = [(); 3].map(|()| admit(&handle));
        calls.into_iter().for_each(|call| call.settle(outcome.retry_after(endless)));
        late.settle(outcome.retry_after(endless));
        assert!(open_for(&handle) >= S(3_600));
        handle.hold_for(endless);
        handle.force_open(Some(endless));
        assert!(handle.try_acquire().unwrap_err().retry_after() > Some(S(3_600)));
        handle.release();
        assert!(now_or_never(handle.changed()).await.is_none());
        handle.force_closed();
        fail(&handle, 3);
        assert_eq!(open_for(&handle), COOLDOWN);
    }
}

#[tokio::test(start_paused = true)]
async fn only_force_closed_shortens_an_open_period() {
    let handle = breaker(plain());
    let late = admit(&handle);
    trip(&handle);
    handle.hold_for(S(1));
    late.settle(Outcome::throttled().retry_after(S(2)));
    assert_eq!(open_for(&handle), COOLDOWN);
    handle.force_closed();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_requested_end_is_forgotten_on_close() {
    let handle = breaker(plain());
    settle(&handle, Outcome::throttled().retry_after(S(120)));
    pass(S(60)).await;
    admit(&handle).success();
    assert_eq!(handle.snapshot().asked_until, None);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_saw_an_open_period_end_is_woken_when_a_late_wait_lengthens_it() {
    let handle = breaker(plain());
    let late = admit(&handle);
    trip(&handle);
    pass(COOLDOWN).await;
    let mut watch = handle.watch();
    assert_eq!(watch.state(), State::HalfOpen);
    let waiter = tokio::spawn(async move { (watch.changed().await, watch.changed().await) });
    tokio::task::yield_now().await;
    late.settle(Outcome::throttled().retry_after(S(20)));
    let seen = tokio::time::timeout(S(60), waiter).await.expect("woken").expect("no panic");
    assert_eq!(seen, (State::Open, State::HalfOpen));
}
