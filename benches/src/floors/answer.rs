use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

/// Decides what a rejection becomes and which results are failures.
pub trait Answer<T, E> {
    type Response;
    type Error;

    fn rejected(&mut self, left: Duration) -> Result<Self::Response, Self::Error>;
    fn error(error: E) -> Self::Error;
    fn pass(result: Result<T, E>) -> Result<Self::Response, Self::Error>;
    fn failed(result: &Result<T, E>) -> bool;
}

/// Rejects with an error, an enum of the rejection and the inner error.
#[derive(Clone, Copy, Debug)]
pub struct Typed;

/// The error of [`Typed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected<E> {
    /// A rejection, with the time until the circuit closes.
    Open(Duration),
    /// The inner error.
    Inner(E),
}

impl<T, E> Answer<T, E> for Typed {
    type Response = T;
    type Error = Rejected<E>;

    #[inline]
    fn rejected(&mut self, left: Duration) -> Result<T, Rejected<E>> {
        Err(Rejected::Open(left))
    }

    #[inline]
    fn error(error: E) -> Rejected<E> {
        Rejected::Inner(error)
    }

    #[inline]
    fn pass(result: Result<T, E>) -> Result<T, Rejected<E>> {
        result.map_err(Rejected::Inner)
    }

    #[inline]
    fn failed(result: &Result<T, E>) -> bool {
        result.is_err()
    }
}

/// Like [`Typed`], with the name of the circuit, which is known only at run time.
#[derive(Clone, Debug)]
pub struct Named(Option<Arc<Box<str>>>);

impl Named {
    /// Creates an answer with the given name.
    pub fn new(name: &str) -> Self {
        Self(Some(Arc::new(name.into())))
    }
}

/// The error of [`Named`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedRejected<E> {
    /// A rejection, with the time until the circuit closes and the name of the circuit.
    Open(Duration, Option<Arc<Box<str>>>),
    /// The inner error.
    Inner(E),
}

impl<T, E> Answer<T, E> for Named {
    type Response = T;
    type Error = NamedRejected<E>;

    #[inline]
    fn rejected(&mut self, left: Duration) -> Result<T, NamedRejected<E>> {
        Err(NamedRejected::Open(left, self.0.take()))
    }

    #[inline]
    fn error(error: E) -> NamedRejected<E> {
        NamedRejected::Inner(error)
    }

    #[inline]
    fn pass(result: Result<T, E>) -> Result<T, NamedRejected<E>> {
        result.map_err(NamedRejected::Inner)
    }

    #[inline]
    fn failed(result: &Result<T, E>) -> bool {
        result.is_err()
    }
}

/// Rejects with a response that costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Value<T>(pub T);

impl<T: Copy, E> Answer<T, E> for Value<T> {
    type Response = T;
    type Error = E;

    #[inline]
    fn rejected(&mut self, _: Duration) -> Result<T, E> {
        Ok(self.0)
    }

    #[inline]
    fn error(error: E) -> E {
        error
    }

    #[inline]
    fn pass(result: Result<T, E>) -> Result<T, E> {
        result
    }

    #[inline]
    fn failed(result: &Result<T, E>) -> bool {
        result.is_err()
    }
}

const OPEN_HEADER: HeaderName = HeaderName::from_static("x-circuit-open");

fn page<B>(left: Duration, name: HeaderValue) -> Response<Option<B>> {
    let mut response = Response::new(None);
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let seconds = (left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response.headers_mut().insert(OPEN_HEADER, name);
    response
}

/// Rejects with 503, `Retry-After` and the name of the circuit, which is known only at run time.
#[derive(Clone, Copy, Debug)]
pub struct Page(pub &'static str);

/// Like [`Page`], with a header value that is created once and cloned.
#[derive(Clone, Debug)]
pub struct PreparedPage(pub HeaderValue);

macro_rules! http_answer {
    ($answer:ty, |$self:ident| $name:expr) => {
        impl<B, E> Answer<Response<B>, E> for $answer {
            type Response = Response<Option<B>>;
            type Error = E;

            #[inline]
            fn rejected(&mut self, left: Duration) -> Result<Self::Response, E> {
                let $self = self;
                Ok(page(left, $name))
            }

            #[inline]
            fn error(error: E) -> E {
                error
            }

            #[inline]
            fn pass(result: Result<Response<B>, E>) -> Result<Self::Response, E> {
                result.map(|response| response.map(Some))
            }

            #[inline]
            fn failed(result: &Result<Response<B>, E>) -> bool {
                !matches!(result, Ok(response) if !response.status().is_server_error())
            }
        }
    };
}

http_answer!(Page, |this| HeaderValue::from_str(std::hint::black_box(this.0)).expect("a name"));
http_answer!(PreparedPage, |this| this.0.clone());
