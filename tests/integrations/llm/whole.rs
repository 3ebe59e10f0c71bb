//! Every response, complete, in pieces of any size and in every framing.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tower_breaker::classify::Verdict;
use tower_breaker::{Class, Outcome, Snapshot, State, classify::ToOutcome};

use super::client::{preset, read_all};
use super::corpus::{Case, cases, whole_second};
use super::each::{Net, each};
use super::random::Random;
use super::server::{Pieces, Wire};

/// Returns the hold that the preset derives from a wait, and the longest hold that it accepts.
fn hold(case: &Case) -> Option<(Duration, Duration)> {
    let secs = Duration::from_secs;
    match case.outcome.class() {
        Class::Throttled => Some((case.wait.unwrap_or(secs(30)), secs(300))),
        Class::Exhausted => Some((case.wait.unwrap_or(secs(600)), secs(3600))),
        _ => None,
    }
}

/// Checks that the breaker is in the state that the class and the wait of the response require. `early` is the part of a
/// wait until a timestamp that may have passed before the response was classified.
fn shows(case: &Case, snapshot: &Snapshot, early: Duration, at: &str) {
    let wait = hold(case).filter(|(asked, _)| *asked >= Duration::from_secs(1));
    let Some((asked, cap)) = wait else {
        assert_eq!(snapshot.state, State::Closed, "{at}");
        return;
    };
    assert_eq!(snapshot.state, State::Open, "{at}");
    let held = snapshot.until.unwrap() - snapshot.since;
    let (least, most) = (asked.saturating_sub(early).min(cap), asked.mul_f64(1.1).min(cap));
    assert!(least <= held && held <= most, "{at}: {held:?} for {asked:?}");
    assert_eq!(snapshot.asked_until.is_some(), asked > cap, "{at}");
}

/// Returns whether an outcome is that of the file.
pub(crate) fn is_meant(case: &Case, outcome: Outcome, early: Duration) -> bool {
    let wait = match (case.wait, outcome.wait()) {
        (Some(meant), Some(wait)) => wait <= meant && meant - wait <= early,
        (meant, wait) => meant == wait,
    };
    wait && outcome.maybe_retry_after(None) == case.outcome
}

/// How a response is sent.
struct Sent {
    case: Case,
    wire: Wire,
    /// The time to which the timestamps in the response are relative.
    now: SystemTime,
    /// The maximum length of a piece in bytes, or `None` for one piece.
    longest: Option<usize>,
    random: Random,
}

async fn passes(net: Arc<Net>, Sent { case, wire, now, longest, mut random }: Sent) {
    let at = &format!("{} {wire:?}, pieces of at most {longest:?}", case.name);
    let pieces = match longest {
        Some(longest) => random.pieces(&case.body, longest),
        None => vec![&*case.body],
    };
    let guarded = net.clients.guarded(wire, preset(case.provider));
    let answer = guarded.get(net.server.put(&case, wire, Pieces::of(pieces))).await.expect(at);

    assert_eq!(answer.status(), case.status, "{at}");
    for name in case.headers.keys() {
        let values =
            |headers: &HeaderMap| headers.get_all(name).iter().cloned().collect::<Vec<_>>();
        assert_eq!(values(answer.headers()), values(&case.headers), "{at}: {name}");
    }
    let verdict = answer.extensions().get::<Verdict>().copied();
    if case.status.as_u16() >= 400 {
        let Verdict(outcome) = verdict.expect(at);
        assert!(is_meant(&case, outcome, now.elapsed().unwrap()), "{at}: {outcome:?}");
        assert_eq!(answer.to_outcome(), outcome, "{at}");
        assert_eq!(guarded.counted(), outcome.class(), "{at}: before the body is read");
    } else {
        assert_eq!(verdict, None, "{at}");
    }
    assert_eq!(read_all(answer).await.expect(at), case.body, "{at}");

    let snapshot = guarded.handle.snapshot();
    assert_eq!(guarded.counted(), case.outcome.class(), "{at}: {:?}", snapshot.last_error);
    assert_eq!(snapshot.totals.broken_after, 0, "{at}");
    assert_eq!(snapshot.last_error, case.outcome.last_error(), "{at}");
    shows(&case, &snapshot, now.elapsed().unwrap(), at);
}

/// Sends every file over each wire, in pieces of at most `longest` bytes or in one piece.
async fn all_pass(wires: &[Wire], longest: impl Fn(&Case, &mut Random) -> Option<usize>) {
    for &wire in wires {
        let now = whole_second();
        let cases = cases(now);
        assert!(cases.len() > 350, "{}", cases.len());
        let sent = cases.into_iter().map(|case| {
            let mut random = Random::of(&format!("{} {wire:?}", case.name));
            let longest = longest(&case, &mut random);
            Sent { case, wire, now, longest, random }
        });
        each(sent.collect(), passes).await;
    }
}

#[tokio::test]
async fn every_response_in_one_piece_has_the_outcome_of_its_file() {
    all_pass(&Wire::ALL, |_, _| None).await;
}

#[tokio::test]
async fn every_response_byte_by_byte_has_the_outcome_of_its_file() {
    all_pass(&[Wire::Chunked, Wire::Http2], |_, _| Some(1)).await;
}

#[tokio::test]
async fn every_response_in_pieces_of_any_size_has_the_outcome_of_its_file() {
    all_pass(&Wire::ALL, |case, random| Some(1 + random.below(case.body.len()))).await;
}
