//! The snippets of `README.md`.

use http::{Request, Response};
use tower::{BoxError, ServiceExt, service_fn};
use tower_breaker::retry::RetryPolicy;

#[tokio::test(start_paused = true)]
async fn the_stack_of_the_headline() -> Result<(), BoxError> {
    let client = service_fn(|_: Request<String>| async {
        std::future::pending::<()>().await;
        Ok::<_, BoxError>(Response::new(String::new()))
    });
    let backup = service_fn(|_: Request<String>| async {
        Ok::<_, BoxError>(Response::new("from the backup".to_owned()))
    });
    let policy = RetryPolicy::new(1);

    // guide: stack
    use std::time::Duration;
    use tower::{ServiceBuilder, retry::RetryLayer, timeout::TimeoutLayer};
    use tower_breaker::{CircuitBreakerLayer, Config, FallbackLayer, Settings, Trip};

    // Opens after 5 consecutive failures, at a failure rate of 50 %, or when 5 calls have been pending for 5 s.
    let trip = Trip::none().consecutive(5).failure_rate(0.5, 20).overdue(5, Duration::from_secs(5));
    let settings = Settings::http_client().to_builder().trip(trip).build()?;
    let breaker = CircuitBreakerLayer::new(Config::http_client().settings(settings));
    let handle = breaker.handle(); // state, events and manual control

    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup)) // answers for a failure and for a rejection
        .layer(RetryLayer::new(policy)) // one retry; stops at a rejection
        .layer(breaker) // counts every attempt
        .layer(TimeoutLayer::new(Duration::from_secs(30))) // innermost, so that a timeout is a failure
        .service(client);
    // guide: end

    for _ in 0..6 {
        let service = service.clone();
        tokio::spawn(service.oneshot(Request::new(String::new())));
    }
    tokio::time::sleep(Duration::from_millis(5_600)).await;
    let response = service.oneshot(Request::new(String::new())).await?;
    assert_eq!(response.into_body().into_inner().unwrap(), "from the backup");
    assert_eq!(handle.snapshot().cause, tower_breaker::Cause::Overdue);
    Ok(())
}
