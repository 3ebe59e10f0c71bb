//! Whether a `reqwest::Response` is worth a fallback or a retry, and which errors are rejections.

use crate::classify::{AnswerFor, classify_head, retry_advice};
use crate::error::{AsRejection, CircuitOpen};
use crate::{
    Outcome,
    classify::{RetryAdvice, ToOutcome},
};

/// As [`http::Response`] is: a [`Verdict`](crate::classify::Verdict) in the extensions comes first.
impl ToOutcome for reqwest::Response {
    fn to_outcome(&self) -> Outcome {
        classify_head(self.status(), self.headers(), self.extensions())
    }

    fn retry_advice(&self) -> Option<RetryAdvice> {
        retry_advice(self.headers())
    }
}

/// An answer of the http crate where reqwest's is expected, for example one made by hand. Its URL is the one that
/// `reqwest::ResponseBuilderExt::url` gave it, and `http://no.url.provided.local/` without.
impl<B: Into<reqwest::Body>> AnswerFor<reqwest::Response> for http::Response<B> {
    fn into_answer(self) -> reqwest::Response {
        self.into()
    }
}

/// That of a breaker in [`connector_layer`](reqwest::ClientBuilder::connector_layer).
impl AsRejection for reqwest::Error {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(self)
    }
}
