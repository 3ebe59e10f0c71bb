//! Waits for what a breaker shows, in tests that have real sockets and so no time of their own.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tower_breaker::{BreakerHandle, Snapshot};

/// No test waits so long, but on a machine that stands still.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Waits until the breaker shows it.
pub(crate) async fn until(handle: &BreakerHandle, what: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let shown = async {
        loop {
            let snapshot = handle.snapshot();
            if what(&snapshot) {
                return snapshot;
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    match timeout(LONG, shown).await {
        Ok(snapshot) => snapshot,
        Err(_) => panic!("not so in {LONG:?}: {:?}", handle.snapshot()),
    }
}
