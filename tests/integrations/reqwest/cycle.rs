//! Closed, open, half-open, closed.

use tower_breaker::{Cause, Class, State};

use super::client::*;
use crate::support::sockets::{Act, RawServer, answer, write};

#[tokio::test]
async fn an_outage_opens_the_circuit_and_a_probe_closes_it() {
    let fails = || vec![Act::Request, write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut")];
    let server = RawServer::start(fails()).await;
    for (client, handle) in Guarded::both(client, tripping()) {
        server.acts(fails());
        let before = server.connections();
        for _ in 0..3 {
            assert_eq!(handle.state(), State::Closed);
            client.get(&server.url()).await.unwrap().bytes().await.unwrap_err();
        }
        assert_eq!(handle.state(), State::Open);
        assert_eq!(server.connections() - before, 3);

        // The hold is longer than the three calls take.
        handle.hold_for(LONG);
        let error = client.get(&server.url()).await.unwrap_err();
        assert_eq!(rejection(&error).state(), State::Open);
        assert!(rejection(&error).retry_after().is_some());
        assert_eq!(server.connections() - before, 3, "a rejection opens no connection");

        // A failed probe opens the circuit again.
        handle.reset();
        for _ in 0..3 {
            client.get(&server.url()).await.unwrap().bytes().await.unwrap_err();
        }
        until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;
        server.acts(answer("500 Internal Server Error", ""));
        client.get(&server.url()).await.unwrap();
        assert_eq!(handle.snapshot().cause, Cause::ProbeFailed);

        until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;
        server.acts(answer("200 OK", "well"));
        let response = client.get(&server.url()).await.unwrap();
        assert_eq!(response.text().await.unwrap(), "well");
        assert_eq!(handle.state(), State::Closed);
        assert_eq!(server.connections() - before, 8);
        let totals = handle.snapshot().totals;
        assert_eq!((totals.failure, totals.success, totals.rejected), (7, 1, 1));
    }
}

#[tokio::test]
async fn a_server_that_starts_late_is_reached() {
    let (port, nowhere) = RawServer::nowhere();
    let url = format!("http://{nowhere}/");
    let guarded = Guarded::both(client, tripping());
    for (client, handle) in &guarded {
        for _ in 0..3 {
            client.get(&url).await.unwrap_err();
        }
        until(handle, |snapshot| snapshot.state == State::HalfOpen).await;
    }
    let _server = RawServer::on(port.listen(8).unwrap(), answer("200 OK", "here"));
    for (client, handle) in &guarded {
        assert_eq!(client.get(&url).await.unwrap().text().await.unwrap(), "here");
        assert_eq!(handle.state(), State::Closed);
    }
}

#[tokio::test]
async fn a_probe_closes_at_its_first_content_and_breaks_later() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let server = RawServer::start(vec![Act::Request, write(head), Act::Wait]).await;
    for (client, handle) in Guarded::both(client, tripping()) {
        handle.hold_for(std::time::Duration::from_millis(1));
        until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;
        let mut response = client.get(&server.url()).await.unwrap();
        assert_eq!(handle.state(), State::HalfOpen);
        assert_eq!(response.chunk().await.unwrap().unwrap(), "hello");
        assert_eq!(handle.state(), State::Closed);
        server.go_on();
        response.chunk().await.unwrap_err();
        let snapshot = handle.snapshot();
        assert_eq!((snapshot.totals.success, snapshot.totals.broken_after), (1, 1));
        assert_eq!(snapshot.window.consecutive_failures, 1);
    }
}

#[tokio::test]
async fn a_limit_holds_for_the_time_that_it_names() {
    let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let server = RawServer::start(vec![Act::Request, write(head), Act::Hang]).await;
    for (client, handle) in Guarded::both(client, tripping()) {
        assert_eq!(client.get(&server.url()).await.unwrap().status(), 429);
        ended_now(&handle, &[(Class::Throttled, 1)]);
        assert_eq!(handle.snapshot().cause, Cause::Throttled);
        let error = client.get(&server.url()).await.unwrap_err();
        assert!(rejection(&error).retry_after_secs() >= Some(6), "{error:?}");
    }
}
