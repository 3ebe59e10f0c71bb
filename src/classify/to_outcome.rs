//! Responses that classify themselves.

#[cfg(feature = "http")]
use http::{Extensions, HeaderMap, Response, StatusCode};

#[cfg(feature = "http")]
use super::Verdict;
#[cfg(feature = "http")]
use super::grpc::by_grpc_status;
#[cfg(feature = "http")]
use super::http::{Codes, Role, by_status, class_of, rejected_head, retry_advice};
use super::{Outcomes, RetryAdvice};
use crate::Outcome;

/// A response that classifies itself, for fallbacks and retries.
///
/// A fallback answers in place of a response whose outcome [wants another](Outcome::wants_another). `RetryPolicy`
/// (feature `retry`) retries after a failure or a throttled response. Implement it for your own response type:
///
/// ```
/// use tower_breaker::{Outcome, classify::ToOutcome};
///
/// enum Reply { Rows(u32), Unavailable }
///
/// impl ToOutcome for Reply {
///     fn to_outcome(&self) -> Outcome {
///         match self {
///             Self::Rows(_) => Outcome::success(),
///             Self::Unavailable => Outcome::failure(),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "cannot tell whether `{Self}` is worth a fallback or a retry",
    label = "cannot be classified",
    note = "to fall back on errors only, use `.when(OnError)`",
    note = "to inspect the response, use `.when_fn(…)`, or implement `ToOutcome` for it if the type is yours",
    note = "to retry on errors only: `RetryPolicy::new(…).classify(ErrorsAsFailures)`, or `.classify_fn(…)`"
)]
pub trait ToOutcome {
    /// Returns the outcome of the call that ended with this response.
    fn to_outcome(&self) -> Outcome;

    /// Returns the explicit retry instruction in the response.
    ///
    /// It overrides [`to_outcome`](Self::to_outcome) in a retry policy. A fallback ignores it.
    ///
    /// Default: `None`.
    fn retry_advice(&self) -> Option<RetryAdvice> {
        None
    }
}

/// Classifies by the status as [`Http::client`](super::Http::client) does, and then by a `grpc-status` in the head as
/// [`Grpc::client`](super::Grpc::client) does.
///
/// A response of a downstream breaker ([`OPEN_HEADER`](super::OPEN_HEADER)) is a [rejection](Outcome::rejected) with
/// its wait. A [`Verdict`] in the extensions takes precedence over both.
///
/// The retry advice is the first of:
///
/// 1. [`OPEN_HEADER`](super::OPEN_HEADER): a rejection, with its wait
/// 2. `x-should-retry: true`: retry, after the wait. The SDKs of OpenAI and Anthropic read this header before the
///    status.
/// 3. `x-should-retry: false`, or a `grpc-retry-pushback-ms` that is negative or unreadable (gRFC A6): do not retry
#[cfg(feature = "http")]
impl<B> ToOutcome for Response<B> {
    fn to_outcome(&self) -> Outcome {
        classify_head(self.status(), self.headers(), self.extensions())
    }

    fn retry_advice(&self) -> Option<RetryAdvice> {
        retry_advice(self.headers())
    }
}

/// Returns the outcome of the head of a response, for fallbacks and retries.
#[cfg(feature = "http")]
pub(crate) fn classify_head(
    status: StatusCode,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Outcome {
    if let Some(Verdict(outcome)) = extensions.get() {
        return *outcome;
    }
    if let Some(outcome) = rejected_head(status, headers) {
        return outcome;
    }
    let class = class_of(status, Role::Client);
    if class != crate::Class::Success {
        return by_status(class, status, headers);
    }
    by_grpc_status(headers, Role::Client, &Codes::none()).unwrap_or(Outcome::success())
}

/// Classifies every error as a failure, and a response by its [`ToOutcome`]. The default of fallbacks and of
/// `RetryPolicy` (feature `retry`).
///
/// `http::Response` implements [`ToOutcome`]. A mistake of the caller (HTTP 400, 404) is a success of the service.
///
/// ```compile_fail,E0277
/// # use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
/// # use tower_breaker::FallbackLayer;
/// # async fn test() {
/// let service = ServiceBuilder::new()
///     .layer(FallbackLayer::value(0_u32)) // A `u32` cannot be classified. Write `.when(OnError)`.
///     .service(service_fn(|_: ()| async { Ok::<u32, BoxError>(1) }));
/// ServiceExt::oneshot(service, ()).await;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ByResponse;

impl<Res, E> Outcomes<Res, E> for ByResponse
where
    Res: ToOutcome,
{
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        result.map_or(Outcome::failure(), ToOutcome::to_outcome)
    }

    fn retry_advice(&self, response: &Res) -> Option<RetryAdvice> {
        response.retry_advice()
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Class;

    fn classify(status: u16, headers: &[(&str, &str)]) -> Outcome {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(()).unwrap().to_outcome()
    }

    #[test]
    fn a_status_is_classified_as_for_a_client() {
        assert_eq!(classify(200, &[]).class(), Class::Success);
        assert_eq!(classify(502, &[]).class(), Class::Failure);
        assert_eq!(classify(429, &[("retry-after", "3")]).class(), Class::Throttled);
        assert_eq!(classify(429, &[("retry-after", "3")]).wait(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_mistake_of_the_caller_does_not_fall_back() {
        for status in [400, 401, 403, 404, 409, 422, 501, 505] {
            assert_eq!(classify(status, &[]).class(), Class::Success, "{status}");
        }
    }

    #[test]
    fn a_good_status_is_followed_by_the_grpc_status() {
        assert_eq!(classify(200, &[("grpc-status", "0")]).class(), Class::Success);
        assert_eq!(classify(200, &[("grpc-status", "3")]).class(), Class::Success);
        assert_eq!(classify(200, &[("grpc-status", "14")]).class(), Class::Failure);
        assert_eq!(classify(200, &[("grpc-status", "8")]).class(), Class::Throttled);
        assert_eq!(classify(503, &[("grpc-status", "0")]).class(), Class::Failure);
    }

    #[test]
    fn a_downstream_rejection_causes_a_fallback() {
        let outcome = classify(503, &[("x-circuit-open", "db"), ("retry-after", "4")]);
        assert!(outcome.is_rejection() && outcome.wants_another());
        assert_eq!(outcome.class(), Class::Ignored);
        assert_eq!(outcome.wait(), Some(Duration::from_secs(4)));
        let grpc = classify(200, &[("x-circuit-open", "db"), ("grpc-status", "14")]);
        assert!(grpc.is_rejection() && grpc.wants_another());
        assert_eq!(grpc.class(), Class::Ignored);
    }
}
