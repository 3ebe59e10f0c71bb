//! What a fallback needs of a request that the primary takes by value.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

/// Keeps of each request what the fallback will need, before the primary takes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot keep anything of `{Req}`",
    label = "not a way to keep this request",
    note = "use `.keep_request()` where the request is `Clone`, or a function: `.keep(|request: &Req| …)`"
)]
pub trait Keep<Req> {
    /// What is kept: the first argument of a function, the request of a backup service.
    type Kept;

    /// `None`: no fallback for this call, the primary's outcome goes through as it is.
    fn keep(&self, request: &Req) -> Option<Self::Kept>;
}

/// Keeps nothing and asks nothing of the request.
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

/// Keeps what a function returns. See [`FallbackLayer::keep`](super::FallbackLayer::keep).
pub struct KeepFn<F, Req> {
    f: F,
    sees: PhantomData<fn(&Req)>,
}

impl<F, Req> KeepFn<F, Req> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, sees: PhantomData }
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

/// Keeps what a function returns, if it does. See [`FallbackLayer::try_keep`](super::FallbackLayer::try_keep).
pub struct TryKeepFn<F, Req> {
    f: F,
    sees: PhantomData<fn(&Req)>,
}

impl<F, Req> TryKeepFn<F, Req> {
    pub(super) const fn new(f: F) -> Self {
        Self { f, sees: PhantomData }
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
