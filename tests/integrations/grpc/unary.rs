//! Unary calls through a guarded client.

use std::time::Duration;

use tokio::net::TcpListener;
use tonic::{Code, Status};
use tower_breaker::{Class, State};

use super::client::{
    Client, counted, ended, endpoint, guarded, guarded_channel, hit, open_for, settings, until,
};
use super::generated::orders::{End, Order};
use super::relay::Relay;
use super::server::serve;

async fn fails(client: &mut Client, order: Order) -> Status {
    client.get(order).await.expect_err("a bad end")
}

#[tokio::test]
async fn a_call_that_ends_with_ok_is_one_success() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    client.get(Order::ok()).await.unwrap();
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn every_code_has_its_class() {
    let server = serve().await;
    for code in (1..=16).map(Code::from) {
        let class = match code {
            Code::Cancelled => Class::Ignored,
            Code::ResourceExhausted => Class::Throttled,
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Class::Failure,
            _ => Class::Success,
        };
        let (mut client, handle) = counted(server.address);
        assert_eq!(fails(&mut client, Order::status(code)).await.code(), code);
        ended(&handle, &[(class, 1)]).await;
    }
}

#[tokio::test]
async fn failures_open_the_circuit_and_the_server_receives_no_more_calls() {
    let server = serve().await;
    let (mut client, handle) = guarded(server.address, settings(3));
    for _ in 0..3 {
        fails(&mut client, Order::status(Code::Unavailable)).await;
    }
    until(&handle, |snapshot| snapshot.state == State::Open).await;

    let rejected = fails(&mut client, Order::ok()).await;
    assert_eq!((rejected.code(), rejected.message()), (Code::Unavailable, "circuit open"));
    assert_eq!(rejected.metadata().get("x-circuit-open").unwrap(), "orders");
    assert!(rejected.metadata().contains_key("grpc-retry-pushback-ms"));
    assert_eq!(server.handler.hits(), 3);
    assert_eq!(handle.snapshot().totals.rejected, 1);
    ended(&handle, &[(Class::Failure, 3)]).await;
}

#[tokio::test]
async fn a_throttle_holds_for_the_time_that_it_names() {
    let server = serve().await;
    let limited = || Order::status(Code::ResourceExhausted);
    for (order, least) in [
        (limited().with_pushback(5_000), 5),
        (limited().with_retry_delay(7_000), 7),
        (limited().with_pushback(5_000).with_retry_delay(7_000), 5),
        // "Do not retry" names no time.
        (limited().with_pushback(-1).with_retry_delay(7_000), 7),
    ] {
        let (mut client, handle) = counted(server.address);
        fails(&mut client, order).await;
        ended(&handle, &[(Class::Throttled, 1)]).await;
        let snapshot = until(&handle, |snapshot| snapshot.state == State::Open).await;
        let (least, most) = (Duration::from_secs(least), Duration::from_millis(least * 1_101));
        assert!((least..most).contains(&open_for(&snapshot)), "{order:?}: {snapshot:?}");
    }
}

#[tokio::test]
async fn a_throttle_that_names_no_time_does_not_hold() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let limited = Order::status(Code::ResourceExhausted);
    fails(&mut client, limited).await;
    fails(&mut client, limited.with_pushback(-1)).await;
    ended(&handle, &[(Class::Throttled, 2)]).await;
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test]
async fn the_wait_of_a_failure_extends_the_cooldown() {
    let server = serve().await;
    let (mut client, handle) = guarded(server.address, settings(1));
    fails(&mut client, Order::status(Code::Unavailable).with_retry_delay(40_000)).await;
    let snapshot = until(&handle, |snapshot| snapshot.state == State::Open).await;
    assert!(open_for(&snapshot) >= Duration::from_secs(40), "{snapshot:?}");
}

#[tokio::test]
async fn a_handler_that_panics_is_a_failure() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    fails(&mut client, Order::broken(End::Panic)).await;
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_failure() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (mut client, handle) = counted(gone);
    fails(&mut client, Order::ok()).await;
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_connection_that_is_lost_before_the_response_is_a_failure() {
    let server = serve().await;
    let relay = Relay::to(server.address).await;
    let (mut client, handle) = counted(relay.address);
    let call = tokio::spawn(async move { fails(&mut client, Order::broken(End::Hang)).await });
    hit(&server.handler, 1).await;
    relay.cut();
    call.await.unwrap();
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_call_that_exceeds_the_timeout_of_its_channel_is_a_failure() {
    let server = serve().await;
    let channel = endpoint(server.address).timeout(Duration::from_millis(50)).connect_lazy();
    let (mut client, handle) = guarded_channel(channel, settings(u32::MAX));
    fails(&mut client, Order::broken(End::Hang)).await;
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let call = tokio::spawn(async move { client.get(Order::broken(End::Hang)).await });
    hit(&server.handler, 1).await;
    call.abort();
    ended(&handle, &[(Class::Cancelled, 1)]).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_late_is_a_failure() {
    let server = serve().await;
    let late = Duration::from_millis(30);
    let settings = settings(u32::MAX).to_builder().cancelled_after(late).build().unwrap();
    let (mut client, handle) = guarded(server.address, settings);
    let call = client.get(Order::broken(End::Hang));
    tokio::time::timeout(late * 2, call).await.expect_err("it hangs");
    ended(&handle, &[(Class::Failure, 1)]).await;
}
