//! The classifier of LLM APIs. [`Provider`] lists the supported APIs.

mod credential;
mod error_body;
mod error_response;
mod framing;
mod json;
mod json_shape;
mod outcomes;
mod profile;
pub(crate) mod providers;
mod read_error;
mod screen;
mod signal;
mod signals;
mod stream;
mod stream_format;
mod stream_state;
#[cfg(test)]
mod tests;
mod wait;

use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body::Body;

use self::credential::Credential;
use self::error_response::{ErrorResponse, weighted};
use self::framing::Kept;
pub(crate) use self::providers::Provider;
pub use self::providers::UnknownProvider;
use crate::breaker::Permit;
use crate::classify::body::BodyClassifier;
use crate::classify::body::settle::{has_no_body, settle_by_body};
use crate::classify::http::{
    Codes, by_status, code_setters, is_encoded, is_head, is_rejection, rejected_head,
};
use crate::classify::result::failed_call;
use crate::classify::{
    BreakerBody, Classified, Classify, ClassifyBody, Reading, SettleAt, Until, Verdict,
};
use crate::{Class, Outcome};

/// Classifies calls of LLM APIs by status, headers, the body of an error, and the content of a stream.
///
/// | result | class |
/// |---|---|
/// | `Err` | failure |
/// | `Err` with the rejection of a downstream breaker, as in [`ErrorsAsFailures`](crate::classify::ErrorsAsFailures) | ignored, with its wait |
/// | a response with [`OPEN_HEADER`](crate::classify::OPEN_HEADER) | ignored, with its wait |
/// | a status of 400 and above | by the signals of the [`Provider`]; otherwise 4xx is the caller's fault and 5xx a failure |
/// | a good status and a stream or JSON that contains an error | by the same signals; otherwise a failure |
/// | a stream that breaks, or ends without the end marker of its format | failure |
/// | any other response | success |
///
/// The caller's fault is a success, because the provider did its work. 401 and 403 are the caller's fault as well,
/// unless all callers share [one credential](Self::shared_credential).
///
/// # Bodies
///
/// The caller receives every byte unchanged.
///
/// - The body of an error is read **before** the response is handed on: at most 64 KiB of it, for at most
///   [2 s](Self::read_errors_for). A retry policy or a fallback that uses
///   [`ToOutcome`](crate::classify::ToOutcome) sees the same [`Verdict`] as the breaker.
/// - A good response is handed on at once and read as it passes: `text/event-stream`, NDJSON, AWS event streams, and up
///   to 64 KiB of JSON. Comments, pings and events that only report the progress of the call are not content. To delay
///   a stream until its first content, see [`buffer_until_content`](Self::buffer_until_content).
/// - A body with a `content-encoding` cannot be read, so decompression belongs inside the breaker. Such a call is settled
///   at the end of its body, as by [`Http`](crate::classify::Http).
///
/// # Clone
///
/// Free by default. With overridden codes, a clone increments one reference count; with a shared credential, one more.
#[derive(Clone, Debug)]
pub struct Llm {
    provider: Provider,
    settle_at: SettleAt,
    codes: Codes,
    credential: Credential,
    read_errors_for: Duration,
    buffer_for: Option<Duration>,
}

impl Llm {
    /// Creates the classifier for a provider.
    pub const fn new(provider: Provider) -> Self {
        Self {
            provider,
            settle_at: SettleAt::End,
            codes: Codes::none(),
            credential: Credential::PER_CALLER,
            read_errors_for: Duration::from_secs(2),
            buffer_for: None,
        }
    }

    /// Returns the provider.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    code_setters!("status codes", codes);

    /// Sets when a call with a good head is settled. Default: at the end of its body.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.settle_at = at;
        self
    }

    /// Sets how long the body of an error is read before the response is handed on. Default: 2 s.
    ///
    /// If the time runs out, the part that was read is classified.
    pub const fn read_errors_for(mut self, time: Duration) -> Self {
        self.read_errors_for = time;
        self
    }

    /// Buffers a good response until its first content, its first error, or the end of `time`, whichever comes first.
    ///
    /// A fallback and a retry policy outside the breaker then see an error that a stream reports before its content,
    /// and an error in JSON: the response has a [`Verdict`]. The cost: pings reach the caller only together with the
    /// content.
    ///
    /// Default: a good response is handed on at once.
    pub const fn buffer_until_content(mut self, time: Duration) -> Self {
        self.buffer_for = Some(time);
        self
    }

    /// Declares that all callers share one credential. If two consecutive responses refuse it (401, 403), the second
    /// call is *exhausted*: no call can succeed until the credential is replaced.
    ///
    /// Default: each caller has its own credential, and a refusal is the caller's fault.
    pub fn shared_credential(mut self) -> Self {
        self.credential = Credential::shared();
        self
    }

    /// Returns the outcome of one result, for classifiers that build on this one. It is the [`Verdict`] in the
    /// extensions of the response or, without one, the outcome of the head.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        match result {
            Ok(response) => match response.extensions().get() {
                Some(Verdict(outcome)) => *outcome,
                None => self.by_head_alone(response).unwrap_or_else(|| self.without_body(response)),
            },
            Err(error) => failed_call(error),
        }
    }

    /// Returns the outcome of a response whose head decides. Returns `None` if the body must be read.
    fn by_head_alone<B>(&self, response: &Response<B>) -> Option<Outcome> {
        let status = response.status();
        if let Some(outcome) = rejected_head(status, response.headers()) {
            return Some(outcome);
        }
        let class = self.codes.class(status.as_u16())?;
        if class == Class::Success && !is_error(status) {
            return None;
        }
        let outcome = by_status(class, status, response.headers());
        Some(weighted(&self.codes, status, outcome))
    }

    /// Returns the outcome of a response whose body is missing or cannot be read.
    fn without_body<B>(&self, response: &Response<B>) -> Outcome {
        let (status, headers) = (response.status(), response.headers());
        if !is_error(status) {
            self.credential.accepted();
            return Outcome::success();
        }
        let outcome = signals::classify_error(self.provider, status, headers, &[]);
        weighted(&self.codes, status, self.credential.classify(outcome))
    }

    fn error_classifier<B>(&self, response: &Response<B>) -> Box<dyn ClassifyBody> {
        Box::new(ErrorResponse {
            provider: self.provider,
            credential: self.credential.clone(),
            codes: self.codes.clone(),
            status: response.status(),
            headers: response.headers().clone(),
            body: Kept::default(),
        })
    }
}

fn is_error(status: StatusCode) -> bool {
    status.as_u16() >= 400
}

impl<A, B, E> Classify<Request<A>, Response<B>, E> for Llm
where
    B: Body + Unpin,
    E: 'static,
{
    /// Whether the request was a `HEAD`. Its response has no body, even if the headers announce one.
    type RequestInfo = bool;
    type Response = Response<BreakerBody<B>>;
    type Deferred = Reading<B, E>;

    fn request(&self, request: &Request<A>) -> bool {
        is_head(request)
    }

    fn result(
        &self,
        is_head: bool,
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred> {
        let mut response = match result {
            Ok(response) => response,
            Err(error) => {
                permit.settle(failed_call(&error));
                return Classified::Ready(Err(error));
            }
        };
        if let Some(outcome) = self.by_head_alone(&response) {
            permit.settle(outcome);
            return Classified::Ready(Ok(response.map(BreakerBody::new)));
        }
        let no_body = is_head || has_no_body(&response);
        if is_error(response.status()) {
            if no_body || is_encoded(response.headers()) {
                let outcome = self.without_body(&response);
                response.extensions_mut().insert(Verdict(outcome));
                permit.settle(outcome);
                return Classified::Ready(Ok(response.map(BreakerBody::new)));
            }
            let classifier = self.error_classifier(&response);
            let time = self.read_errors_for;
            let reading = Reading::new(response, permit, classifier, Until::End, time);
            return Classified::Deferred(reading);
        }
        self.credential.accepted();
        let classifier = match response.status().is_success() && !no_body {
            true => stream::classifier_for(self.provider, response.headers()),
            false => None,
        };
        match (classifier, self.buffer_for) {
            (Some(classifier), Some(time)) if self.settle_at != SettleAt::Head => {
                let reading = Reading::new(response, permit, classifier, Until::Content, time);
                Classified::Deferred(match self.settle_at {
                    SettleAt::FirstContent => reading.settled_by_content(),
                    _ => reading,
                })
            }
            (classifier, _) => {
                let classifier = classifier.map_or(BodyClassifier::Plain, BodyClassifier::Custom);
                Classified::Ready(Ok(settle_by_body(
                    response,
                    no_body,
                    self.settle_at,
                    permit,
                    classifier,
                )))
            }
        }
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        response.map(BreakerBody::new)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        is_rejection(response.headers())
    }
}

crate::classify::infer::not_for_http_alone!(Llm);
