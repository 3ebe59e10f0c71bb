//! Responses that stand in for other responses.

#[cfg(feature = "http")]
use http::Response;

#[cfg(feature = "http")]
use super::BreakerBody;

/// An answer that can be given in place of a `Res`.
///
/// Every type can stand in for itself. A plain `http::Response<B>` can stand in for the
/// `http::Response<BreakerBody<B>>` of a guarded service.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an answer for a service that returns `{Res}`",
    label = "not an answer of that service",
    note = "the answer must have the type of the response; `http::Response<B>` may also stand for `http::Response<BreakerBody<B>>`",
    note = "if the two bodies have nothing in common: use `.either_body()` on a fallback, or map one of them, for example to a boxed body"
)]
pub trait AnswerFor<Res> {
    /// Converts the answer to a `Res`.
    fn into_answer(self) -> Res;
}

impl<T> AnswerFor<T> for T {
    fn into_answer(self) -> T {
        self
    }
}

#[cfg(feature = "http")]
impl<B: http_body::Body> AnswerFor<Response<BreakerBody<B>>> for Response<B> {
    fn into_answer(self) -> Response<BreakerBody<B>> {
        self.map(BreakerBody::new)
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn a_plain_response_stands_in_for_a_guarded_one() {
        let plain: Response<String> = Response::new("7".to_owned());
        let same: Response<String> = plain.into_answer();
        let guarded: Response<BreakerBody<String>> = same.into_answer();
        assert_eq!(guarded.into_body().into_inner().unwrap(), "7");
    }

    #[test]
    fn a_guarded_response_stands_in_for_one_guarded_twice() {
        let once: Response<BreakerBody<String>> = Response::new(BreakerBody::default());
        let _twice: Response<BreakerBody<BreakerBody<String>>> = once.into_answer();
    }
}
