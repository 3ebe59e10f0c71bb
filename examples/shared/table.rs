//! Tables of calls. Each row is compared with a claim of the example.

use std::time::{Duration, Instant};

use tower_breaker::{
    BreakerHandle, CircuitOpen, Snapshot, State,
    handle::{Events, Totals},
};

use super::run::Claims;

/// The text for a rejection.
pub(crate) fn rejected(open: &CircuitOpen) -> String {
    match open.retry_after() {
        Some(wait) => format!("rejected, retry in {:.1} s", wait.as_secs_f32()),
        None => "rejected".to_owned(),
    }
}

/// A time in seconds, with two decimals.
pub(crate) fn secs(time: Duration) -> String {
    format!("{:.2}s", time.as_secs_f64())
}

/// The class in which one more call is counted in `now` than in `before`.
pub(crate) fn counted(before: &Totals, now: &Totals) -> &'static str {
    let classes = [
        ("success", before.success, now.success),
        ("failure", before.failure, now.failure),
        ("throttled", before.throttled, now.throttled),
        ("ignored", before.ignored, now.ignored),
        ("cancelled", before.cancelled, now.cancelled),
        ("rejected", before.rejected, now.rejected),
        ("broken_after", before.broken_after, now.broken_after),
    ];
    let changed = classes.into_iter().find(|(_, before, now)| before != now);
    changed.map_or("nothing more", |(class, ..)| class)
}

/// Waits until the circuit is not open, so that the next call may be a probe.
pub(crate) async fn cooldown(handle: &BreakerHandle) {
    let mut watch = handle.watch();
    while watch.state() == State::Open {
        watch.changed().await;
    }
}

/// A breaker, and the part of its history that has been printed.
pub(crate) struct Account {
    pub(crate) handle: BreakerHandle,
    events: Events,
    /// The totals as of the last row.
    totals: Totals,
    start: Instant,
    pub(crate) claims: Claims,
}

impl Account {
    pub(crate) fn new(handle: &BreakerHandle) -> Self {
        Self {
            events: handle.events(),
            totals: handle.snapshot().totals,
            handle: handle.clone(),
            start: Instant::now(),
            claims: Claims::default(),
        }
    }

    /// The time since the start.
    pub(crate) fn time(&self) -> String {
        secs(self.start.elapsed())
    }

    /// The totals as of the last row, and a snapshot for the next one.
    pub(crate) fn next(&mut self) -> (Totals, Snapshot) {
        let seen = self.handle.snapshot();
        (std::mem::replace(&mut self.totals, seen.totals), seen)
    }

    /// Prints the transitions since the last row, with the error that opened the circuit if `errors` is set.
    pub(crate) fn transitions(&mut self, errors: bool) {
        while let Some(change) = self.events.try_recv() {
            match change {
                Ok(change) => {
                    let error = change.last_error.filter(|_| errors && change.to == State::Open);
                    let error = error.map(|error| format!(", {error}")).unwrap_or_default();
                    let time = change.open_for.map(|time| format!(", for {}", secs(time)));
                    let (from, to, cause) = (change.from, change.to, change.cause);
                    println!("        {from} → {to}: {cause}{error}{}", time.unwrap_or_default());
                }
                Err(lagged) => self.claim(false, || lagged.to_string()),
            }
        }
    }

    /// Records a claim if it does not hold.
    pub(crate) fn claim(&mut self, holds: bool, claim: impl FnOnce() -> String) {
        self.claims.claim(holds, claim);
    }
}

/// A table whose rows are a call, its result, and the state after it.
pub(crate) struct Table {
    handle: BreakerHandle,
    events: Events,
    start: Instant,
    pub(crate) claims: Claims,
}

impl Table {
    pub(crate) fn new(handle: &BreakerHandle) -> Self {
        println!("   time  {:<36}{:<36}circuit", "the call", "its caller gets");
        let (handle, events) = (handle.clone(), handle.events());
        Self { handle, events, start: Instant::now(), claims: Claims::default() }
    }

    /// Adds a row. `got` is the result of the call. Claims that it begins with `claimed`, and that the circuit is in
    /// this state.
    pub(crate) fn call(&mut self, what: &str, got: &str, claimed: &str, state: State) {
        let time = self.start.elapsed().as_secs_f32();
        println!("{time:6.2}s  {what:<36}{got:<36}{}", self.handle.state());
        while let Some(Ok(event)) = self.events.try_recv() {
            println!("         {} → {}: {}", event.from, event.to, event.cause);
        }
        self.claim(got.starts_with(claimed), || format!("{what}: {claimed}, not {got}"));
        let seen = self.handle.state();
        self.claim(seen == state, || format!("{what}: the circuit is then {state}, not {seen}"));
    }

    /// Records a claim if it does not hold.
    pub(crate) fn claim(&mut self, holds: bool, claim: impl FnOnce() -> String) {
        self.claims.claim(holds, claim);
    }
}
