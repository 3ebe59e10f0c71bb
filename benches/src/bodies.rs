//! The cost of a frame of a guarded response body.

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

use crate::drive::{CachePadded, Load};

/// A body that never ends. A frame is measured as a call.
#[derive(Clone, Debug)]
pub struct Endless(Bytes);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // `black_box` hides the value from the optimizer.
        Poll::Ready(Some(Ok(Frame::data(black_box(&self.0).clone()))))
    }
}

/// An event of the kind that an LLM sends for each token.
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
        let mut body = CachePadded(make());
        move |frames| {
            let CachePadded(body) = &mut body;
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..frames {
                let frame = Pin::new(&mut *body).poll_frame(&mut cx);
                assert!(frame.is_ready(), "the body is pending");
                black_box(&frame);
            }
        }
    };
    Load::of(read(), read())
}

/// Reads a body without a breaker.
pub fn bare() -> Load {
    frames(endless)
}

/// Reads a body whose call is already settled.
pub fn settled() -> Load {
    frames(|| BreakerBody::new(endless()))
}

/// Reads a body whose end settles the call.
pub fn guarded() -> Load {
    frames(|| BreakerBody::guarded(endless(), permit()))
}

/// Reads a body whose trailers settle the call.
pub fn grpc() -> Load {
    frames(|| classified(&Grpc::client(), "application/grpc"))
}

/// Reads a body whose every event is classified.
pub fn llm() -> Load {
    frames(|| classified(&Llm::new(Provider::OpenAi), "text/event-stream"))
}

fn classified<C>(classify: &C, kind: &str) -> BreakerBody<Endless>
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
    let info = classify.request(&Request::new(()));
    match classify.result(info, Ok(response), permit()) {
        Classified::Ready(Ok(response)) => response.into_body(),
        _ => panic!("the head alone is not classified"),
    }
}
