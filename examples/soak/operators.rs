//! Operators that control the breaker while it is called.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tower_breaker::{BreakerHandle, handle::Totals};

use crate::random::Random;
use crate::regime::{Regime, Verb};
use crate::round::Kind;
use crate::setups::{MOST_PROBES, MS, Policy, Shape};
use crate::stop::Stop;

pub(crate) struct Operator {
    pub(crate) handle: BreakerHandle,
    pub(crate) regime: Arc<Regime>,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    pub(crate) policy: Policy,
    pub(crate) random: Random,
    pub(crate) stop: Stop,
}

impl Operator {
    /// Uses manual operations until the round ends. Returns their number.
    pub(crate) async fn acts(mut self) -> u64 {
        let mut used = 0;
        while !self.stop.is_set() {
            if self.kind.has_operators() && self.random.one_in(24) {
                // More transitions at once than a breaker keeps for its receivers.
                for _ in 0..400 {
                    self.regime.act(&self.handle, Verb::ForceClosed);
                }
                used += 400;
            }
            let verb = self.verb();
            self.regime.act(&self.handle, verb);
            used += 1;
            sleep(Duration::from_micros(500 + self.random.below(4_000))).await;
        }
        used
    }

    fn verb(&mut self) -> Verb {
        let reconfigure = match self.kind {
            Kind::Calm => self.shape.calm(self.policy, &mut self.random),
            _ => self.shape.restless(self.policy, &mut self.random),
        };
        if !self.kind.has_operators() {
            return Verb::Reconfigure(Box::new(reconfigure));
        }
        match self.random.below(12) {
            0 => Verb::ForceOpen(Some(MS)),
            1 => Verb::ForceOpen(Some(Duration::ZERO)),
            2 => Verb::ForceOpen(None),
            3 => Verb::ForceClosed,
            4 if self.regime.may_disable() => Verb::Disable,
            4 | 5 => Verb::Shadow,
            6 => Verb::HoldFor(MS),
            7 => Verb::Reset,
            8 | 9 => Verb::Release,
            _ => Verb::Reconfigure(Box::new(reconfigure)),
        }
    }
}

/// Reads snapshots until the round ends. Returns their contradictions.
pub(crate) async fn reads(handle: BreakerHandle, stop: Stop) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut before = handle.snapshot();
    while !stop.is_set() {
        let now = handle.snapshot();
        if now.epoch < before.epoch || !grew(&before.totals, &now.totals) {
            wrong.push(format!("a count in a snapshot decreased: {before:?} and then {now:?}"));
        }
        if now.totals.admitted.is_some_and(|admitted| admitted < now.totals.settled()) {
            wrong.push(format!("more calls were settled than admitted: {now:?}"));
        }
        if now.probes > MOST_PROBES {
            wrong.push(format!("more probes at once than any settings allow: {now:?}"));
        }
        before = now;
        sleep(MS).await;
    }
    wrong
}

fn grew(before: &Totals, now: &Totals) -> bool {
    let all = |totals: &Totals| {
        let Totals { success, failure, throttled, exhausted, ignored, cancelled, late, .. } =
            *totals;
        let ended = [success, failure, throttled, exhausted, ignored, cancelled, late];
        (ended, [totals.rejected, totals.would_reject])
    };
    let ((ended, rejected), (now_ended, now_rejected)) = (all(before), all(now));
    ended.iter().zip(now_ended).all(|(before, now)| *before <= now)
        && rejected.iter().zip(now_rejected).all(|(before, now)| *before <= now)
}
