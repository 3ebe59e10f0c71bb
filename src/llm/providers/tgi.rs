//! Text Generation Inference by Hugging Face.

use serde::Deserialize;

use super::{common, openai, vllm};
use crate::llm::json_shape::Presence;
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{CallersFault, Failed};
use crate::llm::signal::{Signals, StatusRange, blame, contains, name, status};
use crate::llm::stream_format::{EndMarker, EventShape, StreamFormat, UnnamedEvents};

const ERRORS: &str =
    "huggingface/text-generation-inference router/src/infer/mod.rs, router/src/server.rs";

pub(super) static PROFILE: Profile = Profile {
    formats: &[&GENERATE_STREAM],
    ..Profile::new(&[&OWN, &openai::COMPATIBLE, &SIGNALS, &vllm::SIGNALS, &common::SIGNALS])
};

static OWN: Signals =
    Signals { statuses: &[status(424, Failed, "generation", ERRORS)], ..Signals::NONE };

/// The signals of self-hosted servers, as TGI names them.
#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(429), "model is overloaded", Failed, "overloaded", ERRORS),
    ],
    failures: &[
        name(Failed, "overloaded", ERRORS),
        name(Failed, "generation", ERRORS),
        name(Failed, "incomplete_generation", ERRORS),
    ],
    requests: &[
        blame(CallersFault, "validation", ERRORS),
    ],
    ..Signals::NONE
};

/// `generate_stream`. The stream ends with `generated_text`.
static GENERATE_STREAM: StreamFormat = StreamFormat {
    name: "generate_stream",
    // Every event has the field, so nothing tells the last one without parsing.
    end: EndMarker::Field(b""),
    end_repeats: false,
    events: &[],
    unnamed: Some(UnnamedEvents { keys: &[b"\"generated_text\""], shape: generate_stream_shape }),
};

fn generate_stream_shape(data: &[u8]) -> Option<EventShape> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Chunk {
        token: Presence,
        generated_text: Presence,
    }

    let Chunk { token, generated_text } = serde_json::from_slice(data).ok()?;
    let content = token.is_full() || generated_text.is_full();
    let shape = EventShape { content, end: generated_text != Presence::Null };
    generated_text.is_present().then_some(shape)
}
