//! Half-open states that wedge, and half-open states that admit every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::{Barrier, Semaphore};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_breaker::{
    Cause, CircuitBreakerLayer, CircuitOpen, Config, Probe, Settings, State, Trip, Window,
};

use crate::support::breakers::*;

/// TR02: successes were counted in a window that forgets, but permits were not. With probes further apart than the
/// window, the circuit stayed half-open and rejected calls forever.
#[tokio::test(start_paused = true)]
async fn probes_further_apart_than_the_window_close_the_circuit() {
    for window in [Window::time(S(1)), Window::count(2)] {
        for probe_rule in [
            Probe::successes(3),
            Probe::successes(3).in_flight(3),
            Probe::sample(3, 0.3).in_flight(3),
        ] {
            let trip = Trip::none().failure_rate(0.5, 2);
            let handle = breaker(ruled(trip).window(window).probe(probe_rule));
            fail(&handle, 2);
            for _ in 0..3 {
                assert_ne!(handle.state(), State::Closed, "{probe_rule:?}");
                pass(S(600)).await;
                admit(&handle).success();
            }
            assert_eq!(handle.snapshot().cause, Cause::Recovered, "{probe_rule:?}");
        }
    }
}

/// FS01, RC01, CB03, TC02, LL01: all of a thousand waiting callers were admitted while half-open. CR01, NL01: the given
/// number was admitted once, and then no caller ever again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_tasks_that_call_at_once_only_the_probes_reach_the_inner() {
    for probes in [1, 5] {
        let rule = Probe::successes(1).in_flight(probes).lease(S(3_600));
        let settings = Settings::builder().probe(rule).build().unwrap();
        let layer = CircuitBreakerLayer::new(Config::default().settings(settings));
        let handle = layer.handle();
        let (hits, responses) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let service = {
            let (hits, responses) = (Arc::clone(&hits), Arc::clone(&responses));
            layer.layer(service_fn(move |()| {
                hits.fetch_add(1, SeqCst);
                let responses = Arc::clone(&responses);
                async move { responses.acquire().await.map(drop) }
            }))
        };
        handle.hold_for(Duration::ZERO);
        let start = Arc::new(Barrier::new(1_000));
        let callers: Vec<_> = (0..1_000)
            .map(|_| {
                let (mut service, start) = (service.clone(), Arc::clone(&start));
                tokio::spawn(async move {
                    let ready = service.ready().await?;
                    start.wait().await;
                    ready.call(()).await
                })
            })
            .collect();
        let all_decided = async {
            while handle.snapshot().totals.rejected as usize + hits.load(SeqCst) < 1_000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(S(60), all_decided)
            .await
            .expect("no call waits for the result of a probe");
        assert_eq!(hits.load(SeqCst), probes as usize);
        responses.add_permits(1_000);
        let mut rejected = 0;
        for caller in callers {
            match caller.await.unwrap() {
                Ok(()) => {}
                Err(error) => rejected += u32::from(error.is::<CircuitOpen>()),
            }
        }
        assert_eq!((rejected, handle.state()), (1_000 - probes, State::Closed));
        assert_eq!(service.oneshot(()).await.ok(), Some(()));
    }
}

/// CR03: the budget was read and taken in two steps, so it went below zero, and 16 000 calls were admitted instead of
/// 5. M05: callers that lost the race into half-open were admitted, and the count began again.
#[tokio::test(start_paused = true)]
async fn probes_never_exceed_their_limit_while_they_come_and_go_and_no_lease_is_lost() {
    const PROBES: u32 = 5;
    let handle = breaker(plain().probe(Probe::successes(1).in_flight(PROBES)));
    handle.hold_for(Duration::ZERO);
    let runtime = tokio::runtime::Handle::current();
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let _clock = runtime.enter();
                for _ in 0..5_000 {
                    let probes: Vec<_> = (0..4)
                        .filter_map(|_| handle.try_acquire().ok())
                        .inspect(|_| {
                            most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                        })
                        .collect();
                    running.fetch_sub(probes.len(), SeqCst);
                    // The probes are cancelled, and half-open continues.
                    drop(probes);
                }
            });
        }
    });
    assert!(most.into_inner() <= PROBES as usize);
    assert_eq!((handle.state(), handle.snapshot().probes), (State::HalfOpen, 0));
    let _all: Vec<_> = (0..PROBES).map(|_| admit(&handle)).collect();
    assert!(handle.try_acquire().is_err());
}
