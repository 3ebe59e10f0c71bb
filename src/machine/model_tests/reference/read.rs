//! Read access to the state.

use std::time::Duration;

use crate::state::State;

use super::config::Shape;
use super::{Phase, Reference, View};

impl Reference {
    /// Returns the state that the next call meets.
    pub(crate) fn state(&self, now: Duration) -> State {
        let past_open = now >= self.open_until;
        match self.phase {
            Phase::Open if past_open => State::HalfOpen,
            Phase::ForcedOpen if self.forced_until.is_some_and(|until| now >= until) => {
                if past_open { State::HalfOpen } else { State::Open }
            }
            Phase::Ramp { since, .. } if now >= self.ramp_end(since) => State::Closed,
            phase => phase.state(),
        }
    }

    pub(crate) fn view(&self, now: Duration) -> View {
        let tracked = self.calls.iter().filter(|call| call.tracked).count() as u64;
        let in_flight = self.config.keeps_in_flight().then_some(tracked);
        View {
            state: self.state(now),
            mode: self.mode,
            epoch: self.epoch,
            since: self.since,
            until: self.until(now),
            asked_until: Some(self.asked_until).filter(|until| *until > now),
            cause: self.cause,
            attempt: self.attempt.unwrap_or(0),
            probes: self.leases.len() as u32,
            window: self.window_view(now),
            in_flight,
            admitted: in_flight.map(|flying| self.totals.settled() + flying),
            totals: self.totals,
            last_error: self.last_error,
            deadline: self.deadline(now),
        }
    }

    fn until(&self, now: Duration) -> Option<Duration> {
        match self.phase {
            Phase::Open => Some(self.open_until),
            Phase::ForcedOpen => self
                .forced_until
                .map(|until| if now >= until { until.max(self.open_until) } else { until }),
            _ => None,
        }
    }

    fn deadline(&self, now: Duration) -> Option<Duration> {
        let deadline = match self.phase {
            Phase::Open => Some(self.open_until),
            Phase::ForcedOpen => self.forced_until,
            Phase::Probing => self.first_lease_end(),
            Phase::Ramp { since, .. } => Some(self.ramp_end(since)),
            Phase::Closed | Phase::Disabled => None,
        };
        deadline.filter(|at| *at > now && self.config.overdue.is_none())
    }

    /// Returns moments around which something may change. The test moves the clock there.
    pub(crate) fn moments(&self) -> Vec<Duration> {
        let config = &self.config;
        let mut moments = vec![self.open_until, self.asked_until, self.since + self.stable_for()];
        moments.extend(self.forced_until);
        moments.extend(self.leases.iter().map(|lease| lease.ends));
        if let (Phase::Ramp { since, .. }, Some((steps, step))) = (self.phase, &config.ramp) {
            moments.extend((1..=steps.len() as u32).map(|at| since + *step * at));
        }
        if let (Some((_, over)), Some(first)) = (config.consecutive, self.streak.first()) {
            moments.push(*first + over);
        }
        for started in self.calls.iter().filter_map(|call| call.started) {
            moments.extend(config.slow.map(|rule| started + rule.after));
            moments.extend(config.cancelled_after.map(|limit| started + limit));
            if let (Some(part), Some(bucket)) =
                (config.overdue_part(), self.overdue_bucket(started))
            {
                moments.push(Duration::from_nanos(((bucket + 11) * part) as u64));
            }
        }
        if let Some(Shape::Time { period, buckets }) = config.shape() {
            let width = period.as_nanos() / u128::from(buckets);
            let next = self.seen.as_nanos() / width + 1;
            let edges = [next, next + u128::from(buckets) - 1];
            moments.extend(edges.map(|edge| Duration::from_nanos((edge * width) as u64)));
        }
        moments
    }
}
