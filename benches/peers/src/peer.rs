//! What a crate in one configuration has to say to be measured.

use std::time::Duration;

use tower_breaker_benches::inner::{Inner, number};

use crate::case::Case;
use crate::dependency::{Dependency, Switch};
use crate::half_open::{self, Guard};
use crate::outcome::{Outcome, outcome};
use crate::scenario::Scenario;

/// What is asked of a configuration for a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether the thresholds are those of the configuration; otherwise no count reaches them.
    pub trips: bool,
    /// How long it stays open.
    pub cooldown: Duration,
}

const HOUR: Duration = Duration::from_secs(3600);

/// A crate in one configuration.
pub trait Peer: 'static {
    /// Its name and version.
    const KRATE: &str;
    /// Its rules and the way it is called.
    const CONFIG: &str;
    /// What is asked of it.
    const ASKED: &[&[Scenario]] = &[Scenario::BREAKER];
    /// What of this it cannot do.
    const CANNOT: &[Scenario] = &[];
    /// The cooldown where half-open is waited for.
    const COOLDOWN: Duration = Duration::from_millis(20);
    /// Whether a call may have to wait for another thread that is in the breaker.
    const WAITS: bool = false;
    /// How many failures end a half-open period: far fewer than a closed circuit needs.
    const REOPENS_WITHIN: u32 = 1;

    /// The guarded service.
    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard;
}

/// A crate in one configuration, as a value.
pub struct Subject {
    /// Its name and version.
    pub krate: &'static str,
    /// Its rules and the way it is called.
    pub config: &'static str,
    /// What is asked of it.
    pub asked: &'static [&'static [Scenario]],
    /// What of this it cannot do.
    pub cannot: &'static [Scenario],
    /// Makes what is measured.
    pub case: fn(Scenario) -> Result<Case, String>,
}

impl Subject {
    /// This peer.
    pub const fn of<P: Peer>() -> Self {
        Self {
            krate: P::KRATE,
            config: P::CONFIG,
            asked: P::ASKED,
            cannot: P::CANNOT,
            case: case::<P>,
        }
    }

    /// All that is asked of it.
    pub fn scenarios(&self) -> impl Iterator<Item = Scenario> {
        self.asked.iter().flat_map(|group| group.iter().copied())
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

/// More than any of the configurations needs to trip.
const FAILURES: u64 = 1_000;
