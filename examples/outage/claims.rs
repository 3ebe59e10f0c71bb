//! The claims about the figures: the outage affects the users of the naive client, and not those of the protected one.

use std::fmt;
use std::time::Duration;

use crate::report::{Figures, Report};
use crate::scenarios::{FIVE_MINUTES, STORM, TASKS, TEN_THOUSAND, WORKERS};
use crate::stack::{CONSECUTIVE, COOLDOWN, JITTER};

/// One figure and its bound.
pub(crate) struct Claim {
    pub(crate) scenario: &'static str,
    client: &'static str,
    figure: &'static str,
    /// `None` if the figure is missing. The claim then does not hold.
    measured: Option<u64>,
    bound: Bound,
}

enum Bound {
    AtLeast(u64),
    AtMost(u64),
}

impl Claim {
    pub(crate) fn holds(&self) -> bool {
        self.measured.is_some_and(|measured| match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        })
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} is ", self.client, self.figure)?;
        match self.measured {
            Some(measured) => write!(f, "{measured}")?,
            None => f.write_str("missing")?,
        }
        match self.bound {
            Bound::AtLeast(bound) => write!(f, ", claimed at least {bound}"),
            Bound::AtMost(bound) => write!(f, ", claimed at most {bound}"),
        }
    }
}

/// Every claim about a scenario.
pub(crate) fn claims(report: &Report) -> Vec<Claim> {
    let (naive, protected) = (&report.naive, &report.protected);
    let claim = |client, figure, measured, bound| Claim {
        scenario: report.name,
        client,
        figure,
        measured,
        bound,
    };
    let of_naive = |figure, measured, bound| claim("naive", figure, Some(measured), bound);
    let of_ours = |figure, measured, bound| claim("protected", figure, Some(measured), bound);
    let recovery = |at_most| {
        let measured = protected.recovery_to_closed_ms;
        claim("protected", "recovery_to_closed_ms", measured, Bound::AtMost(at_most))
    };
    use Bound::{AtLeast, AtMost};

    let mut claims = match report.name {
        // The published figures imply 450 errors and 950 calls if the retries of the last 30 s reach a healthy provider.
        // The bounds leave room for a slow machine.
        FIVE_MINUTES => vec![
            of_naive("user_visible_errors", naive.user_visible_errors, AtLeast(400)),
            of_naive("provider_calls", naive.provider_calls, AtLeast(800)),
            of_naive("mean_ms", naive.mean_ms, AtLeast(30_000)),
            of_ours("provider_calls", protected.provider_calls, AtMost(40)),
            of_ours("mean_ms", protected.mean_ms, AtMost(2_000)),
            // The worst case: a probe that begins just before the recovery and times out, then the longest cooldown.
            recovery(95_000),
        ],
        TEN_THOUSAND => vec![
            of_naive("user_visible_errors", naive.user_visible_errors, AtLeast(naive.requests)),
            of_naive("provider_calls", naive.provider_calls, AtLeast(2 * naive.requests)),
            // The calls that trip the breaker, the calls in flight at that time, and the probes.
            of_ours(
                "provider_calls",
                protected.provider_calls,
                AtMost(u64::from(CONSECUTIVE) + WORKERS - 1 + cooldowns(protected)),
            ),
            recovery(65_000),
        ],
        STORM => vec![
            of_naive("user_visible_errors", naive.user_visible_errors, AtLeast(naive.requests)),
            of_naive("provider_calls", naive.provider_calls, AtLeast(4 * naive.requests)),
            // At most one call per task: no retry is admitted, only probes.
            of_ours(
                "provider_calls",
                protected.provider_calls,
                AtMost(TASKS + cooldowns(protected)),
            ),
            of_ours("max_in_flight", protected.max_in_flight, AtMost(naive.max_in_flight)),
            recovery(75_000),
        ],
        _ => Vec::new(),
    };
    claims.push(of_ours("user_visible_errors", protected.user_visible_errors, AtMost(0)));
    claims.push(of_ours("errors_outside_outage", protected.errors_outside_outage, AtMost(0)));
    claims
}

/// The maximum number of cooldowns that can end in the outage, if each is as short as its jitter allows. The bound follows
/// from the clock alone, not from the breaker.
fn cooldowns(figures: &Figures) -> u64 {
    let mut left = Duration::from_millis(figures.outage_ms).as_secs_f64();
    let (mut nominal, longest) = (COOLDOWN.0.as_secs_f64(), COOLDOWN.1.as_secs_f64());
    let mut ended = 0;
    loop {
        left -= nominal * (1.0 - JITTER);
        if left < 0.0 {
            return ended;
        }
        ended += 1;
        nominal = (2.0 * nominal).min(longest);
    }
}
