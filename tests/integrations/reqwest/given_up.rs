//! Callers that do not wait for the end.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tower_breaker::Class;

use super::client::*;
use crate::support::sockets::{Act, RawServer, write};

const HELD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel";

#[tokio::test]
async fn a_call_that_its_caller_drops_is_cancelled() {
    let server = RawServer::start(vec![Act::Request, Act::Hang]).await;
    for (n, (client, handle)) in Guarded::both(client, counting()).into_iter().enumerate() {
        let waits = Duration::from_millis(50);
        assert!(timeout(waits, client.get(&server.url())).await.is_err());
        ended_now(&handle, &[(Class::Cancelled, 1)]);
        // Dropping the call closes its connection.
        let closed = async {
            while server.closed() <= n {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LONG, closed).await.expect("the server sees the close");
    }
}

#[tokio::test]
async fn a_hanging_call_that_its_caller_drops_late_is_a_failure() {
    let server = RawServer::start(vec![Act::Request, Act::Hang]).await;
    let settings = counting().cancelled_after(Duration::from_millis(10));
    for (client, handle) in Guarded::both(client, settings) {
        let waits = Duration::from_millis(50);
        assert!(timeout(waits, client.get(&server.url())).await.is_err());
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn an_unread_body_is_cancelled_and_a_partly_read_one_is_a_success() {
    let server = RawServer::start(vec![Act::Request, write(HELD), Act::Hang]).await;
    for (client, handle) in Guarded::both(client, counting()) {
        drop(client.get(&server.url()).await.unwrap());
        ended_now(&handle, &[(Class::Cancelled, 1)]);
        let mut response = client.get(&server.url()).await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "hel");
        drop(response);
        ended_now(&handle, &[(Class::Cancelled, 1), (Class::Success, 1)]);
    }
}
