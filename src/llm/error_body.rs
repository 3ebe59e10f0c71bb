//! What an error body says, whatever shape it has.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::wait;

/// Beyond this an error that is plain text is not read.
const MAX_TEXT: usize = 4096;

/// How DeepSeek says that it broke an answer off: a `finish_reason`, with its quotes.
pub(super) const OUT_OF_RESOURCES: &[u8; 30] = b"\"insufficient_system_resource\"";

/// The parts of an error that tell what it means. What is missing, of the wrong type or unreadable is empty.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// `code`, and the finer names beside it: `details.error_code`, `metadata.error_type`, `ErrorInfo.reason`.
    pub(super) codes: Vec<String>,
    /// `type`, `status`, `error_type`, and the names of AWS exceptions.
    pub(super) types: Vec<String>,
    /// An HTTP error status, where the body repeats one.
    pub(super) status: Option<u16>,
    /// The text.
    pub(super) message: String,
    /// The `quotaId` of every violated quota.
    pub(super) quotas: Vec<String>,
    /// How long to wait.
    pub(super) delay: Option<Duration>,
    /// Until when to wait.
    pub(super) reset: Option<SystemTime>,
}

impl ErrorBody {
    /// Reads the body of a response that is no success. Of one that was cut off nothing is known.
    pub(super) fn of_response(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(root) => Self::of_value(&root),
            Err(_) => Self::of_text(body),
        }
    }

    /// Reads a piece of a response that began as a success: an event, a line, or all of it.
    ///
    /// `None` if it is no error.
    pub(super) fn of_event(json: &[u8]) -> Option<Self> {
        // Nearly every event is content; parsing those would double the price of reading them.
        if !may_be_an_error(json) {
            return None;
        }
        let root: Value = serde_json::from_slice(json).ok()?;
        is_an_error(&root).then(|| Self::of_value(&root))
    }

    /// An AWS exception: its name is given apart, its body is `{"message":…}`.
    pub(super) fn of_exception(name: &str, body: &[u8]) -> Self {
        let mut error = Self::of_response(body);
        error.types.insert(0, exception_name(name).to_owned());
        error
    }

    /// Adds the name that AWS sends as a header.
    pub(super) fn with_exception(mut self, header: Option<&str>) -> Self {
        self.types.extend(header.map(|name| exception_name(name).to_owned()));
        self
    }

    /// Text that is neither JSON nor markup, such as a proxy's or an Ollama server's.
    fn of_text(body: &[u8]) -> Self {
        let mut error = Self::default();
        if let Ok(text) = str::from_utf8(body)
            && text.len() <= MAX_TEXT
            && !text.trim_start().starts_with(['{', '[', '<'])
        {
            error.message = text.trim().to_owned();
        }
        error
    }

    fn of_value(root: &Value) -> Self {
        let mut error = Self::default();
        let root = in_array(root);
        let Some(root) = root.as_object() else {
            error.message = root.as_str().unwrap_or_default().to_owned();
            return error;
        };
        if let Some(inner) = inner(root) {
            error.read(inner);
        }
        error.read(root);
        error
    }

    /// Reads one level. What a level further in said comes first, and its text stays.
    fn read(&mut self, level: &Map<String, Value>) {
        for key in ["code", "error_code"] {
            self.codes.extend(text_at(level, key));
        }
        for key in ["type", "status", "error_type", "__type"] {
            let name = text_at(level, key);
            self.types.extend(name.map(|name| exception_name(&name).to_owned()));
        }
        for key in ["message", "msg", "error", "detail"] {
            self.say(level.get(key).and_then(Value::as_str).unwrap_or_default());
        }
        for key in ["details", "detail", "innererror"] {
            match level.get(key) {
                Some(Value::Array(details)) => {
                    details.iter().filter_map(Value::as_object).for_each(|it| self.detail(it));
                }
                Some(Value::Object(detail)) => self.detail(detail),
                _ => {}
            }
        }
        if let Some(Value::Object(metadata)) = level.get("metadata") {
            self.metadata(metadata);
        }
        if let Some(Value::Array(choices)) = level.get("choices") {
            let errors = choices.iter().filter_map(|choice| choice.get("error")?.as_object());
            errors.for_each(|error| self.read(error));
        }
        for key in ["code", "status", "status_code", "statusCode", "http_status_code"] {
            self.status = self.status.or_else(|| error_status(level.get(key)?));
        }
    }

    /// A detail of Google's (`RetryInfo`, `QuotaFailure`, `ErrorInfo`), Anthropic's or Azure's.
    fn detail(&mut self, detail: &Map<String, Value>) {
        for key in ["error_code", "reason", "code"] {
            self.codes.extend(text_at(detail, key));
        }
        if let Some(text) = detail.get("msg").and_then(Value::as_str) {
            self.say(text);
        }
        if let Some(Value::Array(violations)) = detail.get("violations") {
            let violations = violations.iter().filter_map(Value::as_object);
            self.quotas.extend(violations.filter_map(|violation| text_at(violation, "quotaId")));
        }
        let delay = detail.get("retryDelay").and_then(Value::as_str);
        self.delay = self.delay.or_else(|| wait::go_duration(delay?));
    }

    /// What OpenRouter adds.
    fn metadata(&mut self, metadata: &Map<String, Value>) {
        for key in ["error_type", "limit_source", "reason", "code"] {
            self.codes.extend(text_at(metadata, key));
        }
        let seconds = metadata.get("retry_after_seconds").and_then(Value::as_f64);
        self.delay = self.delay.or_else(|| wait::seconds(seconds?));
        if let Some(Value::Object(headers)) = metadata.get("headers") {
            let reset =
                headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-ratelimit-reset"));
            self.reset = self.reset.or_else(|| wait::epoch_ms(number(reset?.1)?));
        }
        let resets_at = metadata.get("resets_at").and_then(Value::as_str);
        self.reset = self.reset.or_else(|| wait::rfc3339(resets_at?));
    }

    fn say(&mut self, text: &str) {
        if self.message.is_empty() {
            self.message = text.to_owned();
        }
    }
}

/// Gemini sends an error in an array: alone, or behind the content before it.
fn in_array(root: &Value) -> &Value {
    let Value::Array(items) = root else { return root };
    let error = items.iter().find(|item| says_something(item.get("error")));
    error.or_else(|| items.first()).unwrap_or(root)
}

/// Where the error is, if it is not on the outermost level.
fn inner(root: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let in_response = || root.get("response")?.get("error")?.as_object();
    let error = root.get("error").and_then(Value::as_object);
    let of_groq = || root.get("x_groq")?.as_object();
    error.or_else(in_response).or_else(|| root.get("detail")?.as_object()).or_else(of_groq)
}

/// Whether a piece of a response could be an error, by the words that all of them have.
fn may_be_an_error(json: &[u8]) -> bool {
    const WORDS: [&[u8]; 5] =
        [b"\"error\"", b"\"ERROR\"", b"\"TIMEOUT\"", b"\"response.failed\"", OUT_OF_RESOURCES];
    // Each word begins where a quotation mark does.
    json.iter().enumerate().filter(|&(_, &byte)| byte == b'"').any(|(at, _)| {
        json.get(at..).is_some_and(|rest| WORDS.iter().any(|word| rest.starts_with(word)))
    })
}

fn is_an_error(root: &Value) -> bool {
    let root = in_array(root);
    let is = |key: &str, name: &str| root.get(key).and_then(Value::as_str) == Some(name);
    // Cohere's `ERROR` and `TIMEOUT`, OpenRouter's and Mistral's `error`, and DeepSeek's.
    let ended_badly = |of: &Value| {
        let reason = of.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
        reason.eq_ignore_ascii_case("error")
            || matches!(reason, "TIMEOUT" | "insufficient_system_resource")
    };
    says_something(root.get("error"))
        || is("type", "error")
        || is("event_type", "error")
        || is("object", "error")
        || is("type", "response.failed")
        || ended_badly(root)
        || root.get("delta").is_some_and(ended_badly)
        || root
            .get("choices")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(ended_badly))
        || root.get("response").is_some_and(|response| says_something(response.get("error")))
        // Why Groq stopped a stream.
        || root.get("x_groq").is_some_and(|groq| says_something(groq.get("error")))
}

/// `"error": null` is no error, and neither is an empty one.
fn says_something(error: Option<&Value>) -> bool {
    match error {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

/// AWS: `namespace#ThrottlingException:http://…` is a `ThrottlingException`.
fn exception_name(name: &str) -> &str {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    name.rsplit_once('#').map_or(name, |(_, name)| name).trim()
}

fn text_at(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key)?.as_str().map(str::to_owned)
}

/// A number, or a text of digits.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn error_status(value: &Value) -> Option<u16> {
    let status = u16::try_from(number(value)?).ok()?;
    (400..600).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests;
