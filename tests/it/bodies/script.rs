//! In-memory bodies that follow a script, and calls that return them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tower::{Layer, ServiceExt, service_fn};
use tower_breaker::classify::{Http, SettleAt};
use tower_breaker::{BreakerBody, BreakerHandle, CircuitBreakerLayer, Config, SettingsBuilder};

/// The result of one poll of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A frame of this many bytes, whose value differs between frames.
    Data(usize),
    Trailers,
    Breaks,
    Panics,
    /// Pending once, with an immediate wake-up.
    Waits,
    /// Pending for this many milliseconds.
    Sleeps(u64),
}

#[derive(Debug)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
    frames: u8,
    /// Whether the body reports its exact length and its end.
    exact: bool,
    sleep: Option<Pin<Box<Sleep>>>,
    taken: Arc<Taken>,
}

/// Counts what was taken from a body.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) bytes: AtomicUsize,
    pub(crate) frames: AtomicUsize,
}

impl Script {
    pub(crate) fn new(steps: &[Step]) -> Self {
        Self {
            steps: steps.to_vec().into(),
            frames: 0,
            exact: false,
            sleep: None,
            taken: Arc::default(),
        }
    }

    pub(crate) fn exact(steps: &[Step], exact: bool) -> Self {
        Self { exact, ..Self::new(steps) }
    }

    pub(crate) fn taken(&self) -> Arc<Taken> {
        Arc::clone(&self.taken)
    }

    pub(crate) fn left(&self) -> usize {
        self.steps.len()
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
        }
        let Some(step) = self.steps.pop_front() else { return Poll::Ready(None) };
        Poll::Ready(Some(match step {
            Step::Data(length) => {
                self.taken.bytes.fetch_add(length, Ordering::Relaxed);
                self.taken.frames.fetch_add(1, Ordering::Relaxed);
                self.frames = self.frames.wrapping_add(1);
                Ok(Frame::data(vec![self.frames; length].into()))
            }
            Step::Trailers => {
                let mut trailers = HeaderMap::new();
                trailers.insert("x-left", self.steps.len().into());
                Ok(Frame::trailers(trailers))
            }
            Step::Breaks => Err("broken as ordered"),
            Step::Panics => resume_unwind(Box::new("the body's")),
            Step::Waits => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Step::Sleeps(ms) => {
                self.sleep = Some(Box::pin(sleep(Duration::from_millis(ms))));
                return self.poll_frame(cx);
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.exact && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self.steps.iter().map(|step| match step {
            Step::Data(length) => *length as u64,
            _ => 0,
        });
        let bytes = bytes.sum();
        let mut hint = SizeHint::new();
        hint.set_lower(bytes);
        if self.exact {
            hint.set_upper(bytes);
        }
        hint
    }
}

/// The result of a poll, in a form that can be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Pending,
    Data(Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
    End,
    Panic,
}

/// Polls once and catches a panic, so that the body can be polled again.
pub(crate) fn poll<B>(body: &mut B, cx: &mut Context<'_>) -> Seen
where
    B: Body<Data = Bytes, Error = &'static str> + Unpin,
{
    let polled = std::panic::AssertUnwindSafe(|| Pin::new(body).poll_frame(cx));
    match std::panic::catch_unwind(polled) {
        Err(_) => Seen::Panic,
        Ok(Poll::Pending) => Seen::Pending,
        Ok(Poll::Ready(None)) => Seen::End,
        Ok(Poll::Ready(Some(Err(error)))) => Seen::Error(error),
        Ok(Poll::Ready(Some(Ok(frame)))) => match frame.into_data() {
            Ok(data) => Seen::Data(data),
            Err(frame) => Seen::Trailers(frame.into_trailers().expect("a known frame")),
        },
    }
}

/// A breaker for in-memory calls.
pub(crate) fn breaker(settings: SettingsBuilder, at: SettleAt) -> CircuitBreakerLayer<Http> {
    let config = Config::http_client().settings(settings.build().unwrap());
    CircuitBreakerLayer::new(config.classify(Http::client().settle_at(at)))
}

/// Makes one call through a breaker to a service that responds immediately.
pub(crate) fn answered(
    layer: &CircuitBreakerLayer<Http>,
    body: Script,
) -> (BreakerBody<Script>, BreakerHandle) {
    let mut body = Some(body);
    let answers = service_fn(move |_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(body.take().expect("one call"))))
    });
    let response = layer.layer(answers).oneshot(Request::new(()));
    (
        response.now_or_never().expect("an immediate response").expect("admitted").into_body(),
        layer.handle(),
    )
}
