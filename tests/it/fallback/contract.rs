//! The contract of a tower middleware: readiness, sharing and auto traits.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{LocalSet, yield_now};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{
    FallbackLayer,
    fallback::{Fallback, OnError, Trigger},
};

use super::services::{Plain, Readiness, Strict, down, poll_once, poll_ready_once};

#[tokio::test]
async fn readiness_is_the_primarys_alone() {
    let (primary, primary_seen) = Strict::new(|_: ()| async { Ok(()) });
    let (backup, backup_seen) = Strict::new(|_: ()| async { Ok(()) });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .service(primary.readiness(Readiness::Never));
    assert!(poll_ready_once::<_, ()>(&mut service).await.is_pending());
    assert_eq!((primary_seen.polls(), backup_seen.polls()), (1, 0));
}

#[tokio::test]
async fn a_broken_primary_fails_in_poll_ready() {
    let (primary, _) = Strict::new(|_: ()| async { Ok(1) });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::value(2).when(OnError))
        .service(primary.readiness(Readiness::Broken));
    let error = ServiceExt::<()>::ready(&mut service).await.err().unwrap();
    assert_eq!(error.to_string(), "broken for good");
}

#[tokio::test]
async fn the_primary_that_was_polled_ready_is_the_one_that_is_called() {
    let (primary, mut handle) = tower_test::mock::pair::<(), u32>();
    let mut service =
        ServiceBuilder::new().layer(FallbackLayer::value(2).when(OnError)).service(primary);
    let call = service.ready().await.unwrap().call(());
    let ((), send) = handle.next_request().await.unwrap();
    send.send_error("no");
    assert_eq!(call.await.unwrap(), 2);
}

#[tokio::test]
async fn a_backup_is_not_touched_while_the_primary_succeeds() {
    let (backup, seen) = Strict::new(|_: ()| async { Ok(()) });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .service(service_fn(|_: ()| async { Ok::<_, BoxError>(()) }));
    for _ in 0..3 {
        service.ready().await.unwrap().call(()).await.unwrap();
    }
    assert_eq!((seen.clones(), seen.polls(), seen.calls()), (0, 0, 0));
}

#[tokio::test]
async fn a_backup_that_is_not_ready_delays_only_the_call_that_waits_for_it() {
    let (backup, seen) = Strict::new(|_: bool| async { Ok("backup") });
    let backup = backup.clones_are([Readiness::Never]);
    let mut service =
        ServiceBuilder::new().layer(FallbackLayer::service(backup).when(OnError)).service(
            service_fn(|fails| async move { if fails { Err(down()) } else { Ok("primary") } }),
        );

    let mut waits = Box::pin(service.ready().await.unwrap().call(true));
    assert!(poll_once(&mut waits).await.is_pending());
    assert_eq!(service.ready().await.unwrap().call(false).await.unwrap(), "primary");
    assert_eq!(service.ready().await.unwrap().call(true).await.unwrap(), "backup");
    assert_eq!(service.clone().oneshot(true).await.unwrap(), "backup");
    assert!(poll_once(&mut waits).await.is_pending());
    assert_eq!((seen.clones(), seen.calls()), (3, 2));
}

#[tokio::test]
async fn a_backup_is_called_when_it_becomes_ready() {
    let (backup, mut handle) = tower_test::mock::pair::<u32, u32>();
    handle.allow(0);
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .service(service_fn(|_: u32| async { Err::<u32, _>(down()) }));
    let call = tokio::spawn(service.oneshot(20));
    yield_now().await;
    assert!(!call.is_finished());
    handle.allow(1);
    let (request, send) = handle.next_request().await.unwrap();
    send.send_response(request + 1);
    assert_eq!(call.await.unwrap().unwrap(), 21);
}

#[tokio::test]
async fn the_primarys_error_comes_back_if_the_backup_is_broken() {
    let (backup, seen) = Strict::new(|_: ()| async { Ok(()) });
    let backup = backup.clones_are([Readiness::Broken]);
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .service(service_fn(|_: ()| async { Err::<(), _>(down()) }));
    assert_eq!(service.oneshot(()).await.unwrap_err().to_string(), "primary down");
    assert_eq!(seen.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_the_primarys_future_held_is_free_for_the_backup() {
    let limit = GlobalConcurrencyLimitLayer::with_semaphore(Arc::new(Semaphore::new(1)));
    let backup = tower::Layer::layer(&limit, service_fn(|_: ()| async { Ok::<_, BoxError>(2) }));
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .layer(limit)
        .service(service_fn(|_: ()| async { Err::<u32, _>(down()) }));
    let answer = tokio::time::timeout(Duration::from_secs(1), service.oneshot(())).await;
    assert_eq!(answer.expect("no deadlock").unwrap(), 2);
}

#[tokio::test]
async fn the_primarys_future_is_dropped_before_the_source_begins() {
    let semaphore = Arc::new(Semaphore::new(1));
    let limit = GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&semaphore));
    let permits = FallbackLayer::from_fn(move |(), _| {
        let free = semaphore.available_permits();
        async move { Some(free) }
    });
    let service = ServiceBuilder::new()
        .layer(permits.when(OnError))
        .layer(limit)
        .service(service_fn(|_: ()| async { Err::<usize, _>(down()) }));
    assert_eq!(service.oneshot(()).await.unwrap(), 1);
}

#[tokio::test]
async fn futures_need_not_be_send() {
    let local = async {
        let layer = FallbackLayer::from_fn(|kept: Rc<u32>, _| async move {
            yield_now().await;
            Some(kept)
        })
        .keep_request()
        .when(OnError);
        let service =
            ServiceBuilder::new().layer(layer).service(service_fn(|request: Rc<u32>| async move {
                yield_now().await;
                Err::<Rc<u32>, Rc<u32>>(request)
            }));
        tokio::task::spawn_local(service.oneshot(Rc::new(3))).await.unwrap()
    };
    assert_eq!(LocalSet::new().run_until(local).await, Ok(Rc::new(3)));
}

#[tokio::test]
async fn tower_layers_in_between_need_no_annotation() {
    let (backup, _) = Strict::new(|n: u32| async move { Ok(Plain(n)) });
    let service = ServiceBuilder::new()
        .concurrency_limit(8)
        .layer(FallbackLayer::from_fn(|(), _| async { None::<Plain> }).when(OnError))
        .layer(FallbackLayer::service(backup).when_fn(|result| result.is_err()))
        .timeout(Duration::from_secs(30))
        .load_shed()
        .service(service_fn(|_: u32| async { Err::<Plain, _>(down()) }));
    assert_eq!(service.oneshot(8).await.unwrap(), Plain(8));
}

#[test]
fn layer_service_and_future_have_the_auto_traits_of_their_parts() {
    fn free<T: Send + Sync + Clone + 'static>(value: T) -> T {
        value
    }
    fn send<T: Send + 'static>(_: &T) {}
    fn debug<T: std::fmt::Debug>(value: &T) -> String {
        format!("{value:?}")
    }

    // Types that a layer only passes on and never holds do not affect its auto traits.
    type Seen = Trigger<Rc<Plain>, BoxError>;
    let layer = free(
        FallbackLayer::from_fn(|_: u32, _: &Seen| std::future::ready(None::<Rc<Plain>>))
            .keep(|request: &Rc<u32>| **request)
            .when_fn(|result: Result<&Rc<Plain>, &BoxError>| result.is_err()),
    );
    assert!(debug(&layer).starts_with("FallbackLayer"));

    let (backup, _) = tower_test::mock::pair::<u32, u32>();
    let (primary, _handle) = tower_test::mock::pair::<u32, u32>();
    let layer = free(FallbackLayer::service(backup).when(OnError));
    let mut service: Fallback<_, _, _, _> = free(tower::Layer::layer(&layer, primary));
    let mut task = tokio_test::task::spawn(());
    let ready = task.enter(|cx, _| Service::<u32>::poll_ready(&mut service, cx));
    assert!(ready.is_ready());
    let future = service.call(1);
    send(&future);
    assert_eq!(debug(&future), "ResponseFuture { state: Primary }");
}
