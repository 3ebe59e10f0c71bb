//! The guarded client and the counts of its breaker.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tonic::transport::{Channel, Endpoint};
use tower::ServiceBuilder;
use tower_breaker::classify::Grpc;
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreaker, CircuitBreakerLayer, Class, Config, Settings, Snapshot,
    Trip, rejection::RejectWithGrpc,
};

use super::generated::orders::orders_client::OrdersClient;
use super::handler::Handler;
use crate::support::counts::totals;
use crate::support::until::LONG;
pub(crate) use crate::support::until::until;

pub(crate) type Client = OrdersClient<CircuitBreaker<Channel, Grpc, RejectWithGrpc>>;

/// Returns an endpoint without a connection.
pub(crate) fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).unwrap()
}

/// A client with a breaker that counts calls and opens only if the server asks for a wait.
pub(crate) fn counted(address: SocketAddr) -> (Client, BreakerHandle) {
    guarded(address, settings(u32::MAX))
}

pub(crate) fn guarded(address: SocketAddr, settings: Settings) -> (Client, BreakerHandle) {
    guarded_channel(endpoint(address).connect_lazy(), settings)
}

pub(crate) fn guarded_channel(channel: Channel, settings: Settings) -> (Client, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(Config::grpc_client().name("orders").settings(settings));
    let handle = layer.handle();
    (OrdersClient::new(ServiceBuilder::new().layer(layer).service(channel)), handle)
}

/// The settings of the preset, except for the rule: `failures` consecutive failures within any time.
pub(crate) fn settings(failures: u32) -> Settings {
    let builder = Settings::grpc_client().to_builder().trip(Trip::none().consecutive(failures));
    builder.build().unwrap()
}

/// Settings that open at the first failure for 20 ms.
pub(crate) fn hasty() -> Settings {
    let cooldown = Backoff::fixed(Duration::from_millis(20));
    settings(1).to_builder().cooldown(cooldown).build().unwrap()
}

/// Waits until the service has received `calls` calls.
pub(crate) async fn hit(handler: &Handler, calls: usize) {
    let came = async {
        while handler.hits() < calls {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, came).await.expect("the calls arrive in time");
}

/// Waits until as many calls have ended as are given. Then compares their classes, and checks that no probe broke later.
#[track_caller]
pub(crate) fn ended(handle: &BreakerHandle, calls: &[(Class, u64)]) -> impl Future<Output = ()> {
    let at = std::panic::Location::caller();
    let mut expected = totals(calls);
    async move {
        let settled = expected.settled();
        let seen = until(handle, |snapshot| snapshot.totals.settled() >= settled).await.totals;
        (expected.admitted, expected.rejected) = (seen.admitted, seen.rejected);
        assert_eq!(seen, expected, "{at}");
    }
}

/// Returns the length of the current open period.
pub(crate) fn open_for(snapshot: &Snapshot) -> Duration {
    snapshot.until.expect("an open circuit") - snapshot.since
}
