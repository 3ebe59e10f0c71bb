//! Random bodies that are read ahead before their response is returned.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use http::{HeaderMap, Response};
use http_body::Body;
use http_body_util::BodyExt;
use proptest::prelude::*;
use tokio::time::{Instant, timeout};
use tower_breaker::classify::BodyProgress as Said;
use tower_breaker::classify::{ClassifyBody, Reading, Until, Verdict};
use tower_breaker::{BreakerBody, BreakerHandle, Class, Outcome};

use super::client::*;
use super::script::{Script, Seen, Step};

const MAX_AHEAD: usize = 64 * 1024;

/// Classifies frames by their length.
struct ByLength;

impl ClassifyBody for ByLength {
    fn data(&mut self, data: &[u8]) -> Said {
        said(data.len())
    }

    fn end(&mut self) -> Outcome {
        Outcome::exhausted()
    }

    fn trailers(&mut self, _: &HeaderMap) -> Outcome {
        Outcome::ignored()
    }
}

fn said(length: usize) -> Said {
    match length {
        3 => Said::Settled(Outcome::throttled()),
        length if length % 2 == 0 => Said::Pending,
        _ => Said::Content,
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Data(0)),
        3 => Just(Step::Data(2)),
        2 => Just(Step::Data(5)),
        1 => Just(Step::Data(3)),
        3 => Just(Step::Data(20_000)),
        1 => Just(Step::Data(30_001)),
        1 => Just(Step::Data(100_000)),
        1 => Just(Step::Trailers),
        1 => Just(Step::Breaks),
        1 => Just(Step::Panics),
        2 => Just(Step::Waits),
        3 => (0_u64..9).prop_map(|tens| Step::Sleeps(10 * tens)),
    ]
}

/// The expected progress of a body.
#[derive(Debug, Default)]
struct Reference {
    at: usize,
    content: bool,
    class: Option<Class>,
    bytes: usize,
    elapsed: u64,
    frames: usize,
    broken: bool,
    panicked: bool,
}

impl Reference {
    /// Applies one step, or the end of the body.
    fn step(&mut self, steps: &[Step], exact: bool) {
        let step = steps.get(self.at);
        self.at += 1;
        let last = exact && self.at == steps.len();
        let class = match step {
            None => Some(Class::Exhausted),
            Some(Step::Data(length)) => {
                self.frames += 1;
                self.bytes += length;
                match said(*length) {
                    Said::Settled(_) => Some(Class::Throttled),
                    Said::Content => {
                        self.content = true;
                        last.then_some(Class::Exhausted)
                    }
                    Said::Pending => last.then_some(Class::Exhausted),
                }
            }
            Some(Step::Trailers) => {
                self.frames += 1;
                Some(Class::Ignored)
            }
            Some(Step::Breaks) => {
                self.frames += 1;
                self.broken = true;
                Some(Class::Failure)
            }
            Some(Step::Panics) => {
                self.panicked = true;
                Some(Class::Failure)
            }
            Some(Step::Waits) => None,
            Some(Step::Sleeps(ms)) => {
                self.elapsed += ms;
                None
            }
        };
        self.class = self.class.or(class);
    }

    /// Reads ahead. Returns `false` if the time ran out.
    fn read(&mut self, steps: &[Step], exact: bool, until: Until, time: u64) -> bool {
        while self.class.is_none()
            && self.bytes < MAX_AHEAD
            && !(until == Until::Content && self.content)
        {
            if let Some(Step::Sleeps(ms)) = steps.get(self.at)
                && self.elapsed + ms > time
            {
                self.elapsed = time;
                self.at += 1;
                return false;
            }
            self.step(steps, exact);
        }
        true
    }

    /// Returns the class of the call if the body is dropped now.
    fn dropped(&self) -> Class {
        self.class.unwrap_or(if self.content { Class::Success } else { Class::Cancelled })
    }
}

/// Reads at most `most` frames of a body, up to its end or its error.
async fn frames<B>(body: &mut B, most: usize) -> Vec<Seen>
where
    B: Body<Data = bytes::Bytes, Error = &'static str> + Unpin,
{
    let mut frames = Vec::new();
    while frames.len() < most {
        let Ok(frame) = AssertUnwindSafe(body.frame()).catch_unwind().await else {
            frames.push(Seen::Panic);
            break;
        };
        match frame {
            None => break,
            Some(Err(error)) => {
                frames.push(Seen::Error(error));
                break;
            }
            Some(Ok(frame)) => frames.push(match frame.into_data() {
                Ok(data) => Seen::Data(data),
                Err(frame) => Seen::Trailers(frame.into_trailers().unwrap()),
            }),
        }
    }
    frames
}

type Handed = Response<BreakerBody<Script>>;

fn reading(handle: &BreakerHandle, script: Script, until: Until, ms: u64) -> Reading<Script, ()> {
    let permit = handle.try_acquire().unwrap();
    let time = Duration::from_millis(ms);
    Reading::new(Response::new(script), permit, Box::new(ByLength), until, time)
}

fn handle() -> BreakerHandle {
    BreakerHandle::new("body", counting().build().unwrap())
}

/// Reads a body ahead for at most `limit`, gives up after `patience`, then reads at most `most` frames.
async fn case(steps: &[Step], exact: bool, until: Until, limit: u64, patience: u64, most: usize) {
    let handle = handle();
    let script = Script::exact(steps, exact);
    let (taken, began) = (script.taken(), Instant::now());
    let reading = reading(&handle, script, until, limit);
    let ahead = AssertUnwindSafe(timeout(Duration::from_millis(patience), reading)).catch_unwind();
    let ahead = ahead.await;
    let elapsed = began.elapsed();

    let mut expected = Reference::default();
    let whole = expected.read(steps, exact, until, limit.min(patience));
    assert_eq!(
        taken.bytes.load(Ordering::Relaxed),
        expected.bytes,
        "exactly the expected bytes are read ahead"
    );
    assert!(elapsed <= Duration::from_millis(expected.elapsed + 1), "{elapsed:?} {expected:?}");
    let handed: Handed = match ahead {
        Err(_) => {
            assert!(expected.panicked);
            return ended_now(&handle, &[(Class::Failure, 1)]);
        }
        Ok(Err(_)) => {
            assert!(!whole && patience < limit);
            return ended_now(&handle, &[(expected.dropped(), 1)]);
        }
        Ok(Ok(handed)) => handed.unwrap(),
    };
    assert!((whole || limit < patience) && !expected.panicked);

    if until == Until::End && expected.class.is_none() {
        expected.class = Some(Class::Exhausted);
    }
    let verdict = handed.extensions().get::<Verdict>().map(|verdict| verdict.0.class());
    assert_eq!(verdict, expected.class, "the verdict is in the extensions");
    assert_eq!(handle.snapshot().totals.settled(), u64::from(verdict.is_some()));

    let mut body = handed.into_body();
    let rest = steps.get(expected.at..).unwrap_or_default();
    let rest = if expected.broken { &[] } else { rest };
    let rest = rest.iter().map(|step| if let Step::Data(length) = step { *length } else { 0 });
    assert_eq!(body.size_hint().lower(), (expected.bytes + rest.sum::<usize>()) as u64);
    assert!(body.size_hint().upper().is_none_or(|upper| upper >= body.size_hint().lower()));
    if body.is_end_stream() {
        assert!(expected.frames == 0 && expected.at >= steps.len());
    }

    let seen = frames(&mut body, most).await;
    assert_eq!(seen, frames(&mut Script::exact(steps, exact), most).await);

    // A body that was read to its error is not polled again.
    if whole && expected.broken && seen.len() == expected.frames {
        assert!(body.is_end_stream() && body.size_hint().exact() == Some(0));
        assert!(body.frame().await.is_none());
    }
    drop(body);
    // A reader that stops within the frames that were read ahead adds no information.
    let read_on = seen.len() < most || matches!(seen.last(), Some(Seen::Error(_) | Seen::Panic));
    while expected.class.is_none() && (expected.frames < seen.len() || read_on) {
        expected.step(steps, exact);
    }
    ended_now(&handle, &[(expected.dropped(), 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn the_body_is_unchanged_and_the_call_is_settled_once(
        steps in proptest::collection::vec(step(), 0..10),
        exact: bool,
        until in prop_oneof![Just(Until::End), Just(Until::Content)],
        limit in (0_u64..12).prop_map(|tens| 10 * tens + 5),
        patience in (0_u64..20).prop_map(|tens| 10 * tens + 7),
        most in 0_usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(case(&steps, exact, until, limit, patience, most));
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_a_reading_at_any_await_settles_once() {
    let steps = [Step::Waits, Step::Data(2), Step::Waits, Step::Data(5), Step::Waits, Step::Waits];
    for (polls, class) in (0..=5).zip([
        Class::Cancelled,
        Class::Cancelled,
        Class::Cancelled,
        Class::Success,
        Class::Success,
        Class::Exhausted,
    ]) {
        let handle = handle();
        let mut reading = reading(&handle, Script::new(&steps), Until::End, 1000);
        for _ in 0..polls {
            let _ = (&mut reading).now_or_never();
        }
        drop(reading);
        ended_now(&handle, &[(class, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_4096_frames_are_kept_however_small() {
    for length in [0, 2] {
        for (until, class) in [(Until::End, Class::Exhausted), (Until::Content, Class::Cancelled)] {
            let handle = handle();
            let script = Script::new(&vec![Step::Data(length); 5000]);
            let taken = script.taken();
            let response = reading(&handle, script, until, 1000).await.unwrap();
            assert_eq!(taken.frames.load(Ordering::Relaxed), 4096, "of {length} bytes");
            drop(response);
            ended_now(&handle, &[(class, 1)]);
        }
    }
}

#[test]
fn reading_outside_a_runtime_has_no_time_limit() {
    let handle = handle();
    let mut reading = reading(&handle, Script::new(&[Step::Waits, Step::Data(5)]), Until::End, 1);
    assert!((&mut reading).now_or_never().is_none());
    let response = reading.now_or_never().unwrap().unwrap();
    assert_eq!(response.extensions().get::<Verdict>().unwrap().0.class(), Class::Exhausted);
    ended_now(&handle, &[(Class::Exhausted, 1)]);
}
