//! A case, which is one row to measure, and the check that it is in the state that its name says.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;

use tower_breaker_benches::drive::{Load, drive};
use tower_service::Service;

use crate::outcome::Outcome;
use crate::runtime;

/// Creates a task that makes the given number of calls.
pub type Task = Box<dyn Fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

/// A case to measure.
pub struct Case {
    /// Makes the calls.
    pub load: Load,
    /// Makes the same calls from tasks.
    pub task: Task,
    /// Whether two threads can make the calls that one thread makes.
    pub two_threads: bool,
    check: Check,
    check_end: Check,
}

type Check = Box<dyn FnMut() -> Result<(), String>>;

impl Case {
    /// Creates a case of calls to `service`, each of which must end as `expected`. If `waits` is set, a call may wait
    /// for another thread that is in the breaker.
    pub fn new<S, Req>(
        service: S,
        waits: bool,
        request: fn() -> Req,
        outcome: fn(&Result<S::Response, S::Error>) -> Outcome,
        expected: Outcome,
    ) -> Self
    where
        S: Service<Req, Future: Send> + Clone + Send + 'static,
        Req: Send + 'static,
    {
        let mut checked = service.clone();
        let check = move || {
            let _guard = runtime::enter();
            match outcome(&drive(&mut checked, request())) {
                outcome if outcome == expected => Ok(()),
                outcome => Err(format!("the outcome of a call is {outcome:?}, not {expected:?}")),
            }
        };
        let load = if waits { Load::waiting } else { Load::new };
        Self {
            load: load(service.clone(), request).within(runtime::enter),
            task: Box::new(move |calls| Box::pin(calls_of(service.clone(), request, calls))),
            two_threads: true,
            check: Box::new(check),
            check_end: Box::new(|| Ok(())),
        }
    }

    /// Creates a case of calls that two threads cannot make simultaneously, with its own check. `load` is not measured
    /// on tokio's workers.
    pub fn alone(load: Load, check: impl FnMut() -> Result<(), String> + 'static) -> Self {
        Self {
            load: load.within(runtime::enter),
            task: Box::new(|_| Box::pin(std::future::ready(()))),
            two_threads: false,
            check: Box::new(check),
            check_end: Box::new(|| Ok(())),
        }
    }

    /// Keeps `kept` alive as long as the case.
    pub fn keeping<T: 'static>(mut self, kept: T) -> Self {
        let mut check = self.check;
        self.check = Box::new(move || {
            let _ = &kept;
            check()
        });
        self
    }

    /// Sets a check at the end, which may change the state.
    pub fn check_at_end(self, check: impl FnMut() -> Result<(), String> + 'static) -> Self {
        Self { check_end: Box::new(check), ..self }
    }

    /// Checks that the calls end as the name of the case says.
    ///
    /// # Errors
    ///
    /// Returns how they end instead.
    pub fn check(&mut self) -> Result<(), String> {
        (self.check)()
    }

    /// Checks the calls for the last time.
    ///
    /// # Errors
    ///
    /// Returns how they ended instead.
    pub fn finish(mut self) -> Result<(), String> {
        self.check()?;
        (self.check_end)()
    }
}

async fn calls_of<S, Req>(mut service: S, request: fn() -> Req, calls: u64)
where
    S: Service<Req>,
{
    for _ in 0..calls {
        let ready = poll_fn(|cx| service.poll_ready(cx).map(|ready| ready.is_ok())).await;
        assert!(ready, "the service failed to become ready");
        black_box(&service.call(request()).await);
    }
}
