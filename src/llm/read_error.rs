//! Reads errors from bodies of any known shape.

use serde_json::Value;

use super::error_body::{ErrorBody, Object, number, text_at};
use super::providers::bedrock::exception_name;
use super::providers::profiles;
use super::screen::{error_element, may_report_error, reports_error};

/// The longest plain text that is read as an error message.
const MAX_TEXT: usize = 4096;

impl ErrorBody {
    /// Reads the body of an error response. A truncated body yields nothing.
    pub(super) fn of_response(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(root) => Self::of_value(&root),
            Err(_) => Self::of_text(body),
        }
    }

    /// Reads a piece of a response that began as a success: an event, a line, or the whole body.
    ///
    /// Returns `None` if it is not an error.
    pub(super) fn of_event(json: &[u8]) -> Option<Self> {
        if !may_report_error(json) {
            return None;
        }
        let root: Value = serde_json::from_slice(json).ok()?;
        reports_error(&root).then(|| Self::of_value(&root))
    }

    /// Reads an AWS exception, whose name is sent apart from its body `{"message":…}`.
    pub(super) fn of_exception(name: &str, body: &[u8]) -> Self {
        let mut error = Self::of_response(body);
        error.types.insert(0, exception_name(name).to_owned());
        error
    }

    /// Adds the name of an AWS exception that was sent as a header.
    pub(super) fn with_exception(mut self, header: Option<&str>) -> Self {
        self.types.extend(header.map(|name| exception_name(name).to_owned()));
        self
    }

    /// Reads text that is neither JSON nor markup. Proxies and Ollama servers send such errors.
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
        let root = error_element(root);
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

    /// Reads one level. The parts of an inner level are read first, and its message is kept.
    fn read(&mut self, level: &Object) {
        for key in ["code", "error_code"] {
            self.codes.extend(text_at(level, key));
        }
        for key in ["type", "status", "error_type"] {
            let name = text_at(level, key);
            self.types.extend(name.map(|name| exception_name(&name).to_owned()));
        }
        for key in ["message", "msg", "error", "detail"] {
            self.set_message(level.get(key).and_then(Value::as_str).unwrap_or_default());
        }
        for key in ["details", "detail", "innererror"] {
            match level.get(key) {
                Some(Value::Array(details)) => {
                    let details = details.iter().filter_map(Value::as_object);
                    details.for_each(|detail| self.read_detail(detail));
                }
                Some(Value::Object(detail)) => self.read_detail(detail),
                _ => {}
            }
        }
        for read_error in profiles().filter_map(|profile| profile.read_error) {
            read_error(self, level);
        }
        if let Some(Value::Array(choices)) = level.get("choices") {
            let errors = choices.iter().filter_map(|choice| choice.get("error")?.as_object());
            errors.for_each(|error| self.read(error));
        }
        for key in ["code", "status", "status_code", "statusCode", "http_status_code"] {
            self.status = self.status.or_else(|| error_status(level.get(key)?));
        }
    }

    fn read_detail(&mut self, detail: &Object) {
        for key in ["error_code", "reason", "code"] {
            self.codes.extend(text_at(detail, key));
        }
        if let Some(text) = detail.get("msg").and_then(Value::as_str) {
            self.set_message(text);
        }
        for read_detail in profiles().filter_map(|profile| profile.read_detail) {
            read_detail(self, detail);
        }
    }
}

/// Returns the object that contains the error, if it is not the outermost one.
fn inner(root: &Object) -> Option<&Object> {
    let in_response = || root.get("response")?.get("error")?.as_object();
    let error = root.get("error").and_then(Value::as_object);
    let mut parents = profiles().flat_map(|profile| profile.error_parents);
    error
        .or_else(in_response)
        .or_else(|| root.get("detail")?.as_object())
        .or_else(|| parents.find_map(|parent| root.get(*parent)?.as_object()))
}

fn error_status(value: &Value) -> Option<u16> {
    let status = u16::try_from(number(value)?).ok()?;
    (400..600).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests;
