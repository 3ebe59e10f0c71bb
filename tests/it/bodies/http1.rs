//! HTTP/1 responses in every form that a server can send, under hyper-util's client.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tower::{Service, ServiceExt, service_fn};
use tower_breaker::{BoxError, Class};

use super::client::*;
use crate::support::sockets::{Act, RawServer, answer_and_close, answer_and_hang, write};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Makes one call. Checks what the caller receives and that the call is counted once, as `class`.
async fn case(what: &str, acts: Vec<Act>, received: Received, class: Class) {
    let server = RawServer::start(acts).await;
    let (client, handle) = counted(http1());
    let answer = get(&client, server.address).await.expect(what);
    assert_eq!(receive(answer.into_body()).await, received, "{what}");
    drop(client);
    ended_now(&handle, &[(class, 1)]);
}

#[tokio::test]
async fn a_body_that_ends_as_announced_is_a_success() {
    let chunked = |rest: &str| answer_and_hang(&format!("{CHUNKED}{rest}"));
    let mut sum = HeaderMap::new();
    sum.insert("x-sum", "7".parse().unwrap());
    for (what, acts, received) in [
        (
            "exact length",
            answer_and_hang("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"),
            Received::data("hello"),
        ),
        (
            "length 0",
            answer_and_hang("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            Received::default(),
        ),
        (
            "chunks",
            chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
            Received::data("hello world"),
        ),
        ("only the last chunk", chunked("0\r\n\r\n"), Received::default()),
        (
            "chunks and trailers",
            answer_and_hang(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
                 5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n",
            ),
            Received { trailers: Some(sum), ..Received::data("hello") },
        ),
        (
            "HTTP/1.0",
            answer_and_close("HTTP/1.0 200 OK\r\n\r\nold times"),
            Received::data("old times"),
        ),
        (
            "until the connection closes",
            answer_and_close("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nto the end"),
            Received::data("to the end"),
        ),
        (
            "a 404 with a page",
            answer_and_hang("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone"),
            Received::data("gone"),
        ),
        (
            "an interim head first",
            answer_and_hang(
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            ),
            Received::data("ok"),
        ),
    ] {
        case(what, acts, received, Class::Success).await;
    }
}

#[tokio::test]
async fn a_truncated_body_is_a_failure() {
    let chunked = |rest: &str| answer_and_close(&format!("{CHUNKED}{rest}"));
    for (what, acts, received) in [
        (
            "length cut short",
            answer_and_close("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello"),
            Received::broken("hello"),
        ),
        (
            "length without content",
            answer_and_close("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n"),
            Received::broken(""),
        ),
        ("the last chunk is missing", chunked("5\r\nhello\r\n"), Received::broken("hello")),
        ("no chunk at all", chunked(""), Received::broken("")),
        ("cut after the last size", chunked("5\r\nhello\r\n0\r\n"), Received::broken("hello")),
        ("an invalid size", chunked("5\r\nhello\r\nzz\r\n"), Received::broken("hello")),
    ] {
        case(what, acts, received, Class::Failure).await;
    }
}

#[tokio::test]
async fn a_truncated_chunk_is_a_failure() {
    let server =
        RawServer::start(vec![Act::Request, write(CHUNKED), write("9\r\nhel"), Act::Wait]).await;
    let (client, handle) = counted(http1());
    let mut body = get(&client, server.address).await.unwrap().into_body();
    assert_eq!(receive_exactly(&mut body, 3).await, b"hel");
    pending(&handle);
    server.go_on();
    assert_eq!(receive(body).await, Received::broken(""));
    ended_now(&handle, &[(Class::Failure, 1)]);
}

#[tokio::test]
async fn a_head_that_announces_no_body_settles_the_call() {
    for (method, head) in [
        (Method::HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"),
        (Method::HEAD, CHUNKED),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n"),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\ncontent-length: 500\r\n\r\n"),
        (Method::GET, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ] {
        let server = RawServer::start(answer_and_hang(head)).await;
        let (client, handle) = counted(http1());
        let answer = client.oneshot(request(method.clone(), server.address)).await.unwrap();
        ended_now(&handle, &[(Class::Success, 1)]);
        assert_eq!(receive(answer.into_body()).await, Received::default(), "{method} {head}");
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

#[tokio::test]
async fn an_upgrade_is_settled_by_its_head() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    let server = RawServer::start(answer_and_hang(head)).await;
    let (client, handle) = counted(http1());
    let answer = get(&client, server.address).await.unwrap();
    ended_now(&handle, &[(Class::Success, 1)]);
    assert!(hyper::upgrade::on(answer).await.is_ok());
    ended_now(&handle, &[(Class::Success, 1)]);
}

/// A client with one connection, which waits until the connection is free.
async fn one_connection(
    address: SocketAddr,
) -> impl Service<Request<Empty<Bytes>>, Response = Response<Incoming>, Error = BoxError> + Clone {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let sender = Arc::new(Mutex::new(sender));
    service_fn(move |request| {
        let sender = Arc::clone(&sender);
        async move {
            let mut sender = sender.lock().await;
            sender.ready().await?;
            Ok(sender.send_request(request).await?)
        }
    })
}

#[tokio::test]
async fn a_guarded_connection_is_reused() {
    let answers = [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlast",
    ];
    let mut acts = Vec::new();
    for answer in answers {
        acts.extend([Act::Request, write(answer)]);
    }
    acts.push(Act::Hang);
    let server = RawServer::start(acts).await;
    let (client, handle) = counted_service(one_connection(server.address).await);
    for (calls, data) in (1..).zip(["first", "second", "", "last"]) {
        let answer = get(&client, server.address).await.unwrap();
        assert_eq!(receive(answer.into_body()).await, Received::data(data));
        ended_now(&handle, &[(Class::Success, calls)]);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_reader_of_exactly_the_announced_bytes_has_read_the_whole_body() {
    for rest in ["", " of another"] {
        let page = format!("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello{rest}");
        let server = RawServer::start(answer_and_hang(&page)).await;
        let (client, handle) = counted(http1());
        let mut body = get(&client, server.address).await.unwrap().into_body();
        pending(&handle);
        assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
        ended_now(&handle, &[(Class::Success, 1)]);
        drop(body);
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

#[tokio::test]
async fn a_reader_that_stops_before_the_last_chunk_is_a_success() {
    let page = format!("{CHUNKED}5\r\nhello\r\n");
    let server = RawServer::start(answer_and_hang(&page)).await;
    let (client, handle) = counted(http1());
    let mut body = get(&client, server.address).await.unwrap().into_body();
    assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
    pending(&handle);
    drop(body);
    ended_now(&handle, &[(Class::Success, 1)]);
}

#[tokio::test]
async fn a_long_body_arrives_unchanged() {
    let page: String = (0..200_000).map(|number| format!("{number},")).collect();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    case("a long body", answer_and_hang(&answer), Received::data(&page), Class::Success).await;
}
