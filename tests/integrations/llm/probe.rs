//! Probes whose response is a stream.

use std::sync::Arc;

use tower_breaker::{Class, State};

use super::client::{preset, read, read_all};
use super::corpus::{Case, Stream, streams};
use super::each::{Net, each};
use super::random::Random;
use super::server::{Pieces, Wire};

#[tokio::test]
async fn a_probe_closes_the_circuit_with_the_first_content_and_nothing_before_it() {
    let mut streams = streams();
    streams.retain(|(_, stream)| stream.content.is_some());
    let late = streams.iter().filter(|(_, stream)| stream.content.is_some_and(|it| it.0 > 0));
    assert!(late.count() > 50, "content that is not the first event");
    each(streams, closes).await;
}

/// Includes streams that fail later. That is one failure of the epoch that began with the content.
async fn closes(net: Arc<Net>, (case, stream): (Case, Stream)) {
    let at = &case.name;
    let (begin, end) = stream.content.unwrap();
    let wire = [Wire::Chunked, Wire::Http2][Random::of(at).below(2)];
    let guarded = net.clients.guarded(wire, preset(case.provider));
    guarded.half_open().await;
    let (sender, body) = Pieces::new();
    let mut answer = guarded.get(net.server.put(&case, wire, body)).await.expect(at);
    sender.send(&case.body[..begin]);
    assert_eq!(read(&mut answer, begin).await, case.body[..begin], "{at}");
    assert_eq!(guarded.handle.state(), State::HalfOpen, "{at}");
    sender.send(&case.body[begin..end]);
    read(&mut answer, end - begin).await;
    assert_eq!(guarded.handle.state(), State::Closed, "{at}");
    sender.send(&case.body[end..]);
    drop(sender);
    assert_eq!(read_all(answer).await.expect(at), case.body[end..], "{at}");
    let totals = guarded.handle.snapshot().totals;
    let broken = !matches!(case.outcome.class(), Class::Success | Class::Ignored);
    assert_eq!((totals.success, totals.settled()), (1, 1), "{at}: {totals:?}");
    assert_eq!(totals.broken_after, u64::from(broken), "{at}");
}

#[tokio::test]
async fn a_probe_whose_stream_fails_before_its_content_opens_the_circuit_again() {
    let mut streams = streams();
    streams.retain(|(case, stream)| {
        stream.content.is_none() && case.outcome.class() != Class::Success
    });
    each(streams, opens).await;
}

async fn opens(net: Arc<Net>, (case, _): (Case, Stream)) {
    let guarded = net.clients.guarded(Wire::Chunked, preset(case.provider));
    guarded.half_open().await;
    let uri = net.server.put(&case, Wire::Chunked, Pieces::of([&*case.body]));
    let answer = guarded.get(uri).await.expect(&case.name);
    read_all(answer).await.expect(&case.name);
    assert_eq!(guarded.handle.state(), State::Open, "{}", case.name);
    assert_eq!(guarded.counted(), case.outcome.class(), "{}", case.name);
}
