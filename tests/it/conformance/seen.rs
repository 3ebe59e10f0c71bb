//! One breaker as somebody sees it who listens to it and waits on it.

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
    /// What somebody who waits on the handle was told last.
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

    /// What the next call meets; whoever waits on the handle was told the same, although nothing called.
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

    /// The figures that theirs still show while open: those that the transition carries.
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
