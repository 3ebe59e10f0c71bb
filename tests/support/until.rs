//! Waiting for a breaker in tests with real sockets, which cannot use virtual time.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tower_breaker::{BreakerHandle, Snapshot};

/// A limit that a test reaches only if it hangs.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Waits until a snapshot of the breaker satisfies `condition`, and returns that snapshot.
///
/// # Panics
///
/// Panics after [`LONG`].
pub(crate) async fn until(
    handle: &BreakerHandle,
    condition: impl Fn(&Snapshot) -> bool,
) -> Snapshot {
    let satisfied = async {
        loop {
            let snapshot = handle.snapshot();
            if condition(&snapshot) {
                return snapshot;
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    match timeout(LONG, satisfied).await {
        Ok(snapshot) => snapshot,
        Err(_) => panic!("the condition does not hold after {LONG:?}: {:?}", handle.snapshot()),
    }
}
