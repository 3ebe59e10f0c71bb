//! The classifiers for services that return a `reqwest::Response`.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project::pin_project;

use super::convert::{from_reqwest, into_reqwest};
use super::is_head;
use crate::BoxError;
use crate::breaker::Permit;
use crate::classify::http::is_rejection;
use crate::classify::{BreakerBody, Classified, Classify, Http};
use crate::error::chain;
#[cfg(feature = "llm")]
use crate::llm::Llm;
use crate::outcome::Outcome;

/// The guarded form of a response of reqwest.
type Guarded = Response<BreakerBody<reqwest::Body>>;

/// The future of a `reqwest::Response` whose classification is deferred.
#[pin_project]
pub struct Returned<F> {
    #[pin]
    response: F,
}

impl<F, E> Future for Returned<F>
where
    F: Future<Output = Result<Guarded, E>>,
{
    type Output = Result<reqwest::Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().response.poll(cx)).map(into_reqwest))
    }
}

impl<F> fmt::Debug for Returned<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").finish_non_exhaustive()
    }
}

/// Implements a classifier of `http::Response` for `reqwest::Response`.
macro_rules! returns_reqwest {
    ($($(#[$attribute:meta])* $classifier:ty),*) => {$(
        $(#[$attribute])*
        impl<Req, E> Classify<Req, reqwest::Response, E> for $classifier
        where
            Req: 'static,
            E: 'static,
        {
            /// Whether the request is known to be a `HEAD` request.
            type RequestInfo = bool;
            type Response = reqwest::Response;
            type Deferred = Returned<
                <Self as Classify<Request<()>, Response<reqwest::Body>, E>>::Deferred,
            >;

            fn request(&self, request: &Req) -> bool {
                is_head(request)
            }

            fn result(
                &self,
                is_head: bool,
                result: Result<reqwest::Response, E>,
                permit: Permit,
            ) -> Classified<Result<reqwest::Response, E>, Self::Deferred> {
                if result.as_ref().is_err_and(was_not_sent) {
                    permit.settle(Outcome::ignored().reason("not sent"));
                    return Classified::Ready(result);
                }
                let result = result.map(from_reqwest);
                match Classify::<Request<()>, _, E>::result(self, is_head, result, permit) {
                    Classified::Ready(result) => Classified::Ready(result.map(into_reqwest)),
                    Classified::Deferred(response) => Classified::Deferred(Returned { response }),
                }
            }

            fn settled(&self, response: reqwest::Response) -> reqwest::Response {
                response
            }

            fn is_rejection(&self, response: &reqwest::Response) -> bool {
                is_rejection(response.headers())
            }
        }
    )*};
}

/// Returns whether the request could not be built and was therefore never sent.
fn was_not_sent<E: 'static>(error: &E) -> bool {
    let error: &dyn Any = error;
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return error.is_builder();
    }
    #[cfg(feature = "reqwest-middleware")]
    if let Some(error) = error.downcast_ref::<reqwest_middleware::Error>() {
        return error.is_builder();
    }
    error.downcast_ref::<BoxError>().is_some_and(|error| {
        let mut causes = chain(&**error).filter_map(|cause| cause.downcast_ref());
        causes.any(reqwest::Error::is_builder)
    })
}

returns_reqwest!(
    /// For `reqwest::Client` and every other service that returns a `reqwest::Response`, whatever its request type. The
    /// classification is that of `http::Response`. The response stays a `reqwest::Response` with its URL. Its body is not read
    /// ahead. The end of the body settles the call.
    ///
    /// An error with `reqwest::Error::is_builder` is ignored, because a request that cannot be built was not sent. Every other
    /// `Err` is a failure, including too many redirects.
    ///
    /// A response that `error_for_status` would turn into an error is classified by its status. A `HEAD` request is recognised
    /// in a `reqwest::Request`. With other request types, the response to it ends when the connection reports the end of the
    /// body, which for HTTP/1 is with the head.
    Http,
    /// Like [`Http`] for `reqwest::Response`. The body of an error response is read before the response is returned.
    #[cfg(feature = "llm")]
    Llm
);
