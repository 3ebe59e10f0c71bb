use http::header::HeaderValue;
use proptest::prelude::*;

use super::super::framing::support::{cases, noise, pieces, sizes};
use super::*;

fn headers(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect()
}

fn is_read(pairs: &[(&'static str, &'static str)]) -> bool {
    classifier_for(Provider::OpenAi, &headers(pairs)).is_some()
}

#[test]
fn the_content_type_selects_the_reader() {
    for read in [
        "text/event-stream",
        "Text/Event-Stream; charset=utf-8",
        "application/json",
        "application/json;charset=UTF-8",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/stream+json",
        "application/vnd.amazon.eventstream",
    ] {
        assert!(is_read(&[("content-type", read)]), "{read}");
    }
    for unread in ["text/plain", "text/html", "audio/mpeg", "application/octet-stream", "json", ""]
    {
        assert!(!is_read(&[("content-type", unread)]), "{unread}");
    }
    assert!(!is_read(&[]));
}

#[test]
fn an_encoded_body_is_not_read() {
    let of =
        |coding| is_read(&[("content-type", "application/json"), ("content-encoding", coding)]);
    assert!(of("identity") && of(" Identity"));
    for coding in ["gzip", "br", "zstd", "gzip, identity", ""] {
        assert!(!of(coding), "{coding}");
    }
}

#[test]
fn trailers_are_ignored() {
    let mut classifier =
        classifier_for(Provider::OpenAi, &headers(&[("content-type", "text/event-stream")]))
            .unwrap();
    assert_eq!(classifier.data(b"data: hello\n\n"), BodyProgress::Content);
    assert_eq!(classifier.trailers(&HeaderMap::new()), Outcome::success());
}

/// Whether there was content before the outcome, the outcome, and whether it came before the end. If an event with content
/// and the outcome are in one piece, only the outcome is reported.
fn classify(provider: Provider, kind: &'static str, pieces: &[&[u8]]) -> (bool, Outcome, bool) {
    let mut classifier = classifier_for(provider, &headers(&[("content-type", kind)])).unwrap();
    let mut content = false;
    for piece in pieces {
        match classifier.data(piece) {
            BodyProgress::Pending => {}
            BodyProgress::Content => content = true,
            BodyProgress::Settled(outcome) => return (content, outcome, true),
        }
    }
    (content, classifier.end(), false)
}

fn events() -> impl Strategy<Value = Vec<u8>> {
    let event = prop::sample::select(vec![
        ": ping\n\n",
        "event: ping\ndata: {}\n\n",
        "data: [DONE]\n\n",
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\r\n\r\n",
        "data: {\"error\":{\"code\":1}}\n\n",
        "event: message_start\ndata: {}\r\r",
        "event: content_block_delta\ndata: {}\n\n",
        "event: message_stop\ndata: {}\n\n",
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"finishReason\":\"STOP\"}]}\n\n",
        "{\"response\":\"x\",\"done\":false}\n",
        "{\"response\":\"\",\"done\":true}\n",
        "{\"error\":\"x\"}\n",
        "[{\"id\":1},",
        "{\"error\":null}]",
        "data: {\"cho",
    ]);
    prop::collection::vec(event, 0..8).prop_map(|events| events.concat().into_bytes())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_outcome_does_not_depend_on_the_pieces(
        body in prop_oneof![3 => events(), 1 => noise()],
        sizes in sizes(),
        provider in prop::sample::select(Provider::ALL),
        kind in prop::sample::select(TYPES),
    ) {
        let (content, outcome, early) = classify(provider, kind.0, &pieces(&body, &sizes));
        let (whole_content, whole_outcome, whole_early) = classify(provider, kind.0, &[&body]);
        prop_assert_eq!((outcome, early), (whole_outcome, whole_early));
        if !early {
            prop_assert_eq!(content, whole_content);
        }
    }
}
