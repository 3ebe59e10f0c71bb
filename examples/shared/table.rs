//! A table of calls with what was claimed of each.

use std::time::Instant;

use tower_breaker::{BreakerHandle, CircuitOpen, State, handle::Events};

/// What is shown of a rejection.
pub(crate) fn rejected(open: &CircuitOpen) -> String {
    match open.retry_after() {
        Some(wait) => format!("rejected, retry in {:.1} s", wait.as_secs_f32()),
        None => "rejected".to_owned(),
    }
}

/// Prints every call and every change of state, and keeps what did not come as claimed.
pub(crate) struct Table {
    handle: BreakerHandle,
    events: Events,
    start: Instant,
    /// Every claim that does not hold.
    pub(crate) broken: Vec<String>,
}

impl Table {
    pub(crate) fn new(handle: &BreakerHandle) -> Self {
        println!("   time  {:<36}{:<36}circuit", "the call", "its caller gets");
        let (handle, events) = (handle.clone(), handle.events());
        Self { handle, events, start: Instant::now(), broken: Vec::new() }
    }

    /// A call, what came of it, and what was to come: the beginning of `got`, and the state that follows.
    pub(crate) fn call(&mut self, what: &str, got: &str, claimed: &str, state: State) {
        let time = self.start.elapsed().as_secs_f32();
        println!("{time:6.2}s  {what:<36}{got:<36}{}", self.handle.state());
        while let Some(Ok(event)) = self.events.try_recv() {
            println!("         {} → {}: {}", event.from, event.to, event.cause);
        }
        self.claim(got.starts_with(claimed), || format!("{what}: {claimed}, not {got}"));
        let seen = self.handle.state();
        self.claim(seen == state, || format!("{what}: then it is {state}, not {seen}"));
    }

    pub(crate) fn claim(&mut self, holds: bool, claim: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(claim());
        }
    }

    /// Waits until the next call is a probe, if the circuit is open.
    pub(crate) async fn cooldown(&self) {
        let mut watch = self.handle.watch();
        while watch.state() == State::Open {
            watch.changed().await;
        }
    }
}
