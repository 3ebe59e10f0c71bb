//! Whose API it is.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Whose API it is.
///
/// In settings files it has the name that [`as_str`](Self::as_str) gives.
///
/// ```
/// use tower_breaker::Provider;
///
/// assert_eq!("azure_openai".parse(), Ok(Provider::AzureOpenAi));
/// assert_eq!(Provider::AzureOpenAi.to_string(), "azure_openai");
/// ```
#[cfg_attr(feature = "llm", doc = "", doc = include_str!("signals.md"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// OpenAI.
    OpenAi,
    /// Azure OpenAI.
    AzureOpenAi,
    /// Anthropic.
    Anthropic,
    /// Google Gemini, by the Gemini API.
    Gemini,
    /// Google models, by Vertex AI.
    Vertex,
    /// Amazon Bedrock.
    Bedrock,
    /// OpenRouter.
    OpenRouter,
    /// Groq.
    Groq,
    /// Mistral.
    Mistral,
    /// DeepSeek.
    DeepSeek,
    /// Cohere.
    Cohere,
    /// xAI.
    XAi,
    /// A vLLM server.
    Vllm,
    /// A server of Hugging Face's Text Generation Inference.
    Tgi,
    /// An Ollama server, or its cloud.
    Ollama,
    /// Anything else that speaks HTTP.
    Generic,
}

impl Provider {
    /// All of them, in the order of their declaration.
    pub(super) const ALL: [Self; 16] = [
        Self::OpenAi,
        Self::AzureOpenAi,
        Self::Anthropic,
        Self::Gemini,
        Self::Vertex,
        Self::Bedrock,
        Self::OpenRouter,
        Self::Groq,
        Self::Mistral,
        Self::DeepSeek,
        Self::Cohere,
        Self::XAi,
        Self::Vllm,
        Self::Tgi,
        Self::Ollama,
        Self::Generic,
    ];

    /// The name used in settings files, logs and metrics: lower case, with `_` between words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureOpenAi => "azure_openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Vertex => "vertex",
            Self::Bedrock => "bedrock",
            Self::OpenRouter => "openrouter",
            Self::Groq => "groq",
            Self::Mistral => "mistral",
            Self::DeepSeek => "deepseek",
            Self::Cohere => "cohere",
            Self::XAi => "xai",
            Self::Vllm => "vllm",
            Self::Tgi => "tgi",
            Self::Ollama => "ollama",
            Self::Generic => "generic",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    /// Reads the name that [`as_str`](Self::as_str) gives, in upper or lower case.
    ///
    /// # Errors
    ///
    /// Any other name.
    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let known = Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
        known.ok_or_else(|| UnknownProvider { name: name.to_owned() })
    }
}

/// A name that is no [`Provider`]'s.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownProvider {
    /// The name.
    pub name: String,
}

impl UnknownProvider {
    /// The names that there are.
    pub fn allowed() -> impl Iterator<Item = &'static str> {
        Provider::ALL.into_iter().map(Provider::as_str)
    }
}

impl fmt::Display for UnknownProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown provider {:?}, expected one of ", self.name)?;
        for (at, name) in Self::allowed().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl Error for UnknownProvider {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_found_by_its_name() {
        for provider in Provider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(provider));
            assert_eq!(provider.to_string().to_uppercase().parse(), Ok(provider));
        }
    }

    #[test]
    fn every_provider_is_listed_once() {
        for (at, provider) in Provider::ALL.into_iter().enumerate() {
            assert_eq!(provider as usize, at);
        }
        // The last one declared; a new one behind it fails here.
        assert_eq!(Provider::Generic as usize + 1, Provider::ALL.len());
    }

    #[test]
    fn an_unknown_name_lists_what_is_allowed() {
        let error = "open-ai".parse::<Provider>().unwrap_err();
        assert_eq!(error.name, "open-ai");
        let text = error.to_string();
        assert!(text.starts_with("unknown provider \"open-ai\", expected one of openai, azure_"));
        assert!(text.ends_with(", tgi, ollama, generic"), "{text}");
    }
}
