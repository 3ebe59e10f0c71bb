//! One breaker with a receiver of its transitions and a task that waits for its changes.

use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use tower_breaker::{
    BreakerHandle, Mode, State, Transition,
    handle::{Events, WindowSnapshot},
};

/// One breaker with its listeners.
pub(crate) struct Breaker {
    pub(crate) handle: BreakerHandle,
    events: Events,
    transitions: Vec<Transition>,
    /// The last state of which the waiter was notified.
    told: Option<(Arc<Mutex<State>>, JoinHandle<()>)>,
}

impl Breaker {
    pub(crate) fn new(handle: BreakerHandle, eager: bool) -> Self {
        let told = eager.then(|| {
            let told = Arc::new(Mutex::new(handle.state()));
            let (mut watch, write) = (handle.watch(), Arc::clone(&told));
            let task = tokio::spawn(async move {
                loop {
                    let state = watch.changed().await;
                    *write.lock().expect("not poisoned") = state;
                }
            });
            (told, task)
        });
        let events = handle.events();
        Self { handle, events, transitions: Vec::new(), told }
    }

    pub(crate) fn listen(&mut self) {
        while let Some(transition) = self.events.try_recv() {
            self.transitions.push(transition.expect("read in time"));
        }
    }

    /// The state that the next call meets. Asserts that the waiter was notified of the same state without a call.
    pub(crate) fn state(&self, waited: bool) -> String {
        let state = self.handle.state();
        if let (Some((told, _)), true) = (&self.told, waited) {
            assert_eq!(*told.lock().expect("not poisoned"), state, "told to whoever waits");
        }
        match self.handle.mode() {
            Mode::Shadow => "metrics_only".into(),
            _ => state.as_str().into(),
        }
    }

    /// The figures that theirs shows while open. Ours are those in the transition.
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
        if let Some((_, task)) = &self.told {
            task.abort();
        }
    }
}
