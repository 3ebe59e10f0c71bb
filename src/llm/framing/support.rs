//! Helpers for the tests of the readers.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::{Event, Events};

/// An event that outlives its reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::llm) struct Owned {
    pub(in crate::llm) name: String,
    pub(in crate::llm) data: String,
    pub(in crate::llm) truncated: bool,
    pub(in crate::llm) cut: bool,
}

impl From<Event<'_>> for Owned {
    fn from(event: Event<'_>) -> Self {
        let Event { name, data, truncated, cut } = event;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { name: text(name), data: text(data), truncated, cut }
    }
}

/// The events of a stream that comes in pieces, including the one in which it ends.
pub(in crate::llm) fn events<R: Events + Default>(pieces: &[&[u8]]) -> Vec<Owned> {
    let mut reader = R::default();
    let mut events = Vec::new();
    for mut piece in pieces.iter().copied() {
        while let Some(event) = reader.next(&mut piece) {
            events.push(Owned::from(event));
        }
        assert!(piece.is_empty());
    }
    events.extend(reader.finish().map(Owned::from));
    events
}

/// The sizes of the pieces of a stream, used in turn.
pub(in crate::llm) fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        1 => Just(vec![1]),
        1 => Just(vec![usize::MAX]),
        4 => prop::collection::vec(1..40_usize, 1..8),
    ]
}

pub(in crate::llm) fn pieces<'a>(mut stream: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &size in sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at(size.min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

/// Fewer cases under miri, where each takes up to a second.
pub(in crate::llm) fn cases() -> Config {
    match cfg!(miri) {
        true => Config { failure_persistence: None, ..Config::with_cases(8) },
        false => Config::default(),
    }
}

/// Streams of relevant parts, some of them long.
pub(in crate::llm) fn noise() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        20 => prop::sample::select(vec![
            "data", "event", ":", " ", "\n", "\r", "\r\n", "\n\n", "\u{FEFF}", "{", "}", "[", "]", ",", "\"", "error",
            "data: {\"error\":{}}", "event: error\n", "[DONE]", "\"choices\":[", "\"delta\":{\"content\":\"x\"}",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        10 => prop::collection::vec(any::<u8>(), 0..16),
        1 => (any::<u8>(), 1..90_000_usize).prop_map(|(byte, count)| vec![byte; count]),
    ];
    prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}
