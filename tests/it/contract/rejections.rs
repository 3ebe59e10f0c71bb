//! The rejection policies. Requests and errors in these tests implement no trait except `Debug`.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use tower_breaker::BreakerBody;
use tower_breaker::{
    BreakerError, CircuitBreakerLayer, CircuitOpen, Config,
    rejection::{
        RejectWithBreakerError, RejectWithGrpc, RejectWithHttp, RejectWithInnerError,
        RejectWithService,
    },
};

use crate::support::doubles::{COOLDOWN, Down, config};

/// A request that cannot be cloned.
#[derive(Debug)]
struct Order(&'static str);

/// A response that cannot be cloned.
#[derive(Debug)]
struct Receipt(String);

async fn accept(order: Order) -> Result<Receipt, Down> {
    Ok(Receipt(order.0.to_owned()))
}

async fn refuse(_: Order) -> Result<Receipt, Down> {
    Err(Down)
}

/// A layer whose circuit is open for [`COOLDOWN`].
fn open<C, R>(config: Config<C, R>) -> CircuitBreakerLayer<C, R> {
    let layer = CircuitBreakerLayer::new(config);
    layer.handle().hold_for(COOLDOWN);
    layer
}

async fn send<S, Req>(service: S, request: Req) -> Result<S::Response, S::Error>
where
    S: Service<Req>,
{
    service.oneshot(request).await
}

#[tokio::test(start_paused = true)]
async fn by_default_the_error_is_a_box_that_holds_the_rejection() {
    let service = open(config()).layer(service_fn(accept));
    let error: BoxError = send(service, Order("tea")).await.unwrap_err();
    let rejection: &CircuitOpen = error.downcast_ref().expect("the rejection is not wrapped");
    assert_eq!((rejection.name(), rejection.retry_after_secs()), ("db", Some(5)));
    assert_eq!(CircuitOpen::find(&*error), Some(rejection));
    assert!(error.source().is_none());
}

#[tokio::test(start_paused = true)]
async fn by_default_an_inner_box_passes_unwrapped_and_any_other_error_is_boxed_once() {
    let layer = CircuitBreakerLayer::new(config());
    let error = send(layer.layer(service_fn(refuse)), Order("tea")).await.unwrap_err();
    assert!(error.is::<Down>());
    let boxed = service_fn(async |_: Order| Err::<Receipt, BoxError>(Box::new(Down)));
    let error = send(layer.layer(boxed), Order("tea")).await.unwrap_err();
    assert!(error.is::<Down>());
    layer.handle().reset();
    let text = service_fn(async |_: Order| Err::<Receipt, _>("words"));
    let error = send(layer.layer(text), Order("tea")).await.unwrap_err();
    assert_eq!(error.to_string(), "words");
}

#[tokio::test(start_paused = true)]
async fn reject_with_breaker_error_takes_an_error_type_that_is_not_an_error() {
    let layer = CircuitBreakerLayer::new(config().on_rejected(RejectWithBreakerError));
    let handle = layer.handle();
    let mut service = layer.layer(service_fn(async |_: Order| Err::<Receipt, _>(())));
    for _ in 0..2 {
        let error = service.ready().await.unwrap().call(Order("tea")).await.unwrap_err();
        assert_eq!(error, BreakerError::Inner(()));
    }
    let error = service.ready().await.unwrap().call(Order("tea")).await.unwrap_err();
    assert_eq!(error.rejection().unwrap().name(), "db");
    handle.force_closed();
}

#[tokio::test(start_paused = true)]
async fn reject_with_breaker_error_has_the_rejection_as_its_source() {
    let service = open(config().on_rejected(RejectWithBreakerError)).layer(service_fn(accept));
    let error = send(service, Order("tea")).await.unwrap_err();
    assert!(error.source().unwrap().is::<CircuitOpen>());
    let boxed: BoxError = error.into();
    assert!(CircuitOpen::find(&*boxed).is_some());
}

#[derive(Debug)]
enum ShopError {
    Closed(CircuitOpen),
    Empty,
}

impl From<CircuitOpen> for ShopError {
    fn from(open: CircuitOpen) -> Self {
        Self::Closed(open)
    }
}

#[tokio::test(start_paused = true)]
async fn reject_with_inner_error_keeps_the_inner_error_type() {
    let shop = service_fn(async |_: Order| Err::<Receipt, _>(ShopError::Empty));
    let service = open(config().on_rejected(RejectWithInnerError)).layer(shop);
    let Err(ShopError::Closed(rejection)) = send(service, Order("tea")).await else {
        panic!("not closed")
    };
    assert_eq!(rejection.retry_after(), Some(COOLDOWN));
}

#[tokio::test(start_paused = true)]
async fn reject_with_gets_the_request_itself() {
    let config = config().reject_with(|order: Order, why| {
        Receipt(format!("{} later, {} is {}", order.0, why.name(), why.state()))
    });
    let service = open(config).layer(service_fn(refuse));
    let receipt: Result<Receipt, Down> = send(service, Order("tea")).await;
    assert_eq!(receipt.unwrap().0, "tea later, db is open");
}

#[tokio::test(start_paused = true)]
async fn reject_with_service_gets_the_request_itself_and_is_polled_ready() {
    let backup = tower::limit::ConcurrencyLimit::new(service_fn(accept), 1);
    let service = open(config().on_rejected(RejectWithService(backup))).layer(service_fn(refuse));
    let (one, two) = tokio::join!(
        send(service.clone(), Order("tea")), //
        send(service, Order("milk")),
    );
    assert_eq!((one.unwrap().0.as_str(), two.unwrap().0.as_str()), ("tea", "milk"));
}

/// A body that is neither `Default` nor `Clone`.
#[derive(Debug)]
struct Stream;

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

async fn stream(_: Request<Order>) -> Result<Response<Stream>, Infallible> {
    Ok(Response::new(Stream))
}

#[tokio::test(start_paused = true)]
async fn reject_with_http_answers_503_and_keeps_infallible() {
    let service = open(Config::http().name("shop")).layer(service_fn(stream));
    let Ok(answer): Result<Response<BreakerBody<Stream>>, Infallible> =
        send(service, Request::new(Order("tea"))).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert_eq!(answer.headers()["x-circuit-open"], "shop");
    assert!(answer.into_body().into_inner().is_err());
}

#[tokio::test(start_paused = true)]
async fn reject_with_http_rounds_up_and_omits_an_unknown_wait() {
    let layer = open(Config::http());
    tokio::time::advance(Duration::from_millis(4_999)).await;
    let Ok(answer) = send(layer.layer(service_fn(stream)), Request::new(Order("tea"))).await;
    assert_eq!(answer.headers()["retry-after"], "1");
    layer.handle().force_open(None);
    let Ok(answer) = send(layer.layer(service_fn(stream)), Request::new(Order("tea"))).await;
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (503, None));
}

#[tokio::test(start_paused = true)]
async fn reject_with_grpc_answers_unavailable_with_pushback() {
    for layer in [open(Config::grpc().name("shop")), open(Config::grpc_client().name("shop"))] {
        let Ok(answer): Result<Response<BreakerBody<Stream>>, Infallible> =
            send(layer.layer(service_fn(stream)), Request::new(Order("tea"))).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers()[name].to_str().unwrap();
        assert_eq!((header("grpc-status"), header("grpc-retry-pushback-ms")), ("14", "5000"));
        assert_eq!(
            (header("content-type"), header("x-circuit-open")),
            ("application/grpc", "shop")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_can_be_replaced_and_the_error_type_of_the_inner_stays() {
    let fails = service_fn(async |_: Request<Order>| Err::<Response<Stream>, _>(Down));
    let service = open(Config::http_client().on_rejected(RejectWithHttp)).layer(fails);
    let answer: Result<_, Down> = send(service, Request::new(Order("tea"))).await;
    assert_eq!(answer.unwrap().status(), 503);
    let service = open(Config::http_client().on_rejected(RejectWithGrpc)).layer(fails);
    let answer: Result<_, Down> = send(service, Request::new(Order("tea"))).await;
    assert_eq!(answer.unwrap().headers()["grpc-status"], "14");
}

#[tokio::test(start_paused = true)]
async fn the_http_client_presets_fail_with_a_box() {
    let inner = service_fn(stream);
    let error: BoxError =
        send(open(Config::http_client()).layer(inner), Request::new(Order("tea")))
            .await
            .unwrap_err();
    assert!(error.is::<CircuitOpen>());
    let llm = Config::llm(tower_breaker::Provider::OpenAi);
    let error: BoxError =
        send(open(llm).layer(inner), Request::new(Order("tea"))).await.unwrap_err();
    assert!(error.is::<CircuitOpen>());
}
