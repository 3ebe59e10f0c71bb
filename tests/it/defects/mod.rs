//! Defects of other circuit breakers. `TABLE.md` names, for each defect, the tests that show that it does not occur
//! here. This folder holds the tests that belong to no other module.

mod callbacks;
mod calls;
mod half_open;
mod late;
mod memory;
mod readiness;
mod table;
mod windows;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Returns whether no other test runs in this process. If one may, runs the named test in a new process.
#[cfg(any(target_os = "linux", feature = "tracing"))]
fn is_alone(test: &str) -> bool {
    const ALONE: &str = "TOWER_BREAKER_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let this = std::env::current_exe().expect("a test binary");
    let alone = std::process::Command::new(this)
        .args([&*format!("defects::{test}"), "--exact"])
        .env(ALONE, "1")
        .output();
    let alone = alone.expect("the test binary starts");
    let output = String::from_utf8_lossy(&alone.stdout);
    assert!(alone.status.success() && output.contains("1 passed"), "{output}");
    false
}

/// Adds one when it is dropped, also by a panic, so that no thread waits forever for one that failed.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}
