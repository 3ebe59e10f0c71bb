//! Rows, their formats, and the check of their budgets.

use crate::cases::{Allocations, Budget};
use crate::format::{self, Column, Value};
use crate::measure::median;

/// The factor by which a time may exceed its budget, because machines are shared.
const NOISE: f64 = 1.3;

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The subject: `bare`, `floor` or `tower-breaker`.
    pub krate: &'static str,
    /// The settings.
    pub config: String,
    /// The scenario.
    pub scenario: String,
    /// The nanoseconds per call on one thread.
    pub ns_1t: Option<f64>,
    /// The nanoseconds per call and thread on two threads with one breaker.
    pub ns_2t: Option<f64>,
    /// The allocations per call.
    pub allocs: Option<f64>,
    /// The bytes per call. In a row about a size, that size.
    pub bytes: Option<f64>,
    /// The nanoseconds per call of the floor.
    pub floor_ns: Option<f64>,
    /// The allocations per call of the floor.
    pub floor_allocs: Option<f64>,
    /// The time that the row may take.
    pub budget: Budget,
    /// The allocations that the row may make.
    pub allocations: Option<Allocations>,
    /// The limit of `bytes`.
    pub max_bytes: Option<f64>,
}

impl Row {
    /// Creates an empty row.
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
            max_bytes: None,
        }
    }

    /// Returns the time divided by the time of the floor. In a row with two threads, the floor is one thread.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.ns_2t.or(self.ns_1t)? / self.floor_ns?)
    }

    fn allowed(&self) -> Option<f64> {
        match self.budget {
            Budget::Ratio(ratio) => Some(self.floor_ns? * ratio),
            Budget::Plus(ns) => Some(self.floor_ns? + ns),
            Budget::Accepted { limit, .. } => Some(self.floor_ns? * limit),
            Budget::Shown => None,
        }
    }

    fn budget(&self) -> Option<String> {
        match self.budget {
            Budget::Ratio(ratio) => Some(format!("{ratio} ×")),
            Budget::Plus(ns) => Some(format!("+ {ns} ns")),
            Budget::Accepted { ratio, limit } => Some(format!("{ratio} ×, accepted: {limit} ×")),
            Budget::Shown => self.max_bytes.map(|max| format!("{max} B")),
        }
    }

    /// Returns a message if the row exceeds one of its budgets.
    pub fn over_budget(&self) -> Option<String> {
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
        if let (Some(bytes), Some(max)) = (self.bytes, self.max_bytes)
            && bytes > max
        {
            return Some(format!("{name}: {bytes} bytes, {max} allowed"));
        }
        let (ns, allowed) = (self.ns_2t.or(self.ns_1t)?, self.allowed()? * NOISE);
        (ns > allowed).then(|| format!("{name}: {ns:.1} ns, {allowed:.1} ns allowed"))
    }

    /// Combines the same rows of several runs to their medians.
    pub fn medians(runs: &[Vec<Self>]) -> Vec<Self> {
        let field = |at: usize, get: fn(&Self) -> Option<f64>| {
            let values: Vec<_> = runs.iter().filter_map(|rows| get(&rows[at])).collect();
            (!values.is_empty()).then(|| median(values))
        };
        let mut rows = runs[0].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            row.ns_1t = field(at, |row| row.ns_1t);
            row.ns_2t = field(at, |row| row.ns_2t);
            // The median of the ratios of the runs. A ratio of two medians could compare different runs.
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
            Value::OptionalText(self.budget()),
            Value::Number(self.allocs, 0),
            Value::Number(self.bytes, 0),
        ]
    }
}

/// Formats the rows as a Markdown table.
pub fn markdown(rows: &[Row]) -> String {
    format::markdown(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}

/// Formats the rows as `{"rows":[…]}`.
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
    fn a_time_far_above_its_budget_is_reported() {
        assert!(row(19.0, 10.0, Budget::Ratio(1.5)).over_budget().is_none());
        assert!(row(20.0, 10.0, Budget::Ratio(1.5)).over_budget().is_some());
        assert!(row(143.0, 100.0, Budget::Plus(10.0)).over_budget().is_none());
        assert!(row(144.0, 100.0, Budget::Plus(10.0)).over_budget().is_some());
        let accepted = Budget::Accepted { ratio: 1.5, limit: 2.0 };
        assert!(row(26.0, 10.0, accepted).over_budget().is_none());
        assert!(row(27.0, 10.0, accepted).over_budget().is_some());
        assert!(row(900.0, 1.0, Budget::Shown).over_budget().is_none());
    }

    #[test]
    fn one_allocation_above_the_limit_is_reported() {
        let row = Row::new("tower-breaker", "c", "s");
        let row = Row { allocs: Some(1.0), allocations: Some(Allocations::None), ..row };
        assert!(row.over_budget().is_some());
        let as_floor = |floor| Row {
            floor_allocs: Some(floor),
            allocations: Some(Allocations::AsFloor),
            budget: Budget::Ratio(1.0),
            ..row.clone()
        };
        assert!(as_floor(1.0).over_budget().is_none());
        assert!(as_floor(0.0).over_budget().is_some());
    }

    #[test]
    fn a_size_above_its_limit_is_reported() {
        let row = Row { max_bytes: Some(10.0), ..Row::new("tower-breaker", "c", "s") };
        assert!(Row { bytes: Some(10.0), ..row.clone() }.over_budget().is_none());
        assert!(Row { bytes: Some(11.0), ..row }.over_budget().is_some());
    }

    #[test]
    fn runs_are_combined_to_their_medians() {
        let runs = [4.0, 1.0, 2.0].map(|ns| vec![row(ns, 1.0, Budget::Shown)]);
        let rows = Row::medians(&runs);
        assert_eq!((rows[0].ns_1t, rows[0].ratio()), (Some(2.0), Some(2.0)));
    }
}
