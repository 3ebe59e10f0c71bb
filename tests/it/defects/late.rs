//! ErrorsAsFailures and times of another period.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::Stream;
use tower_breaker::{Backoff, BreakerHandle, Permit, State};

use crate::support::breakers::*;

/// BR03, BR04: a result half-opened the circuit by being recorded, and a late failure made the next cooldown longer
/// although no probe had been sent.
#[tokio::test(start_paused = true)]
async fn a_late_result_after_the_cooldown_half_opens_nothing_and_makes_no_cooldown_longer() {
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

/// Makes a call when it is woken, and keeps what that was told.
struct Calls(BreakerHandle, Mutex<Vec<Option<Duration>>>);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        let rejection = self.0.try_acquire().expect_err("nobody may go yet");
        self.1.lock().unwrap().push(rejection.retry_after());
    }
}

/// M16: the new state was told before its time was set, so that whoever looked in between saw the end of the outage
/// before, and half-opened at once.
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
