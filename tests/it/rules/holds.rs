//! Waits that a server requests, in every state and from both epochs.

use tower_breaker::{BreakerHandle, Class, Outcome, State};

use super::manual_table::{In, STATES, breaker_in};
use crate::support::breakers::*;

const REQUESTED: u64 = 20;

fn throttled() -> Outcome {
    Outcome::throttled().retry_after(S(REQUESTED))
}

fn failure() -> Outcome {
    Outcome::failure().retry_after(S(REQUESTED))
}

/// The effect of a wait of 20 s if a cooldown lasts 10 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// No effect, now or later.
    Nothing,
    /// The circuit opens, in a new epoch.
    Opens,
    /// The current open period becomes longer.
    Lengthens,
    /// The next open period is not shorter.
    Floor,
}

/// The table of waits in the documentation.
fn expected(class: Class, state: In, same: bool) -> Effect {
    match (state, same) {
        (In::Open, false) => Effect::Lengthens,
        // Only a probe belongs to the current epoch. It fails.
        (In::HalfOpen, true) => Effect::Opens,
        (In::HalfOpen | In::Forced, false) => Effect::Floor,
        (In::Closed | In::Shadow, true) if class == Class::Throttled => Effect::Opens,
        // The wait of a failure never opens by itself. No late result opens a closed circuit.
        (In::Closed | In::Shadow, _) => Effect::Nothing,
        (In::Disabled, _) => Effect::Nothing,
        (In::Open | In::Forced, true) => unreachable!("no permit is given in this state"),
    }
}

/// Returns the seconds of the next open period of a breaker in the given state.
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
            // The streak may have begun already.
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
    let effect = expected(outcome.class(), state, same);
    let at = format!("{:?} in {state:?}, same epoch: {same}: {effect:?}", outcome.class());
    if !same {
        assert_eq!(after.totals.late, before.totals.late + 1, "{at}");
    }
    match effect {
        Effect::Opens => {
            assert_eq!((after.state, after.epoch), (State::Open, before.epoch + 1), "{at}");
            assert_eq!(open_for(&handle), S(REQUESTED), "{at}");
        }
        Effect::Lengthens | Effect::Floor => {
            assert_eq!((after.state, after.epoch), (before.state, before.epoch), "{at}");
            assert_eq!(next_open(&handle, state), REQUESTED, "{at}");
        }
        Effect::Nothing => {
            assert_eq!((after.state, after.epoch), (before.state, before.epoch), "{at}");
            assert_eq!(next_open(&handle, state), COOLDOWN.as_secs(), "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_wait_has_its_documented_effect_in_every_state_from_either_epoch() {
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
async fn a_wait_received_in_half_open_is_forgotten_on_close() {
    for outcome in [throttled(), failure(), Outcome::exhausted()] {
        let (handle, older, probe) = breaker_in(In::HalfOpen).await;
        older.settle(outcome);
        probe.expect("half-open").success();
        assert_eq!(handle.state(), State::Closed);
        assert_eq!(next_open(&handle, In::Closed), COOLDOWN.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn a_default_hold_lengthens_an_open_period() {
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
async fn a_late_wait_below_the_current_one_changes_nothing() {
    let (handle, older, _) = breaker_in(In::Open).await;
    older.settle(Outcome::throttled().retry_after(S(9)));
    assert_eq!(open_for(&handle), COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn of_many_waits_the_latest_end_applies() {
    let handle = breaker(plain());
    let calls: Vec<_> = (0..5).map(|_| admit(&handle)).collect();
    for (call, wait) in calls.into_iter().zip([5, 50, 7, 30, 49]) {
        call.settle(Outcome::throttled().retry_after(S(wait)));
    }
    assert_eq!(open_for(&handle), S(50));
    assert_eq!(handle.snapshot().totals.late, 4);
}
