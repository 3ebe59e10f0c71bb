//! Streams that end early, because of the provider or the caller.

use std::sync::Arc;

use tower_breaker::{Class, Provider};

use super::client::{preset, read, read_all};
use super::corpus::{Case, Stream, good_streams};
use super::each::{Net, each};
use super::random::Random;
use super::server::{Pieces, Wire};

/// The number of cuts of each stream that are tried in each framing.
const CUTS: usize = 4;

#[tokio::test]
async fn a_stream_that_breaks_anywhere_before_its_end_is_a_failure() {
    each(good_streams(), torn).await;
}

async fn torn(net: Arc<Net>, (case, stream): (Case, Stream)) {
    for wire in Wire::ALL {
        let mut random = Random::of(&format!("torn {} {wire:?}", case.name));
        for _ in 0..CUTS {
            let cut = random.below(stream.last);
            let at = format!("{} {wire:?} torn at {cut}", case.name);
            let (sender, body) = Pieces::new();
            sender.send(&case.body[..cut]);
            sender.tear();
            let guarded = net.clients.guarded(wire, preset(case.provider));
            // The head may be lost as well.
            if let Ok(answer) = guarded.get(net.server.put(&case, wire, body)).await {
                read_all(answer).await.expect_err(&at);
            }
            assert_eq!(guarded.counted(), Class::Failure, "{at}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_anywhere_before_its_marker_is_a_failure() {
    let mut streams = good_streams();
    streams.retain(|(case, stream)| stream.ends == "marker" && case.provider != Provider::Generic);
    assert!(streams.len() > 50, "{}", streams.len());
    each(streams, ends).await;
}

async fn ends(net: Arc<Net>, (case, stream): (Case, Stream)) {
    for wire in [Wire::Chunked, Wire::Http2] {
        let mut random = Random::of(&format!("ends {} {wire:?}", case.name));
        for _ in 0..CUTS {
            let cut = random.below(stream.last + 5);
            let at = format!("{} {wire:?} ends at {cut}", case.name);
            let guarded = net.clients.guarded(wire, preset(case.provider));
            let uri = net.server.put(&case, wire, Pieces::of([&case.body[..cut]]));
            let answer = guarded.get(uri).await.expect(&at);
            assert_eq!(read_all(answer).await.expect(&at), case.body[..cut], "{at}");
            assert_eq!(guarded.counted(), Class::Failure, "{at}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_dropped_is_cancelled_before_the_content_and_a_success_after_it() {
    each(good_streams(), dropped).await;
}

async fn dropped(net: Arc<Net>, (case, stream): (Case, Stream)) {
    let Some((begin, end)) = stream.content else { return };
    for (bytes, class) in [(begin, Class::Cancelled), (end, Class::Success)] {
        let at = format!("{} dropped at {bytes}", case.name);
        let wire = [Wire::Chunked, Wire::Http2][Random::of(&at).below(2)];
        // The stream continues, so that the caller ends it.
        let (sender, body) = Pieces::new();
        sender.send(&case.body[..bytes]);
        let guarded = net.clients.guarded(wire, preset(case.provider));
        let mut answer = guarded.get(net.server.put(&case, wire, body)).await.expect(&at);
        read(&mut answer, bytes).await;
        assert_eq!(guarded.handle.snapshot().totals.settled(), 0, "{at}");
        drop(answer);
        assert_eq!(guarded.counted(), class, "{at}");
        drop(sender);
    }
}
