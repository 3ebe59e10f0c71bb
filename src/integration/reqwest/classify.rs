//! Services that return a `reqwest::Response`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project::pin_project;

use super::convert::{from_reqwest, into_reqwest};
use super::is_head;
use crate::breaker::Permit;
#[cfg(feature = "llm")]
use crate::classify::Llm;
use crate::classify::{BreakerBody, Classify, Http, Known, OPEN_HEADER};

/// What a classifier of HTTP returns for a response of reqwest's.
type Guarded = Response<BreakerBody<reqwest::Body>>;

/// The future of a `reqwest::Response` that a classifier waits for.
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

/// The rules for `http::Response`, for reqwest's: whatever they say of a head and a body, they say it here.
macro_rules! returns_reqwest {
    ($($(#[$attribute:meta])* $classifier:ty),*) => {$(
        $(#[$attribute])*
        impl<Req, E> Classify<Req, reqwest::Response, E> for $classifier
        where
            Req: 'static,
            E: 'static,
        {
            /// Whether the request is known to be a `HEAD`.
            type Token = bool;
            type Response = reqwest::Response;
            type Later = Returned<
                <Self as Classify<Request<()>, Response<reqwest::Body>, E>>::Later,
            >;

            fn request(&self, request: &Req) -> bool {
                is_head(request)
            }

            fn result(
                &self,
                head: bool,
                result: Result<reqwest::Response, E>,
                permit: Permit,
            ) -> Known<Result<reqwest::Response, E>, Self::Later> {
                let result = result.map(from_reqwest);
                match Classify::<Request<()>, _, E>::result(self, head, result, permit) {
                    Known::Now(result) => Known::Now(result.map(into_reqwest)),
                    Known::Later(response) => Known::Later(Returned { response }),
                }
            }

            fn settled(&self, response: reqwest::Response) -> reqwest::Response {
                response
            }

            fn is_rejection(&self, response: &reqwest::Response) -> bool {
                response.headers().contains_key(OPEN_HEADER)
            }
        }
    )*};
}

returns_reqwest!(
    /// For `reqwest::Client`, and every other service that returns a `reqwest::Response`, whatever its request: the
    /// rules are those for `http::Response`, and the response stays what it was, with its URL. Its body is not read; its
    /// end settles the call.
    ///
    /// What `error_for_status` would make an error of is an answer here, and is judged by its status. A `HEAD` is known
    /// as one in a `reqwest::Request`; with other requests it ends where its connection says so, which for HTTP/1 is at
    /// the head.
    Http,
    /// As [`Http`] is for `reqwest::Response`. The body of an error is read before the response is handed on.
    #[cfg(feature = "llm")]
    Llm
);
