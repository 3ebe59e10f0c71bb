//! Rows, as a table and as JSON.

use tower_breaker_benches::format::{self, Column, Value};

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The name and version of the crate.
    pub krate: &'static str,
    /// The rules, and the way in which the crate is called.
    pub config: String,
    /// The scenario.
    pub scenario: String,
    /// The nanoseconds per call on one thread.
    pub ns_1t: Option<f64>,
    /// The nanoseconds per call and thread on two threads with one breaker.
    pub ns_2t: Option<f64>,
    /// The allocations per call.
    pub allocs: Option<f64>,
    /// The bytes allocated per call.
    pub bytes: Option<f64>,
}

impl Row {
    fn cells(&self) -> Vec<Value<'_>> {
        vec![
            Value::Text(self.krate),
            Value::Text(&self.config),
            Value::Text(&self.scenario),
            Value::Number(self.ns_1t, 1),
            Value::Number(self.ns_2t, 1),
            Value::Number(self.allocs, 0),
            Value::Number(self.bytes, 0),
        ]
    }
}

const COLUMNS: [Column; 7] = [
    Column { key: "crate", title: "crate", number: false },
    Column { key: "config", title: "configuration", number: false },
    Column { key: "scenario", title: "scenario", number: false },
    Column { key: "ns_1t", title: "ns", number: true },
    Column { key: "ns_2t", title: "ns, 2 threads", number: true },
    Column { key: "allocs", title: "allocs", number: true },
    Column { key: "bytes", title: "bytes", number: true },
];

/// Formats the rows as a Markdown table.
pub fn markdown(rows: &[Row]) -> String {
    format::markdown(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}

/// Formats the rows as `{"rows":[…]}`.
pub fn json(rows: &[Row]) -> String {
    format::json(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}
