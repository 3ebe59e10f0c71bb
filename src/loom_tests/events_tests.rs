//! Receivers and observers get every transition, in the order of the epochs.

use super::*;
use crate::event::{Log, Observer, Observers};
use crate::sync::Mutex;
use crate::{Cause, Mode, machine::WindowSnapshot};

#[test]
fn receivers_get_the_transitions_of_two_threads_in_the_order_of_their_epochs() {
    model(|| {
        let handle = fragile();
        let mut events = handle.events();
        let reads = {
            let mut other = handle.events();
            move || {
                let mut last = None;
                while let Some(event) = other.try_recv() {
                    let epoch = event.expect("no lag").epoch;
                    assert!(last.is_none_or(|last| epoch == last + 1), "{epoch} after {last:?}");
                    last = Some(epoch);
                }
            }
        };
        let permit = handle.try_acquire().expect("closed");
        let operator = with(&handle, |handle| {
            handle.force_open(None);
            handle.release();
        });
        three(|| permit.failure(), operator, reads);
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        assert!((2..=3).contains(&transitions.len()), "{transitions:?}");
    });
}

#[test]
fn a_receiver_that_joins_gets_all_later_transitions_and_one_that_leaves_removes_none() {
    model(|| {
        let handle = fragile();
        let first = handle.events();
        let joins = with(&handle, |handle| {
            let mut events = handle.events();
            let before = events.try_recv().is_some();
            (events, before)
        });
        let ((mut events, before), (), ()) =
            three(joins, with(&handle, |handle| handle.force_open(None)), move || drop(first));
        handle.release();
        let epochs: Vec<u64> = std::iter::from_fn(|| events.try_recv())
            .map(|event| event.expect("no lag").epoch)
            .collect();
        assert!(epochs == [3] || epochs == [2, 3] && !before, "{epochs:?}, {before}");
    });
}

fn transition(epoch: u64) -> Transition {
    Transition {
        breaker: Arc::from("log"),
        epoch,
        from: State::Open,
        to: State::Open,
        mode: Mode::Normal,
        cause: Cause::Hold,
        at: clock::now(),
        due_since: None,
        open_for: None,
        attempt: 0,
        window: WindowSnapshot::default(),
        last_error: None,
    }
}

type Seen = Arc<Mutex<Vec<u64>>>;

/// An observer that records the epochs that it sees.
fn recorder(seen: &Seen) -> Arc<impl Observer + use<>> {
    let seen = Arc::clone(seen);
    Arc::new(move |transition: &Transition| seen.lock().push(transition.epoch))
}

#[test]
fn observers_get_every_transition_once_in_order() {
    model(|| {
        let (log, seen) = (Arc::new(Log::new(2)), Seen::default());
        let thread = |epochs: &'static [u64]| {
            let (log, recorder) = (Arc::clone(&log), recorder(&seen));
            move || {
                let observers = Observers::from(vec![recorder as Arc<dyn Observer>]);
                for epoch in epochs {
                    log.push(transition(*epoch));
                    log.notify(observers.iter());
                }
            }
        };
        three(thread(&[3]), thread(&[2, 5]), thread(&[4]));
        assert_eq!(*seen.lock(), [2, 3, 4, 5]);
    });
}

#[test]
fn an_observer_that_panics_leaves_the_transitions_of_other_threads_to_be_delivered() {
    model(|| {
        let (log, seen) = (Arc::new(Log::new(2)), Seen::default());
        let thread = |epoch: u64| {
            let (log, recorder) = (Arc::clone(&log), recorder(&seen));
            move || {
                let panics = |transition: &Transition| {
                    if transition.epoch == 2 {
                        // Without the panic hook, which would print in every interleaving.
                        std::panic::resume_unwind(Box::new("on purpose"));
                    }
                };
                let observers = vec![Arc::new(panics) as Arc<dyn Observer>, recorder];
                let observers = Observers::from(observers);
                log.push(transition(epoch));
                let notify = || log.notify(observers.iter());
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(notify)).is_err()
            }
        };
        let (first, second) = both(thread(2), thread(3));
        assert!(first != second, "the panic reaches one of them");
        assert_eq!(*seen.lock(), [2, 3]);
    });
}

#[test]
fn a_listener_sees_all_transitions_after_it_joined_and_none_after_it_left() {
    model(|| {
        let handle = fragile();
        let [joining, leaving] = [Seen::default(), Seen::default()];
        let leaver = recorder(&leaving);
        handle.add_listener(&leaver);
        let joins = {
            let listener = recorder(&joining);
            with(&handle, |handle| {
                handle.add_listener(&listener);
                listener
            })
        };
        let leaves = {
            let leaving = Arc::clone(&leaving);
            move || {
                drop(leaver);
                // A notification that has begun may still end.
                leaving.lock().len()
            }
        };
        let opens = with(&handle, |handle| handle.force_open(None));
        let (listener, seen_at_leave, ()) = three(joins, leaves, opens);
        handle.release();
        let joined = joining.lock();
        assert!(*joined == [3] || *joined == [2, 3], "{joined:?}");
        let left = leaving.lock();
        assert!(left.is_empty() || *left == [2], "{left:?}");
        assert!(left.len() >= seen_at_leave);
        drop(listener);
    });
}
