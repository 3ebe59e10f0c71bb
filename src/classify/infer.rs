//! A second impl of `Classify`, which keeps the compiler from inferring `http::Request` for an unknown request type.

/// The type of requests and responses that cannot exist.
#[derive(Debug)]
pub enum Uninhabited {}

/// Implements [`Classify`](crate::classify::Classify) for a second, uninhabited request type.
///
/// With a single impl, the compiler would infer `http::Request` for any unknown request type and report the mismatch at
/// the user's closure. With two impls it defers the choice and reports that the classifier does not fit.
macro_rules! not_for_http_alone {
    ($($classifier:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl
            $crate::classify::Classify<
                $crate::classify::infer::Uninhabited,
                $crate::classify::infer::Uninhabited,
                std::convert::Infallible,
            > for $classifier
        {
            type RequestInfo = std::convert::Infallible;
            type Response = $crate::classify::infer::Uninhabited;
            type Deferred = $crate::classify::NeverDeferred<Result<Self::Response, Self::RequestInfo>>;

            fn request(&self, request: &$crate::classify::infer::Uninhabited) -> Self::RequestInfo {
                match *request {}
            }

            fn result(
                &self,
                info: Self::RequestInfo,
                _: Result<Self::Response, Self::RequestInfo>,
                _: $crate::Permit,
            ) -> $crate::classify::Classified<Result<Self::Response, Self::RequestInfo>, Self::Deferred>
            {
                match info {}
            }

            fn settled(&self, response: Self::Response) -> Self::Response {
                response
            }
        }
    )*};
}

#[cfg(feature = "llm")]
pub(crate) use not_for_http_alone;

not_for_http_alone!(super::Http, super::Grpc);
