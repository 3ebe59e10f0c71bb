//! Defects of other circuit breakers. For each, `TABLE.md` names the test that shows that this crate does not have it. The
//! modules of this folder contain the tests that belong to no other subject.

mod callbacks;
mod calls;
mod half_open;
mod late;
mod memory;
mod readiness;
mod table;
mod windows;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Returns `true` if no other test runs in this process. Otherwise runs the test of that name in a process of its own.
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
    let alone = alone.expect("it starts");
    let said = String::from_utf8_lossy(&alone.stdout);
    assert!(alone.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// Counts its drop. A thread that panics counts as well, so that no test waits for it forever.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}
