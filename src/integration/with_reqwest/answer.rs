//! Rejections as a `reqwest::Response`.

use std::any::Any;
use std::future::{Ready, ready};

use super::reqwest_response;
use crate::error::CircuitOpen;
use crate::rejection::{OnRejected, RejectWithHttp};

/// A 503, with the URL of the request if that is a `reqwest::Request`. The error type of the service stays, and
/// `error_for_status` makes an error of it.
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
