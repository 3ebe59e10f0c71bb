//! Google's and Anthropic's models on Vertex AI.

use super::{anthropic, common, gemini};
use crate::llm::profile::Profile;
use crate::llm::stream_format::EventKind::Progress;

pub(super) static PROFILE: Profile = Profile {
    events: &[("vertex_event", Progress)],
    ..Profile::new(&[&gemini::SIGNALS, &anthropic::SIGNALS, &gemini::GOOGLE, &common::SIGNALS])
};
