//! The content of an error.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

/// The parts of an error by which it is classified. Parts that are missing, of the wrong type or unreadable are empty.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// `code`, and the finer names beside it, such as `details.error_code`, `metadata.error_type`, `ErrorInfo.reason`.
    pub(super) codes: Vec<String>,
    /// `type`, `status`, `error_type`, and the names of AWS exceptions.
    pub(super) types: Vec<String>,
    /// The HTTP error status that the body repeats, if any.
    pub(super) status: Option<u16>,
    pub(super) message: String,
    /// The `quotaId` of each violated quota.
    pub(super) quotas: Vec<String>,
    /// The time to wait.
    pub(super) delay: Option<Duration>,
    /// The time at which the wait ends.
    pub(super) reset: Option<SystemTime>,
}

impl ErrorBody {
    /// Sets the message if there is none yet.
    pub(super) fn set_message(&mut self, text: &str) {
        if self.message.is_empty() {
            self.message = text.to_owned();
        }
    }
}

pub(super) fn text_at(object: &Object, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

/// Reads a number, or a string of digits.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
