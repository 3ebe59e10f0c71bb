//! A tokio runtime for the run on two workers, and for peers that create a timer while they are polled.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, EnterGuard, Runtime};

use crate::case::Task;

const WORKERS: usize = 2;
const TASKS: u64 = 64;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(WORKERS).enable_time().build().expect("two threads can be started")
});

/// Enters the context of the runtime on this thread.
pub fn enter() -> EnterGuard<'static> {
    RUNTIME.enter()
}

/// Returns the nanoseconds of a worker per call. Each task makes `calls` calls.
pub fn per_call(task: &Task, calls: u64) -> f64 {
    let took = both_workers(task, calls);
    took.as_nanos() as f64 * WORKERS as f64 / (calls * TASKS) as f64
}

/// Returns the time that all tasks take to make `calls` calls each.
pub fn both_workers(task: &Task, calls: u64) -> Duration {
    RUNTIME.block_on(async {
        let start = Instant::now();
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(task(calls))).collect();
        for task in tasks {
            task.await.expect("no call panics");
        }
        start.elapsed()
    })
}
