//! A breaker takes one line in a stack, without naming a type.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::Provider;
use tower_breaker::{
    CircuitBreakerLayer, Config, Outcome,
    rejection::{RejectWithBreakerError, RejectWithHttp, RejectWithInnerError, RejectWithService},
};

use super::dependency::*;

async fn hello(_: Request<String>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

async fn one(request: u8) -> Result<u8, std::io::Error> {
    Ok(request)
}

#[tokio::test(start_paused = true)]
async fn every_preset_infers() {
    macro_rules! infers {
        ($($config:expr),*) => {$(
            let layer = CircuitBreakerLayer::new($config);
            let service = ServiceBuilder::new().layer(layer).service(service_fn(hello));
            assert!(service.oneshot(Request::new(String::new())).await.is_ok());
        )*};
    }
    infers!(
        Config::default(),
        Config::http(),
        Config::http_client(),
        Config::grpc(),
        Config::grpc_client(),
        Config::llm(Provider::OpenAi)
    );
}

#[tokio::test(start_paused = true)]
async fn every_part_infers() {
    macro_rules! infers {
        ($($config:expr),*) => {$(
            let service = ServiceBuilder::new()
                .layer(CircuitBreakerLayer::new($config))
                .service(service_fn(one));
            assert!(service.oneshot(1).await.is_ok());
        )*};
    }
    infers!(
        Config::default(),
        Config::default().name("one").settings(opening_after(1)).pending_while_open(),
        Config::default().on_rejected(RejectWithBreakerError),
        Config::default().on_rejected(RejectWithService(service_fn(one))),
        Config::default().reject_with(|request: u8, _| request + 1),
        Config::default().reject_with(|request: u8, why| request + why.name().len() as u8),
        Config::default().classify_fn(|result: Result<&u8, &std::io::Error>| match result {
            Ok(_) => Outcome::success(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Outcome::ignored(),
            Err(_) => Outcome::failure(),
        }),
        Config::default().trip_when(|window| window.failures > 3).cooldown_with(|_| COOLDOWN)
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_stack_infers_in_both_orders() {
    let breaker = || CircuitBreakerLayer::new(config());
    let outside = ServiceBuilder::new()
        .load_shed()
        .buffer(5)
        .concurrency_limit(5)
        .timeout(Duration::from_secs(1))
        .layer(breaker())
        .service(service_fn(one));
    assert_eq!(outside.oneshot(1).await.unwrap(), 1);
    let inside = ServiceBuilder::new()
        .layer(breaker())
        .load_shed()
        .buffer(5)
        .concurrency_limit(5)
        .timeout(Duration::from_secs(1))
        .service(service_fn(one));
    assert_eq!(inside.oneshot(1).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_optional_breaker_infers() {
    for on in [true, false] {
        let layer = on.then(|| CircuitBreakerLayer::new(config()));
        let service = ServiceBuilder::new()
            .option_layer(layer)
            .map_err(tower::BoxError::from)
            .service(service_fn(one));
        assert_eq!(service.oneshot(1).await.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_error_type_infers() {
    #[derive(Debug)]
    struct Mine;
    impl From<tower_breaker::CircuitOpen> for Mine {
        fn from(_: tower_breaker::CircuitOpen) -> Self {
            Self
        }
    }
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(Config::default().on_rejected(RejectWithInnerError)))
        .service(service_fn(async |()| Err::<(), _>(Mine)));
    let Err(Mine) = service.oneshot(()).await else { panic!("it fails") };
}

#[tokio::test(start_paused = true)]
async fn a_preset_with_another_rejection_policy_infers() {
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(Config::http_client().on_rejected(RejectWithHttp)))
        .service(service_fn(hello));
    let Ok(answer) = service.oneshot(Request::new(String::new())).await;
    assert_eq!(answer.status(), 200);
}
