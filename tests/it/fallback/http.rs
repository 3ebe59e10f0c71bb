//! HTTP: status codes, streaming bodies and infallible routers.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{
    BreakerBody, FallbackLayer,
    fallback::{EitherBody, Trigger},
};

use super::services::down;

type Streaming = UnsyncBoxBody<Bytes, BoxError>;

fn streaming(text: &'static str) -> Streaming {
    let frames = text.as_bytes().chunks(3).map(|part| Ok(Frame::data(Bytes::from_static(part))));
    StreamBody::new(stream::iter(frames.collect::<Vec<_>>())).boxed_unsync()
}

fn with_status<B>(status: u16, body: B) -> Response<B> {
    Response::builder().status(status).body(body).unwrap()
}

async fn text<B>(response: Response<B>) -> String
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_client_error_does_not_fall_back_and_a_failure_does() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(with_status(203, "spare")))
        .service(service_fn(|status: u16| async move {
            Ok::<_, BoxError>(with_status(status, "primary"))
        }));
    for status in [200, 204, 304, 400, 401, 404, 409, 422] {
        assert_eq!(service.clone().oneshot(status).await.unwrap().status(), status);
    }
    for status in [429, 500, 502, 503, 504, 520] {
        assert_eq!(service.clone().oneshot(status).await.unwrap().body(), &"spare", "{status}");
    }
}

#[tokio::test]
async fn the_rejection_response_of_a_breaker_falls_back() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(with_status(200, "spare")))
        .service(service_fn(|_: ()| async {
            let mut rejected = with_status(503, "rejected");
            rejected.headers_mut().insert("x-circuit-open", "payments".parse().unwrap());
            rejected.headers_mut().insert("retry-after", "3".parse().unwrap());
            Ok::<_, Infallible>(rejected)
        }));
    assert_eq!(service.oneshot(()).await.unwrap().body(), &"spare");
}

#[tokio::test]
async fn a_grpc_status_in_the_head_falls_back() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(Response::new("spare")))
        .service(service_fn(|status: &'static str| async move {
            let mut response = Response::new("primary");
            response.headers_mut().insert("grpc-status", status.parse().unwrap());
            response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
            Ok::<_, BoxError>(response)
        }));
    assert_eq!(service.clone().oneshot("14").await.unwrap().body(), &"spare");
    assert_eq!(service.oneshot("3").await.unwrap().body(), &"primary");
}

#[tokio::test]
async fn streaming_bodies_that_are_not_clone_fall_back() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value_fn(|| Response::new(streaming("from the shelf"))))
        .service(service_fn(|_: Request<Streaming>| async {
            Ok::<_, BoxError>(with_status(500, streaming("sorry")))
        }));
    let response = service.oneshot(Request::new(streaming("upload"))).await.unwrap();
    assert_eq!(text(response).await, "from the shelf");
}

#[tokio::test]
async fn a_bad_streaming_response_comes_back_whole_when_the_source_fails() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::from_fn(|(), _| async { None::<Response<Streaming>> }))
        .service(service_fn(|_: Request<Streaming>| async {
            Ok::<_, BoxError>(with_status(500, streaming("what the primary said")))
        }));
    let response = service.oneshot(Request::new(streaming("upload"))).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(text(response).await, "what the primary said");
}

#[tokio::test]
async fn an_answer_is_wrapped_in_a_guarded_body() {
    let guarded = service_fn(|_: Request<()>| async {
        Ok::<_, BoxError>(with_status(503, BreakerBody::new(streaming("guarded"))))
    });
    let backup = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(streaming("unguarded")))
    });
    let service = ServiceBuilder::new().layer(FallbackLayer::service(backup)).service(guarded);
    assert_eq!(text(service.oneshot(Request::new(())).await.unwrap()).await, "unguarded");

    let both = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(BreakerBody::new(streaming("guarded as well"))))
    });
    let service = ServiceBuilder::new().layer(FallbackLayer::service(both)).service(guarded);
    assert_eq!(text(service.oneshot(Request::new(())).await.unwrap()).await, "guarded as well");
}

#[tokio::test]
async fn two_unrelated_bodies_become_one() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(Response::new(Full::new(Bytes::from("spare")))).either_body())
        .service(service_fn(|status: u16| async move {
            Ok::<_, BoxError>(with_status(status, streaming("primary")))
        }));
    let response = service.clone().oneshot(200).await.unwrap();
    assert!(!response.body().is_answer());
    assert_eq!(text(response).await, "primary");

    let response = service.oneshot(500).await.unwrap();
    assert!(response.body().is_answer());
    assert_eq!(response.body().size_hint().exact(), Some(5));
    assert_eq!(text(response).await, "spare");
}

#[tokio::test]
async fn an_either_body_passes_on_the_error_of_its_side() {
    let broken = stream::iter([Ok(Frame::data(Bytes::from("half"))), Err(down())]);
    let mut body: EitherBody<_, Empty<Bytes>> =
        EitherBody::primary(StreamBody::new(broken.boxed()));
    assert!(!body.is_end_stream());
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "primary down");
    assert!(EitherBody::<Empty<Bytes>, _>::answer(Empty::<Bytes>::new()).is_end_stream());
}

#[tokio::test]
async fn the_primarys_bad_response_comes_back_as_an_either_body_if_the_backup_fails() {
    let (backup, _) = super::services::Strict::new(|_: u16| async {
        Err::<Response<Full<Bytes>>, _>("backup down".into())
    });
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup).either_body())
        .service(service_fn(|status: u16| async move {
            Ok::<_, BoxError>(with_status(status, streaming("primary")))
        }));
    let response = service.oneshot(500).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().is_answer()), (500, false));
    assert_eq!(text(response).await, "primary");
}

#[tokio::test]
async fn an_axum_router_keeps_its_infallible_error() {
    let other =
        axum::Router::new().fallback(|uri: http::Uri| async move { format!("mirror of {uri}") });
    let app = axum::Router::new()
        .route("/down", axum::routing::get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/up", axum::routing::get(|| async { "up" }))
        .layer(FallbackLayer::service(other).try_keep(|request: &Request<axum::body::Body>| {
            let copy = Request::builder().method(request.method()).uri(request.uri());
            copy.body(axum::body::Body::empty()).ok()
        }));
    let get = |path: &str| Request::get(path).body(axum::body::Body::empty()).unwrap();
    assert_eq!(text(app.clone().oneshot(get("/up")).await.unwrap()).await, "up");
    assert_eq!(text(app.oneshot(get("/down")).await.unwrap()).await, "mirror of /down");
}

#[tokio::test]
async fn an_axum_router_answers_with_a_page() {
    let app = axum::Router::new()
        .route("/", axum::routing::get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .layer(FallbackLayer::value_fn(|| {
            (StatusCode::SERVICE_UNAVAILABLE, "back soon").into_response()
        }));
    let response = app.oneshot(Request::new(axum::body::Body::empty())).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(text(response).await, "back soon");
}

#[tokio::test(start_paused = true)]
async fn a_client_stack_with_retry_and_timeout_needs_no_annotation() {
    #[derive(Clone)]
    struct Once(bool);
    impl<B: Clone, Res> tower::retry::Policy<Request<B>, Res, BoxError> for Once {
        type Future = std::future::Ready<()>;
        fn retry(
            &mut self,
            _: &mut Request<B>,
            result: &mut Result<Res, BoxError>,
        ) -> Option<Self::Future> {
            (result.is_err() && std::mem::take(&mut self.0)).then(|| std::future::ready(()))
        }
        fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
            Some(request.clone())
        }
    }
    let hangs = service_fn(|_: Request<Full<Bytes>>| async {
        std::future::pending::<Result<Response<Streaming>, BoxError>>().await
    });
    let backup = service_fn(|request: Request<Full<Bytes>>| async move {
        Ok::<_, BoxError>(Response::new(streaming("backup")).map(|body| {
            assert_eq!(request.uri(), "/chat");
            body
        }))
    });
    let began = tokio::time::Instant::now();
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::from_fn(|(), trigger: &Trigger<Response<_>, BoxError>| {
            let rejected = trigger.rejection().is_some();
            async move { rejected.then(|| Response::new(streaming("open"))) }
        }))
        .layer(FallbackLayer::service(backup))
        .layer(tower::retry::RetryLayer::new(Once(true)))
        .layer(tower::timeout::TimeoutLayer::new(Duration::from_secs(30)))
        .service(hangs);
    let request = Request::get("/chat").body(Full::default()).unwrap();
    assert_eq!(text(service.oneshot(request).await.unwrap()).await, "backup");
    assert_eq!(began.elapsed(), Duration::from_secs(60));
}
