//! The sources of a fallback's answer.

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;
use std::future::{self, Future};
use std::marker::PhantomData;
use std::sync::Arc;

use super::trigger::Trigger;

/// Makes the answer of a fallback.
///
/// The response future outlives the service. Each call therefore clones the source, even if the primary then
/// succeeds, so a source should be cheap to clone. A value and a service are behind an `Arc`, and are only cloned
/// when they are needed. A closure is cloned as it is, which is free if it captures nothing.
pub trait Source<Kept, Res, E> {
    /// The answer.
    type Answer;
    /// The future of the answer. It cannot borrow the trigger, because the caller gets that if this future fails.
    type Future: Future<Output: Attempt<Answer = Self::Answer>>;

    /// Starts to make the answer, from the kept part of the request and the result of the primary.
    fn answer(self, kept: Kept, trigger: &Trigger<Res, E>) -> Self::Future;
}

/// An attempt to answer: a `Result` or an `Option`.
///
/// Without an answer, the caller gets the primary's result. The error of a `Result` is dropped.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a fallback function must resolve to a `Result` or an `Option` of an answer, not to `{Self}`",
    label = "is neither a `Result` nor an `Option`",
    note = "return `Some(answer)`"
)]
pub trait Attempt {
    /// The answer.
    type Answer;

    /// Returns the answer, if there is one.
    fn into_option(self) -> Option<Self::Answer>;
}

impl<A> Attempt for Option<A> {
    type Answer = A;

    fn into_option(self) -> Option<A> {
        self
    }
}

impl<A, X> Attempt for Result<A, X> {
    type Answer = A;

    fn into_option(self) -> Option<A> {
        self.ok()
    }
}

/// Answers with a clone of a value. See [`FallbackLayer::value`](super::FallbackLayer::value).
#[doc(hidden)]
pub struct Value<V>(Arc<V>);

impl<V> Value<V> {
    pub(super) fn new(value: V) -> Self {
        Self(Arc::new(value))
    }
}

impl<V, Kept, Res, E> Source<Kept, Res, E> for Value<V>
where
    V: Clone,
{
    type Answer = V;
    type Future = future::Ready<Result<V, Infallible>>;

    fn answer(self, _: Kept, _: &Trigger<Res, E>) -> Self::Future {
        future::ready(Ok(Arc::unwrap_or_clone(self.0)))
    }
}

/// Answers with what a closure returns. See [`FallbackLayer::value_fn`](super::FallbackLayer::value_fn).
#[doc(hidden)]
#[derive(Clone)]
pub struct ValueFn<F>(F);

impl<F> ValueFn<F> {
    pub(super) const fn new(f: F) -> Self {
        Self(f)
    }
}

impl<F, V, Kept, Res, E> Source<Kept, Res, E> for ValueFn<F>
where
    F: Fn() -> V,
{
    type Answer = V;
    type Future = future::Ready<Result<V, Infallible>>;

    fn answer(self, _: Kept, _: &Trigger<Res, E>) -> Self::Future {
        future::ready(Ok((self.0)()))
    }
}

/// Answers with what an async closure resolves to. See [`FallbackLayer::from_fn`](super::FallbackLayer::from_fn).
///
/// `Kept`, `Res` and `E` only guide inference: the closure may leave its argument types open.
#[doc(hidden)]
pub struct FromFn<F, Kept, Res, E> {
    f: F,
    arguments: PhantomData<fn(Kept, Res, E)>,
}

impl<F, Kept, Res, E> FromFn<F, Kept, Res, E> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, arguments: PhantomData }
    }
}

impl<F, Fut, Kept, Res, E> Source<Kept, Res, E> for FromFn<F, Kept, Res, E>
where
    F: Fn(Kept, &Trigger<Res, E>) -> Fut,
    Fut: Future<Output: Attempt>,
{
    type Answer = <Fut::Output as Attempt>::Answer;
    type Future = Fut;

    fn answer(self, kept: Kept, trigger: &Trigger<Res, E>) -> Fut {
        (self.f)(kept, trigger)
    }
}

impl<V> Clone for Value<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F, Kept, Res, E> Clone for FromFn<F, Kept, Res, E>
where
    F: Clone,
{
    fn clone(&self) -> Self {
        Self::new(self.f.clone())
    }
}

impl<V> fmt::Debug for Value<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&format_args!("{}", type_name::<V>())).finish()
    }
}

impl<F> fmt::Debug for ValueFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}

impl<F, Kept, Res, E> fmt::Debug for FromFn<F, Kept, Res, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
