//! Rows, the table, JSON, and the verdict.

use crate::cases::{Allocations, Budget};
use crate::format::{self, Column, Value};
use crate::measure::median;

/// How far a time may be above its budget: machines are shared.
const NOISE: f64 = 1.3;

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who: `bare`, `floor`, `tower-breaker`.
    pub krate: &'static str,
    /// The settings.
    pub config: String,
    /// What happens to a call.
    pub scenario: String,
    /// Nanoseconds per call on one thread.
    pub ns_1t: Option<f64>,
    /// Nanoseconds per call and thread on two threads with one breaker.
    pub ns_2t: Option<f64>,
    /// Allocations per call.
    pub allocs: Option<f64>,
    /// Bytes per call; of a size, the bytes.
    pub bytes: Option<f64>,
    /// Nanoseconds per call of what this row is compared with.
    pub floor_ns: Option<f64>,
    /// Allocations per call of what this row is compared with.
    pub floor_allocs: Option<f64>,
    /// What this row may cost.
    pub budget: Budget,
    /// What this row may allocate.
    pub allocations: Option<Allocations>,
    /// The most that `bytes` may be.
    pub most_bytes: Option<f64>,
}

impl Row {
    /// An empty row.
    pub fn new(
        krate: &'static str,
        config: impl Into<String>,
        scenario: impl Into<String>,
    ) -> Self {
        Self {
            krate,
            config: config.into(),
            scenario: scenario.into(),
            ns_1t: None,
            ns_2t: None,
            allocs: None,
            bytes: None,
            floor_ns: None,
            floor_allocs: None,
            budget: Budget::Shown,
            allocations: None,
            most_bytes: None,
        }
    }

    /// Ours over the floor; of a row with two threads, over one thread.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.ns_2t.or(self.ns_1t)? / self.floor_ns?)
    }

    fn allowed(&self) -> Option<f64> {
        match self.budget {
            Budget::Ratio(ratio) => Some(self.floor_ns? * ratio),
            Budget::Plus(ns) => Some(self.floor_ns? + ns),
            Budget::Owed { now, .. } => Some(self.floor_ns? * now),
            Budget::Shown => None,
        }
    }

    fn budget(&self) -> Option<String> {
        match self.budget {
            Budget::Ratio(ratio) => Some(format!("{ratio} ×")),
            Budget::Plus(ns) => Some(format!("+ {ns} ns")),
            Budget::Owed { ratio, now } => Some(format!("{ratio} ×, owed: {now} ×")),
            Budget::Shown => self.most_bytes.map(|most| format!("{most} B")),
        }
    }

    /// What is wrong with this row, if something is.
    pub fn fault(&self) -> Option<String> {
        let name = format!("{}, {}", self.scenario, self.config);
        let allocs = self.allocs.unwrap_or_default();
        let allowed = match self.allocations {
            Some(Allocations::None) => 0.0,
            Some(Allocations::AsFloor) if self.budget != Budget::Shown => {
                self.floor_allocs.unwrap_or_default()
            }
            _ => f64::INFINITY,
        };
        if allocs > allowed {
            return Some(format!("{name}: {allocs} allocations per call, {allowed} allowed"));
        }
        if let (Some(bytes), Some(most)) = (self.bytes, self.most_bytes)
            && bytes > most
        {
            return Some(format!("{name}: {bytes} bytes, {most} allowed"));
        }
        let (ns, allowed) = (self.ns_2t.or(self.ns_1t)?, self.allowed()? * NOISE);
        (ns > allowed).then(|| format!("{name}: {ns:.1} ns, {allowed:.1} ns allowed"))
    }

    /// The same row of several runs: medians.
    pub fn middle(runs: &[Vec<Self>]) -> Vec<Self> {
        let field = |at: usize, get: fn(&Self) -> Option<f64>| {
            let values: Vec<_> = runs.iter().filter_map(|rows| get(&rows[at])).collect();
            (!values.is_empty()).then(|| median(values))
        };
        let mut rows = runs[0].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            row.ns_1t = field(at, |row| row.ns_1t);
            row.ns_2t = field(at, |row| row.ns_2t);
            // The ratio is the median of the runs' ratios, not the ratio of medians of different runs.
            let ratio = field(at, Self::ratio);
            row.floor_ns = ratio.and_then(|ratio| Some(row.ns_2t.or(row.ns_1t)? / ratio));
        }
        rows
    }
}

const COLUMNS: [Column; 10] = {
    const fn column(key: &'static str, title: &'static str, number: bool) -> Column {
        Column { key, title, number }
    }
    [
        column("crate", "", false),
        column("scenario", "scenario", false),
        column("config", "config", false),
        column("ns_1t", "ns", true),
        column("ns_2t", "ns, 2 threads", true),
        column("floor_ns", "floor ns", true),
        column("ratio", "ratio", true),
        column("budget", "budget", true),
        column("allocs", "allocs", true),
        column("bytes", "bytes", true),
    ]
};

impl Row {
    fn cells(&self) -> Vec<Value<'_>> {
        vec![
            Value::Text(self.krate),
            Value::Text(&self.scenario),
            Value::Text(&self.config),
            Value::Number(self.ns_1t, 1),
            Value::Number(self.ns_2t, 1),
            Value::Number(self.floor_ns, 1),
            Value::Number(self.ratio(), 2),
            Value::Perhaps(self.budget()),
            Value::Number(self.allocs, 0),
            Value::Number(self.bytes, 0),
        ]
    }
}

/// One Markdown table.
pub fn markdown(rows: &[Row]) -> String {
    format::markdown(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}

/// `{"rows":[…]}`.
pub fn json(rows: &[Row]) -> String {
    format::json(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ns: f64, floor: f64, budget: Budget) -> Row {
        let row = Row::new("tower-breaker", "c", "s");
        Row { ns_1t: Some(ns), floor_ns: Some(floor), budget, ..row }
    }

    #[test]
    fn a_time_far_above_its_budget_is_a_fault() {
        assert!(row(19.0, 10.0, Budget::Ratio(1.5)).fault().is_none());
        assert!(row(20.0, 10.0, Budget::Ratio(1.5)).fault().is_some());
        assert!(row(143.0, 100.0, Budget::Plus(10.0)).fault().is_none());
        assert!(row(144.0, 100.0, Budget::Plus(10.0)).fault().is_some());
        let owed = Budget::Owed { ratio: 1.5, now: 2.0 };
        assert!(row(26.0, 10.0, owed).fault().is_none());
        assert!(row(27.0, 10.0, owed).fault().is_some());
        assert!(row(900.0, 1.0, Budget::Shown).fault().is_none());
    }

    #[test]
    fn one_allocation_too_many_is_a_fault() {
        let row = Row::new("tower-breaker", "c", "s");
        let row = Row { allocs: Some(1.0), allocations: Some(Allocations::None), ..row };
        assert!(row.fault().is_some());
        let as_floor = |floor| Row {
            floor_allocs: Some(floor),
            allocations: Some(Allocations::AsFloor),
            budget: Budget::Ratio(1.0),
            ..row.clone()
        };
        assert!(as_floor(1.0).fault().is_none());
        assert!(as_floor(0.0).fault().is_some());
    }

    #[test]
    fn too_much_memory_is_a_fault() {
        let row = Row { most_bytes: Some(10.0), ..Row::new("tower-breaker", "c", "s") };
        assert!(Row { bytes: Some(10.0), ..row.clone() }.fault().is_none());
        assert!(Row { bytes: Some(11.0), ..row }.fault().is_some());
    }

    #[test]
    fn runs_are_joined_by_their_middle() {
        let runs = [4.0, 1.0, 2.0].map(|ns| vec![row(ns, 1.0, Budget::Shown)]);
        let rows = Row::middle(&runs);
        assert_eq!((rows[0].ns_1t, rows[0].ratio()), (Some(2.0), Some(2.0)));
    }
}
