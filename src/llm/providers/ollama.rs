//! Ollama servers and Ollama's cloud.

use serde::Deserialize;

use super::{common, openai};
use crate::llm::json_shape::Presence;
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{Exhausted, Failed};
use crate::llm::signal::{Signals, StatusRange, contains};
use crate::llm::stream_format::{EndMarker, EventShape, StreamFormat, UnnamedEvents};

pub(super) static PROFILE: Profile = Profile {
    formats: &[&CHAT],
    ..Profile::new(&[&SIGNALS, &openai::COMPATIBLE, &common::SIGNALS])
};

#[rustfmt::skip]
static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(429), "usage limit", Exhausted, "usage_limit", "diegosouzapw/OmniRoute#3709; continuedev/continue#9233, #11444"),
        contains(StatusRange::only(503), "maximum pending requests exceeded", Failed, "server_busy", "ollama/ollama server/sched.go (ErrMaxQueue), #4124, #4144"),
    ],
    ..Signals::NONE
};

/// Chat and generate. The stream ends with `"done": true`.
static CHAT: StreamFormat = StreamFormat {
    name: "ollama",
    end: EndMarker::Field(b"true"),
    end_repeats: false,
    events: &[],
    unnamed: Some(UnnamedEvents { keys: &[b"\"done\""], shape: chat_shape }),
};

fn chat_shape(data: &[u8]) -> Option<EventShape> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Chunk {
        done: Presence,
        message: Presence,
        response: Presence,
        thinking: Presence,
    }

    let Chunk { done, message, response, thinking } = serde_json::from_slice(data).ok()?;
    let content = message.is_full() || response.is_full() || thinking.is_full();
    done.is_present().then_some(EventShape { content, end: done.is_full() })
}
