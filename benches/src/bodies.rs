//! What a frame of a guarded response costs.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use tower_breaker::{BreakerBody, BreakerHandle, Permit, Provider, Settings, classify::Classify};
use tower_breaker::{
    classify::{Classified, Grpc},
    llm::Llm,
};

use crate::drive::{Apart, Load};

/// A body that never ends: one frame is one call here.
#[derive(Clone, Debug)]
pub struct Endless(Bytes);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // Nobody downstream may know what it is.
        Poll::Ready(Some(Ok(Frame::data(black_box(&self.0).clone()))))
    }
}

/// An event as an LLM sends it for each token.
const EVENT: &[u8] = b"data: {\"id\":\"chatcmpl-9xK2\",\"object\":\"chat.completion.chunk\",\"created\":1732190400,\
    \"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" breaker\"},\"finish_reason\":null}]}\n\n";

fn endless() -> Endless {
    Endless(Bytes::from_static(EVENT))
}

fn permit() -> Permit {
    BreakerHandle::new("bench", Settings::default()).try_acquire().expect("a closed circuit")
}

fn frames<B>(make: fn() -> B) -> Load
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin + Send + 'static,
{
    let read = || {
        let mut body = Apart(make());
        move |frames| {
            let Apart(body) = &mut body;
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..frames {
                let frame = Pin::new(&mut *body).poll_frame(&mut cx);
                assert!(frame.is_ready(), "the body waits");
                black_box(&frame);
            }
        }
    };
    Load::of(read(), read())
}

/// Without a breaker.
pub fn bare() -> Load {
    frames(endless)
}

/// The call was settled before.
pub fn settled() -> Load {
    frames(|| BreakerBody::new(endless()))
}

/// The call ends with the body.
pub fn guarded() -> Load {
    frames(|| BreakerBody::guarded(endless(), permit()))
}

/// The call ends with the trailers.
pub fn grpc() -> Load {
    frames(|| judged(&Grpc::client(), "application/grpc"))
}

/// Every event is looked at.
pub fn llm() -> Load {
    frames(|| judged(&Llm::new(Provider::OpenAi), "text/event-stream"))
}

fn judged<C>(classify: &C, kind: &str) -> BreakerBody<Endless>
where
    C: Classify<
            Request<()>,
            Response<Endless>,
            Infallible,
            Response = Response<BreakerBody<Endless>>,
        >,
{
    let response = Response::builder().header("content-type", kind).body(endless());
    let response = response.expect("a valid response");
    let token = classify.request(&Request::new(()));
    match classify.result(token, Ok(response), permit()) {
        Classified::Ready(Ok(answer)) => answer.into_body(),
        _ => panic!("the head does not do"),
    }
}
