//! The response future may be dropped at every await point.

use std::future::pending;
use std::sync::atomic::Ordering::Relaxed;

use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{FallbackLayer, fallback::OnError};

use super::services::{Bell, Plain, Readiness, Strict, down, poll_once};

#[tokio::test]
async fn a_future_dropped_while_the_primary_is_pending_polls_no_backup() {
    let (bell, rung) = Bell::new();
    let (backup, seen) = Strict::new(|_: ()| async { Ok(Plain(0)) });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .service(service_fn(move |_: ()| {
            let bell = bell.clone();
            async move {
                let _bell = bell;
                pending::<Result<Plain, BoxError>>().await
            }
        }));
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(poll_once(&mut call).await.is_pending());
    assert_eq!(rung.load(Relaxed), 0);
    drop(call);
    assert_eq!(rung.load(Relaxed), 1);
    assert_eq!(seen.polls(), 0);
}

#[tokio::test]
async fn a_future_dropped_while_the_backup_is_not_ready_never_calls_it() {
    let (backup, seen) = Strict::new(|_: ()| async { Ok(Plain(0)) });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup.clones_are([Readiness::Never])).when(OnError))
        .service(service_fn(|_: ()| async { Err(down()) }));
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(poll_once(&mut call).await.is_pending());
    drop(call);
    assert_eq!((seen.polls(), seen.calls()), (1, 0));
    assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), Plain(0));
}

#[tokio::test]
async fn a_future_dropped_while_the_backup_is_pending_drops_its_work_and_the_primarys_result() {
    let (work, work_rung) = Bell::new();
    let (bad, bad_rung) = Bell::new();
    let (backup, seen) = Strict::new(move |_: ()| {
        let work = work.clone();
        async move {
            let _work = work;
            pending::<Result<Bell, _>>().await
        }
    });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when_fn(|_| true))
        .service(service_fn(move |_: ()| {
            let bad = bad.clone();
            async move { Ok::<_, BoxError>(bad) }
        }));
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(poll_once(&mut call).await.is_pending());
    assert_eq!((seen.calls(), bad_rung.load(Relaxed)), (1, 0));
    // The clone that was called held its own bell and has been dropped.
    assert_eq!(work_rung.load(Relaxed), 1);
    drop(call);
    assert_eq!((work_rung.load(Relaxed), bad_rung.load(Relaxed)), (2, 1));
}

#[tokio::test]
async fn a_future_dropped_while_a_function_is_pending_drops_its_work() {
    let (bell, rung) = Bell::new();
    let layer = FallbackLayer::from_fn(|bell: Bell, _| async move {
        let _bell = bell;
        pending::<Option<Plain>>().await
    })
    .keep_request()
    .when(OnError);
    let mut service = ServiceBuilder::new().layer(layer).service(service_fn(|bell: Bell| async {
        std::mem::forget(bell);
        Err(down())
    }));
    let mut call = Box::pin(service.ready().await.unwrap().call(bell));
    assert!(poll_once(&mut call).await.is_pending());
    assert_eq!(rung.load(Relaxed), 0);
    drop(call);
    assert_eq!(rung.load(Relaxed), 1);
}

#[tokio::test]
async fn a_future_dropped_before_its_first_poll_drops_the_kept_request() {
    let (bell, rung) = Bell::new();
    let (backup, seen) = Strict::new(|_: Bell| async { Ok(Plain(0)) });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .service(service_fn(|_: Bell| async { Err(down()) }));
    drop(service.ready().await.unwrap().call(bell));
    assert_eq!(rung.load(Relaxed), 2);
    assert_eq!(seen.clones(), 0);
}

#[tokio::test]
#[should_panic(expected = "polled after completion")]
async fn a_future_polled_after_completion_panics() {
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::value(1).when(OnError))
        .service(service_fn(|_: ()| async { Err::<u32, _>(down()) }));
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(poll_once(&mut call).await.is_ready());
    let _ = poll_once(&mut call).await;
}
