//! Boxed services, and services that are not `Send`.

use std::convert::Infallible;
use std::rc::Rc;

use tower::util::{BoxCloneService, BoxCloneSyncService, BoxService, UnsyncBoxService};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, CircuitOpen, State, rejection::RejectWithBreakerError};

use super::dependency::*;

#[tokio::test(start_paused = true)]
async fn a_boxed_service_is_guarded_and_clones_share_the_breaker() {
    let dependency = Dependency::new();
    dependency.down(true);
    let layer = CircuitBreakerLayer::new(config());
    let mut one = layer.layer(BoxCloneService::new(dependency.service()));
    let mut two = layer.layer(BoxCloneSyncService::new(dependency.service()));
    let mut three = layer.layer(BoxService::new(dependency.service()));
    let mut clone = one.clone();
    call(&mut one).await.unwrap_err();
    call(&mut two).await.unwrap_err();
    assert!(call(&mut three).await.unwrap_err().is::<CircuitOpen>());
    assert!(call(&mut clone).await.unwrap_err().is::<CircuitOpen>());
}

#[tokio::test(start_paused = true)]
async fn a_guarded_service_is_boxed() {
    let dependency = Dependency::new();
    let guarded = || CircuitBreakerLayer::new(config()).layer(dependency.service());
    assert_eq!(guarded().boxed().oneshot(()).await.unwrap(), "ok");
    assert_eq!(guarded().boxed_clone().clone().oneshot(()).await.unwrap(), "ok");
    assert_eq!(BoxCloneSyncService::new(guarded()).oneshot(()).await.unwrap(), "ok");
    let boxed_inside = CircuitBreakerLayer::new(config()).layer(guarded().boxed_clone());
    assert_eq!(boxed_inside.boxed_clone().oneshot(()).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_send_runs_on_a_local_set() {
    let layer = CircuitBreakerLayer::new(config().on_rejected(RejectWithBreakerError));
    let handle = layer.handle();
    let calls = Rc::new(std::cell::Cell::new(0));
    let inside = Rc::clone(&calls);
    let service = ServiceBuilder::new().layer(layer).service(service_fn(move |()| {
        let calls = Rc::clone(&inside);
        async move {
            tokio::task::yield_now().await;
            calls.set(calls.get() + 1);
            Err::<(), _>(Rc::new("down"))
        }
    }));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async move {
            for _ in 0..10 {
                let call = tokio::task::spawn_local(service.clone().oneshot(()));
                assert!(call.await.unwrap().is_err());
            }
        })
        .await;
    assert_eq!((handle.state(), calls.get()), (State::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_send_is_boxed_on_either_side() {
    let inner = service_fn(|()| {
        let local = Rc::new("ok");
        async move { Ok::<_, Infallible>(*local) }
    });
    let guarded = CircuitBreakerLayer::new(config()).layer(UnsyncBoxService::new(inner));
    assert_eq!(UnsyncBoxService::new(guarded).oneshot(()).await.unwrap(), "ok");
}
