//! Orders for calls that end in some way.

use tonic::Code;

use super::generated::orders::{End, Order};

impl Order {
    /// Ends with a status.
    pub(crate) fn status(code: Code) -> Self {
        Self { code: code as i32, ..Self::default() }
    }

    /// Ends with OK.
    pub(crate) fn ok() -> Self {
        Self::status(Code::Ok)
    }

    /// Ends without a status.
    pub(crate) fn broken(end: End) -> Self {
        Self { end: end.into(), ..Self::default() }
    }

    /// After so many replies, if it is a stream.
    pub(crate) fn after(self, replies: u32) -> Self {
        Self { replies, ..self }
    }

    /// When the test lets it.
    pub(crate) fn held(self) -> Self {
        Self { held: true, ..self }
    }

    /// Milliseconds; negative is "do not retry".
    pub(crate) fn with_pushback(self, ms: i64) -> Self {
        Self { pushback_ms: Some(ms), ..self }
    }

    /// Milliseconds.
    pub(crate) fn with_retry_delay(self, ms: u32) -> Self {
        Self { retry_delay_ms: Some(ms), ..self }
    }
}
