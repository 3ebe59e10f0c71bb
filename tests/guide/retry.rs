//! The snippets of the chapter on retries.

// guide: policy
use http::{Request, Response};
use tower::{BoxError, retry::Policy};
use tower_breaker::CircuitOpen;

#[derive(Clone)]
struct Retries(u32);

impl<Q: Clone, B> Policy<Request<Q>, Response<B>, BoxError> for Retries {
    type Future = tokio::time::Sleep;

    fn retry(
        &mut self,
        _: &mut Request<Q>,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Self::Future> {
        let again = match result {
            Ok(response) => response.status().is_server_error(),
            Err(error) => CircuitOpen::find(&**error).is_none(),
        };
        self.0 = self.0.checked_sub(1).filter(|_| again)?;
        Some(tokio::time::sleep(std::time::Duration::from_millis(100)))
    }

    fn clone_request(&mut self, request: &Request<Q>) -> Option<Request<Q>> {
        Some(request.clone())
    }
}
// guide: end

#[tokio::test(start_paused = true)]
async fn a_custom_policy_stops_at_a_rejection() {
    use tower::{ServiceBuilder, ServiceExt, retry::RetryLayer, service_fn};
    use tower_breaker::{CircuitBreakerLayer, Config};

    let breaker = CircuitBreakerLayer::new(Config::http_client());
    let handle = breaker.handle();
    let service = ServiceBuilder::new().layer(RetryLayer::new(Retries(2))).layer(breaker).service(
        service_fn(|_: Request<String>| async {
            Ok::<_, BoxError>(Response::builder().status(503).body(String::new())?)
        }),
    );
    let response = service.clone().oneshot(Request::new(String::new())).await.unwrap();
    assert_eq!((response.status().as_u16(), handle.snapshot().totals.failure), (503, 3));

    handle.force_open(None);
    service.oneshot(Request::new(String::new())).await.unwrap_err();
    assert_eq!(handle.snapshot().totals.rejected, 1);
}

#[cfg(feature = "retry")]
#[test]
fn a_policy_retries_what_is_safe_to_repeat() {
    // guide: retry_policy
    use http::Request;
    use std::time::Duration;
    use tower::retry::RetryLayer;
    use tower_breaker::retry::RetryPolicy;

    let policy = RetryPolicy::new(2).max_wait(Duration::from_secs(20)).clone_with(
        |request: &Request<String>| request.method().is_idempotent().then(|| request.clone()),
    );
    let retry = RetryLayer::new(policy);
    // guide: end
    let _ = retry;
}

#[cfg(feature = "retry")]
#[test]
fn any_policy_stops_at_a_rejection() {
    let policy = Retries(2);
    // guide: stop_at_rejection
    use std::time::Duration;
    use tower::retry::RetryLayer;
    use tower_breaker::retry::StopAtRejection;

    let retry =
        RetryLayer::new(StopAtRejection::new(policy).wait_for_circuit(Duration::from_secs(10)));
    // guide: end
    let _ = retry;
}

#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn both_orders_of_retry_and_breaker() -> Result<(), BoxError> {
    use tower::{ServiceBuilder, ServiceExt, retry::RetryLayer, service_fn};
    use tower_breaker::{CircuitBreakerLayer, Config, retry::RetryPolicy};

    let client = service_fn(|_: Request<String>| async {
        Ok::<_, BoxError>(Response::builder().status(503).body(String::new())?)
    });
    let (breaker, counted) = {
        let breaker = CircuitBreakerLayer::new(Config::http_client());
        let handle = breaker.handle();
        (breaker, handle)
    };
    let policy = RetryPolicy::new(2);
    let outside = {
        let (breaker, policy) = (breaker.clone(), policy.clone());
        // guide: retry_outside
        ServiceBuilder::new().layer(RetryLayer::new(policy)).layer(breaker).service(client)
        // guide: end
    };
    let inside = {
        // guide: retry_inside
        ServiceBuilder::new().layer(breaker).layer(RetryLayer::new(policy)).service(client)
        // guide: end
    };
    outside.oneshot(Request::new(String::new())).await?;
    assert_eq!(counted.snapshot().totals.failure, 3);
    inside.oneshot(Request::new(String::new())).await?;
    assert_eq!(counted.snapshot().totals.failure, 4);
    Ok(())
}
