//! Random bodies and random readers, compared with the table of how bodies end.

use std::task::Context;
use std::time::Duration;

use futures_util::task::noop_waker_ref;
use http_body::Body;
use proptest::prelude::*;
use tower_breaker::classify::SettleAt;
use tower_breaker::{BreakerBody, Class, State};

use super::client::*;
use super::script::{Script, Step, answered, breaker, poll};

/// What the reader of a body does after some polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Drops,
    /// Polls this many more times on another thread, and drops the body there.
    Moves(usize),
    TakesOut,
    Panics,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..9).prop_map(Step::Data),
        2 => Just(Step::Data(0)),
        1 => Just(Step::Trailers),
        1 => Just(Step::Breaks),
        2 => Just(Step::Waits),
        1 => Just(Step::Panics),
    ]
}

fn reader() -> impl Strategy<Value = Reader> {
    prop_oneof![
        3 => Just(Reader::Drops),
        1 => (0_usize..9).prop_map(Reader::Moves),
        1 => Just(Reader::TakesOut),
        1 => Just(Reader::Panics),
    ]
}

/// Returns the class of a call, and whether content was seen before the class was known.
fn reference(
    steps: &[Step],
    exact: bool,
    at: SettleAt,
    polls: usize,
    reader: Reader,
) -> (Class, bool) {
    if at == SettleAt::Head || (exact && steps.is_empty()) {
        return (Class::Success, false);
    }
    let mut content = false;
    let again = if let Reader::Moves(again) = reader { again } else { 0 };
    for poll in 0..polls + again {
        let last = exact && poll + 1 == steps.len();
        let class = match steps.get(poll) {
            None | Some(Step::Trailers) => Class::Success,
            Some(Step::Breaks | Step::Panics) => Class::Failure,
            Some(Step::Waits | Step::Sleeps(_)) => continue,
            Some(Step::Data(length)) => {
                content |= *length > 0;
                if last || (content && at == SettleAt::FirstContent) {
                    Class::Success
                } else {
                    continue;
                }
            }
        };
        return (class, content);
    }
    let enough = content || reader == Reader::TakesOut;
    (if enough { Class::Success } else { Class::Cancelled }, content)
}

/// Polls the guarded body and its twin, and compares everything that a reader can observe.
fn compare(body: &mut BreakerBody<Script>, twin: &mut Script, polls: usize) {
    let mut cx = Context::from_waker(noop_waker_ref());
    for _ in 0..polls {
        assert_eq!(poll(body, &mut cx), poll(twin, &mut cx));
        assert_eq!(body.is_end_stream(), twin.is_end_stream());
        assert_eq!(body.size_hint().lower(), twin.size_hint().lower());
        assert_eq!(body.size_hint().upper(), twin.size_hint().upper());
    }
}

fn read(mut body: BreakerBody<Script>, mut twin: Script, polls: usize, reader: Reader) {
    compare(&mut body, &mut twin, 0);
    compare(&mut body, &mut twin, polls);
    match reader {
        Reader::Drops => drop(body),
        Reader::Moves(again) => {
            let there = std::thread::spawn(move || compare(&mut body, &mut twin, again));
            there.join().expect("the same frames");
        }
        Reader::TakesOut => {
            let inner = body.into_inner().expect("the inner body");
            assert_eq!(inner.left(), twin.left());
        }
        Reader::Panics => {
            let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _held = body;
                std::panic::resume_unwind(Box::new("the reader's"));
            }));
            assert!(unwound.is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn every_call_is_settled_once_by_the_table_and_its_frames_are_unchanged(
        steps in proptest::collection::vec(step(), 0..8),
        exact: bool,
        probe: bool,
        at in prop_oneof![
            Just(SettleAt::End), Just(SettleAt::FirstContent), Just(SettleAt::Head)
        ],
        polls in 0_usize..12,
        reader in reader(),
    ) {

        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let layer = breaker(probing(), at);
            let handle = layer.handle();
            if probe {
                handle.hold_for(Duration::from_secs(1));
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            let (body, _) = answered(&layer, Script::exact(&steps, exact));
            read(body, Script::exact(&steps, exact), polls, reader);

            let (class, content) = reference(&steps, exact, at, polls, reader);
            let broken = probe && content && class == Class::Failure;
            let snapshot = handle.snapshot();
            let mut expected = totals(&[(if broken { Class::Success } else { class }, 1)]);
            expected.broken_after = u64::from(broken);
            expected.admitted = Some(1);
            assert_eq!(snapshot.totals, expected);
            let state = match class {
                _ if !probe || broken => State::Closed,
                Class::Success => State::Closed,
                Class::Failure => State::Open,
                _ => State::HalfOpen,
            };
            assert_eq!(snapshot.state, state);
            if state == State::Closed {
                let streak = u32::from(class == Class::Failure);
                assert_eq!(snapshot.window.consecutive_failures, streak);
            }
        });
    }
}
