//! Keeps the compiler from guessing what a request is.

use std::convert::Infallible;

#[cfg(feature = "llm")]
use super::Llm;
use super::{Classify, Grpc, Http, Known, Never};
use crate::breaker::Permit;

/// A request and a response that nobody can have.
#[derive(Debug)]
pub enum Unlike {}

/// If the classifiers for `http::Request` were for nothing else, the compiler would take any request whose type it does
/// not know yet for one, and complain of the closure that takes a `u32`. With a second type it waits, and says that the
/// classifier does not fit.
macro_rules! not_for_http_alone {
    ($($classifier:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl Classify<Unlike, Unlike, Infallible> for $classifier {
            type Token = Infallible;
            type Response = Unlike;
            type Later = Never<Result<Unlike, Infallible>>;

            fn request(&self, request: &Unlike) -> Infallible {
                match *request {}
            }

            fn result(
                &self,
                token: Infallible,
                _: Result<Unlike, Infallible>,
                _: Permit,
            ) -> Known<Result<Unlike, Infallible>, Self::Later> {
                match token {}
            }

            fn settled(&self, response: Unlike) -> Unlike {
                response
            }
        }
    )*};
}

not_for_http_alone!(Http, Grpc);
#[cfg(feature = "llm")]
not_for_http_alone!(Llm);
