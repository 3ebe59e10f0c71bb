//! The manual operations.

use std::time::Duration;

use crate::state::{Cause, Mode};

use super::config::{Config, cut};
use super::{Phase, Reference, WindowView};

impl Reference {
    /// Makes the transition that is due before a manual operation.
    fn before_verb(&mut self, now: Duration) -> (Duration, WindowView) {
        let now = self.work_at(now);
        self.lapse(now);
        self.forget_attempts_if_stable(now);
        (now, self.window_view(now))
    }

    fn begin_by_verb(&mut self, phase: Phase, mode: Mode, cause: Cause, now: Duration) {
        let (now, window) = self.before_verb(now);
        self.mode = mode;
        self.begin(phase, cause, now, window, None);
    }

    pub(crate) fn force_open(&mut self, time: Option<Duration>, now: Duration) {
        let (now, window) = self.before_verb(now);
        self.mode = Mode::ForcedOpen;
        self.forced_until = time.map(|time| now + cut(time));
        self.begin(Phase::ForcedOpen, Cause::ForceOpen, now, window, None);
    }

    pub(crate) fn release(&mut self, now: Duration) {
        let (now, window) = self.before_verb(now);
        match self.mode {
            Mode::Normal => {}
            Mode::ForcedOpen => self.release_forced(Cause::Release, now, None),
            Mode::Disabled | Mode::Shadow => {
                self.mode = Mode::Normal;
                self.begin(Phase::Closed, Cause::Release, now, window, None);
            }
        }
    }

    /// Ends a forced open. The circuit is open until every wait is over; then a probe decides.
    pub(super) fn release_forced(&mut self, cause: Cause, now: Duration, due: Option<Duration>) {
        let window = self.window_view(now);
        self.mode = Mode::Normal;
        self.open_until = self.open_until.max(now);
        self.begin(Phase::Open, cause, now, window, due);
    }

    pub(crate) fn force_closed(&mut self, now: Duration) {
        let (now, window) = self.before_verb(now);
        self.mode = Mode::Normal;
        self.attempt = None;
        self.begin(Phase::Closed, Cause::ForceClosed, now, window, None);
    }

    pub(crate) fn disable(&mut self, now: Duration) {
        self.begin_by_verb(Phase::Disabled, Mode::Disabled, Cause::Disable, now);
    }

    pub(crate) fn shadow(&mut self, now: Duration) {
        self.begin_by_verb(Phase::Closed, Mode::Shadow, Cause::Shadow, now);
    }

    pub(crate) fn reset(&mut self, now: Duration) {
        self.last_error = None;
        let (now, window) = self.before_verb(now);
        self.mode = Mode::Normal;
        self.attempt = None;
        self.begin(Phase::Closed, Cause::Reset, now, window, None);
        self.cause = Cause::Start;
        self.trip_cause = Cause::Start;
    }

    pub(crate) fn hold_for(&mut self, time: Duration, now: Duration) {
        let (now, window) = self.before_verb(now);
        if self.phase == Phase::Disabled {
            return;
        }
        self.open_until = self.open_until.max(now + cut(time));
        if matches!(self.phase, Phase::Closed | Phase::Probing | Phase::Ramp { .. }) {
            self.begin(Phase::Open, Cause::Hold, now, window, None);
        }
    }

    /// Replaces the settings. A window of another shape starts empty, and so does a count that no rule needed so far.
    pub(crate) fn reconfigure(&mut self, config: Config, now: Duration) {
        let old = std::mem::replace(&mut self.config, config);
        if old.shape() != self.config.shape() {
            self.window.clear();
        }
        if !self.config.keeps_streak() {
            self.streak.clear();
        }
        if !old.streak_is_timed() && self.config.streak_is_timed() {
            // The times of the failures were not noted.
            self.streak.iter_mut().for_each(|failure| *failure = now);
        }
        if old.overdue_part() != self.config.overdue_part()
            && let Some(bucket) = self.overdue_bucket(now)
        {
            self.overdue_evaluated = Some(bucket + 10);
            self.overdue_from = bucket + 11;
            self.overdue_newest = 0;
        }
    }
}
