//! What goes wrong in other circuit breakers, scenario by scenario: `TABLE.md` says which test shows that it does not
//! here, wherever that test is; the modules of this folder hold those that no other rule or contract asks for.

mod callbacks;
mod calls;
mod half_open;
mod late;
mod memory;
mod readiness;
mod table;
mod windows;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Whether this is a process in which no other test runs. If not, runs the test of that name in one.
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

/// Counts when it goes, by a panic, too: nobody waits for ever for a thread that failed.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}
