//! Classifiers written against `tower_http::classify`.

mod eos;
#[cfg(test)]
mod tests;

use std::fmt;

use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use tower_http::classify::{ClassifiedResponse, ClassifyResponse, MakeClassifier};

use self::eos::Eos;
use crate::breaker::Permit;
use crate::classify::{
    BodyClassifier, BreakerBody, Classified, Classify, NeverDeferred, OPEN_HEADER, SettleAt,
    answered_by_a_breaker, code_and_name, rejected_below, settle_by_body, wait,
};
use crate::outcome::{Class, Outcome};

/// Judges by a classifier of tower-http: the value that
/// [`TraceLayer::new`](https://docs.rs/tower-http/latest/tower_http/trace/struct.TraceLayer.html) takes, or any other
/// [`MakeClassifier`].
///
/// | the call | its verdict |
/// |---|---|
/// | `Err` with the rejection of a breaker further down, as in [`ErrorsAsFailures`](crate::classify::ErrorsAsFailures) | ignored, with its wait |
/// | another `Err` | the class that `classify_error` gives |
/// | a response with [`OPEN_HEADER`](crate::classify::OPEN_HEADER) | ignored, with its wait |
/// | `classify_response` gives a failure class | that class, at the head |
/// | it says success | a success if the body ends; a failure if it breaks |
/// | it waits for the end (`RequiresEos`) | what `classify_eos` says of the trailers, or of none |
/// | … and the body breaks | a failure |
/// | … and the body is dropped | as every [`BreakerBody`] |
///
/// A failure class is a failure; see [`outcome_with`](Self::outcome_with) to have it otherwise. Its code is the
/// `grpc-status`, if there is one and the HTTP status is below 400, and else the HTTP status. Its wait is what
/// [`retry_after`](crate::classify::retry_after) reads in the head, or in the trailers if they decided, or else, with
/// feature `grpc`, the `google.rpc.RetryInfo` there.
///
/// A body that breaks is a failure without a class: [`ClassifyEos::classify_error`] is not asked. tower-http's own
/// middleware does not see it at all once the head was a success.
///
/// [`ClassifyEos::classify_error`]: tower_http::classify::ClassifyEos::classify_error
///
/// The answers to `HEAD`, 204, 304 and every other response without a body end with their head; `classify_eos` is then
/// asked without trailers. What waits for the end travels in the body, and must be `Send`, `Sync` and `'static`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use http::{Request, Response};
/// use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
/// use tower_breaker::{CircuitBreakerLayer, Config, integration::with_tower_http::TowerHttp};
/// use tower_http::classify::{GrpcCode, GrpcErrorsAsFailures, SharedClassifier};
/// use tower_http::trace::TraceLayer;
///
/// let failures = SharedClassifier::new(GrpcErrorsAsFailures::new().with_success(GrpcCode::NotFound));
/// let breaker = CircuitBreakerLayer::new(Config::grpc().classify(TowerHttp::new(failures.clone())));
/// let handle = breaker.handle();
///
/// let service = ServiceBuilder::new()
///     .layer(TraceLayer::new(failures))
///     .layer(breaker)
///     .service(service_fn(|_: Request<String>| async {
///         Ok::<_, BoxError>(Response::builder().header("grpc-status", "14").body(String::new()).unwrap())
///     }));
/// service.oneshot(Request::new(String::new())).await.unwrap();
///
/// let error = handle.snapshot().last_error.unwrap();
/// assert_eq!(error.to_string(), "UNAVAILABLE (14)");
/// # }
/// ```
///
/// # What the classifiers of tower-http do not see
///
/// `GrpcErrorsAsFailures` calls a proxy's 503 page a success, and a stream that ends without a `grpc-status`, and every
/// code but `OK` a failure, `NOT_FOUND` too. None of them tells a limit (429) from a failure. Where no rules are shared
/// with tracing or metrics, [`Http`](crate::classify::Http) and [`Grpc`](crate::classify::Grpc) know more.
///
/// # Clone
///
/// As dear as that of the classifier, once for each service that is made or cloned.
///
/// # Panics
///
/// A panic of the classifier goes on to the caller of the service, or to whoever polls the body; the call counts as
/// ignored.
#[derive(Clone)]
pub struct TowerHttp<M: MakeClassifier, F = fn(&<M as MakeClassifier>::FailureClass) -> Outcome> {
    make: M,
    at: SettleAt,
    outcome_of: F,
}

impl<M: MakeClassifier> TowerHttp<M> {
    /// Every class is a failure.
    pub fn new(make_classifier: M) -> Self {
        Self { make: make_classifier, at: SettleAt::End, outcome_of: |_| Outcome::failure() }
    }
}

impl<M: MakeClassifier, F> TowerHttp<M, F> {
    /// What a class means. Default: a failure.
    ///
    /// A failure, throttled or exhausted without a wait, or without a code, gets those of the response. A class that
    /// becomes a success at the head is one if the body ends.
    ///
    /// ```
    /// use tower_breaker::{Config, Outcome, integration::with_tower_http::TowerHttp};
    /// use tower_http::classify::{StatusInRangeAsFailures, StatusInRangeFailureClass};
    ///
    /// let errors = StatusInRangeAsFailures::new_for_client_and_server_errors();
    /// let classify = TowerHttp::new(errors.into_make_classifier()).outcome_with(|class| match class {
    ///     StatusInRangeFailureClass::StatusCode(code) if code.as_u16() == 429 => Outcome::throttled(),
    ///     StatusInRangeFailureClass::StatusCode(code) if code.is_client_error() => Outcome::success(),
    ///     _ => Outcome::failure(),
    /// });
    /// let config = Config::http_client().classify(classify);
    /// # let _ = config;
    /// ```
    pub fn outcome_with<G>(self, outcome_of: G) -> TowerHttp<M, G>
    where
        G: Fn(&M::FailureClass) -> Outcome,
    {
        let Self { make, at, outcome_of: _ } = self;
        TowerHttp { make, at, outcome_of }
    }

    /// When a call is settled whose head is no failure. Default: at the end of its body.
    ///
    /// A classifier that waits for the end is not asked if the call is settled before.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.at = at;
        self
    }
}

impl<M, F> TowerHttp<M, F>
where
    M: MakeClassifier<ClassifyEos: Send + Sync + 'static>,
    F: Fn(&M::FailureClass) -> Outcome + Clone + Send + Sync + 'static,
{
    /// The verdict on an `Err`.
    fn error<E>(&self, classifier: M::Classifier, error: &E) -> Outcome
    where
        E: fmt::Display + 'static,
    {
        rejected_below(error).unwrap_or_else(|| {
            match (self.outcome_of)(&classifier.classify_error(error)) {
                outcome if outcome.why().is_none() => outcome.reason("error"),
                outcome => outcome,
            }
        })
    }

    /// Who judges the rest of a response, if its head is not the verdict.
    fn head<B>(
        &self,
        classifier: M::Classifier,
        response: &Response<B>,
    ) -> Result<BodyClassifier, Outcome> {
        if let Some(outcome) = answered_by_a_breaker(response) {
            return Err(outcome);
        }
        let status = response.status();
        match classifier.classify_response(response) {
            ClassifiedResponse::Ready(Ok(())) => Ok(BodyClassifier::Plain),
            ClassifiedResponse::Ready(Err(class)) => match (self.outcome_of)(&class) {
                outcome if outcome.class() == Class::Success => Ok(BodyClassifier::Plain),
                outcome => Err(filled_in(outcome, status, response.headers())),
            },
            // It will not be asked, and need not be kept.
            ClassifiedResponse::RequiresEos(_) if self.at == SettleAt::Head => {
                Ok(BodyClassifier::Plain)
            }
            ClassifiedResponse::RequiresEos(classify) => {
                let eos = Eos::new(classify, status, self.outcome_of.clone());
                Ok(BodyClassifier::AtEnd(Box::new(eos)))
            }
        }
    }
}

/// Adds what the head or the trailers say beside the class.
fn filled_in(outcome: Outcome, status: StatusCode, headers: &HeaderMap) -> Outcome {
    if outcome.last_error().is_none() {
        return outcome;
    }
    let outcome = outcome.maybe_retry_after(outcome.wait().or_else(|| wait(headers)));
    if outcome.status().is_some() {
        return outcome;
    }
    let (code, reason) = if status.is_client_error() || status.is_server_error() {
        (status.as_u16(), status.canonical_reason())
    } else {
        match code_and_name(headers) {
            Some((code, name)) => (code, Some(name)),
            // "OK" would be no reason.
            None => (status.as_u16(), None),
        }
    };
    let outcome = outcome.code(code);
    match outcome.why().or(reason) {
        Some(reason) => outcome.reason(reason),
        None => outcome,
    }
}

impl<A, B, E, M, F> Classify<Request<A>, Response<B>, E> for TowerHttp<M, F>
where
    B: Body,
    E: fmt::Display + 'static,
    M: MakeClassifier<ClassifyEos: Send + Sync + 'static>,
    F: Fn(&M::FailureClass) -> Outcome + Clone + Send + Sync + 'static,
{
    /// Whether the request was a `HEAD`, and its classifier.
    type RequestInfo = (bool, M::Classifier);
    type Response = Response<BreakerBody<B>>;
    type Deferred = NeverDeferred<Result<Self::Response, E>>;

    #[inline]
    fn request(&self, request: &Request<A>) -> Self::RequestInfo {
        (request.method() == Method::HEAD, self.make.make_classifier(request))
    }

    #[inline]
    fn result(
        &self,
        (head, classifier): Self::RequestInfo,
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred> {
        let judge = match &result {
            Ok(response) => self.head(classifier, response),
            Err(error) => Err(self.error(classifier, error)),
        };
        Classified::Ready(match (result, judge) {
            (Ok(response), Ok(judge)) => Ok(settle_by_body(response, head, self.at, permit, judge)),
            (result, verdict) => {
                permit.settle(verdict.err().unwrap_or(Outcome::success()));
                result.map(|response| response.map(BreakerBody::new))
            }
        })
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        response.map(BreakerBody::new)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        response.headers().contains_key(OPEN_HEADER)
    }
}

impl<M: MakeClassifier, F> fmt::Debug for TowerHttp<M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerHttp").field("settle_at", &self.at).finish_non_exhaustive()
    }
}
