//! The common response type of the primary and the answer.

#[cfg(feature = "http")]
use http::Response;

#[cfg(feature = "http")]
use super::body::EitherBody;
use crate::classify::AnswerFor;

/// Converts the primary's response and the fallback's answer to one type.
#[doc(hidden)]
pub trait Lift<Res, A> {
    /// The common type.
    type Response;

    /// Converts the primary's response.
    fn primary(response: Res) -> Self::Response;

    /// Converts the fallback's answer.
    fn answer(answer: A) -> Self::Response;
}

/// Uses the primary's response type, to which [`AnswerFor`] converts the answer. The default.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct AsPrimary;

impl<Res, A> Lift<Res, A> for AsPrimary
where
    A: AnswerFor<Res>,
{
    type Response = Res;

    fn primary(response: Res) -> Res {
        response
    }

    fn answer(answer: A) -> Res {
        answer.into_answer()
    }
}

/// Converts `http::Response`s with unrelated bodies. See [`FallbackLayer::either_body`](super::FallbackLayer::either_body).
#[doc(hidden)]
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug, Default)]
pub struct EitherBodies;

#[cfg(feature = "http")]
impl<P, A> Lift<Response<P>, Response<A>> for EitherBodies {
    type Response = Response<EitherBody<P, A>>;

    fn primary(response: Response<P>) -> Self::Response {
        response.map(EitherBody::primary)
    }

    fn answer(answer: Response<A>) -> Self::Response {
        answer.map(EitherBody::answer)
    }
}
