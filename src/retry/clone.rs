//! The clone of a request for the next attempt.

use std::any::type_name;
use std::fmt;

/// Clones a request before an attempt takes it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot clone a `{Req}`",
    label = "does not clone requests of this type",
    note = "use a function: `.clone_with(|request: &Req| …)`; a request for which it returns `None` is not retried"
)]
pub trait CloneRequest<Req> {
    /// Returns the clone, or `None` if the request must not be retried.
    fn clone_request(&self, request: &Req) -> Option<Req>;
}

/// Clones a request with its `Clone`. The default.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Cloned;

impl<Req> CloneRequest<Req> for Cloned
where
    Req: Clone,
{
    fn clone_request(&self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

/// Clones a request with a closure. See [`RetryPolicy::clone_with`](super::RetryPolicy::clone_with).
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct CloneFn<F> {
    f: F,
}

impl<F> CloneFn<F> {
    pub(super) const fn new(f: F) -> Self {
        Self { f }
    }
}

impl<F, Req> CloneRequest<Req> for CloneFn<F>
where
    F: Fn(&Req) -> Option<Req>,
{
    fn clone_request(&self, request: &Req) -> Option<Req> {
        (self.f)(request)
    }
}

impl<F> fmt::Debug for CloneFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CloneFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
