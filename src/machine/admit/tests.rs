use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::machine::{Callbacks, Verb};
use crate::settings::Settings;

/// Makes a call on a breaker that is open for a minute in `mode`. While the call reads the clock, `meanwhile` happens.
fn admitted(mode: Option<Verb>, meanwhile: Verb) -> (Machine, Admission) {
    let start = Instant::now();
    let settings = Settings::builder().build().expect("defaults are valid");
    let machine = Machine::new(Arc::from("mode"), settings, Callbacks::default(), start, 1);
    for verb in mode.into_iter().chain([Verb::HoldFor(Duration::from_secs(60))]) {
        assert!(!machine.manual(verb, start).is_empty());
    }
    let (admission, _) = machine.admit(|| {
        assert!(!machine.manual(meanwhile, start).is_empty());
        start
    });
    (machine, admission)
}

#[test]
fn the_mode_at_the_time_of_the_decision_decides_about_a_rejection() {
    let (machine, admission) = admitted(Some(Verb::Shadow), Verb::Release);
    assert!(admission.permit().expect("shadow rejects no call").is_inert());
    let totals = machine.snapshot(machine.base).totals;
    assert_eq!((totals.would_reject, totals.rejected), (1, 0));

    let (machine, admission) = admitted(None, Verb::Shadow);
    assert_eq!(admission.permit(), None);
    let totals = machine.snapshot(machine.base).totals;
    assert_eq!((totals.would_reject, totals.rejected), (0, 1));
}
