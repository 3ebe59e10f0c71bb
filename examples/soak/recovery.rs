//! The check after the calls of a round: the breaker has lost nothing, and still works.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_breaker::{BreakerHandle, Class, Mode, Permit, State};

use crate::claims::Broken;
use crate::ledger::{Ledger, Ticket};
use crate::regime::{Regime, Verb};
use crate::setups::{self, MS};

/// The waits and cooldowns of a round take a few milliseconds. A lost lease would take an hour.
const SOON: Duration = Duration::from_secs(10);

/// The number of concurrent probes in the last half-open period.
const PROBES: u32 = 3;

pub(crate) async fn check(
    handle: &BreakerHandle,
    regime: &Regime,
    ledger: &Arc<Ledger>,
    broken: &mut Broken,
) {
    let quiet = handle.snapshot();
    broken.unless(quiet.probes == 0, || format!("a lease was lost: {quiet:?}"));
    regime.act(handle, Verb::Release);
    if !closes(handle, ledger).await {
        broken.0.push(format!("the circuit does not close: {:?}", handle.snapshot()));
    }
    handle.reconfigure(setups::last(PROBES));
    let quiet = handle.snapshot();
    broken.unless(quiet.in_flight == Some(0), || format!("calls are in flight: {quiet:?}"));
    handle.hold_for(MS);
    if let Err(why) = probes(handle, ledger).await {
        broken.0.push(format!("the last half-open: {why}: {:?}", handle.snapshot()));
    }
}

/// Makes calls until the circuit has closed.
async fn closes(handle: &BreakerHandle, ledger: &Arc<Ledger>) -> bool {
    let end = Instant::now() + SOON;
    while (handle.mode(), handle.state()) != (Mode::Normal, State::Closed) {
        if Instant::now() > end {
            return false;
        }
        match ask(handle, ledger) {
            Some(call) => succeed(call),
            None => sleep(MS).await,
        }
    }
    true
}

/// Checks that the circuit opens, admits exactly [`PROBES`] probes, and closes with the last of them.
async fn probes(handle: &BreakerHandle, ledger: &Arc<Ledger>) -> Result<(), &'static str> {
    let end = Instant::now() + SOON;
    while !handle.would_admit() {
        if Instant::now() > end {
            return Err("no probe is admitted");
        }
        sleep(MS).await;
    }
    let take = |calls: &mut Vec<(Permit, Ticket)>| {
        while let Some(call) = ask(handle, ledger) {
            calls.push(call);
        }
    };
    let mut calls = Vec::new();
    take(&mut calls);
    if calls.len() != PROBES as usize || !calls.iter().all(|(permit, _)| permit.is_probe()) {
        return Err("not the full number of probes");
    }
    // Two probes end without a result: one is dropped, one is ignored.
    drop(calls.pop());
    if let Some((permit, ticket)) = calls.pop() {
        ticket.end(Class::Ignored);
        permit.ignore();
    }
    take(&mut calls);
    if calls.len() != PROBES as usize {
        return Err("not the full number of probes after two ended without a result");
    }
    for call in calls {
        if handle.state() != State::HalfOpen {
            return Err("the circuit did not wait for every probe");
        }
        succeed(call);
    }
    let now = handle.snapshot();
    match (now.state, now.probes, now.in_flight) {
        (State::Closed, 0, Some(0)) => Ok(()),
        _ => Err("every probe succeeded, but the circuit is not closed and empty"),
    }
}

fn ask(handle: &BreakerHandle, ledger: &Arc<Ledger>) -> Option<(Permit, Ticket)> {
    ledger.attempt();
    match handle.try_acquire() {
        Ok(permit) => Some((permit, ledger.enter())),
        Err(_) => {
            ledger.reject();
            None
        }
    }
}

fn succeed((permit, ticket): (Permit, Ticket)) {
    ticket.end(Class::Success);
    permit.success();
}
