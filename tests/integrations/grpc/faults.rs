//! Socket faults below a guarded client.

use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};
use tower_breaker::{BreakerHandle, Class, State};

use super::client::{
    Client, counted, ended, endpoint, guarded, guarded_channel, hasty, settings, until,
};
use super::frames::{Fault, relay};
use super::generated::orders::Order;
use super::generated::orders::orders_server::OrdersServer;
use super::handler::Handler;
use super::server::{Serving, serve};

async fn broken(fault: Fault) -> (Serving, Client, BreakerHandle) {
    let server = serve().await;
    let (client, handle) = counted(relay(server.address, fault).await);
    (server, client, handle)
}

/// Counts the replies of a stream, or returns its error.
async fn read(client: &mut Client, order: Order) -> Result<u32, Status> {
    let mut replies = client.watch(order).await?.into_inner();
    let mut count = 0;
    while replies.message().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[tokio::test]
async fn a_connection_that_is_reset_in_a_head_or_a_message_is_one_failure() {
    for fault in [Fault::ResetInHead, Fault::ResetInMessage] {
        let (_server, mut client, handle) = broken(fault).await;
        client.get(Order::ok()).await.unwrap_err();
        ended(&handle, &[(Class::Failure, 1)]).await;

        let (_server, mut client, handle) = broken(fault).await;
        read(&mut client, Order::ok().after(3)).await.unwrap_err();
        ended(&handle, &[(Class::Failure, 1)]).await;
    }
}

#[tokio::test]
async fn the_call_after_a_reset_has_a_new_connection() {
    let (_server, mut client, handle) = broken(Fault::ResetInHead).await;
    client.get(Order::ok()).await.unwrap_err();
    client.get(Order::ok()).await.unwrap();
    assert_eq!(read(&mut client, Order::ok().after(3)).await.unwrap(), 3);
    ended(&handle, &[(Class::Failure, 1), (Class::Success, 2)]).await;
}

#[tokio::test]
async fn a_missing_head_is_a_failure_by_the_timeout_of_the_channel() {
    let server = serve().await;
    let address = relay(server.address, Fault::Hang).await;
    let channel = endpoint(address).timeout(Duration::from_millis(50)).connect_lazy();
    let (mut client, handle) = guarded_channel(channel, settings(u32::MAX));
    client.get(Order::ok()).await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
}

/// tonic's timeouts end with the head. After the head, the deadline decides whether a dropped call is a failure.
#[tokio::test]
async fn a_missing_message_is_classified_by_the_deadline_of_the_request() {
    let long = Duration::from_secs(3_600);
    let short = Duration::from_millis(200);
    for (deadline, class) in [(short, Class::Failure), (long, Class::Cancelled)] {
        let (_server, mut client, handle) = broken(Fault::HangBehindHead).await;
        let mut request = Request::new(Order::ok());
        request.set_timeout(deadline);
        timeout(short * 3, client.get(request)).await.expect_err("it hangs");
        ended(&handle, &[(class, 1)]).await;
    }
}

#[tokio::test]
async fn responses_that_arrive_byte_by_byte_are_complete() {
    let (_server, mut client, handle) = broken(Fault::Drip).await;
    client.get(Order::ok()).await.unwrap();
    assert_eq!(read(&mut client, Order::ok().after(3)).await.unwrap(), 3);
    ended(&handle, &[(Class::Success, 2)]).await;
}

#[tokio::test]
async fn a_goaway_before_the_response_is_a_failure() {
    // NO_ERROR, INTERNAL_ERROR, ENHANCE_YOUR_CALM.
    for reason in [0, 2, 11] {
        let (_server, mut client, handle) = broken(Fault::GoAway(reason)).await;
        client.get(Order::ok()).await.unwrap_err();
        ended(&handle, &[(Class::Failure, 1)]).await;
        client.get(Order::ok()).await.unwrap();
        ended(&handle, &[(Class::Failure, 1), (Class::Success, 1)]).await;
    }
}

#[tokio::test]
async fn a_goaway_after_the_streams_is_not_a_failure() {
    let (_server, mut client, handle) = broken(Fault::GoAwayInStream).await;
    assert_eq!(read(&mut client, Order::ok().after(3)).await.unwrap(), 3);
    client.get(Order::ok()).await.unwrap();
    ended(&handle, &[(Class::Success, 2)]).await;
}

#[tokio::test]
async fn refused_connections_open_the_circuit_and_a_server_that_is_back_closes_it() {
    // The port is bound without a listener, so that no other process gets it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (mut client, handle) = guarded(socket.local_addr().unwrap(), hasty());
    let status = client.get(Order::ok()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    ended(&handle, &[(Class::Failure, 1)]).await;
    until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;

    // The probe is refused as well.
    client.get(Order::ok()).await.unwrap_err();
    assert_eq!(handle.snapshot().attempt, 1);
    ended(&handle, &[(Class::Failure, 2)]).await;

    let listener: TcpListener = socket.listen(16).unwrap();
    let server = tonic::transport::Server::builder()
        .add_service(OrdersServer::new(Handler::new()))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;
    client.get(Order::ok()).await.unwrap();
    until(&handle, |snapshot| snapshot.state == State::Closed).await;
}
