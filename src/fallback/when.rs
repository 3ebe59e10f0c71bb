//! Conditions on the result of the primary.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use crate::classify::Outcomes;
use crate::outcome::Outcome;

/// Falls back on every error, and on no response.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnError;

impl<Res, E> Outcomes<Res, E> for OnError {
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        Outcome::failure_if(result.is_err())
    }
}

/// Falls back if a closure returns `true`. See [`FallbackLayer::when_fn`](super::FallbackLayer::when_fn).
///
/// `Res` and `E` only guide inference: the closure may leave its argument types open.
#[doc(hidden)]
pub struct WhenFn<F, Res, E> {
    f: F,
    arguments: PhantomData<fn(&Res, &E)>,
}

impl<F, Res, E> WhenFn<F, Res, E> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, arguments: PhantomData }
    }
}

impl<F, Res, E> Outcomes<Res, E> for WhenFn<F, Res, E>
where
    F: Fn(Result<&Res, &E>) -> bool,
{
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        Outcome::failure_if((self.f)(result))
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
