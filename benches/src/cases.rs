//! The measured paths and their budgets.

use http::HeaderValue;

use crate::bodies;
use crate::drive::Load;
use crate::floors::{
    CancelledAfter, Consecutive, Guarded, Named, Overdue, Page, PreparedPage, Rule, Slow, Typed,
    Value, Windowed,
};
use crate::inner::{HttpInner, Inner, get, number};
use crate::ours;

/// The time that a path may take, relative to its floor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// A multiple of the floor.
    Ratio(f64),
    /// The floor plus the given number of nanoseconds.
    Plus(f64),
    /// A multiple of the floor that is not reached yet. A larger multiple is accepted.
    Accepted {
        /// The goal.
        ratio: f64,
        /// The largest multiple that passes.
        limit: f64,
    },
    /// Shown without a limit.
    Shown,
}

/// The allocations that a path may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocations {
    /// Nothing.
    None,
    /// No more than its floor.
    AsFloor,
}

/// One path, with its floor and its budget.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The settings.
    pub config: &'static str,
    /// The scenario.
    pub scenario: &'static str,
    /// Creates the hand-written floor.
    pub floor: fn() -> Load,
    /// Creates the service of this crate.
    pub ours: fn() -> Load,
    /// The time that the crate's service may take.
    pub budget: Budget,
    /// The allocations that the crate's service may make.
    pub allocations: Allocations,
    /// Whether the path is also measured on two threads.
    pub threads: bool,
}

/// Creates a service without a guard.
pub fn bare() -> Load {
    Load::new(Inner::Works, number)
}

const SECOND: u64 = 1_000_000_000;
const NEVER: u32 = u32::MAX;

fn floor<R: Rule>(inner: Inner, rule: R) -> Load {
    Load::new(Guarded::new(inner, rule, Typed), number)
}

/// Returns all paths of the budget table.
pub fn all() -> Vec<Case> {
    use Budget::{Accepted, Plus, Ratio, Shown};
    let case = |config, scenario, floor, ours, budget| Case {
        config,
        scenario,
        floor,
        ours,
        budget,
        allocations: Allocations::None,
        threads: false,
    };
    let threads = |case: Case| Case { threads: true, ..case };
    let as_floor = |case: Case| Case { allocations: Allocations::AsFloor, ..case };
    vec![
        threads(case(
            "consecutive",
            "closed success",
            || floor(Inner::Works, Consecutive::new(5)),
            ours::success_consecutive,
            Ratio(1.5),
        )),
        threads(case(
            "default",
            "closed success",
            || floor(Inner::Works, Windowed::new(5, 20)),
            ours::success_default,
            Accepted { ratio: 1.25, limit: 1.4 },
        )),
        case(
            "consecutive",
            "closed failure",
            || floor(Inner::Fails, Consecutive::new(NEVER)),
            ours::failure_consecutive,
            Ratio(2.0),
        ),
        case(
            "default rules",
            "closed failure",
            || floor(Inner::Fails, Windowed::new(NEVER, u64::MAX)),
            ours::failure_default,
            Ratio(2.0),
        ),
        case(
            "typed error",
            "rejection",
            || {
                Load::new(
                    Guarded::new(Inner::Fails, Consecutive::new(1), Named::new("bench")),
                    number,
                )
            },
            ours::rejection_typed,
            Accepted { ratio: 1.5, limit: 2.1 },
        ),
        case(
            "response without headers",
            "rejection",
            || Load::new(Guarded::new(Inner::Fails, Consecutive::new(1), Value(0_u64)), number),
            ours::rejection_value,
            // The crate makes a `CircuitOpen`, which counts a reference to the name. The floor has no name, so this costs
            // two atomic operations more, and the ratio depends on the processor: 3.4 on an AMD EPYC.
            Accepted { ratio: 1.5, limit: 3.5 },
        ),
        as_floor(case(
            "503 with headers",
            "rejection",
            || http_floor(Inner::Fails, 1),
            ours::rejection_http,
            Plus(10.0),
        )),
        // Not a budget: this floor creates the value of the header once, which the crate does not do.
        as_floor(case(
            "503 with headers, floor keeps the name's header",
            "rejection",
            || {
                let page = PreparedPage(HeaderValue::from_static("bench"));
                Load::new(Guarded::new(HttpInner(Inner::Fails), Consecutive::new(1), page), get)
            },
            ours::rejection_http,
            Shown,
        )),
        case("http()", "closed success", || http_floor(Inner::Works, 5), ours::success_http, Shown),
        case(
            "consecutive + overdue",
            "closed success",
            || floor(Inner::Works, Overdue::new(5, 5, 5 * SECOND)),
            ours::overdue,
            Accepted { ratio: 1.5, limit: 1.6 },
        ),
        case(
            "consecutive + slow",
            "closed success",
            || floor(Inner::Works, Slow::new(5, 2 * SECOND)),
            ours::slow,
            Ratio(1.5),
        ),
        case(
            "consecutive + cancelled_after",
            "closed success",
            || floor(Inner::Works, CancelledAfter::new(5, 10 * SECOND)),
            ours::cancelled_after,
            Accepted { ratio: 1.5, limit: 1.6 },
        ),
        // A frame is measured as a call. The floor is the frame without a breaker.
        case("settled at the head", "body frame", bodies::bare, bodies::settled, Ratio(1.1)),
        case("settled at the end", "body frame", bodies::bare, bodies::guarded, Plus(8.0)),
        case("grpc_client()", "body frame", bodies::bare, bodies::grpc, Plus(8.0)),
        case("llm()", "server-sent event of 185 bytes", bodies::bare, bodies::llm, Shown),
    ]
}

fn http_floor(inner: Inner, limit: u32) -> Load {
    Load::new(Guarded::new(HttpInner(inner), Consecutive::new(limit), Page("bench")), get)
}
