//! Verdicts on the responses of LLM APIs.

#[cfg(feature = "llm")]
mod error_body;
#[cfg(feature = "llm")]
mod matching;
mod provider;
#[cfg(feature = "llm")]
#[cfg_attr(not(test), expect(dead_code, reason = "`Llm` judges heads alone until it reads bodies"))]
mod signals;
#[cfg(feature = "llm")]
mod table;
#[cfg(feature = "llm")]
mod wait;

use http::{Request, Response};
use http_body::Body;

use super::http::{Side, answered_by_a_breaker, by_status, class_of};
use super::known::Now;
use super::result::failed_call;
use super::{BreakerBody, Classify, Known, Never};
use crate::breaker::Permit;
use crate::{Class, Outcome};

#[cfg(feature = "llm")]
use self::error_body::ErrorBody;
pub use self::provider::{Provider, UnknownProvider};

/// Judges calls of LLM APIs.
///
/// | result | class |
/// |---|---|
/// | `Err` | failure |
/// | `Err` with the rejection of a breaker further down, as in [`Results`](super::Results) | ignored, with its wait |
/// | a response with [`OPEN_HEADER`](super::OPEN_HEADER) | ignored, with its wait |
/// | 402 | exhausted, with its wait |
/// | 429 | throttled, with its wait |
/// | 529 (overloaded) and every other 5xx except 501 and 505 | failure, with its wait |
/// | the rest | success |
///
/// **Only heads are read**, and by the same rules for every [`Provider`]. A quota that a provider reports as
/// 429 is throttled, a billing error that it reports as 400 is a success, and so is an error inside of a stream
/// that began with 200: telling these apart takes the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Llm {
    provider: Provider,
}

impl Llm {
    /// The rules for one provider.
    pub const fn new(provider: Provider) -> Self {
        Self { provider }
    }

    /// Whose API it is.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The verdict on one result, for classifiers that build on this one.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        let response = match result {
            Ok(response) => response,
            Err(error) => return failed_call(error),
        };
        if let Some(outcome) = answered_by_a_breaker(response) {
            return outcome;
        }
        let (status, headers) = (response.status(), response.headers());
        match status.as_u16() {
            402 => by_status(Class::Exhausted, status, headers),
            529 => by_status(Class::Failure, status, headers).reason("overloaded"),
            _ => by_status(class_of(status, Side::Client), status, headers),
        }
    }
}

impl<A, B, E> Classify<Request<A>, Response<B>, E> for Llm
where
    B: Body,
    E: 'static,
{
    type Token = ();
    type Response = Response<BreakerBody<B>>;
    type Later = Never<Result<Self::Response, E>>;

    #[inline]
    fn request(&self, _: &Request<A>) {}

    #[inline]
    fn result(
        &self,
        (): (),
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> Now<Result<Self::Response, E>> {
        permit.settle(self.outcome(result.as_ref()));
        Known::Now(result.map(|response| response.map(BreakerBody::new)))
    }
}

/// Few under miri, where each case takes up to a second.
#[cfg(all(test, feature = "llm"))]
fn cases() -> proptest::prelude::ProptestConfig {
    use proptest::prelude::ProptestConfig;

    match cfg!(miri) {
        true => ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) },
        false => ProptestConfig::default(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn judge(status: u16, headers: &[(&str, &str)]) -> Outcome {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Llm::new(Provider::OpenAi).outcome(Ok::<_, &()>(&response.body(()).unwrap()))
    }

    #[test]
    #[cfg_attr(miri, ignore = "a long table, with no thread and no memory of its own")]
    fn every_status_has_its_class() {
        for status in 100..=999 {
            let expected = match status {
                402 => Class::Exhausted,
                429 => Class::Throttled,
                501 | 505 => Class::Success,
                500..=599 => Class::Failure,
                _ => Class::Success,
            };
            assert_eq!(judge(status, &[]).class(), expected, "{status}");
        }
    }

    #[test]
    fn the_finest_spelling_of_the_wait_is_read() {
        let outcome = judge(429, &[("retry-after", "2"), ("retry-after-ms", "1350.5")]);
        assert_eq!(outcome.wait(), Some(Duration::from_micros(1_350_500)));
    }

    #[test]
    fn an_overloaded_provider_says_so() {
        assert_eq!(judge(529, &[]).last_error().unwrap().to_string(), "overloaded (529)");
    }

    #[test]
    fn an_open_circuit_of_a_gateway_is_ignored_with_its_wait() {
        let outcome = judge(503, &[("x-circuit-open", "gpt"), ("retry-after", "9")]);
        assert_eq!(outcome.class(), Class::Ignored);
        assert_eq!(outcome.wait(), Some(Duration::from_secs(9)));
    }

    #[test]
    fn an_error_is_a_failure() {
        let outcome = Llm::new(Provider::Generic).outcome::<(), _>(Err(&()));
        assert_eq!(outcome.class(), Class::Failure);
    }
}
