use std::sync::Arc;

use super::*;
use crate::loom_tests::{both, model};

fn word(epoch: u64) -> GateWord {
    GateWord::new(Epoch::from_u64(epoch), PhaseTag::Open, false, Cause::Hold, Flags::from_bits(0))
}

#[test]
fn a_time_never_belongs_to_another_word() {
    model(|| {
        let gate = Arc::new(Gate::new(word(1), Nanos::ZERO));
        gate.set(word(1), Nanos::from_u64(10));
        let writes = {
            let gate = Arc::clone(&gate);
            move || {
                gate.set(word(2), Nanos::from_u64(20));
                gate.set(word(2), Nanos::from_u64(21));
                gate.set(word(3), Nanos::from_u64(30));
            }
        };
        let reads = {
            let gate = Arc::clone(&gate);
            move || {
                let word = gate.word();
                (word.epoch().get(), gate.until(word))
            }
        };
        let ((), (epoch, until)) = both(writes, reads);
        assert!(until.is_none_or(|until| until.get() / 10 == epoch), "{epoch}, {until:?}");
        assert_eq!(gate.until(word(3)), Some(Nanos::from_u64(30)));
    });
}
