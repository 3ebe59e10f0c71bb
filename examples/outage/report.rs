//! The output: a table, a timeline and the claims as text, or one JSON document.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::claims::Claim;
use crate::clock::{RATIO, label};
use crate::scenarios::FIVE_MINUTES;

/// The figures of one client. Requests, errors and times cover the requests that began during the outage. Calls are those
/// that arrived at the provider during the outage. Times are scenario time.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) user_visible_errors: u64,
    pub(crate) provider_calls: u64,
    pub(crate) mean_ms: u64,
    pub(crate) p99_ms: u64,
    /// The time from the recovery of the provider to the closed circuit. `None` if the circuit was not open.
    pub(crate) recovery_to_closed_ms: Option<u64>,
    pub(crate) outage_ms: u64,
    /// The calls that the breaker admitted as probes.
    pub(crate) probes: u64,
    pub(crate) answered_by_backup: u64,
    /// The maximum number of calls that the provider held at the same time.
    pub(crate) max_in_flight: u64,
    /// The total time for which the provider held calls.
    pub(crate) held_call_seconds: u64,
    pub(crate) provider_calls_outside_outage: u64,
    pub(crate) errors_outside_outage: u64,
}

/// A line of the timeline.
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) text: String,
}

/// The figures of the three clients of a scenario.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) naive: Figures,
    pub(crate) protected: Figures,
    pub(crate) protected_no_overdue: Figures,
    #[serde(skip)]
    pub(crate) timeline: Vec<Line>,
}

#[derive(Serialize)]
struct Document<'a> {
    scenarios: &'a [Report],
}

/// The figures as JSON.
pub(crate) fn json(reports: &[Report]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Document { scenarios: reports })
}

/// The text before the first scenario.
pub(crate) fn heading() -> String {
    format!(
        "Real servers and clients on loopback. 1 s of the run is {RATIO} s of the scenario. All times below are\n\
         scenario times, so 1 ms of work of the machine appears as {RATIO} ms. Requests, errors and times are\n\
         those of the requests that began during the outage. Calls are those that arrived at the provider\n\
         during the outage, as the provider counted them.\n"
    )
}

/// The figures, the timeline and the claims as text.
pub(crate) fn text(report: &Report, claims: &[Claim]) -> String {
    let mut out = String::new();
    let published = if report.name == FIVE_MINUTES { &PUBLISHED[..] } else { &[] };
    let columns = |naive: &str, breaker: &str, no_overdue: &str, published: &str| {
        let row = format!("{naive:>10}{breaker:>13}{no_overdue:>13}   {published}");
        row.trim_end().to_owned()
    };
    let published_head = if published.is_empty() { "" } else { "published: without, with" };
    let head = columns("naive", "protected", "no overdue", published_head);
    let _ = writeln!(out, "\n  {:<28}{head}", "");
    for (at, (what, figure)) in ROWS.iter().enumerate() {
        let published = published.get(at).unwrap_or(&"");
        let [naive, protected, no_overdue] =
            [&report.naive, &report.protected, &report.protected_no_overdue].map(figure);
        let row = columns(&naive, &protected, &no_overdue, published);
        let _ = writeln!(out, "  {what:<28}{row}");
    }
    if !report.timeline.is_empty() {
        out.push_str("\n  the breaker of the protected client:\n");
    }
    for line in &report.timeline {
        let _ = writeln!(out, "  {:>6}  {}", label(line.at), line.text);
    }
    out.push('\n');
    for claim in claims {
        let _ = writeln!(out, "  {}  {claim}", if claim.holds() { "pass" } else { "FAIL" });
    }
    out
}

/// Published figures for a five-minute outage, in the order of the first rows.
const PUBLISHED: [&str; 5] = ["", "~500, < 50", "~1000, ~5", "", "> 30 s, < 2 s"];

type Row = (&'static str, fn(&Figures) -> String);

const ROWS: [Row; 10] = [
    ("requests", |of| of.requests.to_string()),
    ("user-visible errors", |of| of.user_visible_errors.to_string()),
    ("calls to the provider", |of| of.provider_calls.to_string()),
    ("  of them probes", |of| of.probes.to_string()),
    ("response time, mean", |of| seconds(of.mean_ms)),
    ("response time, p99", |of| seconds(of.p99_ms)),
    ("answered by the backup", |of| of.answered_by_backup.to_string()),
    ("most calls held at once", |of| of.max_in_flight.to_string()),
    ("time calls were held", |of| format!("{} s", of.held_call_seconds)),
    ("healthy again to closed", |of| of.recovery_to_closed_ms.map_or("-".to_owned(), seconds)),
];

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
