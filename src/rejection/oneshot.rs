//! One call of a clone of a service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;
use tower_service::Service;

/// The future of one call of a service. It polls the service ready first.
///
/// `F` is the future of the service.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct Oneshot<S, Req, F> {
    #[pin]
    state: State<S, Req, F>,
}

#[pin_project(project = StateProj)]
enum State<S, Req, F> {
    /// Polls the service ready. `request` is taken when the service is called.
    NotReady { service: S, request: Option<Req> },
    /// Polls the response. The service is dropped, because it could reserve capacity that other calls need.
    Called {
        #[pin]
        response: F,
    },
}

impl<S, Req, F> Oneshot<S, Req, F> {
    pub(crate) const fn new(service: S, request: Req) -> Self {
        Self { state: State::NotReady { service, request: Some(request) } }
    }
}

impl<S, Req> Future for Oneshot<S, Req, S::Future>
where
    S: Service<Req>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let response = match state.as_mut().project() {
                StateProj::NotReady { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    service.call(request.take().expect("polled after completion"))
                }
                StateProj::Called { response } => return response.poll(cx),
            };
            state.set(State::Called { response });
        }
    }
}

impl<S, Req, F> fmt::Debug for Oneshot<S, Req, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::NotReady { .. } => "not ready",
            State::Called { .. } => "called",
        };
        f.debug_tuple("Oneshot").field(&state).finish()
    }
}
