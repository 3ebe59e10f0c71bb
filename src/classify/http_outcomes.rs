//! The outcomes of HTTP and gRPC responses, by their heads.

use http::Response;

use super::{Grpc, Http, Outcomes, RetryAdvice, ToOutcome};
use crate::Outcome;

/// Classifies by the head of the response.
impl<B, E: 'static> Outcomes<Response<B>, E> for Http {
    fn outcome(&self, result: Result<&Response<B>, &E>) -> Outcome {
        Self::outcome(self, result)
    }

    fn retry_advice(&self, response: &Response<B>) -> Option<RetryAdvice> {
        ToOutcome::retry_advice(response)
    }
}

/// Classifies by the head of the response. A 200 without a `grpc-status` in its head is a success.
impl<B, E: 'static> Outcomes<Response<B>, E> for Grpc {
    fn outcome(&self, result: Result<&Response<B>, &E>) -> Outcome {
        Self::outcome(self, result)
    }

    fn retry_advice(&self, response: &Response<B>) -> Option<RetryAdvice> {
        ToOutcome::retry_advice(response)
    }
}
