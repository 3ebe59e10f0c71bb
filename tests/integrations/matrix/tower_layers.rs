//! tower's middleware on either side.

use std::future::{Ready, ready};
use std::time::Duration;

use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::hedge::{Hedge, Policy as HedgePolicy};
use tower::load::{CompleteOnResponse, PendingRequests};
use tower::retry::Policy;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};
use tower_breaker::{CircuitOpen, Config, FallbackLayer, fallback::OnError};

use super::cell::{Cell, cells, settings, three, word};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) async fn cells() -> impl Iterator<Item = Cell> {
    let config = || Config::default().settings(settings(1));
    let backup = || FallbackLayer::value("backup").when(OnError);
    let timeout = cells!("a timeout outside", config(), backup(), |layer, dependency| {
        let service =
            ServiceBuilder::new().timeout(LIMIT).layer(layer).service(dependency.service());
        three(&dependency, async || word(service.clone().oneshot(()).await)).await
    });
    let retry_outside = cells!(
        "a retry outside",
        Config::default().settings(settings(2)),
        backup(),
        |layer, dependency| {
            let service =
                ServiceBuilder::new().retry(Once(false)).layer(layer).service(dependency.service());
            three(&dependency, async || word(service.clone().oneshot(()).await)).await
        }
    );
    let retry_inside = cells!("a retry inside", config(), backup(), |layer, dependency| {
        let service =
            ServiceBuilder::new().layer(layer).retry(Once(false)).service(dependency.service());
        three(&dependency, async || word(service.clone().oneshot(()).await)).await
    });
    // A hedge is not `Clone`.
    let hedge_outside = cells!("a hedge outside", config(), backup(), |layer, dependency| {
        let mut service = hedged(layer.layer(dependency.service()));
        three(&dependency, async || word(service.ready().await.unwrap().call(()).await)).await
    });
    let hedge_inside = cells!("a hedge inside", config(), backup(), |layer, dependency| {
        let mut service = layer.layer(hedged(dependency.service()));
        three(&dependency, async || word(service.ready().await.unwrap().call(()).await)).await
    });
    let buffer_outside = cells!("a buffer outside", config(), backup(), |layer, dependency| {
        let service = ServiceBuilder::new().buffer(4).layer(layer).service(dependency.service());
        three(&dependency, async || word(service.clone().oneshot(()).await)).await
    });
    let buffer_inside = cells!("a buffer inside", config(), backup(), |layer, dependency| {
        let service = ServiceBuilder::new().layer(layer).buffer(4).service(dependency.service());
        three(&dependency, async || word(service.clone().oneshot(()).await)).await
    });
    let balance_outside = cells!("a balancer outside", config(), backup(), |layer, dependency| {
        let mut service = balanced(layer.layer(dependency.service()));
        three(&dependency, async || word(service.ready().await.unwrap().call(()).await)).await
    });
    let balance_inside = cells!("a balancer inside", config(), backup(), |layer, dependency| {
        let mut service = layer.layer(balanced(dependency.service()));
        three(&dependency, async || word(service.ready().await.unwrap().call(()).await)).await
    });
    [
        timeout,
        retry_outside,
        retry_inside,
        hedge_outside,
        hedge_inside,
        buffer_outside,
        buffer_inside,
        balance_outside,
        balance_inside,
    ]
    .into_iter()
    .flatten()
}

/// Retries once, except after a rejection.
#[derive(Clone)]
struct Once(bool);

impl<R> Policy<(), R, BoxError> for Once {
    type Future = Ready<()>;

    fn retry(&mut self, (): &mut (), result: &mut Result<R, BoxError>) -> Option<Ready<()>> {
        let error = result.as_ref().err()?;
        let again = !self.0 && CircuitOpen::find(&**error).is_none();
        self.0 = true;
        again.then(|| ready(()))
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

#[derive(Clone)]
struct Always;

impl HedgePolicy<()> for Always {
    fn clone_request(&self, (): &()) -> Option<()> {
        Some(())
    }

    fn can_retry(&self, (): &()) -> bool {
        true
    }
}

/// Sends the second request after a minute.
fn hedged<S>(service: S) -> Hedge<S, Always>
where
    S: Service<()> + Clone,
    S::Error: Into<BoxError>,
{
    Hedge::new_with_mock_latencies(service, Always, 1, 0.9, LIMIT, &[60_000; 20])
}

fn balanced<S>(service: S) -> Balance<ServiceList<Vec<PendingRequests<S>>>, ()>
where
    S: Service<()>,
    S::Error: Into<BoxError>,
{
    let endpoint = PendingRequests::new(service, CompleteOnResponse::default());
    Balance::new(ServiceList::new(vec![endpoint]))
}
