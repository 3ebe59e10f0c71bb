//! The counts of all rounds: ours beside the breaker's.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use tower_breaker::{Cause, handle::Totals};

use crate::claims::{Broken, Ours, of_totals};
use crate::ledger::{CLASSES, Counts};
use crate::round::{KINDS, Kind, Played};

/// The sums over all rounds of one kind.
#[derive(Default)]
struct Sums {
    rounds: u64,
    ours: Ours,
    theirs: [u64; CLASSES.len()],
    late: u64,
    rejected: u64,
    would_reject: u64,
}

impl Sums {
    fn add(&mut self, played: &Played) {
        let Played { ours, theirs, .. } = played;
        let Totals { late, rejected, would_reject, .. } = *theirs;
        self.rounds += 1;
        self.ours = self.ours + *ours;
        for (sum, more) in self.theirs.iter_mut().zip(of_totals(theirs)) {
            *sum += more;
        }
        self.late += late;
        self.rejected += rejected;
        self.would_reject += would_reject;
    }
}

#[derive(Default)]
pub(crate) struct Report {
    sums: [Sums; KINDS.len()],
    transitions: BTreeMap<String, u64>,
    told: u64,
    missed: u64,
    wakes: u64,
    verbs: u64,
    /// In KiB: the maximum of the first quarter of the run, and the value after the last round.
    memory: Option<(u64, u64)>,
    pub(crate) broken: Broken,
}

/// The maximum growth of resident memory after the first quarter of the run, in KiB. It leaves room for fragmentation in the
/// allocator. One lost byte per call would exceed it within a minute.
const GROWTH: u64 = 8 * 1024;

/// The length of a run in which every cause is expected.
const LONG: Duration = Duration::from_secs(60);

/// The causes that are expected in a long run.
const CAUSES: [Cause; 11] = [
    Cause::ConsecutiveFailures,
    Cause::Overdue,
    Cause::FailureRate,
    Cause::FailureCount,
    Cause::SlowRate,
    Cause::Custom,
    Cause::Throttled,
    Cause::Exhausted,
    Cause::ProbeFailed,
    Cause::LeaseExpired,
    Cause::Recovered,
];

impl Report {
    pub(crate) fn add(&mut self, played: Played) {
        let kind =
            KINDS.iter().position(|kind| *kind == played.kind).expect("every kind is listed");
        self.sums[kind].add(&played);
        let most = played.heard.iter().max_by_key(|heard| heard.received);
        for (kind, count) in most.into_iter().flat_map(|heard| &heard.kinds) {
            *self.transitions.entry(kind.clone()).or_default() += count;
        }
        self.told += played.heard.iter().map(|heard| heard.received).sum::<u64>();
        self.missed += played.heard.iter().map(|heard| heard.missed).sum::<u64>();
        self.wakes += played.wakes;
        self.verbs += played.verbs;
        self.broken.0.extend(played.broken.0);
    }

    pub(crate) fn remember(&mut self, resident: Option<u64>, warming_up: bool) {
        let Some(now) = resident else { return };
        let warm = match self.memory {
            Some((warm, _)) if !warming_up => warm,
            Some((warm, _)) => warm.max(now),
            None => now,
        };
        self.memory = Some((warm, now));
    }

    /// Checks that every kind of event has happened, and that memory has not grown.
    pub(crate) fn conclude(&mut self, took: Duration) {
        let chaotic = || self.sums.iter().zip(KINDS).filter(|(_, kind)| *kind != Kind::Calm);
        let all: Counts = self.sums.iter().map(|sums| sums.ours.counts).sum();
        for (class, count) in CLASSES.into_iter().zip(all.ended) {
            self.broken.unless(count > 0, || format!("no call ended as {class}"));
        }
        let happened = [
            ("a rejection", chaotic().map(|(sums, _)| sums.rejected).sum()),
            ("a rejection in shadow", chaotic().map(|(sums, _)| sums.would_reject).sum()),
            ("a late result", chaotic().map(|(sums, _)| sums.late).sum()),
            ("a call of a disabled breaker", all.aside),
            ("a failure to get ready", all.unready),
            ("a slow receiver that missed a transition", self.missed),
            ("a wait for a change", self.wakes),
        ];
        for (what, count) in happened {
            self.broken.unless(count > 0, || format!("{what} never occurred"));
        }
        if took >= LONG {
            for cause in CAUSES {
                let known =
                    self.transitions.keys().any(|kind| kind.ends_with(&format!("({cause})")));
                self.broken.unless(known, || format!("{cause} never caused a transition"));
            }
        }
        if let Some((warm, end)) = self.memory {
            let most = warm + GROWTH;
            self.broken.unless(end <= most, || format!("memory grew from {warm} to {end} KiB"));
        }
    }

    pub(crate) fn text(&self, took: Duration) -> String {
        let mut text = String::new();
        for (sums, kind) in self.sums.iter().zip(KINDS) {
            let Sums { rounds, late, rejected, would_reject, .. } = sums;
            let Counts { attempts, aside, unready, rejected: seen, .. } = sums.ours.counts;
            _ = writeln!(text, "{kind:?}: {rounds} rounds, {attempts} calls");
            _ = writeln!(
                text,
                "  {:<12} {:>12} {:>12} {:>12}",
                "", "ours", "breaker", "difference"
            );
            for (at, class) in CLASSES.into_iter().enumerate() {
                let (ours, theirs) = (sums.ours.counted[at], sums.theirs[at]);
                let difference = ours as i64 - theirs as i64;
                _ = writeln!(text, "  {class:<12} {ours:>12} {theirs:>12} {difference:>12}");
            }
            let counted: u64 = sums.ours.counted.iter().sum();
            let found: u64 = sums.theirs.iter().sum();
            _ = writeln!(text, "  {:<12} {:>12} {late:>12}", "late", "");
            _ = writeln!(text, "  {:<12} {:>12} {would_reject:>12}", "would_reject", "");
            _ = writeln!(text, "  {:<12} {unready:>12}", "not ready");
            _ = writeln!(text, "  {:<12} {seen:>12} {rejected:>12}", "rejected");
            let (ours, theirs) = (counted + unready + seen, found + late + would_reject + rejected);
            let difference = ours as i64 - theirs as i64;
            _ = writeln!(text, "  {:<12} {ours:>12} {theirs:>12} {difference:>12}", "all");
            _ = writeln!(text, "  {:<12} {aside:>12}", "disabled");
        }
        _ = writeln!(
            text,
            "transitions (as seen by the receiver of each round that missed the fewest):"
        );
        for (kind, count) in &self.transitions {
            _ = writeln!(text, "  {count:>9}  {kind}");
        }
        let Self { told, missed, wakes, verbs, .. } = self;
        _ = writeln!(
            text,
            "{told} transitions received, {missed} missed by slow receivers; {wakes} wakes; {verbs} verbs"
        );
        match self.memory {
            Some((warm, end)) => {
                _ = writeln!(
                    text,
                    "memory: {warm} KiB after a quarter of the run, {end} KiB at its end"
                );
            }
            None => {
                _ = writeln!(text, "memory: not compared, because this system does not report it")
            }
        }
        let calls: u64 = self.sums.iter().map(|sums| sums.ours.counts.attempts).sum();
        let rate = calls as f64 / took.as_secs_f64();
        _ = writeln!(text, "{calls} calls in {:.1} s: {rate:.0} calls/s", took.as_secs_f64());
        text
    }
}
