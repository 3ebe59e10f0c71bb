//! No transition is lost, and their epochs are in order.

use super::*;
use crate::event::Log;
use crate::sync::Mutex;
use crate::{Cause, Mode, machine::WindowSnapshot};

#[test]
fn transitions_of_two_threads_are_told_in_the_order_of_their_epochs() {
    model(|| {
        let handle = fragile();
        let mut events = handle.events();
        let looks = {
            let mut others = handle.events();
            move || {
                let mut last = None;
                while let Some(event) = others.try_recv() {
                    let epoch = event.expect("not late").epoch;
                    assert!(last.is_none_or(|last| epoch == last + 1), "{epoch} after {last:?}");
                    last = Some(epoch);
                }
            }
        };
        let permit = handle.try_acquire().expect("closed");
        let person = with(&handle, |handle| {
            handle.force_open(None);
            handle.release();
        });
        three(|| permit.failure(), person, looks);
        let now = handle.snapshot();
        let told = told(&mut events, &now);
        assert!((2..=3).contains(&told.len()), "{told:?}");
    });
}

#[test]
fn a_receiver_that_comes_gets_all_from_then_on_and_one_that_goes_takes_nothing_away() {
    model(|| {
        let handle = fragile();
        let first = handle.events();
        let comes = with(&handle, |handle| {
            let mut events = handle.events();
            let before = events.try_recv().is_some();
            (events, before)
        });
        let ((mut events, before), (), ()) =
            three(comes, with(&handle, |handle| handle.force_open(None)), move || drop(first));
        handle.release();
        let epochs: Vec<u64> = std::iter::from_fn(|| events.try_recv())
            .map(|event| event.expect("not late").epoch)
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

#[test]
fn observers_are_told_every_transition_once_in_order() {
    model(|| {
        let (log, seen) = (Arc::new(Log::new(2)), Arc::new(Mutex::new(Vec::new())));
        let thread = |epochs: &'static [u64]| {
            let (log, seen) = (Arc::clone(&log), Arc::clone(&seen));
            move || {
                for epoch in epochs {
                    log.push(transition(*epoch));
                    log.tell(|transition| seen.lock().push(transition.epoch));
                }
            }
        };
        three(thread(&[3]), thread(&[2, 5]), thread(&[4]));
        assert_eq!(*seen.lock(), [2, 3, 4, 5]);
    });
}
