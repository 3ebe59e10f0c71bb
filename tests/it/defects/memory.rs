//! What grows with every call, and what stays behind after every change.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tower::{Layer, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, Config, State, handle::Lagged};

use crate::support::breakers::*;

/// RC05, RC06: every transition, and every breaker that went, left its state behind. M15: a verdict was lost
/// where nobody read.
#[tokio::test(start_paused = true)]
async fn ten_thousand_transitions_leave_nothing_behind_and_a_reader_that_sleeps_loses_no_verdict() {
    // Every transition holds a count of the name, and the breaker itself does.
    let name: Arc<str> = Arc::from("leak");
    // The rule lives as long as the breaker.
    let rule = Arc::new(());
    let layer = {
        let rule = Arc::clone(&rule);
        let config = Config::default().name(Arc::clone(&name)).settings(plain().build().unwrap());
        CircuitBreakerLayer::new(config.trip_when(move |_| Arc::strong_count(&rule) == 0))
    };
    let handle = layer.handle();
    let bare = Arc::strong_count(&name);
    let mut sleeps = handle.events();
    for _ in 0..2_500 {
        trip(&handle);
        pass(COOLDOWN).await;
        admit(&handle).success();
        assert_eq!(handle.state(), State::Closed);
        handle.force_closed();
    }
    assert_eq!(Arc::strong_count(&name), bare + 256, "what is kept for a reader that is slow");
    assert_eq!(sleeps.try_recv(), Some(Err(Lagged(10_000 - 256))));
    drop(sleeps);
    assert_eq!(Arc::strong_count(&name), bare);

    let service = layer.layer(service_fn(|()| ready(Ok::<_, std::fmt::Error>(()))));
    for _ in 0..100 {
        drop((service.clone(), handle.watch(), handle.events(), layer.clone()));
        drop(service.clone().oneshot(()));
        service.clone().oneshot(()).await.unwrap();
    }
    assert_eq!(Arc::strong_count(&name), bare);
    drop((service, layer));
    assert_eq!((Arc::strong_count(&rule), Arc::strong_count(&name)), (2, bare), "the handle's");
    drop(handle);
    assert_eq!((Arc::strong_count(&rule), Arc::strong_count(&name)), (1, 1));
}

/// What the process holds in memory, as the kernel sees it: what no count of references can see, too.
#[cfg(target_os = "linux")]
mod resident {
    use tower_breaker::{Backoff, Trip, Window};

    use super::*;
    use crate::defects::is_alone;

    /// 4 KiB each.
    fn pages() -> usize {
        let held = std::fs::read_to_string("/proc/self/statm").unwrap();
        held.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Repeats `work`, and sees that the memory of this process stays. Other tests need memory, too.
    fn needs_no_memory(test: &str, times: usize, mut work: impl FnMut(usize)) {
        if !is_alone(&format!("memory::resident::{test}")) {
            return;
        }
        (0..times / 10).for_each(&mut work);
        let before = pages();
        (0..times).for_each(&mut work);
        let more = pages().saturating_sub(before);
        // 24 bytes each would be more than six times as many.
        assert!(more < 256, "{more} pages more after {times} times");
    }

    /// RC05: 60 bytes for every transition. The reference counts above see no state that nobody counts.
    #[test]
    fn transitions_need_no_memory() {
        let settings = plain().cooldown(Backoff::fixed(Duration::from_nanos(1)));
        let handle = breaker(settings.stable_for(Duration::ZERO));
        let test = "transitions_need_no_memory";
        needs_no_memory(test, 100_000, |_| {
            fail(&handle, 3);
            while handle.state() != State::HalfOpen {}
            let probe = admit(&handle);
            assert!(probe.is_probe());
            probe.success();
        });
    }

    /// M11: a time window kept 24 bytes for every call in it, and read them all with each call. What needs no memory
    /// for a call has no list of calls to read.
    #[test]
    fn calls_in_one_window_need_no_memory() {
        let handles = [Window::time(S(3_600)), Window::count(100)].map(|window| {
            let trip = Trip::none().failure_rate(1.0, 20).slow(S(60), 1.0, 20);
            breaker(ruled(trip).window(window))
        });
        let test = "calls_in_one_window_need_no_memory";
        needs_no_memory(test, 300_000, |call| {
            for handle in &handles {
                match call % 2 {
                    0 => admit(handle).success(),
                    // Asks the rules.
                    _ => admit(handle).failure(),
                }
                assert_eq!(handle.state(), State::Closed);
            }
        });
    }
}
