//! HTTP/2 responses in every form that a server can send, frame by frame (RFC 9113, section 6).

use tower_breaker::Class;
use tower_breaker::classify::SettleAt;

use super::client::*;
use crate::support::sockets::{Act, RawServer, write};

const END_STREAM: u8 = 1;
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

fn data(flags: u8, payload: &str) -> Vec<u8> {
    frame(0, flags, 1, payload.as_bytes())
}

/// `:status: 200`, entry 8 of the static table (RFC 7541, appendix A).
fn head(flags: u8) -> Vec<u8> {
    frame(1, flags | 4, 1, &[0x88])
}

fn reset(code: u32) -> Vec<u8> {
    frame(3, 0, 1, &code.to_be_bytes())
}

/// A GOAWAY frame with the last stream that the server handles and an error code.
fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(7, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

/// The SETTINGS of the server, and the acknowledgement of the client's SETTINGS.
fn settings() -> Vec<u8> {
    [frame(4, 0, 0, &[]), frame(4, 1, 0, &[])].concat()
}

/// A response to the first request.
fn answer(parts: impl IntoIterator<Item = Act>) -> Vec<Act> {
    let mut acts = vec![write(settings()), Act::Headers];
    acts.extend(parts);
    acts
}

/// Receives `hello`, then the rest of a stream that ends with `end`.
async fn after_hello(what: &str, end: impl IntoIterator<Item = Act>) -> (Received, Class) {
    let begin = [write(head(0)), write(data(0, "hello")), Act::Wait];
    let server = RawServer::start(answer(begin.into_iter().chain(end))).await;
    let (client, handle) = counted(http2());
    let mut body = get(&client, server.address).await.expect(what).into_body();
    pending(&handle);
    assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
    pending(&handle);
    server.go_on();
    let received = receive(body).await;
    let class = if handle.snapshot().totals.failure == 1 { Class::Failure } else { Class::Success };
    ended_now(&handle, &[(class, 1)]);
    (received, class)
}

#[tokio::test]
async fn a_stream_that_breaks_after_content_is_a_failure() {
    for (what, end) in [
        ("RST_STREAM internal error", vec![write(reset(INTERNAL_ERROR)), Act::Hang]),
        ("RST_STREAM cancel", vec![write(reset(CANCEL)), Act::Hang]),
        ("RST_STREAM refused", vec![write(reset(REFUSED_STREAM)), Act::Hang]),
        ("GOAWAY with an error", vec![write(goaway(1, INTERNAL_ERROR))]),
        ("GOAWAY without the stream", vec![write(goaway(0, REFUSED_STREAM)), Act::Hang]),
        ("the connection is lost", vec![]),
        ("half a frame, then lost", vec![write(&data(0, " world")[..12])]),
        ("a malformed frame", vec![write(frame(3, 0, 1, &[1])), Act::Hang]),
    ] {
        let (received, class) = after_hello(what, end).await;
        assert_eq!((received, class), (Received::broken(""), Class::Failure), "{what}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_is_a_success() {
    let trailers = frame(1, END_STREAM | 4, 1, &[0x00, 1, b'x', 1, b'7']);
    for (what, end, rest) in [
        ("END_STREAM on content", vec![write(data(END_STREAM, " world"))], " world"),
        ("END_STREAM on nothing", vec![write(data(END_STREAM, ""))], ""),
        ("empty frames between", vec![write(data(0, "")), write(data(END_STREAM, "!"))], "!"),
        ("trailers", vec![write(trailers)], ""),
        (
            "GOAWAY that lets it end",
            vec![write(goaway(1, NO_ERROR)), write(data(END_STREAM, " bye"))],
            " bye",
        ),
    ] {
        let (received, class) = after_hello(what, end.into_iter().chain([Act::Hang])).await;
        assert_eq!((received.data, received.broke), (rest.into(), false), "{what}");
        assert_eq!(received.trailers.is_some(), what == "trailers");
        assert_eq!(class, Class::Success, "{what}");
    }
}

/// A server may stop early without an error (RFC 9113, section 8.1). hyper reports that as the end of the body.
#[tokio::test]
async fn an_early_end_without_an_error_is_a_success() {
    for (what, end) in
        [("RST_STREAM", write(reset(NO_ERROR))), ("GOAWAY", write(goaway(0, NO_ERROR)))]
    {
        let (received, class) = after_hello(what, [end, Act::Hang]).await;
        assert_eq!((received, class), (Received::default(), Class::Success), "{what}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_before_content_is_a_failure() {
    for end in [write(reset(INTERNAL_ERROR)), write(goaway(1, INTERNAL_ERROR)), write([])] {
        let server = RawServer::start(answer([write(head(0)), Act::Wait, end])).await;
        let (client, handle) = counted(http2());
        let answer = get(&client, server.address).await.unwrap();
        pending(&handle);
        server.go_on();
        assert_eq!(receive(answer.into_body()).await, Received::broken(""));
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn a_head_that_ends_the_stream_settles_the_call() {
    let server = RawServer::start(answer([write(head(END_STREAM)), Act::Hang])).await;
    let (client, handle) = counted(http2());
    let answer = get(&client, server.address).await.unwrap();
    ended_now(&handle, &[(Class::Success, 1)]);
    assert_eq!(receive(answer.into_body()).await, Received::default());
    ended_now(&handle, &[(Class::Success, 1)]);
}

#[tokio::test]
async fn the_frame_that_ends_the_stream_settles_the_call_without_another_poll() {
    let end = write(data(END_STREAM, "hello"));
    let server = RawServer::start(answer([write(head(0)), end, Act::Hang])).await;
    let (client, handle) = counted(http2());
    let mut body = get(&client, server.address).await.unwrap().into_body();
    assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
    ended_now(&handle, &[(Class::Success, 1)]);
    drop(body);
    ended_now(&handle, &[(Class::Success, 1)]);
}

#[tokio::test]
async fn a_dropped_body_is_cancelled_before_content_and_a_success_after_it() {
    for (sent, class) in [("", Class::Cancelled), ("hello", Class::Success)] {
        let server =
            RawServer::start(answer([write(head(0)), write(data(0, sent)), Act::Hang])).await;
        let (client, handle) = counted(http2());
        let mut body = get(&client, server.address).await.unwrap().into_body();
        assert_eq!(receive_exactly(&mut body, sent.len()).await, sent.as_bytes());
        pending(&handle);
        drop(body);
        ended_now(&handle, &[(class, 1)]);
    }
}

#[tokio::test]
async fn empty_frames_are_not_content() {
    let empty = [write(head(0)), write(data(0, "")), Act::Wait, write(reset(CANCEL)), Act::Hang];
    let server = RawServer::start(answer(empty)).await;
    let (client, handle) = guarded(http2(), counting(), SettleAt::FirstContent);
    let answer = get(&client, server.address).await.unwrap();
    pending(&handle);
    server.go_on();
    assert_eq!(receive(answer.into_body()).await, Received::broken(""));
    ended_now(&handle, &[(Class::Failure, 1)]);
}

#[tokio::test]
async fn a_probe_whose_stream_is_reset_later_counts_as_broken_after() {
    let acts =
        [write(head(0)), write(data(0, "hello")), Act::Wait, write(reset(CANCEL)), Act::Hang];
    let server = RawServer::start(answer(acts)).await;
    let (client, handle) = guarded(http2(), probing(), SettleAt::End);
    half_open(&handle).await;
    let mut body = get(&client, server.address).await.unwrap().into_body();
    receive_exactly(&mut body, 5).await;
    ended_now(&handle, &[(Class::Success, 1)]);
    server.go_on();
    assert!(receive(body).await.broke);
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.totals.broken_after, snapshot.totals.settled()), (1, 1));
    assert_eq!(snapshot.window.consecutive_failures, 1);
}
