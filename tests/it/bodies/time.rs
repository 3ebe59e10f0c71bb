//! Which time counts, that of the server or that of the reader. All tests use virtual time.

use std::time::Duration;

use futures_util::task::noop_waker_ref;
use std::task::Context;
use tokio::time::advance;
use tower_breaker::classify::SettleAt;
use tower_breaker::{Class, State, Trip};

use super::client::*;
use super::script::Step::{Breaks, Data, Waits};
use super::script::{Script, Seen, answered, breaker, poll};

const S: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn the_readers_time_after_the_first_content_does_not_count_as_slow() {
    for (before, slow) in [(9, false), (10, true)] {
        let layer = breaker(counting().trip(Trip::none().slow(10 * S, 1.0, 1)), SettleAt::End);
        let (mut body, handle) = answered(&layer, Script::new(&[Data(0), Data(5), Data(5)]));
        let mut cx = Context::from_waker(noop_waker_ref());
        assert!(matches!(poll(&mut body, &mut cx), Seen::Data(_)));
        advance(before * S).await;
        poll(&mut body, &mut cx);
        advance(1000 * S).await;
        poll(&mut body, &mut cx);
        assert_eq!(poll(&mut body, &mut cx), Seen::End);
        ended_now(&handle, &[(Class::Success, 1)]);
        assert_eq!(handle.state() == State::Open, slow, "first content after {before} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_read_slowly_is_not_overdue_and_one_that_hangs_is() {
    for (content, overdue) in [(5, false), (0, true)] {
        let layer = breaker(counting().trip(Trip::none().overdue(1, 10 * S)), SettleAt::End);
        let (mut body, handle) = answered(&layer, Script::new(&[Data(content), Waits]));
        poll(&mut body, &mut Context::from_waker(noop_waker_ref()));
        advance(1000 * S).await;
        assert_eq!(handle.try_acquire().is_err(), overdue, "{content} bytes");
        assert_eq!(handle.state() == State::Open, overdue);
        drop(body);
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_after_applies_only_before_the_first_content() {
    for (content, after, class) in [
        (0, 9, Class::Cancelled),
        (0, 10, Class::Failure),
        (5, 9, Class::Success),
        (5, 1000, Class::Success),
    ] {
        let layer = breaker(counting().cancelled_after(10 * S), SettleAt::End);
        let (mut body, handle) = answered(&layer, Script::new(&[Data(content), Waits]));
        poll(&mut body, &mut Context::from_waker(noop_waker_ref()));
        advance(after * S).await;
        drop(body);
        ended_now(&handle, &[(class, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_probe_does_not_include_its_stream() {
    let layer = breaker(probing(), SettleAt::End);
    let handle = layer.handle();
    handle.hold_for(S);
    advance(S).await;
    let (mut body, _) = answered(&layer, Script::new(&[Data(5), Data(5), Breaks]));
    let mut cx = Context::from_waker(noop_waker_ref());
    poll(&mut body, &mut cx);
    advance(10_000 * S).await;
    poll(&mut body, &mut cx);
    assert_eq!(handle.state(), State::Closed);
    assert!(matches!(poll(&mut body, &mut cx), Seen::Error(_)));
    drop(body);
    let totals = handle.snapshot().totals;
    assert_eq!((totals.success, totals.settled(), totals.late, totals.broken_after), (1, 1, 0, 1));
}
