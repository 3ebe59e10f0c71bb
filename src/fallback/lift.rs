//! One response type for the primary and the answer.

#[cfg(feature = "http")]
use http::Response;

#[cfg(feature = "http")]
use super::body::EitherBody;
use crate::classify::AnswerFor;

/// Brings the primary's response and the fallback's answer to one type.
pub trait Lift<Res, A> {
    /// That type.
    type Response;

    /// Lifts the primary's response.
    fn primary(response: Res) -> Self::Response;

    /// Lifts the fallback's answer.
    fn answer(answer: A) -> Self::Response;
}

/// The primary's response type; the answer is lifted into it by [`AnswerFor`]. The default.
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

/// `http::Response`s whose bodies have nothing in common. See [`FallbackLayer::either_body`](super::FallbackLayer::either_body).
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
