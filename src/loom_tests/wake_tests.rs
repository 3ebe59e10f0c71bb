//! Every waiter is woken. A task that returned `Pending`, and whose state has changed since, has been woken or has a
//! timer.

use super::*;
use crate::breaker::Waiter;
use crate::{Outcome, Probe, breaker::Watch};

/// Polls in one thread while another runs `change`. If the poll returned `Pending`, the task has been woken by the end,
/// and the next poll is ready.
fn woken_by<W: 'static, T: 'static>(
    handle: &BreakerHandle,
    mut waits: W,
    poll: fn(&mut W, &mut Context<'_>) -> Poll<T>,
    change: impl FnOnce(&BreakerHandle) + 'static,
) -> (T, W) {
    let task = Task::new();
    let polls = {
        let task = Arc::clone(&task);
        move || (task.poll(|cx| poll(&mut waits, cx)), waits)
    };
    let ((found, mut waits), ()) = both(polls, with(handle, change));
    match found {
        Poll::Ready(found) => (found, waits),
        Poll::Pending => {
            assert!(task.woken(), "not woken");
            match task.poll(|cx| poll(&mut waits, cx)) {
                Poll::Ready(found) => (found, waits),
                Poll::Pending => panic!("still pending"),
            }
        }
    }
}

fn changed(watch: &mut Watch, cx: &mut Context<'_>) -> Poll<State> {
    pin!(watch.changed()).poll(cx)
}

fn received(events: &mut Events, cx: &mut Context<'_>) -> Poll<Event> {
    pin!(events.recv()).poll(cx)
}

fn admits(waiter: &mut Waiter, cx: &mut Context<'_>) -> Poll<()> {
    waiter.poll_admits(cx)
}

fn waiter(handle: &BreakerHandle) -> Waiter {
    Waiter::new(handle.shared().breaker())
}

#[test]
fn a_watch_sees_a_trip() {
    model(|| {
        let handle = fragile();
        let permit = handle.try_acquire().expect("closed");
        let (state, _) = woken_by(&handle, handle.watch(), changed, |_| permit.failure());
        assert_eq!(state, State::Open);
    });
}

#[test]
fn a_watch_that_waits_again_sees_the_next_change() {
    model(|| {
        let handle = fragile();
        let mut watch = handle.watch();
        let task = Task::new();
        // It already has a slot with a waker. The change may take the waker while the watch registers again.
        assert!(task.poll(|cx| changed(&mut watch, cx)).is_pending());
        let polls = {
            let task = Arc::clone(&task);
            move || (task.poll(|cx| changed(&mut watch, cx)), watch)
        };
        let ((found, mut watch), ()) = both(polls, with(&handle, |handle| handle.hold_for(S)));
        if found.is_pending() {
            assert!(task.woken(), "not woken");
            assert!(task.poll(|cx| changed(&mut watch, cx)).is_ready());
        }
    });
}

#[test]
fn a_receiver_gets_a_transition() {
    model(|| {
        let handle = fragile();
        let permit = handle.try_acquire().expect("closed");
        let (event, _) = woken_by(&handle, handle.events(), received, |_| permit.failure());
        assert_eq!(event.expect("no lag").to, State::Open);
    });
}

#[test]
fn a_caller_that_waits_for_a_closed_circuit_is_woken_when_it_closes() {
    type Verb = fn(&BreakerHandle);
    for verb in [BreakerHandle::reset, BreakerHandle::force_closed, BreakerHandle::shadow as Verb] {
        model(move || {
            let handle = fragile();
            handle.hold_for(9 * S);
            woken_by(&handle, waiter(&handle), admits, verb);
        });
    }
}

#[test]
fn a_caller_that_waits_for_a_lease_is_woken_when_the_probe_ends() {
    type End = fn(crate::Permit);
    for end in [drop, crate::Permit::ignore, crate::Permit::success as End] {
        model(move || {
            let handle = fragile();
            handle.hold_for(Duration::ZERO);
            let probe = handle.try_acquire().expect("a lease");
            woken_by(&handle, waiter(&handle), admits, move |_| end(probe));
        });
    }
}

#[test]
fn a_caller_that_waits_for_a_lease_is_woken_when_there_are_more() {
    model(|| {
        let handle = fragile();
        handle.hold_for(Duration::ZERO);
        let probe = handle.try_acquire().expect("a lease");
        let more = handle.settings().to_builder().probe(Probe::successes(1).in_flight(2));
        let more = more.build().expect("valid settings");
        woken_by(&handle, waiter(&handle), admits, |handle| handle.reconfigure(more));
        drop(probe);
    });
}

#[test]
fn a_caller_that_waits_out_a_cooldown_knows_the_new_end() {
    model(|| {
        let handle = fragile();
        handle.hold_for(2 * S);
        let task = Task::new();
        let polls = {
            let (task, mut waiter) = (Arc::clone(&task), waiter(&handle));
            move || {
                assert!(task.poll(|cx| admits(&mut waiter, cx)).is_pending());
                waiter
            }
        };
        let (mut waiter, ()) = both(polls, with(&handle, |handle| handle.hold_for(3 * S)));
        // It was woken, or it read the new end.
        if task.woken() {
            assert!(task.poll(|cx| admits(&mut waiter, cx)).is_pending());
        }
        clock::set(3_000);
        let due = handle.would_admit();
        assert!(due);
        assert!(task.poll(|cx| admits(&mut waiter, cx)).is_ready());
    });
}

#[test]
fn a_caller_that_waits_while_another_takes_the_lease_is_woken_when_the_lease_ends() {
    model(|| {
        let handle =
            handle(settings(Trip::none().consecutive(1)).probe(Probe::successes(1).lease(9 * S)));
        handle.hold_for(Duration::ZERO);
        let mut waits = waiter(&handle);
        let polls = move || {
            let task = Task::new();
            // It may have been woken to check again.
            while task.poll(|cx| admits(&mut waits, cx)).is_pending() {
                if !task.woken() {
                    clock::set(9_000);
                    return assert!(task.woken(), "its timer is not set");
                }
            }
        };
        let takes = with(&handle, |handle| handle.try_acquire().expect("a lease"));
        let ((), probe) = both(polls, takes);
        drop(probe);
    });
}

#[test]
fn a_watch_that_waits_for_a_cooldown_sees_the_probe_of_another_thread() {
    model(|| {
        let handle =
            handle(settings(Trip::none().consecutive(1)).probe(Probe::successes(1).lease(9 * S)));
        handle.hold_for(Duration::ZERO);
        let watch = handle.watch();
        // An open circuit that reads as half-open and the half-open period of the probe are different epochs.
        let (state, _) = woken_by(&handle, watch, changed, |handle| {
            std::mem::forget(handle.try_acquire().expect("a lease"));
        });
        assert_eq!(state, State::HalfOpen);
    });
}

#[test]
fn a_watch_of_a_half_open_circuit_is_woken_by_a_new_lease() {
    model(|| {
        let handle = fragile();
        handle.hold_for(Duration::ZERO);
        drop(handle.try_acquire().expect("a lease"));
        let mut watch = handle.watch();
        let task = Task::new();
        assert!(task.poll(|cx| changed(&mut watch, cx)).is_pending());
        let polls = {
            let task = Arc::clone(&task);
            move || (task.poll(|cx| changed(&mut watch, cx)).is_pending(), watch)
        };
        let takes = with(&handle, |handle| handle.try_acquire().expect("a lease"));
        let ((pending, _watch), probe) = both(polls, takes);
        assert!(pending);
        assert!(task.woken(), "its timer does not include the lease");
        drop(probe);
    });
}

#[test]
fn a_watch_that_saw_an_open_period_end_is_woken_when_a_late_wait_lengthens_it() {
    for asked in [Outcome::throttled(), Outcome::failure()] {
        model(move || {
            let handle = fragile();
            let permit = handle.try_acquire().expect("closed");
            handle.hold_for(Duration::ZERO);
            let asked = asked.retry_after(9 * S);
            let settles = move |_: &BreakerHandle| permit.settle(asked);
            let (state, _) = woken_by(&handle, handle.watch(), changed, settles);
            assert_eq!(state, State::Open);
        });
    }
}

#[test]
fn a_waiter_that_leaves_takes_no_wake_up_from_another() {
    model(|| {
        let handle = fragile();
        let (mut stays, mut leaves) = (handle.watch(), handle.watch());
        let (task, other) = (Task::new(), Task::new());
        assert!(other.poll(|cx| changed(&mut leaves, cx)).is_pending());
        let polls = {
            let task = Arc::clone(&task);
            move || (task.poll(|cx| changed(&mut stays, cx)), stays)
        };
        let change = with(&handle, |handle| handle.hold_for(S));
        let ((found, mut stays), (), ()) = three(polls, change, move || drop(leaves));
        if found.is_pending() {
            assert!(task.woken(), "not woken");
            assert!(task.poll(|cx| changed(&mut stays, cx)).is_ready());
        }
    });
}
