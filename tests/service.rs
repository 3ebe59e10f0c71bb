//! The breaker as a service: the tower contract, line by line.

use std::convert::Infallible;
use std::time::Duration;

use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Config, FailTyped, Settings, State, Trip};

fn settings() -> Settings {
    Settings::builder()
        .trip(Trip::none().consecutive(2))
        .cooldown(tower_breaker::Cooldown::fixed(Duration::from_secs(5)))
        .build()
        .expect("valid")
}

#[tokio::test(start_paused = true)]
async fn a_circuit_opens_half_opens_and_closes() {
    let layer = CircuitBreakerLayer::new(Config::default().name("db").settings(settings()));
    let handle = layer.handle();
    let mut service =
        ServiceBuilder::new().layer(layer).service(service_fn(|ok: bool| async move {
            if ok { Ok(1) } else { Err::<u32, BoxError>("down".into()) }
        }));
    for _ in 0..2 {
        service.ready().await.unwrap().call(false).await.unwrap_err();
    }
    assert_eq!(handle.state(), State::Open);
    let error = service.ready().await.unwrap().call(true).await.unwrap_err();
    let open = CircuitOpen::find(&*error).expect("a rejection");
    assert_eq!(open.retry_after(), Some(Duration::from_secs(5)));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(handle.state(), State::HalfOpen);
    assert_eq!(service.ready().await.unwrap().call(true).await.unwrap(), 1);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_infallible_http_service_stays_infallible() {
    let layer = CircuitBreakerLayer::new(Config::http().settings(settings()));
    let handle = layer.handle();
    let mut service = layer_over_http(layer);
    for _ in 0..2 {
        let request = http::Request::new(());
        let Ok(response) = service.ready().await.unwrap().call(request).await;
        assert_eq!(response.status(), 500);
    }
    assert_eq!(handle.state(), State::Open);
    let Ok(response) = service.ready().await.unwrap().call(http::Request::new(())).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
}

fn layer_over_http(
    layer: CircuitBreakerLayer<tower_breaker::classify::Http, tower_breaker::RespondHttp>,
) -> impl Service<
    http::Request<()>,
    Response = http::Response<tower_breaker::classify::BreakerBody<String>>,
    Error = Infallible,
> {
    ServiceBuilder::new().layer(layer).service(service_fn(|_| async {
        Ok::<_, Infallible>(http::Response::builder().status(500).body(String::new()).unwrap())
    }))
}

#[tokio::test]
async fn axum_takes_the_layer_as_it_is() {
    let layer = CircuitBreakerLayer::new(Config::http().settings(settings()));
    let handle = layer.handle();
    let app: axum::Router = axum::Router::new()
        .route("/", axum::routing::get(|| async { http::StatusCode::BAD_GATEWAY }))
        .layer(layer);
    for _ in 0..2 {
        let response =
            app.clone().oneshot(http::Request::new(axum::body::Body::empty())).await.unwrap();
        assert_eq!(response.status(), 502);
    }
    assert_eq!(handle.state(), State::Open);
    let response = app.oneshot(http::Request::new(axum::body::Body::empty())).await.unwrap();
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn typed_rejections_infer() {
    let layer = CircuitBreakerLayer::new(Config::default().on_rejected(FailTyped));
    layer.handle().force_open(None);
    let service = layer_on(layer);
    let error = service.oneshot(()).await.unwrap_err();
    assert!(error.rejection().is_some());
}

fn layer_on<
    L: tower::Layer<tower::util::ServiceFn<fn(()) -> std::future::Ready<Result<(), ()>>>>,
>(
    layer: L,
) -> L::Service {
    layer.layer(service_fn(|()| std::future::ready(Ok(()))))
}
