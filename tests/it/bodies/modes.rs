//! `SettleAt` over sockets.

use tower_breaker::Class;
use tower_breaker::classify::SettleAt;

use super::client::*;
use crate::support::sockets::{Act, RawServer, write};

const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// A body that breaks after its first content: when the call is settled, and with which class.
#[tokio::test]
async fn each_mode_settles_once_at_its_point() {
    for (at, at_head, at_content, class) in [
        (SettleAt::Head, true, true, Class::Success),
        (SettleAt::FirstContent, false, true, Class::Success),
        (SettleAt::End, false, false, Class::Failure),
    ] {
        let acts = vec![Act::Request, write(HEAD), Act::Wait, write("5\r\nhello\r\n"), Act::Wait];
        let server = RawServer::start(acts).await;
        let (client, handle) = guarded(http1(), counting(), at);
        let settled = || handle.snapshot().totals.settled() == 1;
        let mut body = get(&client, server.address).await.unwrap().into_body();
        assert_eq!(settled(), at_head, "{at:?}");
        server.go_on();
        assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
        assert_eq!(settled(), at_content, "{at:?}");
        server.go_on();
        assert_eq!(receive(body).await, Received::broken(""), "{at:?}");
        ended_now(&handle, &[(class, 1)]);
    }
}

#[tokio::test]
async fn a_bad_head_settles_the_call_in_each_mode_and_its_body_changes_nothing() {
    for at in [SettleAt::Head, SettleAt::FirstContent, SettleAt::End] {
        let page = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 50\r\n\r\n<html>";
        let server = RawServer::start(vec![Act::Request, write(page)]).await;
        let (client, handle) = guarded(http1(), counting(), at);
        let answer = get(&client, server.address).await.unwrap();
        ended_now(&handle, &[(Class::Failure, 1)]);
        assert_eq!(receive(answer.into_body()).await, Received::broken("<html>"));
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn a_break_before_the_first_content_is_a_failure_unless_the_head_settles() {
    for (at, class) in [(SettleAt::Head, Class::Success), (SettleAt::FirstContent, Class::Failure)]
    {
        let server = RawServer::start(vec![Act::Request, write(HEAD)]).await;
        let (client, handle) = guarded(http1(), counting(), at);
        let answer = get(&client, server.address).await.unwrap();
        assert_eq!(receive(answer.into_body()).await, Received::broken(""), "{at:?}");
        ended_now(&handle, &[(class, 1)]);
    }
}
