//! Classification by the result alone.

use super::RetryAdvice;
use crate::Outcome;

/// Classifies finished calls by their results alone.
///
/// Fallbacks and retries use it. The classifiers of this module implement it together with
/// [`Classify`](super::Classify), which a breaker uses and which also has the permit and the response body.
///
/// | | an `Err` is | a response is |
/// |---|---|---|
/// | [`ByResponse`](super::ByResponse) | a failure | what its [`ToOutcome`](super::ToOutcome) returns |
/// | [`OnError`](crate::fallback::OnError) | a failure | a success |
/// | [`ErrorsAsFailures`](super::ErrorsAsFailures) | a failure, or a rejection | a success |
/// | [`ClassifyFn`](super::ClassifyFn) | what the closure returns | what the closure returns |
/// | [`Http`](super::Http), [`Grpc`](super::Grpc), [`Llm`](crate::llm::Llm) | a failure, or a rejection | classified by its head |
///
/// # Examples
///
/// ```
/// use tower_breaker::classify::{ErrorsAsFailures, Outcomes};
/// use tower_breaker::Class;
///
/// let busy = ErrorsAsFailures.outcome(Err::<&(), _>(&std::io::Error::other("busy")));
/// assert_eq!(busy.class(), Class::Failure);
/// assert!(busy.wants_another());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot classify `Result<{Res}, {E}>`",
    label = "does not classify the results of this service",
    note = "a fallback on errors only: `.when(OnError)`; on other results: `.when_fn(|result: Result<&Response, &Error>| …)`",
    note = "a retry on errors only: `.classify(ErrorsAsFailures)`; on other results: `.classify_fn(|result: Result<&Response, &Error>| …)`"
)]
pub trait Outcomes<Res, E> {
    /// Returns the outcome of a result.
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome;

    /// Returns the explicit retry instruction in a response.
    ///
    /// It overrides [`outcome`](Self::outcome) in a retry policy. A breaker and a fallback ignore it.
    ///
    /// Default: `None`.
    fn retry_advice(&self, response: &Res) -> Option<RetryAdvice> {
        let _ = response;
        None
    }
}
