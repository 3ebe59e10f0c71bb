//! Responses that are held until their first content.

use std::sync::Arc;
use std::time::SystemTime;

use tower_breaker::classify::Verdict;
use tower_breaker::{Class, classify::ToOutcome};

use super::client::{holding, read_all};
use super::corpus::{Case, Stream, cases, streams, whole_second};
use super::each::{Net, each};
use super::random::Random;
use super::server::{Pieces, Wire};
use super::whole::is_meant;

/// Returns whether a good status is followed by anything other than content.
fn has_no_content(case: &Case) -> bool {
    let first_key =
        || case.body.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    case.status == 200
        && match &case.stream {
            Some(stream) => stream.content.is_none(),
            None => first_key().is_some_and(|rest| rest.starts_with(b"\"error\"")),
        }
}

#[tokio::test]
async fn an_outcome_before_the_content_is_known_when_the_response_is_returned() {
    let now = whole_second();
    let known: Vec<_> = cases(now).into_iter().filter(has_no_content).collect();
    assert!(known.len() > 40, "{}", known.len());
    each(known, move |net, case| is_known(net, case, now)).await;
}

async fn is_known(net: Arc<Net>, case: Case, now: SystemTime) {
    let mut random = Random::of(&format!("hold {}", case.name));
    let wire = Wire::ALL[random.below(3)];
    let longest = 1 + random.below(case.body.len());
    let at = format!("{} {wire:?}, pieces of at most {longest}", case.name);
    let uri = net.server.put(&case, wire, Pieces::of(random.pieces(&case.body, longest)));
    let guarded = net.clients.guarded(wire, holding(case.provider));
    let answer = guarded.get(uri).await.expect(&at);
    assert_eq!(guarded.counted(), case.outcome.class(), "{at}");
    let Verdict(outcome) = *answer.extensions().get().expect(&at);
    assert!(is_meant(&case, outcome, now.elapsed().unwrap()), "{at}: {outcome:?}");
    assert_eq!(answer.to_outcome(), outcome, "{at}");
    assert_eq!(read_all(answer).await.expect(&at), case.body, "{at}");
    assert_eq!(guarded.counted(), case.outcome.class(), "{at}");
}

#[tokio::test]
async fn the_first_content_releases_the_response() {
    each(streams(), is_released).await;
}

async fn is_released(net: Arc<Net>, (case, stream): (Case, Stream)) {
    let Some((_, content)) = stream.content else { return };
    let mut random = Random::of(&format!("content {}", case.name));
    // A body of known length ends when all of it has arrived, even if its sender waits.
    let wires = if content == case.body.len() { &Wire::ALL[1..] } else { &Wire::ALL };
    let wire = wires[random.below(wires.len())];
    let longest = 1 + random.below(content);
    let at = format!("{} {wire:?}, pieces of at most {longest}", case.name);
    let (sender, body) = Pieces::new();
    let pieces = random.pieces(&case.body[..content], longest);
    pieces.into_iter().for_each(|piece| sender.send(piece));
    let uri = net.server.put(&case, wire, body);
    let guarded = net.clients.guarded(wire, holding(case.provider));
    let answer = guarded.get(uri).await.expect(&at);
    assert_eq!(guarded.handle.snapshot().totals.settled(), 0, "{at}");
    assert!(answer.extensions().get::<Verdict>().is_none(), "{at}");
    assert_eq!(answer.to_outcome().class(), Class::Success, "{at}");
    sender.send(&case.body[content..]);
    drop(sender);
    assert_eq!(read_all(answer).await.expect(&at), case.body, "{at}");
    assert_eq!(guarded.counted(), case.outcome.class(), "{at}");
    assert_eq!(guarded.handle.snapshot().last_error, case.outcome.last_error(), "{at}");
}
