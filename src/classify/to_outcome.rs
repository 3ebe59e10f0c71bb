//! Answers: whether one is good enough, and how one stands in for another.

use crate::Outcome;

#[cfg(feature = "http")]
use http::{Extensions, HeaderMap, Response, StatusCode};

#[cfg(feature = "http")]
use super::BreakerBody;
use super::RetryAdvice;
#[cfg(feature = "http")]
use super::grpc::by_grpc_status;
#[cfg(feature = "http")]
use super::http::{
    Codes, OPEN_BELOW, OPEN_HEADER, Role, by_status, class_of, retry_advice, retry_after,
};
#[cfg(feature = "http")]
use super::verdict::Verdict;

/// A response that says by itself whether it is worth a fallback or a retry.
///
/// A fallback layer answers in the place of a response that is a failure, throttled or exhausted, and leaves
/// successes and ignored ones alone. `RetryPolicy` (feature `retry`) tries again what is a failure or throttled.
/// Implement it for your own response type:
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
    message = "`{Self}` does not say whether it is worth a fallback or a retry",
    label = "cannot be judged",
    note = "to fall back on errors only, use `.when(OnError)`",
    note = "to look into the response, use `.when_fn(…)`, or implement `ToOutcome` for it if the type is yours",
    note = "to retry on errors only: `RetryPolicy::new(…).classify(ErrorsAsFailures)`, or `.classify_fn(…)`"
)]
pub trait ToOutcome {
    /// What this answer says about the service that gave it.
    fn to_outcome(&self) -> Outcome;

    /// What this answer says about a retry in so many words. It goes before [`to_outcome`](Self::to_outcome) there, and a
    /// fallback does not ask for it.
    ///
    /// Default: nothing.
    fn retry_advice(&self) -> Option<RetryAdvice> {
        None
    }
}

/// ToOutcome by status as in [`Http::client`](super::Http::client), and then by a `grpc-status` in the head as in
/// [`Grpc::client`](super::Grpc::client).
///
/// The answer of a breaker further down ([`OPEN_HEADER`](super::OPEN_HEADER)) is a failure here, with its wait.
/// A breaker ignores it, for it says nothing about the health of the service it guards; the caller got no
/// answer all the same.
///
/// A [`Verdict`] in the extensions comes first of all.
///
/// The advice is the first of: [`OPEN_HEADER`](super::OPEN_HEADER); `x-should-retry: true`, with the wait;
/// `x-should-retry: false` (the SDKs of OpenAI and Anthropic obey both before the status); a `grpc-retry-pushback-ms`
/// that is negative or cannot be read (gRFC A6: do not retry).
#[cfg(feature = "http")]
impl<B> ToOutcome for Response<B> {
    fn to_outcome(&self) -> Outcome {
        classify_head(self.status(), self.headers(), self.extensions())
    }

    fn retry_advice(&self) -> Option<RetryAdvice> {
        retry_advice(self.headers())
    }
}

/// What the head of a response says to whoever may fall back or retry.
#[cfg(feature = "http")]
pub(crate) fn classify_head(
    status: StatusCode,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Outcome {
    if let Some(Verdict(outcome)) = extensions.get() {
        return *outcome;
    }
    if headers.contains_key(OPEN_HEADER) {
        return Outcome::failure()
            .maybe_retry_after(retry_after(headers))
            .code(status.as_u16())
            .reason(OPEN_BELOW);
    }
    let class = class_of(status, Role::Client);
    if class != crate::Class::Success {
        return by_status(class, status, headers);
    }
    by_grpc_status(headers, Role::Client, &Codes::none()).unwrap_or(Outcome::success())
}

/// An answer that can be given in the place of a `Res`.
///
/// Every type is an answer for itself, and a plain `http::Response<B>` is one for the
/// `http::Response<BreakerBody<B>>` of a guarded service.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer for a service that returns `{Res}`",
    label = "not an answer of that service",
    note = "the answer must have the type of the response; `http::Response<B>` may also stand for `http::Response<BreakerBody<B>>`",
    note = "for two bodies that have nothing in common: `.either_body()` on a fallback, or map one of them, for example to a boxed body"
)]
pub trait AnswerFor<Res> {
    /// The answer as a `Res`.
    fn into_answer(self) -> Res;
}

impl<T> AnswerFor<T> for T {
    fn into_answer(self) -> T {
        self
    }
}

#[cfg(feature = "http")]
impl<B: http_body::Body> AnswerFor<Response<BreakerBody<B>>> for Response<B> {
    fn into_answer(self) -> Response<BreakerBody<B>> {
        self.map(BreakerBody::new)
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Class;

    fn judge(status: u16, headers: &[(&str, &str)]) -> Outcome {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(()).unwrap().to_outcome()
    }

    #[test]
    fn a_status_is_judged_as_a_client_would() {
        assert_eq!(judge(200, &[]).class(), Class::Success);
        assert_eq!(judge(502, &[]).class(), Class::Failure);
        assert_eq!(judge(429, &[("retry-after", "3")]).class(), Class::Throttled);
        assert_eq!(judge(429, &[("retry-after", "3")]).wait(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_callers_own_mistake_is_no_reason_to_fall_back() {
        for status in [400, 401, 403, 404, 409, 422, 501, 505] {
            assert_eq!(judge(status, &[]).class(), Class::Success, "{status}");
        }
    }

    #[test]
    fn a_good_status_is_followed_by_the_grpc_status() {
        assert_eq!(judge(200, &[("grpc-status", "0")]).class(), Class::Success);
        assert_eq!(judge(200, &[("grpc-status", "3")]).class(), Class::Success);
        assert_eq!(judge(200, &[("grpc-status", "14")]).class(), Class::Failure);
        assert_eq!(judge(200, &[("grpc-status", "8")]).class(), Class::Throttled);
        assert_eq!(judge(503, &[("grpc-status", "0")]).class(), Class::Failure);
    }

    #[test]
    fn an_open_circuit_further_down_is_worth_a_fallback() {
        let outcome = judge(503, &[("x-circuit-open", "db"), ("retry-after", "4")]);
        assert_eq!(outcome.class(), Class::Failure);
        assert_eq!(outcome.wait(), Some(Duration::from_secs(4)));
        let grpc = judge(200, &[("x-circuit-open", "db"), ("grpc-status", "14")]);
        assert_eq!(grpc.class(), Class::Failure);
    }

    #[test]
    fn a_plain_response_stands_in_for_a_guarded_one() {
        let plain: Response<String> = Response::new("7".to_owned());
        let same: Response<String> = plain.into_answer();
        let guarded: Response<BreakerBody<String>> = same.into_answer();
        assert_eq!(guarded.into_body().into_inner().unwrap(), "7");
    }

    #[test]
    fn a_guarded_response_stands_in_for_one_guarded_twice() {
        let once: Response<BreakerBody<String>> = Response::new(BreakerBody::default());
        let _twice: Response<BreakerBody<BreakerBody<String>>> = once.into_answer();
    }
}
