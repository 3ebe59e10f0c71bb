//! Memory that grows with every call or every transition.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tower::{Layer, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, Config, State, handle::Lagged};

use crate::support::breakers::*;

/// RC05, RC06: every transition and every dropped breaker leaked its state. M15: a classified result was lost if a
/// channel was full.
#[tokio::test(start_paused = true)]
async fn ten_thousand_transitions_leave_nothing_behind_and_a_slow_reader_learns_what_it_missed() {
    // The breaker and each stored transition hold a reference to the name.
    let name: Arc<str> = Arc::from("leak");
    // The rule holds a reference as long as the breaker lives.
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
    assert_eq!(Arc::strong_count(&name), bare + 256, "the transitions stored for a slow reader");
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
    assert_eq!(
        (Arc::strong_count(&rule), Arc::strong_count(&name)),
        (2, bare),
        "references of the handle"
    );
    drop(handle);
    assert_eq!((Arc::strong_count(&rule), Arc::strong_count(&name)), (1, 1));
}

/// The resident memory of the process, which includes leaks that no reference count shows.
#[cfg(target_os = "linux")]
mod resident {
    use tower_breaker::{Backoff, Trip, Window};

    use super::*;
    use crate::defects::is_alone;

    /// Returns the number of resident pages of 4 KiB.
    fn pages() -> usize {
        let held = std::fs::read_to_string("/proc/self/statm").unwrap();
        held.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Repeats `work` and checks that the memory of the process does not grow. Needs its own process, because other
    /// tests allocate.
    fn needs_no_memory(test: &str, times: usize, mut work: impl FnMut(usize)) {
        if !is_alone(&format!("memory::resident::{test}")) {
            return;
        }
        (0..times / 10).for_each(&mut work);
        let before = pages();
        (0..times).for_each(&mut work);
        let more = pages().saturating_sub(before);
        // 24 bytes for each repetition would be more than six times this limit.
        assert!(more < 256, "{more} pages more after {times} times");
    }

    /// RC05: each transition leaked 60 bytes. The reference counts above do not show leaked state that holds no
    /// reference.
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

    /// M11: a time window kept 24 bytes for each call in it, and read all of them at each call. A window that needs no
    /// memory for a call has no list of calls to read.
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
                    // A failure evaluates the rules.
                    _ => admit(handle).failure(),
                }
                assert_eq!(handle.state(), State::Closed);
            }
        });
    }
}
