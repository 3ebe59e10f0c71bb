//! Which outcomes of the primary ask for a fallback.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use crate::classify::ToOutcome;
use crate::outcome::Class;

/// Says which outcomes of the primary are not good enough.
///
/// It sees every outcome of a call that may fall back, once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say when `Result<{Res}, {E}>` falls back",
    label = "not a condition for this primary",
    note = "use `.when(OnError)`, or a function: `.when_fn(|result: Result<&Res, &E>| …)`"
)]
pub trait When<Res, E> {
    /// Whether a fallback is to answer in place of `result`.
    fn falls_back(&self, result: Result<&Res, &E>) -> bool;
}

/// Every error, and every response that is judged to be a failure, throttled or exhausted. The default.
///
/// Needs a response that is [`ToOutcome`], such as `http::Response`. What the caller did wrong (HTTP 400, 404) is a
/// success of the primary and does not fall back.
///
/// `RetryPolicy` (feature `retry`) judges by it, too, unless it is told otherwise.
///
/// ```compile_fail,E0277
/// # use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
/// # use tower_breaker::FallbackLayer;
/// # async fn test() {
/// let service = ServiceBuilder::new()
///     .layer(FallbackLayer::value(0_u32)) // nothing says which `u32` is bad: `.when(OnError)`
///     .service(service_fn(|_: ()| async { Ok::<u32, BoxError>(1) }));
/// ServiceExt::oneshot(service, ()).await;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ByResponse;

impl<Res, E> When<Res, E> for ByResponse
where
    Res: ToOutcome,
{
    fn falls_back(&self, result: Result<&Res, &E>) -> bool {
        match result.map(|response| response.to_outcome().class()) {
            Ok(Class::Failure | Class::Throttled | Class::Exhausted) | Err(_) => true,
            Ok(Class::Success | Class::Ignored | Class::Cancelled) => false,
        }
    }
}

/// Every error; no response, whatever it says.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnError;

impl<Res, E> When<Res, E> for OnError {
    fn falls_back(&self, result: Result<&Res, &E>) -> bool {
        result.is_err()
    }
}

/// A condition made of a function. See [`FallbackLayer::when_fn`](super::FallbackLayer::when_fn).
///
/// `Res` and `E` are there for inference only: they let a closure leave its argument types open.
pub struct WhenFn<F, Res, E> {
    f: F,
    sees: PhantomData<fn(&Res, &E)>,
}

impl<F, Res, E> WhenFn<F, Res, E> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, sees: PhantomData }
    }
}

impl<F, Res, E> When<Res, E> for WhenFn<F, Res, E>
where
    F: Fn(Result<&Res, &E>) -> bool,
{
    fn falls_back(&self, result: Result<&Res, &E>) -> bool {
        (self.f)(result)
    }
}

impl<F, Res, E> Clone for WhenFn<F, Res, E>
where
    F: Clone,
{
    fn clone(&self) -> Self {
        Self::new(self.f.clone())
    }
}

impl<F, Res, E> fmt::Debug for WhenFn<F, Res, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WhenFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
