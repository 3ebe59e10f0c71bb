//! Fast and slow receivers of transitions, and tasks that wait for changes.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::select;
use tokio::time::sleep;
use tower_breaker::{
    Transition,
    handle::{Changed, Events, Lagged, Watch},
};

use crate::random::Random;
use crate::stop::Stop;

/// The transitions that one receiver received.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) received: u64,
    pub(crate) missed: u64,
    /// The epoch of the last transition.
    pub(crate) last: Option<u64>,
    pub(crate) out_of_order: bool,
    /// The number of transitions, by states and cause.
    pub(crate) kinds: BTreeMap<String, u64>,
}

impl Heard {
    fn take(&mut self, event: Result<Transition, Lagged>) {
        match event {
            Ok(transition) => {
                self.received += 1;
                self.out_of_order |= self.last.is_some_and(|last| transition.epoch != last + 1);
                self.last = Some(transition.epoch);
                let Transition { from, to, cause, .. } = transition;
                *self.kinds.entry(format!("{from} -> {to} ({cause})")).or_default() += 1;
            }
            Err(Lagged(missed)) => {
                self.missed += missed;
                self.last = self.last.map(|last| last + missed);
            }
        }
    }
}

/// Receives every transition until `stop`, with pauses if `slow` is given. `first` is the epoch before the first transition.
pub(crate) async fn hears(
    mut events: Events,
    first: u64,
    stop: Stop,
    slow: Option<Random>,
) -> Heard {
    let mut heard = Heard { last: Some(first), ..Heard::default() };
    let mut slow = slow;
    while !stop.is_set() {
        select! {
            event = events.recv() => heard.take(event),
            () = stop.wait() => {}
        }
        if let Some(random) = &mut slow {
            sleep(Duration::from_millis(5 + random.below(30))).await;
        }
    }
    while let Some(event) = events.try_recv() {
        heard.take(event);
    }
    heard
}

/// Waits for changes until the first one after `stop`. Returns their number.
pub(crate) async fn waits(mut watch: Watch, stop: Stop) -> u64 {
    let mut seen = 0;
    loop {
        watch.changed().await;
        seen += 1;
        if stop.is_set() {
            return seen;
        }
    }
}

/// Waits for one change, which must come after `stop`.
pub(crate) async fn once(changed: Changed, stop: Stop) -> u64 {
    changed.await;
    assert!(stop.is_set(), "a change came twice");
    1
}
