//! The same rules written by hand, without half-open.

use tower_breaker_benches::floors::{Consecutive, Guarded, Rejected, Typed, Windowed};

use crate::dependency::Dependency;
use crate::half_open::Guard;
use crate::outcome::MaybeRejection;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

impl<E> MaybeRejection for Rejected<E> {
    fn is_rejection(&self) -> bool {
        matches!(self, Self::Open(_))
    }
}

pub(super) struct Streak;

impl Peer for Streak {
    const KRATE: &str = "floor";
    const CONFIG: &str = "5 consecutive";
    const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenRejection, Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        Guarded::new(inner, Consecutive::new(if limits.trips { 5 } else { u32::MAX }), Typed)
    }
}

pub(super) struct Rate;

impl Peer for Rate {
    const KRATE: &str = "floor";
    const CONFIG: &str = "the rules of our default";
    const SCENARIOS: &[&[Scenario]] = &[Scenario::BREAKER, Scenario::WINDOW];
    const UNSUPPORTED: &[Scenario] = Streak::UNSUPPORTED;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let rule =
            if limits.trips { Windowed::new(5, 20) } else { Windowed::new(u32::MAX, u64::MAX) };
        Guarded::new(inner, rule, Typed)
    }
}
