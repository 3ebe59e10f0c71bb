//! Where the answer comes from.

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;
use std::future::{self, Future};
use std::marker::PhantomData;
use std::sync::Arc;

use tower_service::Service;

use super::future::BackupFuture;
use super::trigger::Trigger;

/// Makes an answer in place of the primary's.
///
/// The response future outlives the service, so that each call takes a clone of the source along, also when the primary
/// then succeeds. A source should therefore be cheap to clone: a value and a service sit behind an `Arc` and are cloned
/// themselves only when they are needed; a closure is cloned as it is, which is free where it captures nothing.
pub trait Source<Kept, Res, E> {
    /// What it answers with.
    type Answer;
    /// The answer on its way. It cannot borrow the trigger, which is the caller's if this fails.
    type Future: Future<Output: Attempt<Answer = Self::Answer>>;

    /// Begins to make the answer: `kept` is what was kept of the request, `trigger` what the primary did.
    fn answer(self, kept: Kept, trigger: &Trigger<Res, E>) -> Self::Future;
}

/// The end of an attempt to answer: a `Result` or an `Option`.
///
/// An attempt without an answer gives the caller the primary's outcome; the error of a `Result` is dropped.
#[diagnostic::on_unimplemented(
    message = "a fallback function resolves to a `Result` or an `Option` of an answer, not to `{Self}`",
    label = "may not fail as it is",
    note = "return `Some(answer)`"
)]
pub trait Attempt {
    /// The answer.
    type Answer;

    /// The answer, if there is one.
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

/// Answers with what a function returns. See [`FallbackLayer::value_fn`](super::FallbackLayer::value_fn).
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

/// Answers with what an async function resolves to. See [`FallbackLayer::from_fn`](super::FallbackLayer::from_fn).
///
/// `Kept`, `Res` and `E` are there for inference only: they let a closure leave its argument types open.
pub struct FromFn<F, Kept, Res, E> {
    f: F,
    sees: PhantomData<fn(Kept, Res, E)>,
}

impl<F, Kept, Res, E> FromFn<F, Kept, Res, E> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, sees: PhantomData }
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

/// Answers with the response of another service. See [`FallbackLayer::service`](super::FallbackLayer::service).
pub struct Backup<S>(Arc<S>);

impl<S> Backup<S> {
    pub(super) fn new(service: S) -> Self {
        Self(Arc::new(service))
    }
}

impl<S, Kept, Res, E> Source<Kept, Res, E> for Backup<S>
where
    S: Service<Kept> + Clone,
{
    type Answer = S::Response;
    type Future = BackupFuture<S, Kept, S::Future>;

    fn answer(self, kept: Kept, _: &Trigger<Res, E>) -> Self::Future {
        BackupFuture::new(S::clone(&self.0), kept)
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

impl<S> Clone for Backup<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
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

impl<S> fmt::Debug for Backup<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backup").field(&format_args!("{}", type_name::<S>())).finish()
    }
}
