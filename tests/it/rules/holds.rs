//! What a server asks for × states × epochs.

use tower_breaker::{BreakerHandle, Class, Outcome, State};

use super::manual_table::{In, STATES, breaker_in};
use crate::support::breakers::*;

const ASKED: u64 = 20;

fn throttled() -> Outcome {
    Outcome::throttled().retry_after(S(ASKED))
}

fn failure() -> Outcome {
    Outcome::failure().retry_after(S(ASKED))
}

/// What a wait of 20 s does where a cooldown lasts 10 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Nothing, now or later.
    Nothing,
    /// The circuit opens for it: another epoch.
    Opens,
    /// The Open that is becomes longer.
    Lengthens,
    /// The next Open is not shorter.
    Floor,
}

/// From the design: Waits.
fn expected(class: Class, state: In, same: bool) -> Does {
    match (state, same) {
        (In::Open, false) => Does::Lengthens,
        // Only a probe can be of the same epoch; it fails.
        (In::HalfOpen, true) => Does::Opens,
        (In::HalfOpen | In::Forced, false) => Does::Floor,
        (In::Closed | In::Shadow, true) if class == Class::Throttled => Does::Opens,
        // A failure's wait never opens by itself; nothing of an older epoch opens a Closed.
        (In::Closed | In::Shadow, _) => Does::Nothing,
        (In::Disabled, _) => Does::Nothing,
        (In::Open | In::Forced, true) => unreachable!("no permit is given there"),
    }
}

/// How long the next Open of a breaker in that state lasts.
fn next_open(handle: &BreakerHandle, state: In) -> u64 {
    match state {
        In::Open => {}
        In::Forced => handle.release(),
        In::HalfOpen => admit(handle).failure(),
        In::Disabled => {
            handle.release();
            trip(handle);
        }
        In::Closed | In::Shadow => {
            // Whatever is in the streak already.
            while handle.state() == State::Closed {
                fail(handle, 1);
            }
        }
    }
    match handle.state() {
        State::Open => open_for(handle).as_secs(),
        state => panic!("not open: {state:?}"),
    }
}

async fn check(outcome: Outcome, state: In, same: bool) {
    let (handle, older, probe) = breaker_in(state).await;
    let permit = match (same, probe) {
        (false, probe) => {
            std::mem::forget(probe);
            older
        }
        (true, Some(probe)) => probe,
        (true, None) => admit(&handle),
    };
    let before = handle.snapshot();
    permit.settle(outcome);
    let after = handle.snapshot();
    let does = expected(outcome.class(), state, same);
    let at = format!("{:?} in {state:?}, same epoch: {same}: {does:?}", outcome.class());
    if !same {
        assert_eq!(after.totals.late, before.totals.late + 1, "{at}");
    }
    match does {
        Does::Opens => {
            assert_eq!((after.state, after.epoch), (State::Open, before.epoch + 1), "{at}");
            assert_eq!(open_for(&handle), S(ASKED), "{at}");
        }
        Does::Lengthens | Does::Floor => {
            assert_eq!((after.state, after.epoch), (before.state, before.epoch), "{at}");
            assert_eq!(next_open(&handle, state), ASKED, "{at}");
        }
        Does::Nothing => {
            assert_eq!((after.state, after.epoch), (before.state, before.epoch), "{at}");
            assert_eq!(next_open(&handle, state), COOLDOWN.as_secs(), "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_wait_does_what_the_design_says_in_every_state_from_either_epoch() {
    for state in STATES {
        for outcome in [throttled(), failure()] {
            check(outcome, state, false).await;
            if !matches!(state, In::Open | In::Forced) {
                check(outcome, state, true).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_came_into_half_open_is_forgotten_on_close() {
    for outcome in [throttled(), failure(), Outcome::exhausted()] {
        let (handle, older, probe) = breaker_in(In::HalfOpen).await;
        older.settle(outcome);
        probe.expect("half-open").success();
        assert_eq!(handle.state(), State::Closed);
        assert_eq!(next_open(&handle, In::Closed), COOLDOWN.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_ours_because_the_server_named_none_lengthens_an_open_too() {
    use tower_breaker::{Exhausted, Throttled};
    let settings =
        plain().throttled(Throttled::hold().default_hold(S(30))).exhausted(Exhausted::hold(S(30)));
    for outcome in [Outcome::throttled(), Outcome::exhausted()] {
        let handle = breaker(settings.clone());
        let older = admit(&handle);
        trip(&handle);
        older.settle(outcome);
        assert_eq!(open_for(&handle), S(30), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_wait_below_the_present_one_changes_nothing() {
    let (handle, older, _) = breaker_in(In::Open).await;
    older.settle(Outcome::throttled().retry_after(S(9)));
    assert_eq!(open_for(&handle), COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn of_many_waits_the_latest_end_counts() {
    let handle = breaker(plain());
    let calls: Vec<_> = (0..5).map(|_| admit(&handle)).collect();
    for (call, asked) in calls.into_iter().zip([5, 50, 7, 30, 49]) {
        call.settle(Outcome::throttled().retry_after(S(asked)));
    }
    assert_eq!(open_for(&handle), S(50));
    assert_eq!(handle.snapshot().totals.late, 4);
}
