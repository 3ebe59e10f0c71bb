//! The outcomes of LLM responses.

use http::Response;

use super::Llm;
use crate::Outcome;
use crate::classify::{Outcomes, RetryAdvice, ToOutcome};

/// Classifies by the [`Verdict`](crate::classify::Verdict) that a breaker left in the response, and otherwise by the
/// head.
impl<B, E: 'static> Outcomes<Response<B>, E> for Llm {
    fn outcome(&self, result: Result<&Response<B>, &E>) -> Outcome {
        Self::outcome(self, result)
    }

    fn retry_advice(&self, response: &Response<B>) -> Option<RetryAdvice> {
        ToOutcome::retry_advice(response)
    }
}
