//! What a breaker counted.

use std::panic::Location;

use tower_breaker::{BreakerHandle, Class, Settings, SettingsBuilder, Trip, handle::Totals};

use super::until::until;

/// The settings of a breaker that counts every call and does not open.
pub(crate) fn counting() -> SettingsBuilder {
    Settings::http_client().to_builder().trip(Trip::none().consecutive(1000)).track_in_flight(true)
}

/// Waits until the given number of calls has ended, then compares all totals.
#[track_caller]
pub(crate) fn ended(handle: &BreakerHandle, calls: &[(Class, u64)]) -> impl Future<Output = ()> {
    let at = Location::caller();
    let expected = totals(calls);
    async move {
        let settled = expected.settled();
        until(handle, |snapshot| snapshot.totals.settled() >= settled).await;
        compare(handle, expected, at);
    }
}

/// Compares all totals without waiting.
#[track_caller]
pub(crate) fn ended_now(handle: &BreakerHandle, calls: &[(Class, u64)]) {
    compare(handle, totals(calls), Location::caller());
}

/// Asserts that one call is in flight and none has ended.
#[track_caller]
pub(crate) fn pending(handle: &BreakerHandle) {
    let totals = handle.snapshot().totals;
    assert_eq!((totals.settled(), totals.admitted), (0, Some(1)), "{totals:?}");
}

#[track_caller]
fn compare(handle: &BreakerHandle, mut expected: Totals, at: &Location<'_>) {
    let seen = handle.snapshot().totals;
    expected.admitted = Some(expected.settled());
    assert_eq!(seen, expected, "{at}");
}

/// The totals of a breaker whose calls ended in these classes. `admitted` is not set.
pub(crate) fn totals(calls: &[(Class, u64)]) -> Totals {
    let mut totals = Totals::default();
    for (class, count) in calls {
        *match class {
            Class::Success => &mut totals.success,
            Class::Failure => &mut totals.failure,
            Class::Throttled => &mut totals.throttled,
            Class::Exhausted => &mut totals.exhausted,
            Class::Ignored => &mut totals.ignored,
            Class::Cancelled => &mut totals.cancelled,
            _ => unreachable!("{class:?} does not end a call"),
        } += count;
    }
    totals
}
