//! The differences from the other breakers, step by step, and the cases that our configuration cannot express.
//!
//! "Theirs" is the original breaker of a case, "ours" is this crate.

use super::case::{Case, Knobs, WindowForm};
use super::setup::ms;

/// The reason for a difference. Each one is visible in the case itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knob {
    /// Theirs evaluates its rules after every outcome or periodically. Ours evaluates a rule when its numerator grew.
    EvaluateOn,
    /// Theirs admits after the end of the cooldown. Ours admits at the end.
    CooldownBoundary,
    /// Theirs decides half-open when the last of its calls has ended. Ours decides as soon as the result is certain.
    Decide,
    /// Theirs counts an ignored outcome as a success. In ours, it is neutral.
    Ignored,
    /// Theirs limits the time of half-open. Ours limits the time of each probe, because only a probe can hang.
    MaxWait,
    /// In theirs, a call above the limit waits for the result of the probes. Ours rejects it.
    Overflow,
    /// Theirs clears its whole window at once. Ours slides, and only a transition ends an epoch.
    Tumbling,
    /// An open circuit reads as half-open from its deadline on, and without a cooldown from the start.
    LazyState,
    /// The case shows a known misbehaviour.
    AntiBehaviour,
}

impl Knob {
    /// Returns whether the case has this knob.
    pub(crate) fn is_in(self, case: &Case, knobs: &Knobs) -> bool {
        let half_open = knobs.half_open.as_ref();
        let is_one_of = |knob: &Option<String>, values: &[&str]| {
            knob.as_deref().is_some_and(|value| values.contains(&value))
        };
        match self {
            Self::EvaluateOn => is_one_of(&knobs.evaluate_on, &["every_outcome", "periodic"]),
            Self::CooldownBoundary => is_one_of(&knobs.cooldown_boundary, &["exclusive"]),
            Self::Decide => half_open.is_some_and(|how| {
                ["rate_after_min_calls", "failure_rate"].contains(&&*how.decide)
            }),
            Self::Ignored => is_one_of(&knobs.ignored, &["success"]),
            Self::MaxWait => half_open.is_some_and(|how| how.max_wait_ms.is_some()),
            Self::Overflow => is_one_of(&knobs.half_open_overflow, &["wait"]),
            Self::Tumbling => matches!(knobs.window, WindowForm::Tumbling { .. }),
            Self::LazyState => knobs.cooldown.is_some() && knobs.first_cooldown() == ms(0),
            Self::AntiBehaviour => case.notes.contains("ANTI-BEHAVIOUR"),
        }
    }
}

/// The values of our breaker at one step of a case that differ from the expected ones.
pub(crate) struct Opposite {
    pub(crate) case: &'static str,
    pub(crate) step: usize,
    pub(crate) knob: Knob,
    pub(crate) ours: &'static [(&'static str, &'static str)],
}

const fn at(
    case: &'static str,
    step: usize,
    knob: Knob,
    ours: &'static [(&'static str, &'static str)],
) -> Opposite {
    Opposite { case, step, knob, ours }
}

const ADMITTED: (&str, &str) = ("admission", "allowed");
const REJECTED: (&str, &str) = ("admission", "rejected");
const CLOSED: (&str, &str) = ("state", "closed");
const OPEN: (&str, &str) = ("state", "open");
const HALF_OPEN: (&str, &str) = ("state", "half_open");

/// All differences. A value in this table must differ from the case. Every other value must be equal.
pub(crate) const OPPOSITES: &[Opposite] = &[
    // Three of five calls are failures, but the last call is a success, so no rule is evaluated.
    at("r4j-01-rate-evaluated-on-success", 4, Knob::EvaluateOn, &[CLOSED]),
    at(
        "r4j-01-rate-evaluated-on-success",
        5,
        Knob::EvaluateOn,
        &[ADMITTED, CLOSED, ("metrics.not_permitted", "0")],
    ),
    // Two failures are half of four. The other two probes cannot change that and are not sent. Probes are not in the
    // window.
    at("r4j-05-half-open-decides-only-when-full", 3, Knob::Decide, &[OPEN]),
    at("r4j-05-half-open-decides-only-when-full", 4, Knob::Decide, &[REJECTED, OPEN]),
    at(
        "r4j-05-half-open-decides-only-when-full",
        5,
        Knob::Decide,
        &[
            REJECTED,
            ("metrics.buffered", "0"),
            ("metrics.failed", "0"),
            ("metrics.failure_rate", "none"),
        ],
    ),
    at("r4j-07-half-open-slow-reopens", 3, Knob::Decide, &[OPEN]),
    at("r4j-07-half-open-slow-reopens", 4, Knob::Decide, &[REJECTED, OPEN]),
    at(
        "r4j-07-half-open-slow-reopens",
        5,
        Knob::Decide,
        &[REJECTED, ("metrics.slow_rate", "none"), ("metrics.failure_rate", "none")],
    ),
    // With three successes of four, the failure rate cannot reach one half.
    at("r4j-09-half-open-all-ignored-then-ok", 8, Knob::Decide, &[CLOSED]),
    at("r4j-11-cooldown-boundary-exclusive", 1, Knob::CooldownBoundary, &[ADMITTED]),
    at("r4j-21-max-wait-half-open-to-open", 2, Knob::MaxWait, &[HALF_OPEN]),
    at("polly-11-cancelled-probe-closes", 11, Knob::AntiBehaviour, &[HALF_OPEN]),
    at("failsafe-13-rate-in-period", 5, Knob::LazyState, &[HALF_OPEN]),
    // The circuit opened one step earlier, with the second failure of three. This is the first probe after that.
    at("failsafe-13-rate-in-period", 8, Knob::Decide, &[HALF_OPEN]),
    at("gobreaker-05-generation", 3, Knob::Tumbling, &[("metrics.requests", "2")]),
    at(
        "gobreaker-05-generation",
        4,
        Knob::Tumbling,
        &[("metrics.requests", "2"), ("metrics.succeeded", "2")],
    ),
    at("cockatiel-07-overflow-waits-for-verdict", 3, Knob::Overflow, &[REJECTED]),
    at("opossum-03-filtered-error-closes-half-open", 2, Knob::Ignored, &[HALF_OPEN]),
    at("opossum-07-own-bulkhead-rejection-trips", 2, Knob::AntiBehaviour, &[CLOSED]),
    // The first failure opens the circuit at once, not at the next periodic evaluation.
    at("hystrix-05-multiple-windows", 1, Knob::EvaluateOn, &[REJECTED]),
    at("hystrix-05-multiple-windows", 2, Knob::EvaluateOn, &[REJECTED]),
    at("hystrix-05-multiple-windows", 3, Knob::EvaluateOn, &[REJECTED]),
    at("linkerd-05-lenient-probe", 2, Knob::Ignored, &[HALF_OPEN]),
    at("litellm-03-counter-window", 2, Knob::Tumbling, &[("metrics.failed", "1")]),
    at("litellm-03-counter-window", 3, Knob::Tumbling, &[("metrics.failed", "2")]),
];

/// Steps after the last step of a case, which show the effect of the difference. The format is that of the file.
pub(crate) const AFTERWARDS: &[(&str, &str)] = &[
    (
        "r4j-01-rate-evaluated-on-success",
        r#"[{"op": "call", "outcome": "fail", "expect": {"admission": "allowed", "state": "open",
             "metrics": {"buffered": 7, "failed": 4}}}]"#,
    ),
    (
        "r4j-17-metrics-only",
        r#"[{"op": "call", "outcome": "fail", "expect": {"admission": "allowed", "state": "metrics_only",
             "metrics": {"not_permitted": 0, "would_reject": 1}, "events": {"threshold_exceeded": 1}}}]"#,
    ),
    // Probes that never return do not wedge the circuit. Their leases end after 1 s, and a waiter sees the end without
    // a call.
    (
        "r4j-21-max-wait-half-open-to-open",
        r#"[{"at_ms": 2000, "op": "begin", "call": "a", "expect": {"admission": "allowed", "state": "half_open"}},
            {"at_ms": 2000, "op": "begin", "call": "b", "expect": {"admission": "allowed", "state": "half_open"}},
            {"at_ms": 2999, "op": "check", "expect": {"state": "half_open"}},
            {"at_ms": 3000, "op": "check", "expect": {"state": "open"}},
            {"at_ms": 3000, "op": "begin", "call": "c", "expect": {"admission": "rejected"}},
            {"at_ms": 3000, "op": "end", "call": "a", "outcome": "ok",
             "expect": {"state": "open", "metrics": {"late": 1}}}]"#,
    ),
    (
        "polly-03-late-failure-does-not-extend",
        r#"[{"at_ms": 1000, "op": "check", "expect": {"metrics": {"late": 1}}}]"#,
    ),
    // The cancelled probe has returned its lease.
    (
        "polly-11-cancelled-probe-closes",
        r#"[{"at_ms": 1001, "op": "begin", "call": "q", "expect": {"admission": "allowed", "state": "half_open"}},
            {"at_ms": 1001, "op": "end", "call": "q", "outcome": "ok", "expect": {"state": "closed"}}]"#,
    ),
    (
        "failsafe-13-rate-in-period",
        r#"[{"at_ms": 260, "op": "check", "expect": {"events": {"opened": 3, "half_opened": 3, "closed": 1}}}]"#,
    ),
    (
        "opossum-03-filtered-error-closes-half-open",
        r#"[{"at_ms": 150, "op": "call", "outcome": "ok", "expect": {"admission": "allowed", "state": "closed"}}]"#,
    ),
    // Calls that an outer limit refuses do not reach the breaker.
    (
        "opossum-07-own-bulkhead-rejection-trips",
        r#"[{"op": "check", "expect": {"metrics": {"requests": 1, "failed": 0, "not_permitted": 0}}}]"#,
    ),
    (
        "linkerd-05-lenient-probe",
        r#"[{"at_ms": 1000, "op": "call", "outcome": "ok", "expect": {"admission": "allowed", "state": "closed"}}]"#,
    ),
];

/// The valid reasons to leave a case out.
pub(crate) const REASONS: &[&str] = &[
    "distributed",
    "ejection",
    "queueing",
    "another system's decision table",
    "tumbling window",
    "eager timer",
    "manual half-open",
    "group control",
];

/// The largest number of cases that may be left out.
pub(crate) const MOST_LEFT_OUT: usize = 16;

/// The cases that our configuration cannot express, and why.
pub(crate) const LEFT_OUT: &[(&str, &str)] = &[
    // Ours has no verb that makes a breaker half-open, so no such verb can be illegal.
    ("r4j-19-illegal-transition", "manual half-open"),
    // Ours has no shared store that can fail.
    ("pybreaker-05-redis-down-fallback-state", "distributed"),
    ("litellm-01-first-failure-classes", "another system's decision table"),
    ("throttle-01-rejection-rate", "another system's decision table"),
    // Theirs returns hosts without a probe, at ticks, with a multiplier that shrinks with each healthy tick.
    ("envoy-01-eject-time-backoff", "ejection"),
];
