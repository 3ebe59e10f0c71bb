//! What a rejected caller gets.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use crate::state::{Cause, State};

/// A boxed error, as in tower.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The breaker answered the call itself; the dependency was not called.
///
/// The same rejection counts for nobody: it is in the totals and moves no rule.
#[derive(Clone, PartialEq, Eq)]
// In this order: two words side by side are moved as one, which waits for them if they were written one by one.
#[repr(C)]
pub struct CircuitOpen {
    /// Behind one pointer, not two: every `Result` of a guarded call has room for this.
    name: Arc<Box<str>>,
    state: State,
    cause: Cause,
    /// Nanoseconds; [`UNKNOWN`] where nobody knows.
    retry_after: u64,
}

const UNKNOWN: u64 = u64::MAX;

impl CircuitOpen {
    /// `wait` in nanoseconds; `u64::MAX` where nobody knows.
    #[inline]
    pub(crate) fn from_nanos(name: Arc<Box<str>>, state: State, cause: Cause, wait: u64) -> Self {
        Self { name, retry_after: wait, state, cause }
    }

    #[cfg(test)]
    pub(crate) fn new(
        name: Arc<Box<str>>,
        state: State,
        cause: Cause,
        retry_after: Option<Duration>,
    ) -> Self {
        let wait = retry_after.map_or(UNKNOWN, |wait| wait.as_nanos() as u64);
        Self::from_nanos(name, state, cause, wait)
    }

    /// The name of the breaker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The state it was in.
    pub fn state(&self) -> State {
        self.state
    }

    /// Why the circuit opened.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// How long until a call may be admitted.
    ///
    /// Exact when [`State::Open`]. When [`State::HalfOpen`], what is left of the oldest probe's lease and at most the
    /// first cooldown: a good time to ask again, but a probe that fails opens the circuit for longer. The time left
    /// of a [`State::ForcedOpen`] that has one. `None` where nobody knows, and in a [`Ramp`](crate::Ramp).
    pub fn retry_after(&self) -> Option<Duration> {
        (self.retry_after != UNKNOWN).then(|| Duration::from_nanos(self.retry_after))
    }

    /// The value of a `Retry-After` header: whole seconds, rounded up, at least 1.
    pub fn retry_after_secs(&self) -> Option<u64> {
        let wait = self.retry_after()?;
        let up = u64::from(wait.subsec_nanos() > 0);
        Some(wait.as_secs().saturating_add(up).max(1))
    }

    /// Finds a rejection in an error or in one of its sources.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
    /// use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Config};
    ///
    /// let breaker = CircuitBreakerLayer::new(Config::default().name("payments"));
    /// breaker.handle().force_open(None);
    /// let service = ServiceBuilder::new()
    ///     .timeout(std::time::Duration::from_secs(1))
    ///     .layer(breaker)
    ///     .service(service_fn(|_: ()| async { Ok::<_, BoxError>(()) }));
    ///
    /// let error = service.oneshot(()).await.unwrap_err();
    /// let open = CircuitOpen::find(&*error).expect("a rejection");
    /// assert_eq!(open.name(), "payments");
    /// # }
    /// ```
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        chain(error).find_map(|error| error.downcast_ref())
    }
}

/// An error and its sources, from the outside in.
pub(crate) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            // Its `source` is that of the error it wraps, and skips that error.
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

/// Finds the rejection in an error whose type is known.
///
/// Implemented for [`CircuitOpen`], [`BoxError`] (whatever it wraps), [`BreakerError`], [`io::Error`] and
/// [`Infallible`]. For your own error type it is one line:
///
/// ```
/// use tower_breaker::{AsRejection, CircuitOpen};
///
/// enum ApiError { Open(CircuitOpen), NotFound }
///
/// impl AsRejection for ApiError {
///     fn as_rejection(&self) -> Option<&CircuitOpen> {
///         match self {
///             Self::Open(open) => Some(open),
///             Self::NotFound => None,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nobody knows whether `{Self}` is a rejection by a circuit breaker",
    label = "`AsRejection` is not implemented for this error",
    note = "it is for `CircuitOpen`, `BoxError`, `BreakerError<_>`, `std::io::Error` and `Infallible`",
    note = "for an error type of your own: `fn as_rejection(&self) -> Option<&CircuitOpen>`; `CircuitOpen::find(self)` will do for any `std::error::Error`"
)]
pub trait AsRejection {
    /// The rejection, if the breaker answered and the dependency was not called.
    fn as_rejection(&self) -> Option<&CircuitOpen>;
}

impl AsRejection for CircuitOpen {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        Some(self)
    }
}

impl AsRejection for BoxError {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(&**self)
    }
}

impl<E: 'static> AsRejection for BreakerError<E> {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        match self {
            Self::Open(open) => Some(open),
            // A breaker further down.
            Self::Inner(error) => rejection_in(error),
        }
    }
}

impl AsRejection for io::Error {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(self)
    }
}

impl AsRejection for Infallible {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        match *self {}
    }
}

/// The rejection in an error of any type, as far as its type can be known: a [`CircuitOpen`], a [`BoxError`], an
/// [`io::Error`], or a [`BreakerError`] around one of a few types.
pub(crate) fn rejection_in<E: 'static>(error: &E) -> Option<&CircuitOpen> {
    let error: &dyn Any = error;
    if let Some(boxed) = error.downcast_ref::<BoxError>() {
        return CircuitOpen::find(&**boxed);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return CircuitOpen::find(error);
    }
    #[cfg(feature = "reqwest-middleware")]
    if let Some(error) = error.downcast_ref::<reqwest_middleware::Error>() {
        return CircuitOpen::find(error);
    }
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return CircuitOpen::find(error);
    }
    match error.downcast_ref::<BreakerError<BoxError>>() {
        Some(BreakerError::Open(open)) => Some(open),
        Some(BreakerError::Inner(boxed)) => CircuitOpen::find(&**boxed),
        None => match error.downcast_ref::<BreakerError<Infallible>>() {
            Some(BreakerError::Open(open)) => Some(open),
            _ => error.downcast_ref::<CircuitOpen>(),
        },
    }
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "circuit {:?} is {} ({})", self.name(), self.state, self.cause)?;
        match self.retry_after() {
            Some(wait) => write!(f, ", retry after {wait:?}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitOpen")
            .field("name", &self.name())
            .field("state", &self.state)
            .field("cause", &self.cause)
            .field("retry_after", &self.retry_after())
            .finish()
    }
}

impl Error for CircuitOpen {}

/// Either the breaker's rejection or the inner error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreakerError<E> {
    /// The breaker answered.
    Open(CircuitOpen),
    /// The dependency was called and failed.
    Inner(E),
}

impl<E> BreakerError<E> {
    /// The rejection, if it is one.
    pub fn rejection(&self) -> Option<&CircuitOpen> {
        match self {
            Self::Open(open) => Some(open),
            Self::Inner(_) => None,
        }
    }

    /// The inner error, if it is one.
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Open(_) => None,
            Self::Inner(error) => Some(error),
        }
    }
}

impl<E> From<CircuitOpen> for BreakerError<E> {
    fn from(open: CircuitOpen) -> Self {
        Self::Open(open)
    }
}

impl<E> fmt::Display for BreakerError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open(_) => "rejected by the circuit breaker",
            Self::Inner(_) => "the guarded call failed",
        })
    }
}

impl<E: Error + 'static> Error for BreakerError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Open(open) => Some(open),
            Self::Inner(error) => Some(error),
        }
    }
}
