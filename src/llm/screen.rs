//! Decides whether a piece of a successful response reports an error.
//!
//! The words and places that report an error are listed here or in the profile of the provider that introduced them.
//! They apply to every provider.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::Value;

use super::json_shape::Text;
use super::providers::profiles;
use crate::Outcome;

/// The key of an error, in quotes, and the value of `type` or `finish_reason` that reports one.
pub(super) const ERROR: &[u8] = b"\"error\"";

/// The words, in quotes. Every error contains at least one of them.
static WORDS: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| {
    let words = profiles()
        .flat_map(|profile| profile.failed_finish_reasons.iter().chain(profile.failed_types));
    let words = words.map(|word| Finder::new(&format!("\"{word}\"")).into_owned());
    [Finder::new(ERROR)].into_iter().chain(words).collect()
});

/// Returns whether a piece of a response may report an error. Only such a piece is parsed, because nearly all events are
/// content, and parsing them would double the cost of reading a stream.
pub(super) fn may_report_error(json: &[u8]) -> bool {
    WORDS.iter().any(|word| word.find(json).is_some())
}

/// Returns whether a piece of a response, or an element of it if it is a list, reports an error.
pub(super) fn reports_error(root: &Value) -> bool {
    let root = error_element(root);
    let text = |key: &str| root.get(key).and_then(Value::as_str);
    let error_of = |key: &str| root.get(key).and_then(|parent| parent.get("error"));
    let failed = |part: &Value| {
        part.get("finish_reason").and_then(Value::as_str).is_some_and(is_failed_finish_reason)
    };
    is_error(root.get("error"))
        || ["type", "event_type", "object"].into_iter().any(|key| text(key) == Some("error"))
        || text("type").is_some_and(is_failed_type)
        || failed(root)
        || root.get("delta").is_some_and(failed)
        || root.get("choices").and_then(Value::as_array).is_some_and(|all| all.iter().any(failed))
        || is_error(error_of("response"))
        || profiles().flat_map(|it| it.error_parents).any(|parent| is_error(error_of(parent)))
}

/// Returns the element of a list that has the error, or `root` if it is not a list. Gemini sends an error in a list:
/// alone, or after content.
pub(super) fn error_element(root: &Value) -> &Value {
    let Value::Array(items) = root else { return root };
    let error = items.iter().find(|item| is_error(item.get("error")));
    error.or_else(|| items.first()).unwrap_or(root)
}

/// Returns the outcome of a stream from the event that ends it. An event that cannot be read is a success.
pub(super) fn ending(data: &[u8]) -> Outcome {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Ending<'a> {
        #[serde(borrow)]
        finish_reason: Text<'a>,
        #[serde(borrow)]
        delta: Part<'a>,
        #[serde(borrow)]
        response: Part<'a>,
        #[serde(borrow)]
        interaction: Part<'a>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Part<'a> {
        #[serde(borrow)]
        finish_reason: Text<'a>,
        #[serde(borrow)]
        status: Text<'a>,
    }

    let ending: Ending<'_> = serde_json::from_slice(data).unwrap_or_default();
    let Ending { finish_reason, delta, response, interaction } = ending;
    for Text(word) in [finish_reason, delta.finish_reason, response.status, interaction.status] {
        match word.unwrap_or(Cow::Borrowed("")).as_ref() {
            "cancelled" | "USER_CANCEL" => return Outcome::ignored(),
            word if word == "failed" || is_failed_finish_reason(word) => {
                return Outcome::failure().reason("ended with an error");
            }
            _ => {}
        }
    }
    Outcome::success()
}

/// Returns whether the value of an `error` field reports one. `null`, `false` and empty values do not.
fn is_error(error: Option<&Value>) -> bool {
    match error {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

fn is_failed_finish_reason(word: &str) -> bool {
    // OpenRouter and Mistral send `error` as a reason.
    word.eq_ignore_ascii_case("error")
        || profiles().any(|profile| profile.failed_finish_reasons.contains(&word))
}

fn is_failed_type(word: &str) -> bool {
    profiles().any(|profile| profile.failed_types.contains(&word))
}

#[cfg(test)]
mod tests;
