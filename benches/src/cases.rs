//! Which paths are measured, and what each may cost.

use http::HeaderValue;

use crate::bodies;
use crate::drive::Load;
use crate::floors::{
    CancelledAfter, Consecutive, Guarded, Named, Overdue, Page, PreparedPage, Rule, Slow, Typed,
    Value, Windowed,
};
use crate::inner::{HttpInner, Inner, get, number};
use crate::ours;

/// What a path may cost beside its floor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Times the floor.
    Ratio(f64),
    /// The floor and so many nanoseconds.
    Plus(f64),
    /// Times the floor, and not reached: so many times the floor is what it takes, and no more.
    Owed {
        /// What it should be.
        ratio: f64,
        /// What it is.
        now: f64,
    },
    /// Shown only.
    Shown,
}

/// What a path may allocate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocations {
    /// Nothing.
    None,
    /// No more than its floor.
    AsFloor,
}

/// One path: how the floor and ours are made, and the budget.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The settings.
    pub config: &'static str,
    /// What happens to a call.
    pub scenario: &'static str,
    /// The hand-written one.
    pub floor: fn() -> Load,
    /// The crate's.
    pub ours: fn() -> Load,
    /// What ours may cost.
    pub budget: Budget,
    /// What ours may allocate.
    pub allocations: Allocations,
    /// On two threads too.
    pub threads: bool,
}

/// A call without a guard.
pub fn bare() -> Load {
    Load::new(Inner::Works, number)
}

const SECOND: u64 = 1_000_000_000;
const NEVER: u32 = u32::MAX;

fn floor<R: Rule>(inner: Inner, rule: R) -> Load {
    Load::new(Guarded::new(inner, rule, Typed), number)
}

/// All paths of the budget table.
pub fn all() -> Vec<Case> {
    use Budget::{Owed, Plus, Ratio, Shown};
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
            Owed { ratio: 1.25, now: 1.4 },
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
            Owed { ratio: 1.5, now: 2.1 },
        ),
        case(
            "response without headers",
            "rejection",
            || Load::new(Guarded::new(Inner::Fails, Consecutive::new(1), Value(0_u64)), number),
            ours::rejection_value,
            Ratio(1.5),
        ),
        as_floor(case(
            "503 with headers",
            "rejection",
            || http_floor(Inner::Fails, 1),
            ours::rejection_http,
            Plus(10.0),
        )),
        // Not a budget: by hand, the header's value can be made once.
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
            Owed { ratio: 1.5, now: 1.6 },
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
            Owed { ratio: 1.5, now: 1.6 },
        ),
        // One frame is one call; the floor is the frame alone.
        case("settled at the head", "body frame", bodies::bare, bodies::settled, Ratio(1.1)),
        case("judged at the end", "body frame", bodies::bare, bodies::guarded, Plus(8.0)),
        case("grpc_client()", "body frame", bodies::bare, bodies::grpc, Plus(8.0)),
        case("llm()", "server-sent event of 185 bytes", bodies::bare, bodies::llm, Shown),
    ]
}

fn http_floor(inner: Inner, limit: u32) -> Load {
    Load::new(Guarded::new(HttpInner(inner), Consecutive::new(limit), Page("bench")), get)
}
