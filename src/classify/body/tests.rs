//! Bodies that settle calls.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use http::HeaderMap;
use http_body_util::{BodyExt, Empty, Full, StreamBody};

use super::*;
use crate::breaker::BreakerHandle;
use crate::{Backoff, Outcome, Probe, Settings, State, Trip, machine::Totals};

/// The result of one poll of a body.
#[derive(Debug)]
enum Step {
    Data(&'static str),
    Trailers,
    Breaks,
    Panics,
    Waits,
}

use Step::{Breaks, Data, Panics, Trailers, Waits};

/// A scripted body. If `knows_its_end`, it reports the end of the stream after its last step.
#[derive(Debug)]
struct Script {
    steps: VecDeque<Step>,
    knows_its_end: bool,
}

impl Script {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), knows_its_end: false }
    }

    fn exact(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { knows_its_end: true, ..Self::new(steps) }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Data(data)) => Some(Ok(Frame::data(Bytes::from_static(data.as_bytes())))),
            Some(Trailers) => Some(Ok(Frame::trailers(HeaderMap::new()))),
            Some(Breaks) => Some(Err("reset")),
            Some(Panics) => panic!("the body panicked"),
            Some(Waits) => return Poll::Pending,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.steps.is_empty()
    }
}

/// A record of the calls of a classifier.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<String>>);

struct Recorder(Record);

impl Recorder {
    fn note(&self, what: &str) {
        let mut record = self.0.0.lock().unwrap();
        record.push_str(what);
        record.push(' ');
    }
}

impl ClassifyBody for Recorder {
    fn data(&mut self, data: &[u8]) -> BodyProgress {
        self.note(std::str::from_utf8(data).unwrap());
        match data {
            b"ping" => BodyProgress::Pending,
            b"overloaded" => BodyProgress::Settled(Outcome::throttled()),
            b"confusing" => panic!("the classifier panicked"),
            _ => BodyProgress::Content,
        }
    }

    fn end(&mut self) -> Outcome {
        self.note("end");
        Outcome::exhausted()
    }
}

const S: Duration = Duration::from_secs(1);

fn handle() -> BreakerHandle {
    let settings = Settings::builder()
        .trip(Trip::none().consecutive(100).slow(10 * S, 1.0, 1))
        .cooldown(Backoff::fixed(5 * S).jitter(0.0))
        .probe(Probe::successes(1))
        .build();
    BreakerHandle::new("body", settings.unwrap())
}

fn guarded(script: Script) -> (BreakerBody<Script>, BreakerHandle) {
    let handle = handle();
    (BreakerBody::guarded(script, handle.try_acquire().unwrap()), handle)
}

fn classified(script: Script) -> (BreakerBody<Script>, BreakerHandle, Record) {
    let (handle, record) = (handle(), Record::default());
    let classifier = Box::new(Recorder(record.clone()));
    (BreakerBody::classified(script, handle.try_acquire().unwrap(), classifier), handle, record)
}

fn poll(body: &mut BreakerBody<Script>) -> Option<Result<Frame<Bytes>, &'static str>> {
    body.frame().now_or_never().expect("a frame is ready")
}

/// Returns the class of the only call.
fn counted(handle: &BreakerHandle) -> &'static str {
    let Totals { success, failure, throttled, exhausted, ignored, cancelled, .. } =
        handle.snapshot().totals;
    match (success, failure, throttled, exhausted, ignored, cancelled) {
        (0, 0, 0, 0, 0, 0) => "open",
        (1, 0, 0, 0, 0, 0) => "success",
        (0, 1, 0, 0, 0, 0) => "failure",
        (0, 0, 1, 0, 0, 0) => "throttled",
        (0, 0, 0, 1, 0, 0) => "exhausted",
        (0, 0, 0, 0, 1, 0) => "ignored",
        (0, 0, 0, 0, 0, 1) => "cancelled",
        _ => panic!("settled more than once"),
    }
}

#[test]
fn an_empty_body_exists_for_every_type() {
    assert!(BreakerBody::<Script>::default().into_inner().is_err());
    assert!(BreakerBody::new(Script::new([])).into_inner().is_ok());
}

#[test]
fn an_empty_body_ends_at_once_and_has_size_zero() {
    let mut body = BreakerBody::<Full<Bytes>>::empty();
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().now_or_never().unwrap().is_none());
}

#[test]
fn size_and_end_are_those_of_the_inner_body() {
    let mut body = BreakerBody::new(Full::new(Bytes::from_static(b"four")));
    assert_eq!(body.size_hint().exact(), Some(4));
    assert!(!body.is_end_stream());
    let frame = body.frame().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "four");
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
}

#[test]
fn data_trailers_and_errors_pass_untouched() {
    for guard in [false, true] {
        let script = Script::new([Data("a"), Trailers, Breaks]);
        let mut body = if guard { guarded(script).0 } else { BreakerBody::new(script) };
        assert_eq!(poll(&mut body).unwrap().unwrap().into_data().unwrap(), "a");
        assert!(poll(&mut body).unwrap().unwrap().is_trailers());
        assert_eq!(poll(&mut body).unwrap().unwrap_err(), "reset");
        assert!(poll(&mut body).is_none());
    }
}

#[test]
fn an_unpin_body_stays_unpin() {
    fn unpin<T: Unpin + Send + Sync>(_: &T) {}
    unpin(&BreakerBody::new(Empty::<Bytes>::new()));
}

/// Polls a body a number of times and drops it.
fn drain(mut body: BreakerBody<Script>, polls: usize) {
    let waker = Waker::noop();
    let mut cx = Context::from_waker(waker);
    for _ in 0..polls {
        let _frame = Pin::new(&mut body).poll_frame(&mut cx);
    }
}

#[test]
fn every_way_to_end_settles_once() {
    for (script, polls, expected) in [
        (Script::exact([Data("a"), Data("b")]), 2, "success"),
        (Script::exact([Data("a"), Data("b")]), 1, "success"),
        (Script::new([Data("a")]), 2, "success"),
        (Script::new([Data("a")]), 9, "success"),
        (Script::new([]), 1, "success"),
        (Script::new([Data("a"), Trailers]), 2, "success"),
        (Script::new([Trailers]), 1, "success"),
        (Script::new([Breaks]), 1, "failure"),
        (Script::new([Data("a"), Breaks]), 2, "failure"),
        (Script::new([Data("a"), Breaks, Data("b")]), 9, "failure"),
        (Script::new([Data("a")]), 0, "cancelled"),
        (Script::new([Data(""), Data("a")]), 1, "cancelled"),
        (Script::new([Waits, Data("a")]), 1, "cancelled"),
        (Script::new([Waits, Data("a"), Waits]), 3, "success"),
        (Script::exact([]), 0, "success"),
    ] {
        let what = format!("{script:?}, {polls} polls");
        let (body, handle) = guarded(script);
        drain(body, polls);
        assert_eq!(counted(&handle), expected, "{what}");
    }
}

#[test]
fn a_frame_that_is_known_to_be_the_last_settles_without_another_poll() {
    let (mut body, handle) = guarded(Script::exact([Data("a"), Data("b")]));
    poll(&mut body);
    assert_eq!(counted(&handle), "open");
    poll(&mut body);
    assert_eq!(counted(&handle), "success");
}

#[test]
fn a_body_that_panics_is_a_failure_and_a_reader_that_panics_is_a_success() {
    let (mut body, handle) = guarded(Script::new([Data("a"), Panics]));
    poll(&mut body);
    let unwound = catch_unwind(AssertUnwindSafe(|| poll(&mut body)));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"the body panicked"));
    drop(body);
    assert_eq!(counted(&handle), "failure");

    let (mut body, handle) = guarded(Script::new([Data("a"), Waits]));
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        poll(&mut body);
        let _held = body;
        panic!("the reader panicked");
    }));
    assert!(unwound.is_err());
    assert_eq!(counted(&handle), "success");
}

#[test]
fn a_classifier_sees_every_byte_and_the_end_once() {
    let (body, handle, record) = classified(Script::new([Data("ping"), Data(""), Data("a")]));
    drain(body, 9);
    assert_eq!(*record.0.lock().unwrap(), "ping a end ");
    assert_eq!(counted(&handle), "exhausted");

    let (body, handle, record) = classified(Script::exact([Data("a"), Trailers]));
    drain(body, 9);
    assert_eq!(*record.0.lock().unwrap(), "a end ");
    assert_eq!(counted(&handle), "exhausted");
}

#[test]
fn an_outcome_settles_the_call_and_the_body_goes_on() {
    let (mut body, handle, record) =
        classified(Script::new([Data("a"), Data("overloaded"), Data("more"), Breaks]));
    poll(&mut body);
    poll(&mut body);
    assert_eq!(counted(&handle), "throttled");
    assert_eq!(poll(&mut body).unwrap().unwrap().into_data().unwrap(), "more");
    assert_eq!(poll(&mut body).unwrap().unwrap_err(), "reset");
    drop(body);
    assert_eq!(counted(&handle), "throttled");
    assert_eq!(*record.0.lock().unwrap(), "a overloaded ");
}

#[test]
fn a_body_that_is_dropped_without_content_is_cancelled() {
    let (body, handle, _) = classified(Script::new([Data("ping"), Data("ping")]));
    drain(body, 2);
    assert_eq!(counted(&handle), "cancelled");
    let (body, handle, _) = classified(Script::new([Data("ping"), Data("a"), Data("b")]));
    drain(body, 2);
    assert_eq!(counted(&handle), "success");
}

#[test]
fn a_call_whose_classifier_panics_is_ignored() {
    let (mut body, handle, _) = classified(Script::new([Data("a"), Data("confusing")]));
    poll(&mut body);
    let unwound = catch_unwind(AssertUnwindSafe(|| poll(&mut body)));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"the classifier panicked"));
    drop(body);
    assert_eq!(counted(&handle), "ignored");
}

/// A frame of several pieces that shows the first `shown` of them.
struct Pieces {
    parts: VecDeque<&'static [u8]>,
    shown: usize,
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.parts.front().copied().unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let shown = self.parts.iter().take(self.shown).zip(slices);
        shown.map(|(part, slice)| *slice = std::io::IoSlice::new(part)).count()
    }

    fn advance(&mut self, _: usize) {
        unreachable!("a classifier does not consume data");
    }
}

#[test]
fn a_frame_of_pieces_is_read_if_it_shows_them_all() {
    for (shown, expected) in [(2, "ping a "), (1, "")] {
        let (handle, record) = (handle(), Record::default());
        let pieces = Pieces { parts: [&b"ping"[..], b"a"].into(), shown };
        let frames = futures_util::stream::iter([Ok::<_, ()>(Frame::data(pieces))]);
        let classifier = Box::new(Recorder(record.clone()));
        let permit = handle.try_acquire().unwrap();
        let mut body = BreakerBody::classified(StreamBody::new(frames), permit, classifier);
        body.frame().now_or_never();
        assert_eq!(*record.0.lock().unwrap(), expected);
        drop(body);
        assert_eq!(counted(&handle), "success");
    }
}

#[test]
fn taking_the_inner_body_settles_the_call() {
    let (body, handle) = guarded(Script::new([Data("a")]));
    assert!(body.into_inner().is_ok());
    assert_eq!(counted(&handle), "success");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_call_ends_with_its_first_content() {
    let (mut body, handle) = guarded(Script::new([Data(""), Data("a")]));
    tokio::time::advance(9 * S).await;
    poll(&mut body);
    poll(&mut body);
    tokio::time::advance(100 * S).await;
    poll(&mut body);
    assert_eq!((counted(&handle), handle.state()), ("success", State::Closed));

    let (mut body, handle) = guarded(Script::new([Data(""), Data("a")]));
    poll(&mut body);
    tokio::time::advance(10 * S).await;
    poll(&mut body);
    poll(&mut body);
    assert_eq!((counted(&handle), handle.state()), ("success", State::Open));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_never_polled_is_cancelled_however_long_it_was_held() {
    for (polls, expected, state) in [(0, "cancelled", State::Closed), (1, "failure", State::Open)] {
        let settings = Settings::builder()
            .trip(Trip::none().consecutive(9).slow(S, 1.0, 1).overdue(1, S))
            .cancelled_after(S);
        let handle = BreakerHandle::new("body", settings.build().unwrap());
        let body = BreakerBody::guarded(Script::new([Waits]), handle.try_acquire().unwrap());
        let mut held = tokio_test::task::spawn(body);
        for _ in 0..polls {
            assert!(held.enter(|cx, body| body.poll_frame(cx)).is_pending());
        }
        tokio::time::advance(100 * S).await;
        drop(held);
        assert_eq!((counted(&handle), handle.state()), (expected, state));
        let snapshot = handle.snapshot();
        assert_eq!((snapshot.window.overdue, snapshot.in_flight), (Some(0), Some(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_settled_at_its_first_content_and_may_break_later() {
    for (last, broken) in [(Breaks, 1), (Waits, 0)] {
        let handle = handle();
        handle.hold_for(S);
        tokio::time::advance(S).await;
        let permit = handle.try_acquire().unwrap();
        assert!(permit.is_probe());
        let mut body = BreakerBody::guarded(Script::new([Data(""), Data("a"), last]), permit);
        poll(&mut body);
        assert_eq!(handle.state(), State::HalfOpen);
        poll(&mut body);
        assert_eq!((handle.state(), handle.snapshot().totals.success), (State::Closed, 1));
        drain(body, 1);
        let snapshot = handle.snapshot();
        assert_eq!(snapshot.totals.broken_after, broken);
        assert_eq!(snapshot.totals.settled(), 1);
        assert_eq!(u64::from(snapshot.window.consecutive_failures), broken);
    }
}

/// Classifies a body by its end alone.
struct EndOnly;

impl ClassifyBody for EndOnly {
    fn data(&mut self, _: &[u8]) -> BodyProgress {
        panic!("shows data to a classifier that does not read it");
    }

    fn end(&mut self) -> Outcome {
        Outcome::throttled()
    }

    fn reads_data(&self) -> bool {
        false
    }
}

#[test]
fn a_classifier_that_reads_no_data_decides_at_the_end_and_any_data_is_content() {
    for (polls, expected) in [(0, "cancelled"), (1, "success"), (2, "throttled")] {
        let handle = handle();
        let permit = handle.try_acquire().unwrap();
        let body = BreakerBody::classified(Script::new([Data("a")]), permit, Box::new(EndOnly));
        drain(body, polls);
        assert_eq!(counted(&handle), expected, "{polls} polls");
    }
}
