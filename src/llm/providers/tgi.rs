//! Text Generation Inference by Hugging Face.

use serde::Deserialize;

use super::{common, openai, self_hosted};
use crate::llm::json_shape::Presence;
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::Failed;
use crate::llm::signal::{Signals, status};
use crate::llm::stream_format::{EndMarker, EventShape, StreamFormat, UnnamedEvents};

pub(super) static PROFILE: Profile = Profile {
    formats: &[&GENERATE_STREAM],
    ..Profile::new(&[&OWN, &openai::COMPATIBLE, &self_hosted::SIGNALS, &common::SIGNALS])
};

static OWN: Signals =
    Signals { statuses: &[status(424, Failed, "generation", self_hosted::TGI)], ..Signals::NONE };

/// `generate_stream`. The stream ends with `generated_text`.
static GENERATE_STREAM: StreamFormat = StreamFormat {
    name: "generate_stream",
    // Every event has the field, so only parsing identifies the last one.
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
