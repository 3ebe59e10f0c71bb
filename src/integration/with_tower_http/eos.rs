//! A classifier of tower-http that decides at the end of the body.

use http::{HeaderMap, StatusCode};
use tower_http::classify::ClassifyEos;

use super::filled_in;
use crate::classify::{BodyProgress, ClassifyBody};
use crate::outcome::Outcome;

/// Calls a `ClassifyEos` once, at the end of a body.
pub(super) struct Eos<C, F> {
    /// `None` after the call.
    classify: Option<C>,
    status: StatusCode,
    outcome_of: F,
}

impl<C, F> Eos<C, F>
where
    C: ClassifyEos,
    F: Fn(&C::FailureClass) -> Outcome,
{
    pub(super) const fn new(classify: C, status: StatusCode, outcome_of: F) -> Self {
        Self { classify: Some(classify), status, outcome_of }
    }

    fn classify(&mut self, trailers: Option<&HeaderMap>) -> Outcome {
        match self.classify.take().map(|classify| classify.classify_eos(trailers)) {
            Some(Err(class)) => {
                let outcome = (self.outcome_of)(&class);
                filled_in(outcome, self.status, trailers.unwrap_or(&HeaderMap::new()))
            }
            Some(Ok(())) | None => Outcome::success(),
        }
    }
}

impl<C, F> ClassifyBody for Eos<C, F>
where
    C: ClassifyEos + Send + Sync,
    F: Fn(&C::FailureClass) -> Outcome + Send + Sync,
{
    fn data(&mut self, _: &[u8]) -> BodyProgress {
        BodyProgress::Content
    }

    fn end(&mut self) -> Outcome {
        self.classify(None)
    }

    fn trailers(&mut self, trailers: &HeaderMap) -> Outcome {
        self.classify(Some(trailers))
    }

    fn reads_data(&self) -> bool {
        false
    }
}
