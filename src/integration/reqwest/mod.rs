//! `reqwest::Response` as the response of a guarded service.

mod answer;
mod classify;
mod convert;
mod judged;
#[cfg(test)]
mod tests;

use std::any::Any;

pub use self::convert::reqwest_response;

/// Whether it is known that a request was a `HEAD`: its answer has no body, whatever its headers say.
///
/// Services that return a `reqwest::Response` have requests of many types; of one that is not reqwest's own nothing is
/// known.
fn is_head<Req: 'static>(request: &Req) -> bool {
    let request: &dyn Any = request;
    let request = request.downcast_ref::<reqwest::Request>();
    request.is_some_and(|request| request.method() == http::Method::HEAD)
}
