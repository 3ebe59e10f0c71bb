//! Boxed services, and services without the usual traits.

use std::rc::Rc;

use tower::util::{BoxCloneService, BoxCloneSyncService, BoxService};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use tower_breaker::{Config, FallbackLayer, fallback::OnError, rejection::RejectWithBreakerError};

use super::cell::{Cell, cells, settings, three, word};

pub(crate) async fn cells() -> impl Iterator<Item = Cell> {
    let config = || Config::default().settings(settings(1));
    let backup = || FallbackLayer::value("backup").when(OnError);
    let boxed_clone =
        cells!("BoxCloneService on either side", config(), backup(), |layer, dependency| {
            let service = layer.layer(BoxCloneService::new(dependency.service()));
            let service = BoxCloneService::new(service);
            three(&dependency, async || word(service.clone().oneshot(()).await)).await
        });
    let boxed_sync =
        cells!("BoxCloneSyncService on either side", config(), backup(), |layer, dependency| {
            let service = layer.layer(BoxCloneSyncService::new(dependency.service()));
            let service = BoxCloneSyncService::new(service);
            three(&dependency, async || word(service.clone().oneshot(()).await)).await
        });
    let boxed = cells!("BoxService on either side", config(), backup(), |layer, dependency| {
        let mut service = BoxService::new(layer.layer(BoxService::new(dependency.service())));
        three(&dependency, async || word(service.ready().await.unwrap().call(()).await)).await
    });
    let local = cells!("a future that is not Send", config(), backup(), |layer, dependency| {
        let inside = dependency.clone();
        let service = layer.layer(service_fn(move |()| {
            let answer = Rc::new(if inside.is_up() { Ok("ok") } else { Err("down") });
            async move {
                tokio::task::yield_now().await;
                answer.map_err(BoxError::from)
            }
        }));
        three(&dependency, async || word(service.clone().oneshot(()).await)).await
    });
    let unit = cells!(
        "the error ()",
        config().on_rejected(RejectWithBreakerError),
        backup(),
        |layer, dependency| {
            let inside = dependency.clone();
            let service = layer.layer(service_fn(move |()| {
                std::future::ready(if inside.is_up() { Ok("ok") } else { Err(()) })
            }));
            three(&dependency, async || word(service.clone().oneshot(()).await)).await
        }
    );
    let not_clone = cells!(
        "a request that is not Clone",
        config(),
        FallbackLayer::from_fn(|id: u32, _| async move { (id == 7).then_some("backup") })
            .keep(|order: &Order| order.id)
            .when(OnError),
        |layer, dependency| {
            let inside = dependency.clone();
            let service = layer.layer(service_fn(move |order: Order| {
                assert_eq!(order.id, 7);
                let answer = if inside.is_up() { Ok("ok") } else { Err(BoxError::from("down")) };
                std::future::ready(answer)
            }));
            three(&dependency, async || word(service.clone().oneshot(Order { id: 7 }).await)).await
        }
    );
    [boxed_clone, boxed_sync, boxed, local, unit, not_clone].into_iter().flatten()
}

/// A request that can be sent only once.
struct Order {
    id: u32,
}
