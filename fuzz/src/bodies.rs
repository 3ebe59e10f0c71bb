//! Bodies that settle their call. For any body, the caller gets every byte, and the call is counted once.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame};
use tower_breaker::{
    BreakerBody, BreakerHandle, Class, Outcome, Provider, Settings, classify::Classify,
    handle::LastError,
};
use tower_breaker::{
    classify::{Classified, Grpc, Verdict},
    llm::{Llm, UnknownProvider},
};

use crate::classes::by_code;
use crate::head::headers;
use crate::input::Input;

/// Every provider, so that a new one is fuzzed without an edit here.
static PROVIDERS: LazyLock<Vec<Provider>> =
    LazyLock::new(|| UnknownProvider::allowed().filter_map(|name| name.parse().ok()).collect());

const KINDS: [&str; 6] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
    "application/json",
    "application/json; charset=utf-8",
    "text/html",
];

const STATUSES: [u16; 16] =
    [200, 200, 200, 200, 201, 400, 401, 402, 403, 404, 409, 424, 429, 498, 500, 529];

/// A body reads at most this many bytes and one frame ahead of its reader.
const MAX_AHEAD: u64 = 64 * 1024;

/// A body of frames that are all available.
#[derive(Clone, Debug)]
struct Frames {
    data: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Frames {
    /// Splits `bytes` into frames of random sizes.
    fn split(bytes: &[u8], mut seed: u64, trailers: Option<HeaderMap>) -> Self {
        let mut data = VecDeque::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let most = if seed >> 63 == 0 { 4 } else { 400 };
            let (piece, next) = rest.split_at(((seed >> 33) as usize % most).min(rest.len()));
            data.push_back(Bytes::copy_from_slice(piece));
            rest = next;
        }
        Self { data, trailers }
    }

    fn whole(bytes: &[u8]) -> Self {
        Self { data: VecDeque::from([Bytes::copy_from_slice(bytes)]), trailers: None }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match self.data.pop_front() {
            Some(data) => Some(Frame::data(data)),
            None => self.trailers.take().map(Frame::trailers),
        };
        Poll::Ready(frame.map(Ok))
    }
}

/// The observed end of a call.
#[derive(Clone, Debug, PartialEq)]
struct Observed {
    class: Class,
    error: Option<LastError>,
    verdict: Option<Outcome>,
    bytes: Vec<u8>,
}

/// Makes a call and reads at most `frames` frames of its body.
fn call<C>(classify: &C, response: Response<Frames>, mut frames: usize) -> Observed
where
    C: Classify<
            Request<()>,
            Response<Frames>,
            Infallible,
            Response = Response<BreakerBody<Frames>>,
        >,
{
    let handle = BreakerHandle::new("fuzzed", Settings::default());
    let permit = handle.try_acquire().expect("a closed circuit");
    let info = classify.request(&Request::new(()));
    let mut cx = Context::from_waker(Waker::noop());
    let Ok(response) = match classify.result(info, Ok(response), permit) {
        Classified::Ready(result) => result,
        Classified::Deferred(future) => match pin!(future).poll(&mut cx) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("pending although the body is available"),
        },
    };
    let verdict = response.extensions().get().map(|Verdict(outcome)| *outcome);
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while frames > 0 {
        frames -= 1;
        match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => bytes.extend(frame.into_data().unwrap_or_default()),
            Poll::Ready(None) => break,
            Poll::Pending => panic!("pending although the body is available"),
        }
    }
    drop(body);
    let snapshot = handle.snapshot();
    let totals = snapshot.totals;
    assert_eq!(totals.settled(), 1, "{totals:?}");
    let counts = [
        (totals.success, Class::Success),
        (totals.failure, Class::Failure),
        (totals.throttled, Class::Throttled),
        (totals.exhausted, Class::Exhausted),
        (totals.ignored, Class::Ignored),
        (totals.cancelled, Class::Cancelled),
    ];
    let class = counts.iter().find(|(count, _)| *count == 1).expect("one class").1;
    Observed { class, error: snapshot.last_error, verdict, bytes }
}

pub(crate) fn llm(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let provider = PROVIDERS[usize::from(input.byte()) % PROVIDERS.len()];
    let status = STATUSES[usize::from(input.byte()) % STATUSES.len()];
    let kind = KINDS[usize::from(input.byte()) % KINDS.len()];
    let seed = u64::from(input.byte()) << 8 | u64::from(input.byte());
    let held = input.byte() % 4 == 3;
    let lines = usize::from(input.byte());
    let mut map = headers(input.take(lines));
    map.insert("content-type", http::HeaderValue::from_static(kind));
    let body = input.take(300_000);
    let response = |frames| {
        let mut response = Response::new(frames);
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        *response.headers_mut() = map.clone();
        response
    };
    let mut llm = Llm::new(provider);
    if held {
        llm = llm.buffer_until_content(Duration::from_secs(1));
    }
    let whole = call(&llm, response(Frames::whole(body)), usize::MAX);
    assert_eq!(whole.bytes, body);
    // The waits are not compared: dates and resets are relative to a running clock. The class of a long body is not
    // compared: beyond the limit, a body is read to the end of a frame.
    let same = |observed: &Observed| (observed.class, observed.error);
    let pieces = call(&llm, response(Frames::split(body, seed, None)), usize::MAX);
    assert_eq!(pieces.bytes, body);
    if body.len() as u64 <= MAX_AHEAD {
        assert_eq!(same(&pieces), same(&whole), "{provider}, {status}, {kind}");
    }
    let partial = call(&llm, response(Frames::split(body, seed, None)), seed as usize % 8);
    assert!(body.starts_with(&partial.bytes));
    whole.class != Class::Success
}

pub(crate) fn grpc(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let seed = u64::from(input.byte());
    let server = input.byte().is_multiple_of(2);
    let lines = usize::from(input.byte());
    let trailers = headers(input.take(lines));
    let body = input.take(4096);
    let (classifier, limited) = match server {
        true => (Grpc::server(), Class::Ignored),
        false => (Grpc::client(), Class::Throttled),
    };
    let class = match trailers.get("grpc-status") {
        None => Class::Failure,
        Some(code) => by_code(code.as_bytes(), limited),
    };
    let ended = class != Class::Failure || trailers.contains_key("grpc-status");
    let frames = Frames::split(body, seed, Some(trailers).filter(|map| !map.is_empty()));
    let mut response = Response::new(frames);
    let kind = http::HeaderValue::from_static("application/grpc+proto");
    response.headers_mut().insert("content-type", kind);
    let observed = call(&classifier, response, usize::MAX);
    assert_eq!((observed.class, observed.bytes.as_slice()), (class, body));
    ended
}
