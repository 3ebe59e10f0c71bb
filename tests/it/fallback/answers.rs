//! Where an answer comes from, and what the caller receives if there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{
    FallbackLayer,
    fallback::{OnError, Trigger},
};

use super::services::{Plain, Strict, down};

#[tokio::test]
async fn an_error_is_answered_with_the_value() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value("spare").when(OnError))
        .service(service_fn(|_: ()| async { Err::<&str, _>(down()) }));
    assert_eq!(service.oneshot(()).await.unwrap(), "spare");
}

#[tokio::test]
async fn a_value_is_cloned_only_when_it_is_needed() {
    struct Costly(Arc<AtomicUsize>);
    impl Clone for Costly {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Relaxed);
            Self(Arc::clone(&self.0))
        }
    }
    let clones = Arc::new(AtomicUsize::new(0));
    let good = Arc::clone(&clones);
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::value(Costly(Arc::clone(&clones))).when(OnError))
        .service(service_fn(move |fails: bool| {
            let good = Costly(Arc::clone(&good));
            async move { if fails { Err(down()) } else { Ok(good) } }
        }));

    for _ in 0..3 {
        service.ready().await.unwrap().call(false).await.unwrap();
    }
    assert_eq!(clones.load(Relaxed), 0);
    service.ready().await.unwrap().call(true).await.unwrap();
    assert_eq!(clones.load(Relaxed), 1);
}

#[tokio::test]
async fn value_fn_makes_a_new_answer_for_each_call() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let mut service = ServiceBuilder::new()
        .layer(
            FallbackLayer::value_fn(move || Plain(count.fetch_add(1, Relaxed) as u32))
                .when(OnError),
        )
        .service(service_fn(|_: ()| async { Err::<Plain, _>(down()) }));
    assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), Plain(0));
    assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), Plain(1));
    assert_eq!(made.load(Relaxed), 2);
}

#[tokio::test]
async fn a_function_gets_the_kept_part_and_the_trigger() {
    let layer = FallbackLayer::from_fn(|kept: String, trigger: &Trigger<String, BoxError>| {
        let why = trigger.error().map(ToString::to_string);
        async move { why.map(|why| format!("{kept}: {why}")) }
    })
    .keep(|request: &u32| format!("request {request}"))
    .when(OnError);
    let service = layer_over(layer, |_: u32| async { Err::<String, _>(down()) });
    assert_eq!(service.oneshot(7).await.unwrap(), "request 7: primary down");
}

#[tokio::test]
async fn a_function_sees_the_bad_response() {
    let layer = FallbackLayer::from_fn(|(), trigger: &Trigger<Plain, BoxError>| {
        let seen = trigger.response().map(|bad| bad.0);
        async move { seen.map(|seen| Plain(seen + 1)) }
    })
    .when_fn(|result: Result<&Plain, _>| result.is_ok_and(|plain| plain.0 > 9));
    let service = layer_over(layer, |n: u32| async move { Ok::<_, BoxError>(Plain(n)) });
    assert_eq!(service.clone().oneshot(9).await.unwrap(), Plain(9));
    assert_eq!(service.oneshot(10).await.unwrap(), Plain(11));
}

#[tokio::test]
async fn the_primarys_error_comes_back_if_a_function_fails() {
    let failing = FallbackLayer::from_fn(|(), _| async { Err::<u32, BoxError>("mine".into()) });
    let service = layer_over(failing.when(OnError), |_: ()| async { Err::<u32, _>(down()) });
    assert_eq!(service.oneshot(()).await.unwrap_err().to_string(), "primary down");

    let declining = FallbackLayer::from_fn(|(), _| async { None::<u32> });
    let service = layer_over(declining.when(OnError), |_: ()| async { Err::<u32, _>(down()) });
    assert_eq!(service.oneshot(()).await.unwrap_err().to_string(), "primary down");
}

#[tokio::test]
async fn the_bad_response_comes_back_if_a_function_fails() {
    let layer = FallbackLayer::from_fn(|(), _| async { None::<Plain> }).when_fn(|_| true);
    let service = layer_over(layer, |_: ()| async { Ok::<_, BoxError>(Plain(3)) });
    assert_eq!(service.oneshot(()).await.unwrap(), Plain(3));
}

#[tokio::test]
async fn a_success_does_not_call_the_source() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let layer = FallbackLayer::from_fn(move |(), _| {
        count.fetch_add(1, Relaxed);
        async { Some(0) }
    });
    let service = layer_over(layer.when(OnError), |_: ()| async { Ok::<u32, BoxError>(1) });
    assert_eq!(service.oneshot(()).await.unwrap(), 1);
    assert_eq!(asked.load(Relaxed), 0);
}

#[tokio::test]
async fn a_backup_service_answers() {
    let (backup, seen) = Strict::new(|n: u32| async move { Ok(Plain(n * 2)) });
    let service = layer_over(FallbackLayer::service(backup).when(OnError), |_: u32| async {
        Err::<Plain, _>(down())
    });
    assert_eq!(service.oneshot(4).await.unwrap(), Plain(8));
    assert_eq!((seen.clones(), seen.calls()), (1, 1));
}

#[tokio::test]
async fn the_primarys_result_comes_back_if_a_backup_fails() {
    let (backup, seen) = Strict::new(|_: bool| async { Err::<Plain, _>("backup down".into()) });
    let layer = FallbackLayer::service(backup).when_fn(|_| true);
    let service =
        layer_over(layer, |fails| async move { if fails { Err(down()) } else { Ok(Plain(5)) } });
    assert_eq!(service.clone().oneshot(true).await.unwrap_err().to_string(), "primary down");
    assert_eq!(service.oneshot(false).await.unwrap(), Plain(5));
    assert_eq!(seen.calls(), 2);
}

#[tokio::test]
async fn the_primarys_error_comes_back_as_the_same_value() {
    #[derive(Debug)]
    struct NotEvenAnError(Plain);
    let layer = FallbackLayer::from_fn(|(), _| async { None::<()> }).when(OnError);
    let service = layer_over(layer, |_: ()| async { Err::<(), _>(NotEvenAnError(Plain(6))) });
    assert_eq!(service.oneshot(()).await.unwrap_err().0, Plain(6));
}

#[tokio::test]
async fn layers_make_a_chain_that_ends_with_the_primarys_error() {
    let (first, first_seen) = Strict::new(|_: u32| async { Err::<u32, BoxError>("first".into()) });
    let (last, last_seen) = Strict::new(|n: u32| async move {
        if n == 1 { Ok(10) } else { Err::<u32, BoxError>("last".into()) }
    });
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(last).when(OnError))
        .layer(FallbackLayer::service(first).when(OnError))
        .service(service_fn(|_: u32| async { Err::<u32, _>(down()) }));
    assert_eq!(service.clone().oneshot(1).await.unwrap(), 10);
    assert_eq!(service.oneshot(2).await.unwrap_err().to_string(), "primary down");
    assert_eq!((first_seen.calls(), last_seen.calls()), (2, 2));
}

/// Applies a layer to a function, as `ServiceBuilder` does.
fn layer_over<L, F>(layer: L, primary: F) -> L::Service
where
    L: tower::Layer<tower::util::ServiceFn<F>>,
{
    layer.layer(service_fn(primary))
}
