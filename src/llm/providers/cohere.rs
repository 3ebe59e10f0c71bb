//! Cohere.

use serde::Deserialize;

use super::common;
use crate::llm::json_shape::Presence;
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::Exhausted;
use crate::llm::signal::{Signals, StatusRange, contains};
use crate::llm::stream_format::EventKind::{Content, EndWithStatus, Progress};
use crate::llm::stream_format::{EndMarker, EventShape, StreamFormat, UnnamedEvents};

pub(super) static PROFILE: Profile = Profile {
    formats: &[&CHAT_V2, &CHAT_V1],
    failed_finish_reasons: &["ERROR", "TIMEOUT"],
    ..Profile::new(&[&SIGNALS, &common::SIGNALS])
};

#[rustfmt::skip]
static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(429), "calls / month", Exhausted, "trial_calls_per_month", "docs.cohere.com/docs/rate-limits (the limit; its text only in users' reports)"),
    ],
    ..Signals::NONE
};

/// Chat, version 2.
static CHAT_V2: StreamFormat = StreamFormat::named(
    "cohere_v2",
    &[
        ("content-delta", Content),
        ("content-start", Progress),
        ("content-end", Progress),
        ("message-start", Progress),
        ("message-end", EndWithStatus),
    ],
);

/// Chat and generate, version 1. The stream ends with `is_finished`.
static CHAT_V1: StreamFormat = StreamFormat {
    name: "cohere_v1",
    end: EndMarker::Field(b"true"),
    end_repeats: false,
    events: &[
        ("text-generation", Content),
        ("tool-calls-chunk", Content),
        ("tool-calls-generation", Content),
        ("stream-start", Progress),
        ("stream-end", EndWithStatus),
    ],
    unnamed: Some(UnnamedEvents { keys: &[b"\"is_finished\""], shape: chat_v1_shape }),
};

fn chat_v1_shape(data: &[u8]) -> Option<EventShape> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Chunk {
        is_finished: Presence,
        text: Presence,
    }

    let Chunk { is_finished, text } = serde_json::from_slice(data).ok()?;
    let shape = EventShape { content: text.is_full(), end: is_finished.is_full() };
    is_finished.is_present().then_some(shape)
}
