//! Which outcomes trigger the fallback.

use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{FallbackLayer, Outcome, classify::ToOutcome, fallback::OnError};

use super::services::down;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Reply(Outcome);

impl ToOutcome for Reply {
    fn to_outcome(&self) -> Outcome {
        self.0
    }
}

const SPARE: Reply = Reply(Outcome::success().code(1));

#[tokio::test]
async fn by_response_the_class_decides() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(SPARE))
        .service(service_fn(|outcome| async move { Ok::<_, BoxError>(Reply(outcome)) }));
    for bad in [Outcome::failure(), Outcome::throttled(), Outcome::exhausted()] {
        assert_eq!(service.clone().oneshot(bad).await.unwrap(), SPARE);
    }
    for fine in [Outcome::success(), Outcome::ignored()] {
        assert_eq!(service.clone().oneshot(fine).await.unwrap(), Reply(fine));
    }
}

#[tokio::test]
async fn by_response_an_error_always_falls_back() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(SPARE))
        .service(service_fn(|_: ()| async { Err::<Reply, _>(down()) }));
    assert_eq!(service.oneshot(()).await.unwrap(), SPARE);
}

#[tokio::test]
async fn on_error_no_response_falls_back() {
    let bad = Reply(Outcome::failure());
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(SPARE).when(OnError))
        .service(service_fn(move |_: ()| async move { Ok::<_, BoxError>(bad) }));
    assert_eq!(service.oneshot(()).await.unwrap(), bad);
}

#[tokio::test]
async fn a_function_decides_on_responses_and_on_errors() {
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(0).when_fn(|result: Result<&u32, &u32>| match result {
            Ok(response) => *response > 10,
            Err(code) => *code == 503,
        }))
        .service(service_fn(|result: Result<u32, u32>| async move { result }));
    assert_eq!(service.clone().oneshot(Ok(10)).await, Ok(10));
    assert_eq!(service.clone().oneshot(Ok(11)).await, Ok(0));
    assert_eq!(service.clone().oneshot(Err(503)).await, Ok(0));
    assert_eq!(service.oneshot(Err(400)).await, Err(400));
}

#[tokio::test]
async fn a_backups_response_is_the_answer_whatever_its_class() {
    let bad = Reply(Outcome::failure().code(2));
    let backup = service_fn(move |_: ()| async move { Ok::<_, BoxError>(bad) });
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup))
        .service(service_fn(|_: ()| async { Err::<Reply, _>(down()) }));
    assert_eq!(service.oneshot(()).await.unwrap(), bad);
}
