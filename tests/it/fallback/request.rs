//! Which part of a request is kept, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::fallback::Keep;
use tower_breaker::{FallbackLayer, fallback::OnError};

use super::services::{Plain, Strict, down};

#[tokio::test]
async fn a_request_that_is_not_kept_needs_no_traits() {
    let fails = service_fn(|_: Plain| async { Err::<u32, _>(down()) });
    let service = ServiceBuilder::new().layer(FallbackLayer::value(1).when(OnError)).service(fails);
    assert_eq!(service.oneshot(Plain(0)).await.unwrap(), 1);

    let layer = FallbackLayer::from_fn(|(), _| async { Some(2) }).when(OnError);
    let service = ServiceBuilder::new().layer(layer).service(fails);
    assert_eq!(service.oneshot(Plain(0)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_backup_gets_the_request_that_was_made_for_it() {
    let (backup, _) = Strict::new(|request: String| async move { Ok(request) });
    let service = ServiceBuilder::new()
        .layer(
            FallbackLayer::service(backup).keep(|plain: &Plain| plain.0.to_string()).when(OnError),
        )
        .service(service_fn(|_: Plain| async { Err::<String, _>(down()) }));
    assert_eq!(service.oneshot(Plain(42)).await.unwrap(), "42");
}

#[tokio::test]
async fn a_function_gets_the_request_if_it_is_kept() {
    let layer = FallbackLayer::from_fn(|request: String, _| async { Some(request) })
        .keep_request()
        .when(OnError);
    let service = ServiceBuilder::new().layer(layer).service(service_fn(|request: String| async {
        drop(request);
        Err::<String, _>(down())
    }));
    assert_eq!(service.oneshot("as it was".to_owned()).await.unwrap(), "as it was");
}

#[tokio::test]
async fn a_request_is_cloned_once_for_a_backup() {
    #[derive(Debug)]
    struct Counted(Arc<AtomicUsize>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Relaxed);
            Self(Arc::clone(&self.0))
        }
    }
    let (backup, _) = Strict::new(|_: Counted| async { Ok(()) });
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).when(OnError))
        .service(service_fn(|_: Counted| async { Err::<(), _>(down()) }));
    let clones = Arc::new(AtomicUsize::new(0));
    service.oneshot(Counted(Arc::clone(&clones))).await.unwrap();
    assert_eq!(clones.load(Relaxed), 1);
}

#[tokio::test]
async fn a_call_that_keeps_nothing_has_no_fallback() {
    let (backup, seen) = Strict::new(|n: u32| async move { Ok(n) });
    let layer = FallbackLayer::service(backup).try_keep(|n: &u32| (*n > 0).then_some(*n));
    let mut service = ServiceBuilder::new()
        .layer(layer.when(OnError))
        .service(service_fn(|_: u32| async { Err::<u32, _>(down()) }));
    assert_eq!(
        service.ready().await.unwrap().call(0).await.unwrap_err().to_string(),
        "primary down"
    );
    assert_eq!(seen.clones(), 0);
    assert_eq!(service.ready().await.unwrap().call(1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_call_may_opt_out_of_a_fallback_value() {
    let layer =
        FallbackLayer::value(9).try_keep(|wanted: &bool| wanted.then_some(())).when(OnError);
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(|_: bool| async { Err::<u32, _>(down()) }));
    assert_eq!(service.clone().oneshot(true).await.unwrap(), 9);
    assert_eq!(service.oneshot(false).await.unwrap_err().to_string(), "primary down");
}

#[tokio::test]
async fn a_custom_keep_is_used() {
    #[derive(Clone)]
    struct Half;
    impl Keep<u32> for Half {
        type Kept = u32;
        fn keep(&self, request: &u32) -> Option<u32> {
            Some(request / 2)
        }
    }
    let layer = FallbackLayer::from_fn(|half: u32, _| async move { Ok::<_, BoxError>(half) });
    let service = ServiceBuilder::new()
        .layer(layer.with_keep(Half).when(OnError))
        .service(service_fn(|_: u32| async { Err::<u32, _>(down()) }));
    assert_eq!(service.oneshot(8).await.unwrap(), 4);
}
