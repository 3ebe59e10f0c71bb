//! Orders, which tell the service how to end a call.

use tonic::Code;

use super::generated::orders::{End, Order};

impl Order {
    /// Ends the call with a status.
    pub(crate) fn status(code: Code) -> Self {
        Self { code: code as i32, ..Self::default() }
    }

    /// Ends the call with OK.
    pub(crate) fn ok() -> Self {
        Self::status(Code::Ok)
    }

    /// Ends the call without a status.
    pub(crate) fn broken(end: End) -> Self {
        Self { end: end.into(), ..Self::default() }
    }

    /// Ends a stream after this many replies.
    pub(crate) fn after(self, replies: u32) -> Self {
        Self { replies, ..self }
    }

    /// Ends the call when the test calls `let_end`.
    pub(crate) fn held(self) -> Self {
        Self { held: true, ..self }
    }

    /// Adds a retry pushback in milliseconds. A negative value means "do not retry".
    pub(crate) fn with_pushback(self, ms: i64) -> Self {
        Self { pushback_ms: Some(ms), ..self }
    }

    /// Adds a retry delay in milliseconds.
    pub(crate) fn with_retry_delay(self, ms: u32) -> Self {
        Self { retry_delay_ms: Some(ms), ..self }
    }
}
