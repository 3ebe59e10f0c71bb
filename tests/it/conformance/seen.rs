//! One breaker, seen through its events and a waiter.

use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use tower_breaker::{
    BreakerHandle, Mode, State, Transition,
    handle::{Events, WindowSnapshot},
};

/// One breaker, its recorded transitions and its waiter.
pub(crate) struct Breaker {
    pub(crate) handle: BreakerHandle,
    events: Events,
    transitions: Vec<Transition>,
    /// The last state that the waiter saw, and the task of the waiter.
    waiter: Option<(Arc<Mutex<State>>, JoinHandle<()>)>,
}

impl Breaker {
    pub(crate) fn new(handle: BreakerHandle, eager: bool) -> Self {
        let waiter = eager.then(|| {
            let waiter = Arc::new(Mutex::new(handle.state()));
            let (mut watch, write) = (handle.watch(), Arc::clone(&waiter));
            let task = tokio::spawn(async move {
                loop {
                    let state = watch.changed().await;
                    *write.lock().expect("not poisoned") = state;
                }
            });
            (waiter, task)
        });
        let events = handle.events();
        Self { handle, events, transitions: Vec::new(), waiter }
    }

    pub(crate) fn listen(&mut self) {
        while let Some(transition) = self.events.try_recv() {
            self.transitions.push(transition.expect("read in time"));
        }
    }

    /// Returns the current state. If `waited`, checks that the waiter saw the same state without a call.
    pub(crate) fn state(&self, waited: bool) -> String {
        let state = self.handle.state();
        if let (Some((waiter, _)), true) = (&self.waiter, waited) {
            assert_eq!(
                *waiter.lock().expect("not poisoned"),
                state,
                "the state that the waiter saw"
            );
        }
        match self.handle.mode() {
            Mode::Shadow => "metrics_only".into(),
            _ => state.as_str().into(),
        }
    }

    /// Returns the window. While open, theirs still shows the window of the trip, which our transition carries.
    pub(crate) fn window(&self) -> WindowSnapshot {
        match self.transitions.last() {
            Some(last) if last.to == State::Open => last.window,
            _ => self.handle.snapshot().window,
        }
    }

    pub(crate) fn count(&self, mode: Mode, to: impl Fn(State) -> bool) -> String {
        let counted = self.transitions.iter().filter(|done| done.mode == mode && to(done.to));
        counted.count().to_string()
    }
}

impl Drop for Breaker {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.waiter {
            task.abort();
        }
    }
}
