//! What a rule looks at, and what its closure means.

use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::iter;
use std::marker::PhantomData;

use super::{ErrorChain, RuleFor};
use crate::classify::foreign::rejection_in;
use crate::error::chain;
use crate::{CircuitOpen, Outcome};

/// A rule: `S` is what it looks at ([`OfError`], [`OfCause`], [`OfResponse`]), and `A` what it makes of it ([`Ignore`],
/// [`Only`], [`Decide`]).
pub struct Rule<S, A> {
    answer: A,
    subject: PhantomData<fn(S)>,
}

impl<S, A> Rule<S, A> {
    pub(crate) fn new(answer: A) -> Self {
        Self { answer, subject: PhantomData }
    }
}

/// The error of the service.
#[derive(Clone, Copy, Debug)]
pub struct OfError<E>(PhantomData<fn(E)>);

/// Errors of the type `T` in the chain that begins with the error of the service, which is of the kind `K`.
#[derive(Clone, Copy, Debug)]
pub struct OfCause<T, K>(PhantomData<fn(T, K)>);

/// The response of the service.
#[derive(Clone, Copy, Debug)]
pub struct OfResponse<Res>(PhantomData<fn(Res)>);

/// Makes an outcome of what a rule looks at: one thing, or every error of a type in a chain.
pub trait Ask<T> {
    /// The outcome; `None` where it says nothing.
    fn ask<'a>(&self, seen: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a;
}

/// Where the closure is true of anything, the call is ignored.
#[derive(Clone, Copy)]
pub struct Ignore<F>(pub(crate) F);

/// Where the closure is true of nothing, the call is a success.
#[derive(Clone, Copy)]
pub struct Only<F>(pub(crate) F);

/// The first outcome that the closure gives.
#[derive(Clone, Copy)]
pub struct Decide<F>(pub(crate) F);

impl<T, F: Fn(&T) -> bool> Ask<T> for Ignore<F> {
    #[inline]
    fn ask<'a>(&self, mut seen: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a,
    {
        seen.any(&self.0).then(Outcome::ignored)
    }
}

impl<T, F: Fn(&T) -> bool> Ask<T> for Only<F> {
    #[inline]
    fn ask<'a>(&self, mut seen: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a,
    {
        (!seen.any(&self.0)).then(Outcome::success)
    }
}

impl<T, F: Fn(&T) -> Option<Outcome>> Ask<T> for Decide<F> {
    #[inline]
    fn ask<'a>(&self, mut seen: impl Iterator<Item = &'a T>) -> Option<Outcome>
    where
        T: 'a,
    {
        seen.find_map(&self.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Res, E, A> RuleFor<Res, E> for Rule<OfError<E>, A>
where
    E: 'static,
    A: Ask<E>,
{
    #[inline]
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome> {
        let error = result.err()?;
        match rejection_in(error) {
            Some(_) => None,
            None => self.answer.ask(iter::once(error)),
        }
    }
}

impl<Res, E, T, K, A> RuleFor<Res, E> for Rule<OfCause<T, K>, A>
where
    E: ErrorChain<K>,
    T: Error + 'static,
    A: Ask<T>,
{
    #[inline]
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome> {
        let error = result.err()?.outermost();
        let named = TypeId::of::<T>() == TypeId::of::<CircuitOpen>();
        if !named && CircuitOpen::find(error).is_some() {
            return None;
        }
        self.answer.ask(chain(error).filter_map(|error| error.downcast_ref()))
    }
}

#[diagnostic::do_not_recommend]
impl<Res, E, A> RuleFor<Res, E> for Rule<OfResponse<Res>, A>
where
    A: Ask<Res>,
{
    #[inline]
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome> {
        self.answer.ask(iter::once(result.ok()?))
    }
}

// What a rule looks at need not be `Clone` for the rule to be.
impl<S, A: Clone> Clone for Rule<S, A> {
    fn clone(&self) -> Self {
        Self::new(self.answer.clone())
    }
}

impl<S, A: Copy> Copy for Rule<S, A> {}

impl<S, A: fmt::Debug> fmt::Debug for Rule<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.answer).finish()
    }
}

macro_rules! debug {
    ($($answer:ident),*) => {$(
        impl<F> fmt::Debug for $answer<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($answer)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(Ignore, Only, Decide);
