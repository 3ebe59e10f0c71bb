//! What a finished call means for a retry.

#[cfg(feature = "http")]
use http::Response;

use crate::classify::{ClassifyFn, ErrorsAsFailures, RetryAdvice, ToOutcome};
#[cfg(feature = "http")]
use crate::classify::{Grpc, Http};
use crate::fallback::ByResponse;
#[cfg(feature = "llm")]
use crate::llm::Llm;
use crate::outcome::Outcome;

/// Gives the verdict on a finished call that may be retried.
///
/// The classifiers of the breaker do. [`ByResponse`], the default, asks a response that is [`ToOutcome`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say whether `Result<{Res}, {E}>` is worth a retry",
    label = "does not judge the results of this service",
    note = "errors only: `.classify(ErrorsAsFailures)`; anything: `.classify_fn(|result: Result<&Response, &Error>| …)`"
)]
pub trait JudgeRetry<Res, E> {
    /// What the call meant. A failure and a throttled call are worth a retry.
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome;

    /// What the response says about a retry in so many words; it goes before the outcome.
    ///
    /// Default: nothing.
    fn advice(&self, response: &Res) -> Option<RetryAdvice> {
        let _ = response;
        None
    }
}

/// Every error is a failure.
impl<Res, E> JudgeRetry<Res, E> for ByResponse
where
    Res: ToOutcome,
{
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        result.map_or(Outcome::failure(), ToOutcome::to_outcome)
    }

    fn advice(&self, response: &Res) -> Option<RetryAdvice> {
        response.retry_advice()
    }
}

impl<Res, E: 'static> JudgeRetry<Res, E> for ErrorsAsFailures {
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        Self::outcome(self, result)
    }
}

/// The closure has the last word: no header is read beside it.
impl<F, Res, E> JudgeRetry<Res, E> for ClassifyFn<F>
where
    F: Fn(Result<&Res, &E>) -> Outcome,
{
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        Self::outcome(self, result)
    }
}

#[cfg(feature = "http")]
impl<B, E: 'static> JudgeRetry<Response<B>, E> for Http {
    fn outcome(&self, result: Result<&Response<B>, &E>) -> Outcome {
        Self::outcome(self, result)
    }

    fn advice(&self, response: &Response<B>) -> Option<RetryAdvice> {
        response.retry_advice()
    }
}

#[cfg(feature = "http")]
impl<B, E: 'static> JudgeRetry<Response<B>, E> for Grpc {
    fn outcome(&self, result: Result<&Response<B>, &E>) -> Outcome {
        Self::outcome(self, result)
    }

    fn advice(&self, response: &Response<B>) -> Option<RetryAdvice> {
        response.retry_advice()
    }
}

/// By the [`Verdict`](crate::classify::Verdict) that the breaker left in the response, or else by the head.
#[cfg(feature = "llm")]
impl<B, E: 'static> JudgeRetry<Response<B>, E> for Llm {
    fn outcome(&self, result: Result<&Response<B>, &E>) -> Outcome {
        Self::outcome(self, result)
    }

    fn advice(&self, response: &Response<B>) -> Option<RetryAdvice> {
        response.retry_advice()
    }
}
