//! tower-http: its classifiers as classifiers of a breaker.

mod eos;
#[cfg(test)]
mod tests;

use std::fmt;

use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use tower_http::classify::{ClassifiedResponse, ClassifyResponse, MakeClassifier};

use self::eos::Eos;
use crate::breaker::Permit;
use crate::classify::body::BodyClassifier;
use crate::classify::body::settle::{settle_at_head, settle_by_body, settled};
use crate::classify::grpc::status::{GRPC_STATUS, code_and_name, retry_wait};
use crate::classify::http::{is_head, is_rejection, rejected_head};
use crate::classify::result::rejected_error;
use crate::classify::{BreakerBody, Classified, Classify, ClassifyBody, NeverDeferred, SettleAt};
use crate::outcome::{Class, Outcome};

/// Classifies calls with a classifier of tower-http.
///
/// It takes the value that
/// [`TraceLayer::new`](https://docs.rs/tower-http/latest/tower_http/trace/struct.TraceLayer.html) takes, or any other
/// [`MakeClassifier`].
///
/// | result | outcome |
/// |---|---|
/// | `Err` with the rejection of a downstream breaker, as in [`ErrorsAsFailures`](crate::classify::ErrorsAsFailures) | ignored, with its wait |
/// | any other `Err` | by the class that `classify_error` returns |
/// | a response with [`OPEN_HEADER`](crate::classify::OPEN_HEADER) | ignored, with its wait |
/// | `classify_response` returns a failure class | by that class, at the head |
/// | `classify_response` returns success | a success if the body ends, a failure if it breaks |
/// | `classify_response` returns `RequiresEos` | by the result of `classify_eos`, with or without trailers |
/// | `RequiresEos`, and the body breaks | a failure |
/// | `RequiresEos`, and the body is dropped | as for every [`BreakerBody`] |
///
/// A failure class is a failure, unless [`outcome_with`](Self::outcome_with) maps it to another outcome. The code of the
/// failure is the `grpc-status` if there is one and the HTTP status is below 400, and the HTTP status otherwise. The wait
/// is read by [`retry_after`](crate::classify::retry_after) in the head, or in the trailers if they decided. If there is
/// none and the feature `grpc` is enabled, it is read from the `google.rpc.RetryInfo` there.
///
/// A body that breaks is a failure without a class: [`ClassifyEos::classify_error`] is not called. tower-http's own
/// middleware does not see such a failure at all if the head was a success.
///
/// [`ClassifyEos::classify_error`]: tower_http::classify::ClassifyEos::classify_error
///
/// Responses to `HEAD`, 204, 304 and every other response without a body end with their head. `classify_eos` is then
/// called without trailers. A `ClassifyEos` is moved into the body, so it must be `Send`, `Sync` and `'static`.
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
/// # Limits of the classifiers of tower-http
///
/// For `GrpcErrorsAsFailures`, a proxy's 503 page and a stream that ends without a `grpc-status` are successes, and every
/// code except `OK`, including `NOT_FOUND`, is a failure. No classifier of tower-http distinguishes a rate limit (429)
/// from a failure. If tracing and metrics need not share the classifier, [`Http`](crate::classify::Http) and
/// [`Grpc`](crate::classify::Grpc) classify more precisely.
///
/// # Clone
///
/// Clones the classifier of tower-http, once for each service that is made or cloned.
///
/// # Panics
///
/// A panic of the classifier propagates to the caller of the service, or to the task that polls the body. The call
/// counts as ignored.
#[derive(Clone)]
pub struct TowerHttp<M: MakeClassifier, F = fn(&<M as MakeClassifier>::FailureClass) -> Outcome> {
    make: M,
    settle_at: SettleAt,
    outcome_of: F,
}

impl<M: MakeClassifier> TowerHttp<M> {
    /// Returns a classifier for which every failure class is a failure.
    pub fn new(make_classifier: M) -> Self {
        Self { make: make_classifier, settle_at: SettleAt::End, outcome_of: |_| Outcome::failure() }
    }
}

impl<M: MakeClassifier, F> TowerHttp<M, F> {
    /// Maps failure classes to outcomes. Default: a failure.
    ///
    /// If the outcome is a failure, throttled or exhausted and has no wait or no code, it takes those of the response. If a
    /// class is mapped to a success at the head, the call is a success if the body ends.
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
        let Self { make, settle_at, outcome_of: _ } = self;
        TowerHttp { make, settle_at, outcome_of }
    }

    /// Sets when a call is settled if its head is not a failure. Default: at the end of the response body.
    ///
    /// If the call is settled before that, `classify_eos` is not called.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.settle_at = at;
        self
    }
}

impl<M, F> TowerHttp<M, F>
where
    M: MakeClassifier<ClassifyEos: Send + Sync + 'static>,
    F: Fn(&M::FailureClass) -> Outcome + Clone + Send + Sync + 'static,
{
    /// Returns the outcome of an `Err`.
    fn error<E>(&self, classifier: M::Classifier, error: &E) -> Outcome
    where
        E: fmt::Display + 'static,
    {
        rejected_error(error).unwrap_or_else(|| {
            match (self.outcome_of)(&classifier.classify_error(error)) {
                outcome if outcome.why().is_none() => outcome.reason("error"),
                outcome => outcome,
            }
        })
    }

    /// Returns the outcome of a head, or the classifier of the body if the head does not decide.
    fn head<B>(
        &self,
        classifier: M::Classifier,
        response: &Response<B>,
    ) -> Result<BodyClassifier, Outcome> {
        let status = response.status();
        if let Some(outcome) = rejected_head(status, response.headers()) {
            return Err(outcome);
        }
        match classifier.classify_response(response) {
            ClassifiedResponse::Ready(Ok(())) => Ok(BodyClassifier::Plain),
            ClassifiedResponse::Ready(Err(class)) => match (self.outcome_of)(&class) {
                outcome if outcome.class() == Class::Success => Ok(BodyClassifier::Plain),
                outcome => Err(filled_in(outcome, status, response.headers())),
            },
            // The call is settled at its head, so `classify_eos` would never be called.
            ClassifiedResponse::RequiresEos(_) if self.settle_at == SettleAt::Head => {
                Ok(BodyClassifier::Plain)
            }
            ClassifiedResponse::RequiresEos(classify) => {
                let eos = Eos::new(classify, status, self.outcome_of.clone());
                let eos: Box<dyn ClassifyBody> = Box::new(eos);
                Ok(eos.into())
            }
        }
    }
}

/// Completes an outcome with the wait, the code and the reason of the head or the trailers.
fn filled_in(outcome: Outcome, status: StatusCode, headers: &HeaderMap) -> Outcome {
    if outcome.last_error().is_none() {
        return outcome;
    }
    let outcome = outcome.maybe_retry_after(outcome.wait().or_else(|| retry_wait(headers)));
    if outcome.status().is_some() {
        return outcome;
    }
    let (code, reason) = if status.is_client_error() || status.is_server_error() {
        (status.as_u16(), status.canonical_reason())
    } else {
        match headers.get(GRPC_STATUS).and_then(code_and_name) {
            Some((code, name)) => (code, Some(name)),
            // The status is below 400, and "OK" does not describe a failure.
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
    /// Whether the request was a `HEAD`, and the classifier made from the request.
    type RequestInfo = (bool, M::Classifier);
    type Response = Response<BreakerBody<B>>;
    type Deferred = NeverDeferred<Result<Self::Response, E>>;

    #[inline]
    fn request(&self, request: &Request<A>) -> Self::RequestInfo {
        (is_head(request), self.make.make_classifier(request))
    }

    #[inline]
    fn result(
        &self,
        (is_head, classifier): Self::RequestInfo,
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred> {
        let head = match &result {
            Ok(response) => self.head(classifier, response),
            Err(error) => Err(self.error(classifier, error)),
        };
        Classified::Ready(match (result, head) {
            (Ok(response), Ok(classifier)) => {
                Ok(settle_by_body(response, is_head, self.settle_at, permit, classifier))
            }
            (result, head) => {
                settle_at_head(result, permit, head.err().unwrap_or(Outcome::success()))
            }
        })
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        settled(response)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        is_rejection(response.headers())
    }
}

impl<M: MakeClassifier, F> fmt::Debug for TowerHttp<M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerHttp").field("settle_at", &self.settle_at).finish_non_exhaustive()
    }
}
