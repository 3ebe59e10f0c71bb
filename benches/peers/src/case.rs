//! One thing to measure, and how to see that it is what is measured.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;

use tower_breaker_benches::drive::{Load, drive};
use tower_service::Service;

use crate::outcome::Outcome;
use crate::runtime;

/// Makes a task of its own that makes so many calls.
pub type Task = Box<dyn Fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

/// One thing to measure.
pub struct Case {
    /// The calls.
    pub load: Load,
    /// The same calls from tasks.
    pub task: Task,
    /// Whether two threads do the same as one.
    pub two_threads: bool,
    right: Look,
    end: Look,
}

type Look = Box<dyn FnMut() -> Result<(), String>>;

impl Case {
    /// Calls of `service`, of which each has to end as `expected`. `waits`: a call may have to wait for another
    /// thread that is in the breaker.
    pub fn new<S, Req>(
        service: S,
        waits: bool,
        request: fn() -> Req,
        seen: fn(&Result<S::Response, S::Error>) -> Outcome,
        expected: Outcome,
    ) -> Self
    where
        S: Service<Req, Future: Send> + Clone + Send + 'static,
        Req: Send + 'static,
    {
        let mut looked_at = service.clone();
        let right = move || {
            let _inside = runtime::enter();
            match seen(&drive(&mut looked_at, request())) {
                outcome if outcome == expected => Ok(()),
                outcome => Err(format!("a call was {outcome:?}, not {expected:?}")),
            }
        };
        let load = if waits { Load::waiting } else { Load::new };
        Self {
            load: load(service.clone(), request).within(runtime::enter),
            task: Box::new(move |calls| Box::pin(calls_of(service.clone(), request, calls))),
            two_threads: true,
            right: Box::new(right),
            end: Box::new(|| Ok(())),
        }
    }

    /// Calls that two threads cannot make at once, with their own way to see that all is right. `load` is not
    /// measured on a runtime.
    pub fn alone(load: Load, right: impl FnMut() -> Result<(), String> + 'static) -> Self {
        Self {
            load: load.within(runtime::enter),
            task: Box::new(|_| Box::pin(std::future::ready(()))),
            two_threads: false,
            right: Box::new(right),
            end: Box::new(|| Ok(())),
        }
    }

    /// The same, and `kept` lives as long.
    pub fn keeping<T: 'static>(mut self, kept: T) -> Self {
        let mut right = self.right;
        self.right = Box::new(move || {
            let _ = &kept;
            right()
        });
        self
    }

    /// The same, with a last look that changes the state.
    pub fn ending(self, end: impl FnMut() -> Result<(), String> + 'static) -> Self {
        Self { end: Box::new(end), ..self }
    }

    /// Whether the calls still are what they are said to be.
    ///
    /// # Errors
    ///
    /// What they are instead.
    pub fn right(&mut self) -> Result<(), String> {
        (self.right)()
    }

    /// The same, once and for all.
    ///
    /// # Errors
    ///
    /// What they were instead.
    pub fn end(mut self) -> Result<(), String> {
        self.right()?;
        (self.end)()
    }
}

async fn calls_of<S, Req>(mut service: S, request: fn() -> Req, calls: u64)
where
    S: Service<Req>,
{
    for _ in 0..calls {
        let ready = poll_fn(|cx| service.poll_ready(cx).map(|ready| ready.is_ok())).await;
        assert!(ready, "the service is broken");
        black_box(&service.call(request()).await);
    }
}
