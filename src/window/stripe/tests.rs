use std::sync::Arc;

use super::*;

#[test]
fn slots_are_assigned_from_the_lowest_and_again_after_they_are_freed() {
    let mut slots = Slots { taken: 0 };
    assert_eq!((slots.take(), slots.take(), slots.take()), (0, 1, 2));
    slots.free(1);
    assert_eq!((slots.take(), slots.take()), (1, 3));
    for _ in 4..64 {
        slots.take();
    }
    assert_eq!(slots.take(), NO_SLOT);
}

#[test]
fn no_count_is_lost_by_many_threads() {
    // Fewer steps under miri, which is slow.
    let (threads, counts) = if cfg!(miri) { (20, 20) } else { (100, 1_000) };
    let counters = Arc::new(Striped::<AtomicU64>::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..counts {
                    counters.count(|word, access| access.add(word, 1));
                }
            });
        }
    });
    let sum: u64 = counters.all().map(|word| word.load(Ordering::Acquire)).sum();
    assert_eq!(sum, threads * counts);
}

#[test]
fn two_living_threads_never_own_the_same_stripe() {
    let barrier = std::sync::Barrier::new(8);
    let slots: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    assign();
                    barrier.wait();
                    SLOT.get()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut owned: Vec<_> = slots.into_iter().filter(|slot| *slot < NO_SLOT).collect();
    owned.sort_unstable();
    let all = owned.len();
    owned.dedup();
    assert_eq!(owned.len(), all);
}

#[test]
fn a_thread_gets_its_number_with_its_first_count_and_keeps_it() {
    let counters = Striped::<AtomicU64>::new();
    let count = || {
        let mut how = None;
        counters.count(|_, access| how = Some(access));
        let owns = if counters.own().is_some() { Access::Owned } else { Access::Shared };
        assert_eq!(how, Some(owns));
        SLOT.get()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(SLOT.get(), UNASSIGNED);
            let first = count();
            assert_ne!(first, UNASSIGNED);
            assert_eq!(count(), first);
        });
    });
}

#[test]
fn the_number_of_a_thread_that_ended_is_reused() {
    let numbered = || {
        assign();
        SLOT.get() != NO_SLOT
    };
    // More threads than numbers, one after the other. For a moment, another test may have taken them all.
    let threads = (0..10_000).map(|_| std::thread::spawn(numbered).join().expect("no panic"));
    assert_eq!(threads.filter(|numbered| *numbered).take(65).count(), 65);
}
