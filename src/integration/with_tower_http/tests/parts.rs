//! Scripted bodies, a classifier that is made from the request, and the outcome of a call.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Buf;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use tower_http::classify::{
    ClassifiedResponse, ClassifyEos, ClassifyResponse, GrpcCode, GrpcErrorsAsFailures,
    MakeClassifier, ServerErrorsAsFailures, SharedClassifier,
};

use super::super::TowerHttp;
use crate::breaker::BreakerHandle;
use crate::classify::{BreakerBody, Classified, Classify};
use crate::{Outcome, Settings};

/// A buffer of two pieces that shows the first one only.
pub(super) struct Data(&'static [u8], &'static [u8]);

impl Buf for Data {
    fn remaining(&self) -> usize {
        self.0.len() + self.1.len()
    }

    fn chunk(&self) -> &[u8] {
        self.0
    }

    fn advance(&mut self, _: usize) {
        unreachable!("a classifier does not consume data");
    }
}

#[derive(Clone)]
pub(super) enum Step {
    Content,
    Trailers(&'static [(&'static str, &'static str)]),
    Breaks,
}

use Step::{Breaks, Content, Trailers};

pub(super) struct Script(VecDeque<Step>);

pub(super) fn script(steps: impl IntoIterator<Item = Step>) -> Script {
    Script(steps.into_iter().collect())
}

impl Body for Script {
    type Data = Data;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Data>, &'static str>>> {
        Poll::Ready(self.0.pop_front().map(|step| match step {
            Content => Ok(Frame::data(Data(b"co", b"ntent"))),
            Trailers(fields) => Ok(Frame::trailers(map(fields))),
            Breaks => Err("reset"),
        }))
    }
}

pub(super) fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let parse = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    fields.iter().map(parse).collect()
}

pub(super) fn answer<B>(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: B,
) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = map(headers);
    response
}

pub(super) fn servers() -> TowerHttp<SharedClassifier<ServerErrorsAsFailures>> {
    TowerHttp::new(ServerErrorsAsFailures::make_classifier())
}

pub(super) fn grpc() -> TowerHttp<SharedClassifier<GrpcErrorsAsFailures>> {
    let failures = GrpcErrorsAsFailures::new().with_success(GrpcCode::NotFound);
    TowerHttp::new(SharedClassifier::new(failures))
}

/// Returns the outcome of a head. `None` if the body decides.
pub(super) fn head<M, F>(
    classify: &TowerHttp<M, F>,
    status: u16,
    headers: &[(&'static str, &'static str)],
) -> Option<Outcome>
where
    M: MakeClassifier<ClassifyEos: Send + Sync + 'static>,
    F: Fn(&M::FailureClass) -> Outcome + Clone + Send + Sync + 'static,
{
    let classifier = classify.make.make_classifier(&Request::new(()));
    classify.head(classifier, &answer(status, headers, ())).err()
}

/// Returns the class of the settled call, and its last error if it has one.
pub(super) fn ended(handle: &BreakerHandle) -> String {
    let (totals, error) = (handle.snapshot().totals, handle.snapshot().last_error);
    let counts = [
        (totals.success, "success"),
        (totals.failure, "failure"),
        (totals.throttled, "throttled"),
        (totals.ignored, "ignored"),
        (totals.cancelled, "cancelled"),
    ];
    let class: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).map(|(_, n)| *n).collect();
    assert!(totals.settled() <= 1 && class.len() <= 1, "{totals:?}");
    let class = class.first().copied().unwrap_or("open");
    error.map_or(class.to_owned(), |error| format!("{class}: {error}"))
}

/// Returns the body of a call whose head was classified.
pub(super) fn classified<B, M, F>(
    classify: &TowerHttp<M, F>,
    request: Request<()>,
    response: Response<B>,
    handle: &BreakerHandle,
) -> BreakerBody<B>
where
    B: Body,
    M: MakeClassifier<ClassifyEos: Send + Sync + 'static>,
    F: Fn(&M::FailureClass) -> Outcome + Clone + Send + Sync + 'static,
{
    let permit = handle.try_acquire().unwrap();
    let info = Classify::<Request<()>, Response<B>, Infallible>::request(classify, &request);
    let classified =
        Classify::<Request<()>, _, Infallible>::result(classify, info, Ok(response), permit);
    let Classified::Ready(Ok(response)) = classified else { panic!("the response is deferred") };
    response.into_body()
}

/// Returns the outcome of a call whose body is polled `polls` times and dropped.
pub(super) fn call<B, M, F>(
    classify: &TowerHttp<M, F>,
    request: Request<()>,
    response: Response<B>,
    polls: usize,
) -> String
where
    B: Body + Unpin,
    M: MakeClassifier<ClassifyEos: Send + Sync + 'static>,
    F: Fn(&M::FailureClass) -> Outcome + Clone + Send + Sync + 'static,
{
    let handle = BreakerHandle::new("shop", Settings::default());
    let mut body = classified(classify, request, response, &handle);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        let _frame = Pin::new(&mut body).poll_frame(&mut cx);
    }
    drop(body);
    ended(&handle)
}

pub(super) fn get() -> Request<()> {
    Request::new(())
}

/// If the request asks for a signature, a response without the trailer `signed` is a failure.
pub(super) struct SignedIfAsked;

#[derive(Clone, Copy)]
pub(super) struct Signed {
    pub(super) required: bool,
}

impl MakeClassifier for SignedIfAsked {
    type Classifier = Signed;
    type FailureClass = &'static str;
    type ClassifyEos = Signed;

    fn make_classifier<B>(&self, request: &Request<B>) -> Signed {
        Signed { required: request.headers().contains_key("sign") }
    }
}

impl ClassifyResponse for Signed {
    type FailureClass = &'static str;
    type ClassifyEos = Self;

    fn classify_response<B>(self, _: &Response<B>) -> ClassifiedResponse<&'static str, Self> {
        match self.required {
            true => ClassifiedResponse::RequiresEos(self),
            false => ClassifiedResponse::Ready(Ok(())),
        }
    }

    fn classify_error<E: fmt::Display + 'static>(self, _: &E) -> &'static str {
        "error"
    }
}

impl ClassifyEos for Signed {
    type FailureClass = &'static str;

    fn classify_eos(self, trailers: Option<&HeaderMap>) -> Result<(), &'static str> {
        let signature = trailers.and_then(|trailers| trailers.get("signed"));
        assert_ne!(
            signature.map(HeaderValue::as_bytes),
            Some(&b"forged"[..]),
            "a forged signature"
        );
        signature.map(|_| ()).ok_or("unsigned")
    }

    fn classify_error<E: fmt::Display + 'static>(self, _: &E) -> &'static str {
        panic!("called with the error of a body");
    }
}

pub(super) fn signing(method: Method) -> Request<()> {
    Request::builder().method(method).header("sign", "yes").body(()).unwrap()
}
