//! A second service as the source of the answer.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;
use tower_service::Service;

use super::source::Source;
use super::trigger::Trigger;

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
    type Future = BackupFuture<S, Kept, S::Future>;

    fn answer(self, kept: Kept, _: &Trigger<Res, E>) -> Self::Future {
        BackupFuture::new(S::clone(&self.0), kept)
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

/// The future of one call of a backup service, which it polls ready first.
#[doc(hidden)]
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct BackupFuture<S, Req, F> {
    #[pin]
    state: BackupState<S, Req, F>,
}

#[pin_project(project = BackupStateProj)]
enum BackupState<S, Req, F> {
    /// Polls a clone of the service ready. The same clone is then called.
    NotReady { service: S, request: Option<Req> },
    /// Polls the response. The clone is dropped, because it could reserve capacity that other calls need.
    Called {
        #[pin]
        response: F,
    },
}

impl<S, Req, F> BackupFuture<S, Req, F> {
    pub(super) const fn new(service: S, request: Req) -> Self {
        Self { state: BackupState::NotReady { service, request: Some(request) } }
    }
}

impl<S, Req> Future for BackupFuture<S, Req, S::Future>
where
    S: Service<Req>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                BackupStateProj::NotReady { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    let request = request.take().expect("polled after completion");
                    let response = service.call(request);
                    state.set(BackupState::Called { response });
                }
                BackupStateProj::Called { response } => return response.poll(cx),
            }
        }
    }
}

impl<S, Req, F> fmt::Debug for BackupFuture<S, Req, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            BackupState::NotReady { .. } => "NotReady",
            BackupState::Called { .. } => "Called",
        };
        f.debug_struct("BackupFuture").field("state", &format_args!("{state}")).finish()
    }
}
