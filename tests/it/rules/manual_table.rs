//! Every manual operation in every state with every permit in flight, against the table of the documentation.

use tower_breaker::{BreakerHandle, Cause, Mode, Outcome, Permit, Probe, State};

use crate::support::breakers::*;

/// The state in which a verb is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum In {
    Closed,
    Open,
    HalfOpen,
    Forced,
    Disabled,
    Shadow,
}

pub(crate) const STATES: [In; 6] =
    [In::Closed, In::Open, In::HalfOpen, In::Forced, In::Disabled, In::Shadow];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    ForceOpen,
    ForceOpenFor,
    Release,
    ForceClosed,
    Disable,
    Shadow,
    Reset,
    HoldFor,
    Reconfigure,
}

const VERBS: [Verb; 9] = [
    Verb::ForceOpen,
    Verb::ForceOpenFor,
    Verb::Release,
    Verb::ForceClosed,
    Verb::Disable,
    Verb::Shadow,
    Verb::Reset,
    Verb::HoldFor,
    Verb::Reconfigure,
];

/// The permit that is in flight while the verb runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flying {
    None,
    /// Given in the current epoch. Inert while disabled, impossible while open.
    Same,
    Older,
    Probe,
}

impl Verb {
    fn run(self, handle: &BreakerHandle) {
        match self {
            Self::ForceOpen => handle.force_open(None),
            Self::ForceOpenFor => handle.force_open(Some(S(60))),
            Self::Release => handle.release(),
            Self::ForceClosed => handle.force_closed(),
            Self::Disable => handle.disable(),
            Self::Shadow => handle.shadow(),
            Self::Reset => handle.reset(),
            Self::HoldFor => handle.hold_for(S(20)),
            Self::Reconfigure => handle.reconfigure(settings().build().unwrap()),
        }
    }

    /// The expected event, with the mode after it. `None` if no new epoch begins.
    fn expected(self, state: In) -> Option<(State, Mode, Cause)> {
        match (self, state) {
            (Self::ForceOpen | Self::ForceOpenFor, _) => {
                Some((State::ForcedOpen, Mode::ForcedOpen, Cause::ForceOpen))
            }
            (Self::Release, In::Forced) => Some((State::Open, Mode::Normal, Cause::Release)),
            (Self::Release, In::Disabled | In::Shadow) => {
                Some((State::Closed, Mode::Normal, Cause::Release))
            }
            (Self::Release, _) => None,
            (Self::ForceClosed, _) => Some((State::Closed, Mode::Normal, Cause::ForceClosed)),
            (Self::Disable, _) => Some((State::Disabled, Mode::Disabled, Cause::Disable)),
            (Self::Shadow, _) => Some((State::Closed, Mode::Shadow, Cause::Shadow)),
            (Self::Reset, _) => Some((State::Closed, Mode::Normal, Cause::Reset)),
            (Self::HoldFor, In::Closed | In::HalfOpen) => {
                Some((State::Open, Mode::Normal, Cause::Hold))
            }
            (Self::HoldFor, In::Shadow) => Some((State::Open, Mode::Shadow, Cause::Hold)),
            (Self::HoldFor, In::Open | In::Forced | In::Disabled) | (Self::Reconfigure, _) => None,
        }
    }
}

fn settings() -> tower_breaker::SettingsBuilder {
    plain().probe(Probe::successes(1).in_flight(2))
}

/// Creates a breaker in `state`, with a permit of an older epoch, and with a probe if the state has probes.
pub(crate) async fn breaker_in(state: In) -> (BreakerHandle, Permit, Option<Permit>) {
    let handle = breaker(settings());
    let older = admit(&handle);
    let mut first_probe = None;
    match state {
        In::Closed => handle.reset(),
        In::Open => trip(&handle),
        In::HalfOpen => first_probe = Some(probe(&handle).await),
        In::Forced => handle.force_open(None),
        In::Disabled => handle.disable(),
        In::Shadow => handle.shadow(),
    }
    (handle, older, first_probe)
}

async fn prepared(state: In, flying: Flying) -> Option<(BreakerHandle, Option<Permit>)> {
    let (handle, older, probe) = breaker_in(state).await;
    let permit = match flying {
        Flying::None => None,
        Flying::Same if matches!(state, In::Closed | In::Disabled | In::Shadow) => {
            Some(admit(&handle))
        }
        Flying::Older => return Some((handle, Some(older))),
        Flying::Probe => Some(probe?),
        Flying::Same => return None,
    };
    std::mem::forget(older);
    Some((handle, permit))
}

async fn check(verb: Verb, state: In, flying: Flying, success: bool) -> bool {
    let Some((handle, permit)) = prepared(state, flying).await else { return false };
    let at = format!("{verb:?} in {state:?}, {flying:?} in flight");
    let before = handle.snapshot();
    let mut events = handle.events();
    verb.run(&handle);
    let transitions = drain(&mut events);
    let after = handle.snapshot();
    match verb.expected(state) {
        Some((to, mode, cause)) => {
            let [event] = &transitions[..] else { panic!("{at}: {transitions:?}") };
            assert_eq!((event.to, event.mode, event.cause), (to, mode, cause), "{at}");
            assert_eq!((event.from, event.epoch), (before.state, before.epoch + 1), "{at}");
            assert_eq!((after.epoch, after.mode), (event.epoch, mode), "{at}");
            // The released breaker has no deadline left, so it reads as half-open at once.
            let due = verb == Verb::Release && state == In::Forced;
            assert_eq!(after.state, if due { State::HalfOpen } else { to }, "{at}");
        }
        None => {
            assert!(transitions.is_empty(), "{at}: {transitions:?}");
            assert_eq!((after.epoch, after.mode), (before.epoch, before.mode), "{at}");
            assert_eq!((after.state, after.cause), (before.state, before.cause), "{at}");
        }
    }
    assert_eq!(after.totals.settled(), before.totals.settled(), "{at}: totals are never reset");

    let Some(permit) = permit else { return true };
    permit.settle(if success { Outcome::success() } else { Outcome::failure() });
    let end = handle.snapshot();
    let counted = (
        end.totals.success - after.totals.success,
        end.totals.failure - after.totals.failure,
        end.totals.late - after.totals.late,
    );
    let in_time = flying != Flying::Older && verb.expected(state).is_none();
    let inert = state == In::Disabled && flying == Flying::Same;
    match (inert, in_time) {
        (true, _) => assert_eq!(counted, (0, 0, 0), "{at}: inert"),
        (_, false) => assert_eq!(counted, (0, 0, 1), "{at}: late"),
        (_, true) if success => assert_eq!(counted, (1, 0, 0), "{at}: counted"),
        (_, true) => assert_eq!(counted, (0, 1, 0), "{at}: counted"),
    }
    let decided = match (flying, in_time) {
        (Flying::Probe, true) if success => (State::Closed, after.epoch + 1),
        (Flying::Probe, true) => (State::Open, after.epoch + 1),
        _ => (after.state, after.epoch),
    };
    assert_eq!((end.state, end.epoch), decided, "{at}");
    let failures = u32::from(flying == Flying::Same && in_time && !inert && !success);
    assert_eq!(end.window.consecutive_failures, failures, "{at}");
    true
}

#[tokio::test(start_paused = true)]
async fn every_verb_follows_the_table_in_every_state_with_every_permit_in_flight() {
    let mut checked = 0;
    for verb in VERBS {
        for state in STATES {
            for flying in [Flying::None, Flying::Same, Flying::Older, Flying::Probe] {
                for success in [true, false] {
                    checked += usize::from(check(verb, state, flying, success).await);
                }
            }
        }
    }
    // `None` and `Older` in 6 states, `Same` in 3, `Probe` in 1.
    assert_eq!(checked, 9 * (6 + 6 + 3 + 1) * 2);
}

#[tokio::test(start_paused = true)]
async fn a_hold_opens_lengthens_or_is_remembered_except_while_disabled() {
    for (state, wait) in [
        (In::Closed, Some(S(20))),
        (In::Open, Some(S(20))),
        (In::HalfOpen, Some(S(20))),
        (In::Forced, Some(S(20))),
        (In::Disabled, None),
        (In::Shadow, Some(S(20))),
    ] {
        let (handle, _older, _probe) = breaker_in(state).await;
        handle.hold_for(S(20));
        if matches!(state, In::Forced | In::Disabled) {
            handle.release();
        }
        match wait {
            Some(wait) => assert_eq!(open_for(&handle), wait, "{state:?}"),
            None => assert_eq!(handle.state(), State::Closed, "{state:?}"),
        }
    }
}
