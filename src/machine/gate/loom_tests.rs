use std::sync::Arc;

use super::*;
use crate::loom_tests::{both, model};

fn word(epoch: u64) -> Word {
    Word::new(epoch, Phase::Open, false, Cause::Hold, Flags::from_bits(0))
}

#[test]
fn a_time_is_never_that_of_another_word() {
    model(|| {
        let gate = Arc::new(Gate::new(word(1)));
        gate.set(word(1), 10);
        let writes = {
            let gate = Arc::clone(&gate);
            move || {
                gate.set(word(2), 20);
                gate.set(word(2), 21);
                gate.set(word(3), 30);
            }
        };
        let reads = {
            let gate = Arc::clone(&gate);
            move || {
                let word = gate.word();
                (word.epoch(), gate.until(word))
            }
        };
        let ((), (epoch, until)) = both(writes, reads);
        assert!(until.is_none_or(|until| until / 10 == epoch), "{epoch}, {until:?}");
        assert_eq!(gate.until(word(3)), Some(30));
    });
}
