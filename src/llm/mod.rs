//! Verdicts on the responses of LLM APIs.

mod course;
mod credential;
mod error_body;
mod error_response;
mod framing;
mod json;
mod kinds;
mod look;
mod loose;
mod matching;
mod provider;
mod signals;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod wait;

use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;

use self::credential::Credential;
use self::error_body::ErrorBody;
use self::error_response::ErrorResponse;
use self::framing::Kept;
pub use self::provider::{Provider, UnknownProvider};
use crate::breaker::Permit;
use crate::classify::body::BodyClassifier;
use crate::classify::body::settle::{has_no_body, settle_by_body};
use crate::classify::http::{Codes, OPEN_HEADER, answered_by_a_breaker, by_status, code_setters};
use crate::classify::result::failed_call;
use crate::classify::{
    BreakerBody, Classified, Classify, ClassifyBody, Reading, SettleAt, Until, Verdict,
};
use crate::{Class, Outcome};

/// Judges calls of LLM APIs: by status, headers, the body of an error, and what comes in a stream.
///
/// | result | class |
/// |---|---|
/// | `Err` | failure |
/// | `Err` with the rejection of a breaker further down, as in [`ErrorsAsFailures`](crate::classify::ErrorsAsFailures) | ignored, with its wait |
/// | a response with [`OPEN_HEADER`](crate::classify::OPEN_HEADER) | ignored, with its wait |
/// | 400 and above | by the table below; else 4xx is the caller's fault and 5xx a failure |
/// | a good status and a stream or JSON with an error in it | by the same table; else a failure |
/// | a stream that ends without its provider's last event, or breaks | failure |
/// | the rest | success |
///
/// The caller's fault is a success here: the provider did its work. 401 and 403 are the caller's fault, too, unless
/// [`shared_credential`](Self::shared_credential) says that it is everybody's.
///
/// # Bodies
///
/// Nothing is changed for the caller: what is read is handed on byte for byte.
///
/// - The body of an error is read **before** the response is handed on, 64 KiB of it at most and for
///   [2 s](Self::read_errors_for) at most: a retry policy and a fallback that go by [`ToOutcome`](crate::classify::ToOutcome) see the
///   same [`Verdict`] as the breaker.
/// - A good response is handed on at once and read in passing: `text/event-stream`, NDJSON, AWS event streams, and
///   64 KiB of JSON. Comments, pings and events that only say that the call has begun are no content. To hold a
///   stream back until it is known to work, see [`hold_until_content`](Self::hold_until_content).
/// - A body with a `content-encoding` cannot be read: put the decompression inside of the breaker. Its end is judged as
///   by [`Http`](crate::classify::Http).
///
/// # Clone
///
/// Free by default; a reference count for moved codes, and one for a shared credential.
#[derive(Clone, Debug)]
pub struct Llm {
    provider: Provider,
    at: SettleAt,
    moved: Codes,
    credential: Credential,
    read_errors_for: Duration,
    hold: Option<Duration>,
}

impl Llm {
    /// The rules for one provider.
    pub const fn new(provider: Provider) -> Self {
        Self {
            provider,
            at: SettleAt::End,
            moved: Codes::none(),
            credential: Credential::OWN,
            read_errors_for: Duration::from_secs(2),
            hold: None,
        }
    }

    /// Whose API it is.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    code_setters!("status codes", moved);

    /// When a call is settled whose head was good. Default: at the end of its body.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.at = at;
        self
    }

    /// How long the body of an error is waited for. What has come by then is judged. Default: 2 s.
    pub const fn read_errors_for(mut self, time: Duration) -> Self {
        self.read_errors_for = time;
        self
    }

    /// Hands a good response on when its first content has come, an error in its place, or after `time`.
    ///
    /// An error that comes in a stream before its content, or in JSON, is then seen by a fallback and a retry policy
    /// outside of the breaker, with a [`Verdict`] that says so. The price: pings reach the caller only when the content
    /// does. Default: a good response is handed on at once.
    pub const fn hold_until_content(mut self, time: Duration) -> Self {
        self.hold = Some(time);
        self
    }

    /// All callers use one credential: where it is refused (401, 403) twice in a row, nobody can do anything until it
    /// is replaced, and the call is *exhausted*.
    ///
    /// Default: it is the caller's own, and the caller's fault.
    pub fn shared_credential(mut self) -> Self {
        self.credential = Credential::shared();
        self
    }

    /// The verdict on one result: that in the response's extensions if there is one, else by its head. For classifiers
    /// that build on this one.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        match result {
            Ok(response) => match response.extensions().get() {
                Some(Verdict(outcome)) => *outcome,
                None => self.head(response).unwrap_or_else(|| self.by_head(response)),
            },
            Err(error) => failed_call(error),
        }
    }

    /// The verdict where the head is all that counts.
    fn head<B>(&self, response: &Response<B>) -> Option<Outcome> {
        if let Some(outcome) = answered_by_a_breaker(response) {
            return Some(outcome);
        }
        let status = response.status();
        let class = self.moved.class(status.as_u16())?;
        if class == Class::Success && !is_error(status) {
            return None;
        }
        let outcome = by_status(class, status, response.headers());
        Some(weighed(&self.moved, status, outcome))
    }

    /// The verdict where nothing is known of the body.
    fn by_head<B>(&self, response: &Response<B>) -> Outcome {
        let (status, headers) = (response.status(), response.headers());
        if !is_error(status) {
            self.credential.accepted();
            return Outcome::success();
        }
        let outcome = signals::classify_error(self.provider, status, headers, &[]);
        weighed(&self.moved, status, self.credential.judge(outcome))
    }

    fn error_body<B>(&self, response: &Response<B>) -> Box<dyn ClassifyBody> {
        Box::new(ErrorResponse {
            provider: self.provider,
            credential: self.credential.clone(),
            moved: self.moved.clone(),
            status: response.status(),
            headers: response.headers().clone(),
            body: Kept::default(),
        })
    }
}

fn is_error(status: StatusCode) -> bool {
    status.as_u16() >= 400
}

/// The verdict with the weight of the status, if it has one of its own.
fn weighed(moved: &Codes, status: StatusCode, outcome: Outcome) -> Outcome {
    match moved.weight(status.as_u16()) {
        Some(weight) => outcome.weight(weight),
        None => outcome,
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    crate::classify::http::is_encoded(headers)
}

impl<A, B, E> Classify<Request<A>, Response<B>, E> for Llm
where
    B: Body + Unpin,
    E: 'static,
{
    /// Whether the request was a `HEAD`: its answer has no body, whatever its headers say.
    type RequestInfo = bool;
    type Response = Response<BreakerBody<B>>;
    type Deferred = Reading<B, E>;

    fn request(&self, request: &Request<A>) -> bool {
        request.method() == Method::HEAD
    }

    fn result(
        &self,
        head: bool,
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
        if let Some(outcome) = self.head(&response) {
            permit.settle(outcome);
            return Classified::Ready(Ok(response.map(BreakerBody::new)));
        }
        let no_body = head || has_no_body(&response);
        let encoded = is_encoded(response.headers());
        if is_error(response.status()) {
            if no_body || encoded {
                let outcome = self.by_head(&response);
                response.extensions_mut().insert(Verdict(outcome));
                permit.settle(outcome);
                return Classified::Ready(Ok(response.map(BreakerBody::new)));
            }
            let judge = self.error_body(&response);
            let time = self.read_errors_for;
            return Classified::Deferred(Reading::new(response, permit, judge, Until::End, time));
        }
        self.credential.accepted();
        let readable = response.status().is_success() && !no_body && !encoded;
        let judge =
            readable.then(|| stream::classifier_for(self.provider, response.headers())).flatten();
        match (judge, self.hold) {
            (Some(judge), Some(time)) if self.at != SettleAt::Head => {
                let reading = Reading::new(response, permit, judge, Until::Content, time);
                Classified::Deferred(match self.at {
                    SettleAt::FirstContent => reading.settled_by_content(),
                    _ => reading,
                })
            }
            (judge, _) => {
                let judge = judge.map_or(BodyClassifier::Plain, BodyClassifier::Custom);
                Classified::Ready(Ok(settle_by_body(response, no_body, self.at, permit, judge)))
            }
        }
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        response.map(BreakerBody::new)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        response.headers().contains_key(OPEN_HEADER)
    }
}

/// Few under miri, where each case takes up to a second.
#[cfg(test)]
fn cases() -> proptest::prelude::ProptestConfig {
    use proptest::prelude::ProptestConfig;

    match cfg!(miri) {
        true => ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) },
        false => ProptestConfig::default(),
    }
}

crate::classify::infer::not_for_http_alone!(Llm);
