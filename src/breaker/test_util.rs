//! Constructors for the tests of code that uses a breaker. Behind the feature `test_util`.

use std::sync::Arc;

use crate::clock;
use crate::machine::{Snapshot, Totals, Transition, WindowSnapshot};
use crate::state::{Cause, Mode, State};

fn mode(state: State) -> Mode {
    match state {
        State::ForcedOpen => Mode::ForcedOpen,
        State::Disabled => Mode::Disabled,
        State::Closed | State::Open | State::HalfOpen => Mode::Normal,
    }
}

impl Snapshot {
    /// Creates a snapshot for a test. Requires the feature `test_util`.
    ///
    /// The epoch is 1 and begins now, the cause is [`Cause::Start`], every optional field is `None`, and every count is
    /// 0. The mode fits the state. All fields can be assigned:
    ///
    /// ```
    /// use tower_breaker::{Snapshot, State};
    ///
    /// // The code under test.
    /// fn line(snapshot: &Snapshot) -> String {
    ///     format!("{}: {}, {} failures", snapshot.breaker, snapshot.state, snapshot.totals.failure)
    /// }
    ///
    /// let mut snapshot = Snapshot::for_test("db", State::Open);
    /// snapshot.totals.failure = 5;
    /// assert_eq!(line(&snapshot), "db: open, 5 failures");
    /// ```
    pub fn for_test(breaker: impl Into<Arc<str>>, state: State) -> Self {
        Self {
            breaker: breaker.into(),
            state,
            mode: mode(state),
            epoch: 1,
            since: clock::now(),
            until: None,
            asked_until: None,
            cause: Cause::Start,
            attempt: 0,
            probes: 0,
            window: WindowSnapshot::default(),
            in_flight: None,
            totals: Totals::default(),
            last_error: None,
        }
    }
}

impl Transition {
    /// Creates a transition for a test. Requires the feature `test_util`.
    ///
    /// The epoch is 2, the time is now, every optional field is `None`, and every count is 0. The mode fits the new
    /// state. All fields can be assigned:
    ///
    /// ```
    /// use tower_breaker::handle::Observer;
    /// use tower_breaker::{Cause, State, Transition};
    ///
    /// // The code under test.
    /// struct Pager(std::sync::mpsc::Sender<String>);
    ///
    /// impl Observer for Pager {
    ///     fn transition(&self, transition: &Transition) {
    ///         if transition.to == State::Open && transition.attempt >= 3 {
    ///             let _ = self.0.send(format!("{} stays down", transition.breaker));
    ///         }
    ///     }
    /// }
    ///
    /// let (send, pages) = std::sync::mpsc::channel();
    /// let pager = Pager(send);
    /// let mut transition =
    ///     Transition::for_test("db", State::HalfOpen, State::Open, Cause::ProbeFailed);
    /// pager.transition(&transition);
    /// transition.attempt = 3;
    /// pager.transition(&transition);
    /// drop(pager);
    /// assert_eq!(pages.iter().collect::<Vec<_>>(), ["db stays down"]);
    /// ```
    pub fn for_test(breaker: impl Into<Arc<str>>, from: State, to: State, cause: Cause) -> Self {
        Self {
            breaker: breaker.into(),
            epoch: 2,
            from,
            to,
            mode: mode(to),
            cause,
            at: clock::now(),
            due_since: None,
            open_for: None,
            attempt: 0,
            window: WindowSnapshot::default(),
            last_error: None,
        }
    }
}
