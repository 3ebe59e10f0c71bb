//! Lines of the table, and the same as JSON.

use tower_breaker_benches::format::{self, Column, Value};

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which crate, in which version.
    pub krate: &'static str,
    /// Its rules and the way it is called.
    pub config: String,
    /// What happens to a call.
    pub scenario: String,
    /// Nanoseconds per call on one thread.
    pub ns_1t: Option<f64>,
    /// Nanoseconds per call and thread on two threads with one breaker.
    pub ns_2t: Option<f64>,
    /// Allocations per call.
    pub allocs: Option<f64>,
    /// Bytes allocated per call.
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

/// One Markdown table.
pub fn markdown(rows: &[Row]) -> String {
    format::markdown(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}

/// `{"rows":[…]}`.
pub fn json(rows: &[Row]) -> String {
    format::json(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}
