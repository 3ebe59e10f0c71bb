//! Code that the policies with an HTTP response share.

use http::HeaderValue;

/// Implements [`OnRejected`](super::OnRejected) for a policy with a function `response(&CircuitOpen) -> Response<B>`.
/// The error type of the service stays as it is.
macro_rules! reject_with_response {
    ($policy:ty) => {
        impl<Req, B, E> crate::rejection::OnRejected<Req, http::Response<B>, E> for $policy
        where
            B: Default,
        {
            type Error = E;
            type Future =
                crate::rejection::answer::RejectionFuture<Self, Result<http::Response<B>, E>>;

            #[inline]
            fn rejected(&self, _: Req, open: crate::CircuitOpen) -> Self::Future {
                crate::rejection::answer::RejectionFuture::new(open)
            }

            #[inline]
            fn error(&self, error: E) -> E {
                error
            }
        }

        impl<B: Default, E> crate::rejection::answer::Answer<Result<http::Response<B>, E>>
            for $policy
        {
            #[inline]
            fn answer(open: crate::CircuitOpen) -> Result<http::Response<B>, E> {
                Ok(Self::response(&open))
            }
        }
    };
}

pub(super) use reject_with_response;

/// Returns the name of a breaker as a header value. Characters other than printable ASCII become `_`.
pub(super) fn name_value(name: &str) -> HeaderValue {
    // `http` also takes the bytes above 127. Its own `to_str` rejects them, and so does gRPC.
    let printable = |c: char| matches!(c, ' '..='~');
    let value = if name.chars().all(printable) {
        HeaderValue::from_str(name)
    } else {
        let name: String = name.chars().map(|c| if printable(c) { c } else { '_' }).collect();
        HeaderValue::try_from(name)
    };
    value.unwrap_or(HeaderValue::from_static("_"))
}

#[cfg(test)]
mod tests;
