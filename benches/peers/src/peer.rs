//! A crate in one configuration, and its cases.

use std::time::Duration;

use tower_breaker_benches::inner::{Inner, number};

use crate::case::Case;
use crate::dependency::{Dependency, Switch};
use crate::half_open::{self, Guard};
use crate::outcome::{Outcome, outcome};
use crate::scenario::Scenario;

/// The limits of a configuration in a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether the thresholds are those of the configuration. Otherwise, no count reaches them.
    pub trips: bool,
    /// The time for which the circuit stays open.
    pub cooldown: Duration,
}

const HOUR: Duration = Duration::from_secs(3600);

/// A crate in one configuration.
pub trait Peer: 'static {
    /// The name and version.
    const KRATE: &str;
    /// The rules, and the way in which the crate is called.
    const CONFIG: &str;
    /// The scenarios, in groups.
    const SCENARIOS: &[&[Scenario]] = &[Scenario::BREAKER];
    /// The scenarios that the crate does not support.
    const UNSUPPORTED: &[Scenario] = &[];
    /// The cooldown in the half-open scenarios.
    const COOLDOWN: Duration = Duration::from_millis(20);
    /// Whether a call may wait for another thread that is in the breaker.
    const WAITS: bool = false;
    /// The number of failures within which a half-open circuit opens. A closed circuit needs far more.
    const REOPENS_WITHIN: u32 = 1;

    /// Guards a service.
    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard;
}

/// A crate in one configuration, as a value.
pub struct Subject {
    /// The name and version.
    pub krate: &'static str,
    /// The rules, and the way in which the crate is called.
    pub config: &'static str,
    /// The scenarios, in groups.
    pub groups: &'static [&'static [Scenario]],
    /// The scenarios that the crate does not support.
    pub unsupported: &'static [Scenario],
    /// Creates the case of a scenario.
    pub case: fn(Scenario) -> Result<Case, String>,
}

impl Subject {
    /// Converts a peer to a value.
    pub const fn of<P: Peer>() -> Self {
        Self {
            krate: P::KRATE,
            config: P::CONFIG,
            groups: P::SCENARIOS,
            unsupported: P::UNSUPPORTED,
            case: case::<P>,
        }
    }

    /// Returns the scenarios of all groups.
    pub fn scenarios(&self) -> impl Iterator<Item = Scenario> {
        self.groups.iter().flat_map(|group| group.iter().copied())
    }
}

fn case<P: Peer>(scenario: Scenario) -> Result<Case, String> {
    let configured = Limits { trips: true, cooldown: HOUR };
    let never = Limits { trips: false, ..configured };
    let short = Limits { cooldown: P::COOLDOWN, ..configured };
    let expect = |inner, limits, expected| {
        let service = P::guard::<Inner>(inner, limits);
        Ok(Case::new(service, P::WAITS, number, outcome, expected))
    };
    match scenario {
        Scenario::ClosedSuccess
        | Scenario::Tokio
        | Scenario::Window(_)
        | Scenario::FallbackUnused => expect(Inner::Works, configured, Outcome::Served),
        Scenario::ClosedFailure => expect(Inner::Fails, never, Outcome::Failed),
        Scenario::FallbackServed => expect(Inner::Fails, never, Outcome::Replaced),
        Scenario::Rejection => {
            let mut case = expect(Inner::Fails, configured, Outcome::Rejected)?;
            case.load.run(FAILURES);
            Ok(case)
        }
        Scenario::HalfOpenRejection => {
            let switch = Switch::new();
            half_open::rejection(P::guard(switch, short), P::WAITS, switch, P::COOLDOWN)
        }
        Scenario::HalfOpenCancelled => {
            let switch = Switch::new();
            let service = P::guard(switch, short);
            half_open::cancelled(service, switch, P::COOLDOWN, P::REOPENS_WITHIN)
        }
    }
}

/// More failures than any configuration needs to trip.
const FAILURES: u64 = 1_000;
