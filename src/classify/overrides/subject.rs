//! The subjects of overrides, and their actions.

use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::iter;
use std::marker::PhantomData;

use super::{ErrorChain, OverrideFor};
use crate::classify::foreign::rejection_in;
use crate::error::chain;
use crate::{CircuitOpen, Outcome};

/// An override of one line.
///
/// `S` is the part of the result that it applies to: [`OfError`], [`OfCause`] or [`OfResponse`]. `A` returns the
/// outcome: [`Ignore`], [`Only`] or [`Decide`].
#[doc(hidden)]
pub struct Override<S, A> {
    action: A,
    subject: PhantomData<fn(S)>,
}

impl<S, A> Override<S, A> {
    pub(crate) fn new(action: A) -> Self {
        Self { action, subject: PhantomData }
    }
}

/// Applies an override to the error of the service.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct OfError<E>(PhantomData<fn(E)>);

/// Applies an override to the errors of type `T` in the chain that begins with the error of the service. `K` is the kind
/// of that error, see [`ErrorChain`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct OfCause<T, K>(PhantomData<fn(T, K)>);

/// Applies an override to the response of the service.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct OfResponse<Res>(PhantomData<fn(Res)>);

/// Returns the outcome for the values that an override applies to: one error, one response, or all errors of a type in a
/// chain.
#[doc(hidden)]
pub trait Action<T> {
    /// Returns the outcome, or `None` if the next override or the classifier decides.
    fn outcome<'a>(&self, values: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a;
}

/// Ignores the call if the closure returns `true` for any value.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Ignore<F>(pub(crate) F);

/// Classifies the call as a success unless the closure returns `true` for any value.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Only<F>(pub(crate) F);

/// Classifies the call with the first outcome that the closure returns.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Decide<F>(pub(crate) F);

impl<T, F: Fn(&T) -> bool> Action<T> for Ignore<F> {
    #[inline]
    fn outcome<'a>(&self, mut values: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a,
    {
        values.any(&self.0).then(Outcome::ignored)
    }
}

impl<T, F: Fn(&T) -> bool> Action<T> for Only<F> {
    #[inline]
    fn outcome<'a>(&self, mut values: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a,
    {
        (!values.any(&self.0)).then(Outcome::success)
    }
}

impl<T, F: Fn(&T) -> Option<Outcome>> Action<T> for Decide<F> {
    #[inline]
    fn outcome<'a>(&self, mut values: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a,
    {
        values.find_map(&self.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Res, E, A> OverrideFor<Res, E> for Override<OfError<E>, A>
where
    E: 'static,
    A: Action<E>,
{
    #[inline]
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome> {
        let error = result.err()?;
        match rejection_in(error) {
            Some(_) => None,
            None => self.action.outcome(iter::once(error)),
        }
    }
}

impl<Res, E, T, K, A> OverrideFor<Res, E> for Override<OfCause<T, K>, A>
where
    E: ErrorChain<K>,
    T: Error + 'static,
    A: Action<T>,
{
    #[inline]
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome> {
        let error = result.err()?.outermost();
        let names_rejections = TypeId::of::<T>() == TypeId::of::<CircuitOpen>();
        if !names_rejections && CircuitOpen::find(error).is_some() {
            return None;
        }
        self.action.outcome(chain(error).filter_map(|error| error.downcast_ref()))
    }
}

#[diagnostic::do_not_recommend]
impl<Res, E, A> OverrideFor<Res, E> for Override<OfResponse<Res>, A>
where
    A: Action<Res>,
{
    #[inline]
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome> {
        self.action.outcome(iter::once(result.ok()?))
    }
}

// Not derived: `S` does not have to be `Clone`.
impl<S, A: Clone> Clone for Override<S, A> {
    fn clone(&self) -> Self {
        Self::new(self.action.clone())
    }
}

impl<S, A: Copy> Copy for Override<S, A> {}

impl<S, A: fmt::Debug> fmt::Debug for Override<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Override").field(&self.action).finish()
    }
}

macro_rules! debug {
    ($($action:ident),*) => {$(
        impl<F> fmt::Debug for $action<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($action)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(Ignore, Only, Decide);
