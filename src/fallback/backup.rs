//! A second service as the source of the answer.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use tower_service::Service;

use super::source::Source;
use super::trigger::Trigger;
use crate::rejection::Oneshot;

/// Answers with the response of another service. See [`FallbackLayer::service`](super::FallbackLayer::service).
#[doc(hidden)]
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
    type Future = Oneshot<S, Kept, S::Future>;

    fn answer(self, kept: Kept, _: &Trigger<Res, E>) -> Self::Future {
        Oneshot::new(S::clone(&self.0), kept)
    }
}

impl<S> Clone for Backup<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Backup<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backup").field(&format_args!("{}", type_name::<S>())).finish()
    }
}
