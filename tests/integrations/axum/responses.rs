//! Rejections and their errors as responses.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::StatusCode;
use tower_breaker::{
    BreakerError, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, Settings, Trip,
    rejection::RejectWithHttp,
};

use super::requests::*;

/// The error of a handler's dependency.
#[derive(Debug, PartialEq)]
struct NoStock;

impl IntoResponse for NoStock {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::CONFLICT, "no stock").into_response()
    }
}

/// A breaker with a hold, and its rejection.
fn rejection(name: &str) -> (BreakerHandle, CircuitOpen) {
    let settings = Settings::builder().trip(Trip::none().consecutive(3)).build().unwrap();
    let handle = BreakerHandle::new(name, settings);
    handle.hold_for(HOUR);
    let open = handle.try_acquire().unwrap_err();
    (handle, open)
}

#[tokio::test]
async fn a_rejection_becomes_the_same_response_as_in_the_layer() {
    let (_, open) = rejection("db");
    let expected = read(RejectWithHttp::response(&open)).await;
    let typed = BreakerError::<NoStock>::Open(open.clone()).into_response();
    for answer in [read(open.into_response()).await, read(typed).await] {
        assert_eq!((answer.status, &answer.headers), (503, &expected.headers));
        assert_eq!(answer.header("retry-after"), Some("3600"));
        assert_eq!(answer.header("x-circuit-open"), Some("db"));
        assert_eq!(answer.text, "");
    }
}

#[tokio::test]
async fn an_inner_error_becomes_its_own_response() {
    let answer = read(BreakerError::Inner(NoStock).into_response()).await;
    assert_eq!((answer.status, &*answer.text), (409, "no stock"));
    assert_eq!(answer.header("x-circuit-open"), None);
}

#[tokio::test]
async fn a_handler_returns_the_error_of_its_guarded_call() {
    let settings = Settings::builder().trip(Trip::none().consecutive(3)).build().unwrap();
    let stock = BreakerHandle::new("stock", settings);
    let guarded = stock.clone();
    let handler = move || async move {
        let left = guarded.run(async { Err::<u32, _>(NoStock) }).await?;
        Ok::<_, BreakerError<NoStock>>(left.to_string())
    };
    let address = serve(Router::new().route("/", get(handler))).await;
    for _ in 0..3 {
        assert_eq!(fetch(address, "/").await.unwrap().status, 409);
    }
    stock.hold_for(HOUR);
    let answer = fetch(address, "/").await.unwrap();
    assert_eq!((answer.status, answer.header("x-circuit-open")), (503, Some("stock")));
    assert_eq!(stock.snapshot().totals.failure, 3);
}

#[tokio::test]
async fn a_handler_acquires_a_permit_with_the_question_mark_operator() {
    async fn handler(stock: BreakerHandle) -> Result<&'static str, CircuitOpen> {
        let permit = stock.try_acquire()?;
        permit.success();
        Ok("ok")
    }
    let (stock, _) = rejection("stock");
    let app = Router::new()
        .route("/", get(handler))
        .layer(tower_breaker::integration::with_axum::Breakers::new([stock.clone()]));
    assert_eq!(ask(&app, "/").await.status, 503);
    stock.force_closed();
    assert_eq!(ask(&app, "/").await.text, "ok");
}

#[tokio::test]
async fn a_handlers_rejection_opens_no_breaker_around_the_route() {
    let (stock, _) = rejection("stock");
    let handler = move || async move { stock.run(async { Ok::<_, NoStock>("ok") }).await };
    let route = CircuitBreakerLayer::new(Config::http().settings(settings()));
    let handle = route.handle();
    let app = Router::new().route("/", get(handler)).layer(route);
    for _ in 0..20 {
        assert_eq!(ask(&app, "/").await.header("x-circuit-open"), Some("stock"));
    }
    assert_eq!(handle.snapshot().totals.ignored, 20);
}
