//! Any other provider: every signal that cannot be confused with another provider's.

use super::{anthropic, bedrock, common, gemini, groq, mistral, openai, openrouter, self_hosted};
use crate::llm::profile::Profile;

pub(super) static PROFILE: Profile = Profile {
    needs_end_marker: false,
    ..Profile::new(&[
        &bedrock::SIGNALS,
        &mistral::SIGNALS,
        &groq::SIGNALS,
        &openai::COMPATIBLE,
        &anthropic::SIGNALS,
        &openrouter::SIGNALS,
        &gemini::GOOGLE,
        &self_hosted::SIGNALS,
        &common::SIGNALS,
    ])
};
