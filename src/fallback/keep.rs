//! The part of a request that a fallback keeps, because the primary takes the request by value.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

/// Keeps the part of each request that the fallback needs, before the primary takes the request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot keep anything of `{Req}`",
    label = "does not keep requests of this type",
    note = "use `.keep_request()` if the request is `Clone`, or a function: `.keep(|request: &Req| …)`"
)]
pub trait Keep<Req> {
    /// The kept part: the first argument of a function, or the request of a backup service.
    type Kept;

    /// Returns the kept part, or `None` if this call has no fallback. The caller then gets the primary's result.
    fn keep(&self, request: &Req) -> Option<Self::Kept>;
}

/// Keeps nothing, and needs no bound on the request.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepNothing;

impl<Req> Keep<Req> for KeepNothing {
    type Kept = ();

    fn keep(&self, _: &Req) -> Option<()> {
        Some(())
    }
}

/// Keeps a clone of the request.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepRequest;

impl<Req> Keep<Req> for KeepRequest
where
    Req: Clone,
{
    type Kept = Req;

    fn keep(&self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

/// Keeps what a closure returns. See [`FallbackLayer::keep`](super::FallbackLayer::keep).
#[doc(hidden)]
pub struct KeepFn<F, Req> {
    f: F,
    request: PhantomData<fn(&Req)>,
}

impl<F, Req> KeepFn<F, Req> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, request: PhantomData }
    }
}

impl<F, Req, Kept> Keep<Req> for KeepFn<F, Req>
where
    F: Fn(&Req) -> Kept,
{
    type Kept = Kept;

    fn keep(&self, request: &Req) -> Option<Kept> {
        Some((self.f)(request))
    }
}

/// Keeps what a closure returns, or leaves the call without a fallback. See [`FallbackLayer::try_keep`](super::FallbackLayer::try_keep).
#[doc(hidden)]
pub struct TryKeepFn<F, Req> {
    f: F,
    request: PhantomData<fn(&Req)>,
}

impl<F, Req> TryKeepFn<F, Req> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, request: PhantomData }
    }
}

impl<F, Req, Kept> Keep<Req> for TryKeepFn<F, Req>
where
    F: Fn(&Req) -> Option<Kept>,
{
    type Kept = Kept;

    fn keep(&self, request: &Req) -> Option<Kept> {
        (self.f)(request)
    }
}

impl<F, Req> Clone for KeepFn<F, Req>
where
    F: Clone,
{
    fn clone(&self) -> Self {
        Self::new(self.f.clone())
    }
}

impl<F, Req> Clone for TryKeepFn<F, Req>
where
    F: Clone,
{
    fn clone(&self) -> Self {
        Self::new(self.f.clone())
    }
}

impl<F, Req> fmt::Debug for KeepFn<F, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeepFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}

impl<F, Req> fmt::Debug for TryKeepFn<F, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TryKeepFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
