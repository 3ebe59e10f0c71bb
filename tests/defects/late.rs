//! Results and times of another period.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tower_breaker::{Cooldown, Permit, State};

use crate::Done;
use crate::support::*;

/// BR03, BR04: a result half-opened the circuit by being recorded, and a late failure made the next cooldown longer
/// although no probe had been sent.
#[tokio::test(start_paused = true)]
async fn a_late_result_after_the_cooldown_half_opens_nothing_and_makes_no_cooldown_longer() {
    let ends: [fn(Permit); 4] = [Permit::success, Permit::failure, Permit::ignore, drop];
    for end in ends {
        let cooldown = Cooldown::exponential(S(10), S(1_000)).jitter(0.0);
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

/// M16: the new state was shown before its time, so that whoever looked in between saw the end of the outage before,
/// and half-opened at once.
#[tokio::test(start_paused = true)]
async fn a_second_opening_is_never_seen_with_the_end_of_the_first() {
    let handle = breaker(plain());
    let runtime = tokio::runtime::Handle::current();
    for _ in 0..500 {
        probe(&handle).await.success();
        pass(COOLDOWN).await;
        let done = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let _clock = runtime.enter();
                    while done.load(SeqCst) == 0
                        && let Ok(permit) = handle.try_acquire()
                    {
                        assert!(!permit.is_probe());
                        permit.ignore();
                    }
                });
            }
            let _done = Done(&done);
            let _clock = runtime.enter();
            trip(&handle);
        });
        assert_eq!((handle.state(), handle.snapshot().probes), (State::Open, 0));
        pass(COOLDOWN).await;
        admit(&handle).success();
    }
}
