//! A scripted inner service that checks the tower contract, and functions for calls through a breaker around it.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tower::{Layer, Service, ServiceExt};
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreaker, CircuitBreakerLayer, Config, Settings, State, Trip,
};

/// The behaviour of `poll_ready` of a [`Strict`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Readiness {
    #[default]
    Ready,
    Pending,
    Fails,
    Panics,
}

/// The behaviour of a call to a [`Strict`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Reply {
    #[default]
    Ok,
    Fails,
    /// Pends until [`Script::finish`].
    Hangs,
    PanicsInCall,
    PanicsInPoll,
}

/// The error of a [`Strict`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down")
    }
}

impl Error for Down {}

pub(crate) type Answer = Result<&'static str, Down>;

/// A service that panics if it is called before it is ready. A clone is not ready.
#[derive(Debug)]
pub(crate) struct Strict {
    ready: bool,
    script: Script,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false, script: self.script.clone() }
    }
}

/// The script of a [`Strict`] and all of its clones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    readiness: Readiness,
    reply: Reply,
    polls: usize,
    calls: usize,
    wakers: Vec<Waker>,
    hanging: VecDeque<oneshot::Sender<Answer>>,
}

impl Script {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap()
    }

    /// Sets the readiness, and wakes the tasks that wait for it.
    pub(crate) fn readiness(&self, readiness: Readiness) {
        let wakers = {
            let mut lines = self.lines();
            lines.readiness = readiness;
            std::mem::take(&mut lines.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Sets the reply to later calls.
    pub(crate) fn reply(&self, reply: Reply) {
        self.lines().reply = reply;
    }

    /// Ends the oldest hanging call whose future is alive.
    pub(crate) fn finish(&self, answer: Answer) {
        let call = {
            let hanging = &mut self.lines().hanging;
            hanging.retain(|call| !call.is_closed());
            hanging.pop_front().expect("a call hangs")
        };
        call.send(answer).expect("its future is alive");
    }

    /// The number of calls of `poll_ready`.
    pub(crate) fn polls(&self) -> usize {
        self.lines().polls
    }

    /// The number of calls.
    pub(crate) fn calls(&self) -> usize {
        self.lines().calls
    }
}

impl Service<()> for Strict {
    type Response = &'static str;
    type Error = Down;
    type Future = BoxFuture<'static, Answer>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Down>> {
        self.ready = false;
        let readiness = {
            let mut lines = self.script.lines();
            lines.polls += 1;
            if let Readiness::Pending = lines.readiness {
                lines.wakers.push(cx.waker().clone());
            }
            lines.readiness
        };
        match readiness {
            Readiness::Ready => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
            Readiness::Pending => Poll::Pending,
            Readiness::Fails => Poll::Ready(Err(Down)),
            Readiness::Panics => panic!("readiness"),
        }
    }

    fn call(&mut self, (): ()) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "the inner service was called unready");
        let reply = {
            let mut lines = self.script.lines();
            lines.calls += 1;
            lines.reply
        };
        match reply {
            Reply::Ok => Box::pin(async { Ok("ok") }),
            Reply::Fails => Box::pin(async { Err(Down) }),
            Reply::PanicsInCall => panic!("call"),
            Reply::PanicsInPoll => Box::pin(async { panic!("poll") }),
            Reply::Hangs => {
                let (call, answer) = oneshot::channel();
                self.script.lines().hanging.push_back(call);
                Box::pin(async { answer.await.expect("the script is alive") })
            }
        }
    }
}

/// The cooldown of [`opening_after`].
pub(crate) const COOLDOWN: Duration = Duration::from_secs(5);

/// Settings that open the circuit after two failures in a row, for exactly [`COOLDOWN`].
pub(crate) fn settings() -> Settings {
    opening_after(2)
}

/// Settings that open the circuit after the given number of failures in a row, for exactly [`COOLDOWN`].
pub(crate) fn opening_after(failures: u32) -> Settings {
    let trip = Trip::none().consecutive(failures);
    Settings::builder().trip(trip).cooldown(Backoff::fixed(COOLDOWN)).build().unwrap()
}

/// `Config::default()` with [`settings`].
pub(crate) fn config() -> Config {
    Config::default().name("db").settings(settings())
}

/// A [`Strict`] behind a breaker.
pub(crate) fn guarded<C: Clone, R: Clone>(
    config: Config<C, R>,
) -> (CircuitBreaker<Strict, C, R>, Script, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(config);
    let script = Script::default();
    let strict = Strict { ready: false, script: script.clone() };
    (layer.layer(strict), script, layer.handle())
}

/// Makes one call, from readiness to its result.
pub(crate) async fn call<S: Service<()>>(service: &mut S) -> Result<S::Response, S::Error> {
    service.ready().await?.call(()).await
}

/// Opens the circuit of [`settings`] with two failed calls.
pub(crate) async fn trip<S: Service<()>>(service: &mut S, script: &Script, handle: &BreakerHandle) {
    script.reply(Reply::Fails);
    for _ in 0..2 {
        assert!(call(service).await.is_err());
    }
    script.reply(Reply::Ok);
    assert_eq!(handle.state(), State::Open);
}

/// Advances the clock by the cooldown, so that the next call is a probe.
pub(crate) async fn cool_down(handle: &BreakerHandle) {
    tokio::time::advance(COOLDOWN).await;
    assert_eq!(handle.state(), State::HalfOpen);
}

/// Polls for readiness once.
pub(crate) fn poll_ready<S: Service<()>>(
    task: &mut tokio_test::task::Spawn<()>,
    service: &mut S,
) -> Poll<Result<(), S::Error>> {
    task.enter(|cx, _| service.poll_ready(cx))
}

/// A task that polls for readiness.
pub(crate) fn task() -> tokio_test::task::Spawn<()> {
    tokio_test::task::spawn(())
}
