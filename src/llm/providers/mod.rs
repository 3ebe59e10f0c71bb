//! The providers, one file each.
//!
//! To add a provider:
//!
//! 1. Add its file, with a `PROFILE` ([`Profile`]). Signals and stream formats that it shares with another provider are
//!    referenced there, not copied.
//! 2. Add its `mod` line and its row to the list below. The name in settings files is that of the module.
//! 3. Add its responses to `tests/data/llm/<name>/`. Tests require a success, a response for each signal, and a stream
//!    for each way to end.
//! 4. Regenerate `signals.md`: `WRITE_SIGNALS=1 cargo test --lib --all-features the_documented_table`.

mod anthropic;
mod azure_openai;
pub(in crate::llm) mod bedrock;
mod cohere;
mod common;
mod deepseek;
mod gemini;
mod generic;
mod groq;
mod mistral;
mod ollama;
mod openai;
mod openrouter;
mod self_hosted;
mod tgi;
mod vertex;
mod vllm;
mod xai;

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use super::profile::Profile;
use super::stream_format::{EventKind, EventShape, NamedEvent, StreamFormat};

providers! {
    OpenAi => openai, "OpenAI.";
    AzureOpenAi => azure_openai, "Azure OpenAI.";
    Anthropic => anthropic, "Anthropic.";
    Gemini => gemini, "Google Gemini, through the Gemini API.";
    Vertex => vertex, "Google's and Anthropic's models, through Vertex AI.";
    Bedrock => bedrock, "Amazon Bedrock.";
    OpenRouter => openrouter, "OpenRouter.";
    Groq => groq, "Groq.";
    Mistral => mistral, "Mistral.";
    DeepSeek => deepseek, "DeepSeek.";
    Cohere => cohere, "Cohere.";
    XAi => xai, "xAI.";
    Vllm => vllm, "A vLLM server.";
    Tgi => tgi, "A server of Hugging Face's Text Generation Inference.";
    Ollama => ollama, "An Ollama server, or Ollama's cloud.";
    Generic => generic, "Any other provider with an HTTP API.";
}

/// Defines `Provider`, its list, its names and its profiles.
macro_rules! providers {
    ($($variant:ident => $module:ident, $doc:literal;)+) => {
        /// The provider of an LLM API.
        ///
        /// Settings files name it as [`as_str`](Self::as_str) does.
        ///
        /// ```
        /// use tower_breaker::Provider;
        ///
        /// assert_eq!("azure_openai".parse(), Ok(Provider::AzureOpenAi));
        /// assert_eq!(Provider::AzureOpenAi.to_string(), "azure_openai");
        /// ```
        ///
        #[doc = include_str!("../signals.md")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Provider {
            $(#[doc = $doc] $variant,)+
        }

        impl Provider {
            /// Every provider, in the order of declaration.
            pub(super) const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the name used in settings files, logs and metrics: lower case, with `_` between words.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($module),)+
                }
            }

            pub(super) const fn profile(self) -> &'static Profile {
                match self {
                    $(Self::$variant => &$module::PROFILE,)+
                }
            }
        }
    };
}

use providers;

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    /// Parses the name that [`as_str`](Self::as_str) returns, ignoring ASCII case.
    ///
    /// # Errors
    ///
    /// Returns [`UnknownProvider`] for any other name.
    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let known = Self::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
        known.copied().ok_or_else(|| UnknownProvider { name: name.to_owned() })
    }
}

/// A name that belongs to no [`Provider`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownProvider {
    /// The name.
    pub name: String,
}

impl UnknownProvider {
    /// Returns the names of all providers.
    pub fn allowed() -> impl Iterator<Item = &'static str> {
        Provider::ALL.iter().map(|provider| provider.as_str())
    }
}

impl fmt::Display for UnknownProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown provider {:?}, expected one of ", self.name)?;
        for (index, name) in Self::allowed().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl Error for UnknownProvider {}

/// Returns the profiles of all providers. Most of their properties apply to the calls of every provider.
pub(super) fn profiles() -> impl Iterator<Item = &'static Profile> {
    Provider::ALL.iter().map(|provider| provider.profile())
}

/// A named event in [`EVENTS`].
struct EventRow {
    name: &'static [u8],
    /// The row matches every name with this beginning.
    is_prefix: bool,
    /// `None` if several formats have the event.
    format: Option<&'static StreamFormat>,
    kind: EventKind,
}

impl EventRow {
    fn new(&(name, kind): &NamedEvent, format: Option<&'static StreamFormat>) -> Self {
        let prefix = name.strip_suffix('*');
        let is_prefix = prefix.is_some();
        Self { name: prefix.unwrap_or(name).as_bytes(), is_prefix, format, kind }
    }

    fn matches(&self, name: &[u8]) -> bool {
        if self.is_prefix { name.starts_with(self.name) } else { name == self.name }
    }
}

/// The named events of all providers in one list, because it is searched for every named event of a stream.
static EVENTS: LazyLock<Vec<EventRow>> = LazyLock::new(|| {
    let shared = common::EVENTS.iter().chain(profiles().flat_map(|profile| profile.events));
    let formats = profiles().flat_map(|profile| profile.formats);
    let rows_of = |format: &&'static StreamFormat| {
        let format = *format;
        format.events.iter().map(move |event| EventRow::new(event, Some(format)))
    };
    shared.map(|event| EventRow::new(event, None)).chain(formats.flat_map(rows_of)).collect()
});

/// Returns the kind of the event with this name, and its stream format unless several formats have it.
pub(super) fn event_named(name: &[u8]) -> Option<(Option<&'static StreamFormat>, EventKind)> {
    if name.is_empty() {
        return None;
    }
    EVENTS.iter().find(|row| row.matches(name)).map(|row| (row.format, row.kind))
}

/// Returns the format and the shape of an event without a known name. Returns `None` if no format has such events.
pub(super) fn unnamed_event(data: &[u8]) -> Option<(&'static StreamFormat, EventShape)> {
    profiles().flat_map(|profile| profile.formats).find_map(|format| {
        let shape = format.unnamed.as_ref()?.shape_of(data)?;
        Some((*format, shape))
    })
}

#[cfg(test)]
mod tests;
