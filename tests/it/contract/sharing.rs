//! The layer holds the breaker, and everything made from it shares it.

use tower::{Layer, ServiceExt, service_fn};
use tower_breaker::classify::Http;
use tower_breaker::{
    Backoff, BreakerError, BreakerHandle, CircuitBreakerLayer, Config, Settings, State, Trip,
    rejection::RejectWithBreakerError,
};

use crate::support::doubles::*;

async fn fails((): ()) -> Answer {
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn every_layer_call_and_every_clone_shares_one_breaker() {
    let layer = CircuitBreakerLayer::new(config());
    let mut services = vec![
        layer.layer(service_fn(fails)),
        layer.clone().layer(service_fn(fails)),
        layer.layer(service_fn(fails)).clone(),
    ];
    for service in &mut services[..2] {
        assert!(call(service).await.unwrap_err().is::<Down>());
    }
    for service in &mut services {
        assert_eq!(service.handle().state(), State::Open);
        assert!(call(service).await.unwrap_err().is::<tower_breaker::CircuitOpen>());
    }
    assert_eq!(layer.handle().snapshot().totals.rejected, 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_per_call_shares_the_breaker() {
    let layer = CircuitBreakerLayer::new(config());
    for _ in 0..2 {
        layer.layer(service_fn(fails)).oneshot(()).await.unwrap_err();
    }
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn two_layers_of_one_config_are_two_breakers() {
    let config = config();
    let one = CircuitBreakerLayer::new(config.clone());
    let two = CircuitBreakerLayer::new(config);
    one.handle().force_open(None);
    assert_eq!(two.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn join_shares_the_breaker_under_another_classifier_and_policy() {
    let first = CircuitBreakerLayer::new(config());
    let handle = first.handle();
    let classify = |result: Result<&&'static str, &Down>| match result {
        Ok(_) => tower_breaker::Outcome::failure(),
        Err(_) => tower_breaker::Outcome::success(),
    };
    let other =
        Config::default().name("other").classify_fn(classify).on_rejected(RejectWithBreakerError);
    let joined = CircuitBreakerLayer::join(&handle, other);
    assert_eq!(joined.handle().name(), "db");

    let mut service = joined.layer(service_fn(fails));
    for _ in 0..5 {
        assert_eq!(call(&mut service).await, Err(BreakerError::Inner(Down)));
    }
    assert_eq!(handle.state(), State::Closed);
    let mut service = joined.layer(service_fn(async |()| Ok::<_, Down>("wrong")));
    for _ in 0..2 {
        assert_eq!(call(&mut service).await, Ok("wrong"));
    }
    assert_eq!(handle.state(), State::Open);
    assert!(matches!(call(&mut service).await, Err(BreakerError::Open(_))));
    assert!(
        first.layer(service_fn(fails)).oneshot(()).await.unwrap_err().to_string().contains("db")
    );
}

#[tokio::test(start_paused = true)]
async fn join_ignores_the_settings_and_the_callbacks_of_its_config() {
    let handle = BreakerHandle::new("first", settings());
    let trip = Trip::none().consecutive(1);
    let touchy =
        Settings::builder().trip(trip).cooldown(Backoff::fixed(3 * COOLDOWN)).build().unwrap();
    let config = Config::default()
        .settings(touchy)
        .trip_when(|_| panic!("never called"))
        .cooldown_with(|_| panic!("never called"));
    let mut service = CircuitBreakerLayer::join(&handle, config).layer(service_fn(fails));
    call(&mut service).await.unwrap_err();
    assert_eq!((handle.state(), handle.settings()), (State::Closed, settings()));
    call(&mut service).await.unwrap_err();
    assert_eq!(handle.state(), State::Open);
    cool_down(&handle).await;
}

#[tokio::test(start_paused = true)]
async fn join_has_a_separate_readiness_mode() {
    let first = CircuitBreakerLayer::new(config().pending_while_open());
    first.handle().force_open(None);
    let joined = CircuitBreakerLayer::join(&first.handle(), config());
    assert!(poll_ready(&mut task(), &mut first.layer(service_fn(fails))).is_pending());
    assert!(poll_ready(&mut task(), &mut joined.layer(service_fn(fails))).is_ready());
}

#[tokio::test(start_paused = true)]
async fn plain_functions_and_a_preset_join_one_breaker() {
    let handle = BreakerHandle::new("db", settings());
    let layer = CircuitBreakerLayer::join(&handle, Config::http().classify(Http::client()));
    for _ in 0..2 {
        handle.call(|| Err::<(), _>("down")).unwrap_err();
    }
    let service = layer.layer(service_fn(async |_: http::Request<()>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    }));
    let Ok(response) = service.oneshot(http::Request::new(())).await;
    assert_eq!(response.status(), 503);
}

#[tokio::test(start_paused = true)]
async fn handles_outlive_the_layer_and_the_services() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    drop(service);
    cool_down(&handle).await;
    handle.call(|| Ok::<_, ()>(())).unwrap();
    assert_eq!(handle.state(), State::Closed);
}

#[test]
fn the_inner_service_can_be_accessed_and_taken_out() {
    let (mut service, _, _) = guarded(config());
    let _: &Strict = service.get_ref();
    let _: &mut Strict = service.get_mut();
    let _: Strict = service.into_inner();
}
