//! Recovery through background health checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tower_breaker::{Backoff, BreakerHandle, Cause, Probe, Settings, State, Trip};

const COOLDOWN: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(35);

fn breaker(probe: Probe) -> BreakerHandle {
    let cooldown = Backoff::exponential(COOLDOWN, COOLDOWN * 4).jitter(0.0);
    let trip = Trip::none().consecutive(1);
    let settings = Settings::builder().trip(trip).cooldown(cooldown).probe(probe);
    BreakerHandle::new("health check", settings.build().expect("valid"))
}

/// Starts a health check that fails the first `failures` times. Returns its number of calls and its task.
fn spawn_health_check(handle: &BreakerHandle, failures: u32) -> (Arc<AtomicU32>, JoinHandle<()>) {
    let calls = Arc::new(AtomicU32::new(0));
    let (handle, counted) = (handle.clone(), Arc::clone(&calls));
    let task = tokio::spawn(async move {
        let check = || {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            async move { if call < failures { Err(()) } else { Ok(()) } }
        };
        match handle.health_check(check).await {}
    });
    (calls, task)
}

async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_health_check_closes_the_circuit_and_no_caller_probes() {
    let handle = breaker(Probe::successes(1));
    let (calls, _task) = spawn_health_check(&handle, 1);
    settle().await;
    handle.try_acquire().unwrap().failure();
    tokio::time::advance(COOLDOWN - Duration::from_millis(1)).await;
    settle().await;
    assert_eq!(calls.load(Ordering::Relaxed), 0, "the circuit is still open");
    // A failed health check starts the next cooldown.
    tokio::time::advance(Duration::from_millis(1)).await;
    settle().await;
    assert_eq!((calls.load(Ordering::Relaxed), handle.state()), (1, State::Open));
    assert_eq!(handle.snapshot().attempt, 1);
    tokio::time::advance(COOLDOWN * 2).await;
    settle().await;
    assert_eq!((calls.load(Ordering::Relaxed), handle.state()), (2, State::Closed));
    handle.try_acquire().unwrap().success();
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_rejected_in_half_open_while_a_health_check_is_registered() {
    let handle = breaker(Probe::successes(1));
    let never = || std::future::pending::<Result<(), ()>>();
    let mut checking = tokio_test::task::spawn(handle.health_check(never));
    assert!(checking.poll().is_pending());
    handle.try_acquire().unwrap().failure();
    // The health check is due and has not been called yet.
    assert!(checking.poll().is_pending());
    tokio::time::advance(COOLDOWN).await;
    let open = handle.try_acquire().unwrap_err();
    assert!(!handle.would_admit());
    assert_eq!((open.state(), open.retry_after()), (State::Open, Some(COOLDOWN)));
    // The health check is in flight.
    assert!(checking.is_woken());
    assert!(checking.poll().is_pending());
    assert_eq!((handle.state(), handle.snapshot().probes), (State::HalfOpen, 1));
    assert_eq!(handle.try_acquire().unwrap_err().state(), State::HalfOpen);
    // Dropping the health check returns its lease, and callers probe again.
    drop(checking);
    assert_eq!(handle.snapshot().probes, 0);
    handle.try_acquire().unwrap().success();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_hangs_fails_with_its_lease_and_runs_again() {
    let handle = breaker(Probe::successes(1).lease(LEASE));
    let calls = Arc::new(AtomicU32::new(0));
    let (checking, counted) = (handle.clone(), Arc::clone(&calls));
    let check = move || {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                std::future::pending::<()>().await;
            }
            Ok::<_, ()>(())
        }
    };
    tokio::spawn(async move { checking.health_check(check).await });
    settle().await;
    let mut events = handle.events();
    handle.try_acquire().unwrap().failure();
    let mut seen = Vec::new();
    while seen.last() != Some(&Cause::Recovered) {
        seen.push(events.recv().await.unwrap().cause);
    }
    let half_open = Cause::CooldownElapsed;
    let failed = Cause::LeaseExpired;
    let tripped = Cause::ConsecutiveFailures;
    assert_eq!(seen, [tripped, half_open, failed, half_open, Cause::Recovered]);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_runs_until_enough_have_succeeded() {
    let handle = breaker(Probe::successes(3));
    let (calls, _task) = spawn_health_check(&handle, 0);
    settle().await;
    handle.try_acquire().unwrap().failure();
    tokio::time::advance(COOLDOWN).await;
    settle().await;
    assert_eq!((calls.load(Ordering::Relaxed), handle.state()), (3, State::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_panics_fails_and_leaves_probing_to_the_callers() {
    let handle = breaker(Probe::successes(1));
    let checking = handle.clone();
    let check = || async { if true { panic!("health check") } else { Ok::<_, ()>(()) } };
    let task = tokio::spawn(async move { match checking.health_check(check).await {} });
    settle().await;
    handle.try_acquire().unwrap().failure();
    tokio::time::advance(COOLDOWN).await;
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Open, 2));
    tokio::time::advance(COOLDOWN * 2).await;
    handle.try_acquire().unwrap().success();
    assert_eq!(handle.state(), State::Closed);
}
