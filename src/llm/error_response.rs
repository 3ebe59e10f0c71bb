//! The bodies of error responses.

use http::{HeaderMap, StatusCode};

use super::credential::Credential;
use super::framing::{BOUND, Kept};
use super::providers::Provider;
use super::signals;
use crate::Outcome;
use crate::classify::http::Codes;
use crate::classify::{BodyProgress, ClassifyBody};

/// Classifies an error response by its head and the beginning of its body.
pub(super) struct ErrorResponse {
    pub(super) provider: Provider,
    pub(super) credential: Credential,
    pub(super) codes: Codes,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Kept,
}

impl ErrorResponse {
    fn to_outcome(&self) -> Outcome {
        let body = &self.body.bytes;
        let body = first_event(body).unwrap_or(body);
        let outcome = signals::classify_error(self.provider, self.status, &self.headers, body);
        weighted(&self.codes, self.status, self.credential.classify(outcome))
    }
}

/// Adds the weight that the user gave to the status, if any.
pub(super) fn weighted(codes: &Codes, status: StatusCode, outcome: Outcome) -> Outcome {
    match codes.weight(status.as_u16()) {
        Some(weight) => outcome.weight(weight),
        None => outcome,
    }
}

impl ClassifyBody for ErrorResponse {
    fn data(&mut self, data: &[u8]) -> BodyProgress {
        self.body.push(data, BOUND);
        BodyProgress::Pending
    }

    fn end(&mut self) -> Outcome {
        self.to_outcome()
    }

    // The head has reported the error. A body that breaks does not change it.
    fn error(&mut self) -> Outcome {
        self.to_outcome()
    }

    fn dropped(&mut self) -> Option<Outcome> {
        Some(self.to_outcome())
    }
}

/// Returns the data of the first event. Some servers respond to a request for a stream with an error status and an
/// event.
fn first_event(body: &[u8]) -> Option<&[u8]> {
    let start = body.trim_ascii_start();
    if !start.starts_with(b"data:") && !start.starts_with(b"event:") {
        return None;
    }
    body.split(|byte| matches!(byte, b'\n' | b'\r')).find_map(|line| line.strip_prefix(b"data:"))
}
