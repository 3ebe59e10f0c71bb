//! What a person can do.

use std::time::Duration;

use crate::machine::core::Core;
use crate::machine::flags::Flags;
use crate::machine::gate::{NEVER, Phase};
use crate::machine::last_error::LastErrorBits;
use crate::machine::settings::Settings;
use crate::machine::view::{Transition, WindowSnapshot};
use crate::state::{Cause, Mode};
use crate::trip::rules::nanos;

/// A verb of the handle. All begin a new epoch, but for a release of what is not held and a hold of what is open,
/// forced open or disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    ForceOpen(Option<Duration>),
    Release,
    ForceClosed,
    Disable,
    Shadow,
    Reset,
    HoldFor(Duration),
}

impl Core {
    pub(crate) fn manual(
        &mut self,
        verb: Verb,
        now: u64,
        window: WindowSnapshot,
    ) -> Option<Transition> {
        self.forget_attempts_if_stable(now);
        match verb {
            Verb::ForceOpen(time) => {
                self.mode = Mode::ForcedOpen;
                self.forced_until = time.map_or(NEVER, |time| now.saturating_add(nanos(time)));
                Some(self.begin(Phase::ForcedOpen, Cause::ForceOpen, now, window))
            }
            Verb::Release => match self.mode {
                Mode::Normal => None,
                Mode::ForcedOpen => Some(self.release(Cause::Release, now, window)),
                Mode::Disabled | Mode::Shadow => {
                    self.mode = Mode::Normal;
                    Some(self.begin(Phase::Closed, Cause::Release, now, window))
                }
            },
            Verb::ForceClosed => {
                self.mode = Mode::Normal;
                self.attempt = None;
                Some(self.begin(Phase::Closed, Cause::ForceClosed, now, window))
            }
            Verb::Disable => {
                self.mode = Mode::Disabled;
                Some(self.begin(Phase::Disabled, Cause::Disable, now, window))
            }
            Verb::Shadow => {
                self.mode = Mode::Shadow;
                Some(self.begin(Phase::Closed, Cause::Shadow, now, window))
            }
            Verb::Reset => {
                self.mode = Mode::Normal;
                self.attempt = None;
                self.last_error = LastErrorBits::default();
                let transition = self.begin(Phase::Closed, Cause::Reset, now, window);
                self.forget_cause();
                Some(transition)
            }
            Verb::HoldFor(time) => {
                let until = now.saturating_add(nanos(time));
                match self.phase {
                    Phase::Disabled => return None,
                    _ => self.open_until = self.open_until.max(until),
                }
                match self.phase {
                    Phase::Closed | Phase::Probing | Phase::Ramp => {
                        Some(self.begin(Phase::Open, Cause::Hold, now, window))
                    }
                    Phase::Open | Phase::ForcedOpen | Phase::Disabled => None,
                }
            }
        }
    }

    /// Ends a forced open: a probe decides, once every wait is over.
    pub(crate) fn release(&mut self, cause: Cause, now: u64, window: WindowSnapshot) -> Transition {
        self.mode = Mode::Normal;
        self.open_until = self.open_until.max(now);
        self.begin(Phase::Open, cause, now, window)
    }

    /// New numbers for a running breaker: state, epoch, waits and attempts stay.
    pub(crate) fn reconfigure(&mut self, settings: Settings, flags: Flags) {
        self.settings = settings;
        self.flags = flags;
        self.half_open.reserve(&self.settings.probe);
    }
}
