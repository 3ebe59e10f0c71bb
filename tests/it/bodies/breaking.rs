//! Panics, threads and waiters at the moment when a body settles its call.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::task::{ArcWake, noop_waker_ref, waker};
use http::{HeaderMap, Response};
use http_body::{Body, Frame};
use tower_breaker::classify::{BodyProgress as Said, ClassifyBody, Http, Reading, SettleAt, Until};
use tower_breaker::{
    BreakerBody, BreakerHandle, CircuitBreakerLayer, Class, Config, Outcome, State, Trip,
};

use super::client::*;
use super::script::Step::{Breaks, Data, Panics, Trailers, Waits};
use super::script::{Script, Seen, Step, answered, breaker, poll};

/// Panics in one method.
struct Panicking(&'static str);

impl Panicking {
    fn enter(&self, what: &str) {
        if self.0 == what {
            resume_unwind(Box::new("the classifier's"));
        }
    }
}

impl ClassifyBody for Panicking {
    fn data(&mut self, _: &[u8]) -> Said {
        self.enter("data");
        Said::Content
    }

    fn end(&mut self) -> Outcome {
        self.enter("end");
        Outcome::success()
    }

    fn trailers(&mut self, _: &HeaderMap) -> Outcome {
        self.enter("trailers");
        Outcome::success()
    }

    fn error(&mut self) -> Outcome {
        self.enter("error");
        Outcome::failure()
    }

    fn dropped(&mut self) -> Option<Outcome> {
        self.enter("dropped");
        None
    }
}

fn panicking(what: &'static str, steps: &[Step]) -> (BreakerBody<Script>, BreakerHandle) {
    let handle = BreakerHandle::new("body", counting().build().unwrap());
    let permit = handle.try_acquire().unwrap();
    (BreakerBody::classified(Script::new(steps), permit, Box::new(Panicking(what))), handle)
}

fn poll_times(body: &mut BreakerBody<Script>, times: usize) -> Vec<Seen> {
    let mut cx = Context::from_waker(noop_waker_ref());
    (0..times).map(|_| poll(body, &mut cx)).collect()
}

#[test]
fn a_call_is_ignored_if_any_method_of_its_classifier_panics() {
    for (what, steps) in [
        ("data", &[Data(5), Data(5)][..]),
        ("end", &[Data(5)]),
        ("trailers", &[Data(5), Trailers]),
        ("error", &[Data(5), Breaks]),
        ("dropped", &[Data(5), Waits, Waits, Waits, Waits]),
    ] {
        let (mut body, handle) = panicking(what, steps);
        let polled = poll_times(&mut body, 3);
        assert_eq!(polled.contains(&Seen::Panic), what != "dropped", "{what}");
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(body)));
        assert_eq!(dropped.is_err(), what == "dropped", "{what}: the panic propagates");
        ended_now(&handle, &[(Class::Ignored, 1)]);
    }
}

#[test]
fn a_classifier_that_panicked_is_not_called_again() {
    let (mut body, handle) = panicking("data", &[Data(5), Data(6), Breaks]);
    let polled = poll_times(&mut body, 4);
    assert_eq!(polled[0], Seen::Panic);
    assert!(matches!(&polled[1], Seen::Data(data) if data.len() == 6), "{polled:?}");
    assert!(matches!(polled[2..], [Seen::Error(_), Seen::End]), "{polled:?}");
    ended_now(&handle, &[(Class::Ignored, 1)]);
}

#[test]
fn a_call_is_ignored_if_its_classifier_panics_when_the_body_is_taken_out() {
    let (body, handle) = panicking("dropped", &[Data(5)]);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(body.into_inner()))).is_err());
    ended_now(&handle, &[(Class::Ignored, 1)]);
}

#[test]
fn a_classifier_that_panics_while_its_reader_unwinds_does_not_abort_the_process() {
    let (body, handle) = panicking("dropped", &[Data(5)]);
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _held = body;
        resume_unwind(Box::new("the reader's"));
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"the reader's"));
    ended_now(&handle, &[(Class::Ignored, 1)]);
}

#[test]
fn a_body_that_panicked_is_a_failure_whatever_happens_to_it_next() {
    type Then = fn(BreakerBody<Script>);
    let polled_on: Then = |mut body| drop(poll_times(&mut body, 9));
    let taken_out: Then = |body| drop(body.into_inner());
    let elsewhere: Then = |body| std::thread::spawn(move || drop(body)).join().unwrap();
    for steps in [&[Panics][..], &[Panics, Data(5)], &[Data(5), Panics, Data(5), Trailers]] {
        for then in [drop as Then, polled_on, taken_out, elsewhere] {
            let (mut body, handle) =
                answered(&breaker(counting(), SettleAt::End), Script::new(steps));
            while poll_times(&mut body, 1) != [Seen::Panic] {}
            then(body);
            ended_now(&handle, &[(Class::Failure, 1)]);
            assert_eq!(handle.snapshot().last_error.unwrap().reason, Some("panic"));
        }
    }
}

#[test]
fn dropping_a_body_at_any_await_settles_once() {
    let steps = [Waits, Data(0), Waits, Data(5), Waits, Data(5), Waits];
    for polls in 0..steps.len() {
        let (mut body, handle) = answered(&breaker(counting(), SettleAt::End), Script::new(&steps));
        poll_times(&mut body, polls);
        drop(body);
        let class = if polls < 4 { Class::Cancelled } else { Class::Success };
        ended_now(&handle, &[(class, 1)]);
    }
}

#[test]
fn bodies_that_end_on_many_threads_are_each_counted_once() {
    let layer = breaker(counting().trip(Trip::none().failure_rate(1.0, u32::MAX)), SettleAt::End);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let layer = &layer;
            scope.spawn(move || {
                for turn in 0..250 {
                    let end = if (thread + turn) % 2 == 0 { Breaks } else { Trailers };
                    let (mut body, _) = answered(layer, Script::new(&[Data(5), Waits, end]));
                    poll_times(&mut body, 2);
                    scope.spawn(move || poll_times(&mut body, 1));
                }
            });
        }
    });
    ended_now(&layer.handle(), &[(Class::Success, 500), (Class::Failure, 500)]);
}

/// A breaker whose custom rule calls `act` with the handle while a body settles.
fn observed(act: fn(&BreakerHandle) -> bool) -> CircuitBreakerLayer<Http> {
    let known = Arc::new(OnceLock::<BreakerHandle>::new());
    let mine = Arc::clone(&known);
    let config = Config::http_client()
        .settings(counting().build().unwrap())
        .trip_when(move |_| mine.get().is_some_and(act));
    let layer = CircuitBreakerLayer::new(config);
    assert!(known.set(layer.handle()).is_ok());
    layer
}

#[test]
fn a_rule_may_use_the_handle_while_a_body_settles() {
    type Act = fn(&BreakerHandle) -> bool;
    let acts: [(Act, State); 5] = [
        (|handle| handle.snapshot().totals.failure == 1, State::Open),
        (
            |handle| {
                handle.reset();
                false
            },
            State::Closed,
        ),
        (
            |handle| {
                handle.force_open(None);
                true
            },
            State::ForcedOpen,
        ),
        (
            |handle| {
                handle.hold_for(Duration::from_secs(9));
                false
            },
            State::Open,
        ),
        (
            |handle| {
                drop(handle.try_acquire());
                false
            },
            State::Closed,
        ),
    ];
    for (act, state) in acts {
        let layer = observed(act);
        let (mut body, handle) = answered(&layer, Script::new(&[Data(5), Breaks]));
        assert!(matches!(poll_times(&mut body, 2)[..], [Seen::Data(_), Seen::Error(_)]));
        drop(body);
        let totals = handle.snapshot().totals;
        assert_eq!((totals.failure, totals.success, handle.state()), (1, 0, state));
    }
}

#[test]
fn a_call_is_counted_once_if_a_rule_panics_while_its_body_settles() {
    let layer = observed(|_| resume_unwind(Box::new("the rule's")));
    let (mut body, handle) = answered(&layer, Script::new(&[Data(5), Breaks]));
    let polled = poll_times(&mut body, 4);
    assert!(matches!(polled[0], Seen::Data(_)));
    drop(body);
    ended_now(&handle, &[(Class::Failure, 1)]);
}

/// A waker that uses the handle when it is woken.
struct Curious(BreakerHandle, AtomicUsize);

impl ArcWake for Curious {
    fn wake_by_ref(this: &Arc<Self>) {
        let snapshot = this.0.snapshot();
        drop(this.0.try_acquire());
        this.1.fetch_add(usize::from(snapshot.state == State::Open), Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_waker_may_use_the_handle_when_a_body_wakes_it() {
    let rule = Trip::none().consecutive(1);
    let layer = breaker(counting().trip(rule), SettleAt::End);
    let (mut body, handle) = answered(&layer, Script::new(&[Data(5), Breaks]));
    let curious = Arc::new(Curious(handle.clone(), AtomicUsize::new(0)));
    let (waker, mut watch) = (waker(Arc::clone(&curious)), handle.watch());
    let mut changed = Box::pin(watch.changed());
    assert!(changed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    poll_times(&mut body, 2);
    assert_eq!(curious.1.load(Ordering::Relaxed), 1, "woken once, with the new state");
    assert_eq!((handle.snapshot().totals.failure, handle.state()), (1, State::Open));
}

/// A body that panics when it is dropped.
struct Fragile(Script);

impl Drop for Fragile {
    fn drop(&mut self) {
        resume_unwind(Box::new("the body's drop"));
    }
}

impl Body for Fragile {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}

#[test]
fn a_body_that_panics_in_its_drop_is_settled_once() {
    for (polls, class) in [(0, Class::Cancelled), (1, Class::Success), (2, Class::Failure)] {
        let handle = BreakerHandle::new("body", counting().build().unwrap());
        let permit = handle.try_acquire().unwrap();
        let mut body = BreakerBody::guarded(Fragile(Script::new(&[Data(5), Breaks])), permit);
        let mut cx = Context::from_waker(noop_waker_ref());
        for _ in 0..polls {
            poll(&mut body, &mut cx);
        }
        assert!(catch_unwind(AssertUnwindSafe(|| drop(body))).is_err());
        ended_now(&handle, &[(class, 1)]);
    }
}

#[test]
fn a_call_is_counted_once_if_a_rule_panics_while_its_response_is_read() {
    let handle = observed(|_| resume_unwind(Box::new("the rule's"))).handle();
    let response = Response::new(Script::new(&[Data(5), Breaks]));
    let (permit, classifier) = (handle.try_acquire().unwrap(), Box::new(Panicking("nothing")));
    let reading = Reading::<_, ()>::new(response, permit, classifier, Until::End, Duration::MAX);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(reading.now_or_never()))).is_err());
    ended_now(&handle, &[(Class::Failure, 1)]);
}
