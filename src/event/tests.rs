use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use super::*;
use crate::machine::Transition;
use crate::outcome::Outcome;
use crate::state::{Cause, State};

fn transition(epoch: u64) -> Transition {
    Transition { epoch, ..Transition::for_test("log", State::Open, State::Open, Cause::Hold) }
}

/// Records the epochs that it sees, each with its own letter.
fn recorder(letter: char, seen: &Arc<Mutex<Vec<String>>>) -> Arc<dyn Observer> {
    let seen = Arc::clone(seen);
    Arc::new(move |transition: &Transition| {
        seen.lock().unwrap().push(format!("{letter}{}", transition.epoch));
    })
}

fn observers(observers: Vec<Arc<dyn Observer>>) -> Observers {
    Observers::from(observers)
}

#[test]
fn observers_and_listeners_are_notified_in_order_and_once() {
    let (log, seen) = (Log::new(2), Arc::default());
    let fixed = observers(vec![recorder('a', &seen), recorder('b', &seen)]);
    let listener = recorder('l', &seen);
    log.listen(Arc::downgrade(&listener));
    log.push(transition(3));
    log.notify(fixed.iter());
    assert!(seen.lock().unwrap().is_empty(), "its predecessor is missing");
    log.push(transition(2));
    log.notify(fixed.iter());
    log.notify(fixed.iter());
    assert_eq!(*seen.lock().unwrap(), ["a2", "b2", "l2", "a3", "b3", "l3"]);
}

#[test]
fn a_listener_sees_what_happens_after_it_joined_and_before_it_is_dropped() {
    let (log, seen) = (Log::new(2), Arc::default());
    let fixed = Observers::default();
    log.push(transition(2));
    let listener = recorder('l', &seen);
    log.listen(Arc::downgrade(&listener));
    log.notify(fixed.iter());
    log.push(transition(3));
    log.notify(fixed.iter());
    drop(listener);
    log.push(transition(4));
    log.notify(fixed.iter());
    assert_eq!(*seen.lock().unwrap(), ["l3"]);
}

#[test]
fn listeners_that_are_gone_leave_no_entry() {
    let (log, seen) = (Log::new(2), Arc::default());
    for _ in 0..100 {
        log.listen(Arc::downgrade(&recorder('l', &seen)));
    }
    assert!(format!("{log:?}").matches("Listener").count() <= 1);
}

#[test]
fn every_observer_is_notified_of_everything_before_a_panic_goes_on() {
    let (log, seen) = (Log::new(2), Arc::default());
    let panics: Arc<dyn Observer> =
        Arc::new(|transition: &Transition| panic!("on purpose: {}", transition.epoch));
    let fixed = observers(vec![Arc::clone(&panics), recorder('a', &seen)]);
    let listener = recorder('l', &seen);
    log.listen(Arc::downgrade(&panics));
    log.listen(Arc::downgrade(&listener));
    log.push(transition(2));
    log.push(transition(3));
    let panic = catch_unwind(AssertUnwindSafe(|| log.notify(fixed.iter()))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "on purpose: 2", "the first one");
    assert_eq!(*seen.lock().unwrap(), ["a2", "l2", "a3", "l3"]);
    let quiet = observers(vec![recorder('q', &seen)]);
    drop(panics);
    drop(fixed);
    log.push(transition(4));
    log.notify(quiet.iter());
    assert_eq!(seen.lock().unwrap()[4..], ["q4", "l4"]);
}

/// Panics again when it is dropped.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("on purpose, in drop");
    }
}

#[test]
#[cfg_attr(miri, ignore = "leaks the payload of a panic on purpose")]
fn a_panic_with_a_destructor_that_panics_does_not_silence_the_log() {
    let (log, seen) = (Log::new(2), Arc::default());
    let panics = |_: &Transition| std::panic::panic_any(PanicsInDrop);
    let fixed = observers(vec![Arc::new(panics), Arc::new(panics)]);
    log.push(transition(2));
    let panic = catch_unwind(AssertUnwindSafe(|| log.notify(fixed.iter()))).unwrap_err();
    std::mem::forget(panic);
    log.push(transition(3));
    log.notify(observers(vec![recorder('a', &seen)]).iter());
    assert_eq!(*seen.lock().unwrap(), ["a3"]);
}

#[test]
fn only_observers_that_want_outcomes_get_them_and_their_panics_end_there() {
    struct Outcomes(Mutex<Vec<(String, Outcome)>>, bool);

    impl Observer for Outcomes {
        fn transition(&self, _: &Transition) {}

        fn settled(&self, breaker: &str, outcome: &Outcome) {
            self.0.lock().unwrap().push((breaker.to_owned(), *outcome));
            assert!(self.1, "on purpose");
        }
    }

    let name = Arc::from("payments");
    let seen = Arc::default();
    assert!(Observers::default().settled_fn(&name).is_none());
    assert!(observers(vec![recorder('a', &seen)]).settled_fn(&name).is_none());
    let [first, second] = [false, true].map(|ok| Arc::new(Outcomes(Mutex::default(), ok)));
    let wanting = observers(vec![first.clone(), recorder('a', &seen), second.clone()]);
    let settled = wanting.settled_fn(&name).expect("two want them");
    settled(&Outcome::failure());
    for observer in [first, second] {
        let seen = observer.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_eq!(*seen, [("payments".to_owned(), Outcome::failure())]);
    }
}

/// A task that is a waiter itself, and leaves with its last waker.
struct Task(Arc<Waiters>, Option<usize>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.forget(&mut self.1);
    }
}

#[test]
fn a_waker_that_is_replaced_may_drop_another_waiter() {
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let waiters = Arc::new(Waiters::default());
        let (mut first, mut second) = (None, None);
        waiters.register(&mut second, Waker::noop());
        let task = Waker::from(Arc::new(Task(Arc::clone(&waiters), second)));
        waiters.register(&mut first, &task);
        drop(task);
        waiters.register(&mut first, Waker::noop());
        waiters.forget(&mut first);
        done.send(()).expect("the test still waits");
    });
    is_done.recv_timeout(std::time::Duration::from_secs(5)).expect("no deadlock");
}
