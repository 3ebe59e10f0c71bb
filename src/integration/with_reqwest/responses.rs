//! Responses in reqwest's types: rejections, outcomes, fallback answers.

use std::any::Any;
use std::future::{Ready, ready};

use super::reqwest_response;
use crate::Outcome;
use crate::classify::http::retry_advice;
use crate::classify::to_outcome::classify_head;
use crate::classify::{AnswerFor, RetryAdvice, ToOutcome};
use crate::error::{AsRejection, CircuitOpen};
use crate::rejection::{OnRejected, RejectWithHttp};

/// Answers with a 503 that has the URL of the request, if that is a `reqwest::Request`. The service keeps its error type.
/// `error_for_status` turns the response into an error.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_breaker::{CircuitBreakerLayer, Config, rejection::RejectWithHttp};
///
/// let breaker = CircuitBreakerLayer::new(Config::http_client().on_rejected(RejectWithHttp));
/// breaker.handle().force_open(None);
/// # let client = service_fn(async |_: reqwest::Request| Ok::<_, reqwest::Error>(http::Response::new("").into()));
/// let client = breaker.layer(client); // a `reqwest::Client`
///
/// let url = reqwest::Url::parse("https://api.example.com/v1").unwrap();
/// let response = client.oneshot(reqwest::Request::new(http::Method::GET, url)).await.unwrap();
/// assert_eq!(response.status(), 503);
/// let error: reqwest::Error = response.error_for_status().unwrap_err();
/// assert_eq!(error.url().unwrap().as_str(), "https://api.example.com/v1");
/// # }
/// ```
impl<Req, E> OnRejected<Req, reqwest::Response, E> for RejectWithHttp
where
    Req: 'static,
{
    type Error = E;
    type Future = Ready<Result<reqwest::Response, E>>;

    fn rejected(&self, request: Req, open: CircuitOpen) -> Self::Future {
        let response = Self::response::<reqwest::Body>(&open);
        let request: &dyn Any = &request;
        ready(Ok(match request.downcast_ref::<reqwest::Request>() {
            Some(request) => reqwest_response(request.url().clone(), response),
            None => response.into(),
        }))
    }

    fn error(&self, error: E) -> E {
        error
    }
}

/// Like the implementation for [`http::Response`]: a [`Verdict`](crate::classify::Verdict) in the extensions takes precedence.
impl ToOutcome for reqwest::Response {
    fn to_outcome(&self) -> Outcome {
        classify_head(self.status(), self.headers(), self.extensions())
    }

    fn retry_advice(&self) -> Option<RetryAdvice> {
        retry_advice(self.headers())
    }
}

/// Converts a response of the http crate, for example one built by a fallback. Its URL is the one set with
/// `reqwest::ResponseBuilderExt::url`, or `http://no.url.provided.local/` without one.
impl<B: Into<reqwest::Body>> AnswerFor<reqwest::Response> for http::Response<B> {
    fn into_answer(self) -> reqwest::Response {
        self.into()
    }
}

/// Finds the rejection of a breaker in [`connector_layer`](reqwest::ClientBuilder::connector_layer).
impl AsRejection for reqwest::Error {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(self)
    }
}
