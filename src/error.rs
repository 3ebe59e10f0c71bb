//! The errors of a breaker.

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

/// A rejection: the breaker did not let the call through, and the dependency was not called.
///
/// Rejections appear in the totals only. No trip rule counts them.
#[derive(Clone, PartialEq, Eq)]
// In this order: the compiler moves two adjacent words as one, which stalls if they have just been written one by one.
#[repr(C)]
pub struct CircuitOpen {
    /// A thin pointer to the name: every `Result` of a guarded call has room for this error, and `Arc<str>` is two
    /// words.
    name: Arc<Arc<str>>,
    state: State,
    cause: Cause,
    /// In nanoseconds, or [`UNKNOWN`].
    retry_after: u64,
}

const UNKNOWN: u64 = u64::MAX;

impl CircuitOpen {
    /// Creates a rejection. `wait` is in nanoseconds, or [`UNKNOWN`].
    #[inline]
    pub(crate) fn from_nanos(name: Arc<Arc<str>>, state: State, cause: Cause, wait: u64) -> Self {
        Self { name, retry_after: wait, state, cause }
    }

    /// Creates a rejection for a test. Requires the feature `test_util`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_breaker::{BreakerError, Cause, CircuitOpen, State};
    ///
    /// // The code under test.
    /// fn status(error: &BreakerError<std::io::Error>) -> (u16, Option<u64>) {
    ///     match error {
    ///         BreakerError::Open(open) => (503, open.retry_after_secs()),
    ///         BreakerError::Inner(_) => (502, None),
    ///     }
    /// }
    ///
    /// let wait = Some(Duration::from_millis(1_500));
    /// let open = CircuitOpen::for_test("db", State::Open, Cause::FailureRate, wait);
    /// assert_eq!(status(&open.into()), (503, Some(2)));
    /// ```
    #[cfg(any(test, feature = "test_util"))]
    pub fn for_test(
        name: impl Into<Arc<str>>,
        state: State,
        cause: Cause,
        retry_after: Option<Duration>,
    ) -> Self {
        let wait =
            retry_after.map_or(UNKNOWN, |wait| u64::try_from(wait.as_nanos()).unwrap_or(UNKNOWN));
        Self::from_nanos(Arc::new(name.into()), state, cause, wait)
    }

    #[cfg(test)]
    pub(crate) fn new(
        name: Arc<Arc<str>>,
        state: State,
        cause: Cause,
        retry_after: Option<Duration>,
    ) -> Self {
        Self::for_test(Arc::clone(&*name), state, cause, retry_after)
    }

    /// Returns the name of the breaker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the state of the breaker when it rejected the call.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns why the circuit opened.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Returns how long to wait until a call may be admitted, or `None` if that is unknown.
    ///
    /// | state | value |
    /// |---|---|
    /// | [`State::Open`] | exact |
    /// | [`State::HalfOpen`] | the rest of the lease that ends first, at most the first cooldown. If its probe fails, the circuit opens for longer |
    /// | [`State::HalfOpen`] in a [`Ramp`](crate::Ramp) | `None` |
    /// | [`State::ForcedOpen`] | exact; `None` without an end |
    pub fn retry_after(&self) -> Option<Duration> {
        (self.retry_after != UNKNOWN).then(|| Duration::from_nanos(self.retry_after))
    }

    /// Returns [`retry_after`](Self::retry_after) as the value of a `Retry-After` header: whole seconds, rounded up, at
    /// least 1.
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

/// Returns an error and its sources, outermost first.
pub(crate) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            // `io::Error::source` returns the source of the wrapped error, and so skips that error.
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

/// An error type that may hold a rejection.
///
/// Implemented for [`CircuitOpen`], [`BoxError`] (with any error inside), [`BreakerError`], [`io::Error`] and
/// [`Infallible`]. An implementation for your own error type:
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
    message = "cannot tell whether `{Self}` is a circuit-breaker rejection",
    label = "`AsRejection` is not implemented for this error",
    note = "it is implemented for `CircuitOpen`, `BoxError`, `BreakerError<_>`, `std::io::Error` and `Infallible`",
    note = "implement `fn as_rejection(&self) -> Option<&CircuitOpen>` for your own error type; for a `std::error::Error`, `CircuitOpen::find(self)` is enough"
)]
pub trait AsRejection {
    /// Returns the rejection if a breaker rejected the call.
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

/// The error of a guarded call: a rejection, or the error of the call itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreakerError<E> {
    /// The breaker rejected the call.
    Open(CircuitOpen),
    /// The dependency was called and failed.
    Inner(E),
}

impl<E> BreakerError<E> {
    /// Returns the rejection, if the breaker rejected the call.
    pub fn rejection(&self) -> Option<&CircuitOpen> {
        match self {
            Self::Open(open) => Some(open),
            Self::Inner(_) => None,
        }
    }

    /// Returns the inner error, if the dependency was called.
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
