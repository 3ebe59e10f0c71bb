//! Results and deadlines of an earlier period.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::Stream;
use tower_breaker::{Backoff, BreakerHandle, Permit, State};

use crate::support::breakers::*;

/// BR03, BR04: recording a result half-opened the circuit, and a late failure lengthened the next cooldown although no
/// probe had been sent.
#[tokio::test(start_paused = true)]
async fn a_late_result_after_the_cooldown_half_opens_nothing_and_lengthens_no_cooldown() {
    let ends: [fn(Permit); 4] = [Permit::success, Permit::failure, Permit::ignore, drop];
    for end in ends {
        let cooldown = Backoff::exponential(S(10), S(1_000)).jitter(0.0);
        let handle = breaker(plain().cooldown(cooldown));
        let mut events = handle.events();
        let calls = [admit(&handle), admit(&handle)];
        fail(&handle, 3);
        assert_eq!(drain(&mut events).len(), 1);
        let [early, late] = calls;
        end(early);
        pass(S(10)).await;
        end(late);
        assert_eq!(drain(&mut events), []);
        let seen = handle.snapshot();
        assert_eq!((seen.state, seen.attempt, seen.probes), (State::HalfOpen, 0, 0));
        admit(&handle).failure();
        assert_eq!(open_for(&handle), S(20), "the first failed probe, not the third failure");
    }
}

/// A waker that makes a call, and records the wait of its rejection.
struct Calls(BreakerHandle, Mutex<Vec<Option<Duration>>>);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        let rejection = self.0.try_acquire().expect_err("the circuit is open");
        self.1.lock().unwrap().push(rejection.retry_after());
    }
}

/// M16: the new state was published before its deadline, so a caller in between saw the deadline of the previous
/// outage and half-opened the circuit at once.
#[tokio::test(start_paused = true)]
async fn a_second_opening_is_never_seen_with_the_end_of_the_first() {
    let handle = breaker(plain());
    probe(&handle).await.success();
    pass(COOLDOWN * 5).await;
    let calls = Arc::new(Calls(handle.clone(), Mutex::default()));
    let waker = Waker::from(Arc::clone(&calls));
    let mut watch = pin!(handle.watch());
    assert!(watch.as_mut().poll_next(&mut Context::from_waker(&waker)).is_pending());
    trip(&handle);
    assert_eq!(*calls.1.lock().unwrap(), [Some(COOLDOWN)]);
    assert_eq!(handle.snapshot().probes, 0);
}
