//! Every closure that users write compiles and runs inside a spawned `async` block and inside an axum handler, with a
//! `BoxError` and with an error type of the user.
//!
//! rustc erases the `'static` of a `BoxError` in the types that such a block holds across an `.await`, and cannot prove
//! that a closure over it fits. A service with such a closure is therefore boxed in the block, built by a function that
//! returns `impl Service`, or its future is spawned as it is. A service with any other error needs none of these.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use tower::retry::RetryLayer;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::classify::ToOutcome;
use tower_breaker::fallback::{OnError, Trigger};
use tower_breaker::rejection::RejectWithBreakerError;
use tower_breaker::retry::RetryPolicy;
use tower_breaker::{
    AsRejection, BreakerBody, CircuitBreakerLayer, CircuitOpen, Config, FallbackLayer, Outcome,
};

/// An error of a user. It is not [`Clone`].
#[derive(Debug)]
struct Down {
    since: String,
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "down since {}", self.since)
    }
}

impl Error for Down {}

impl From<CircuitOpen> for Down {
    fn from(open: CircuitOpen) -> Self {
        Self { since: open.name().to_owned() }
    }
}

impl AsRejection for Down {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        None
    }
}

fn down() -> Down {
    Down { since: "noon".to_owned() }
}

/// A response of a user.
#[derive(Clone, Debug, PartialEq)]
struct Rows(u32);

impl ToOutcome for Rows {
    fn to_outcome(&self) -> Outcome {
        Outcome::failure_if(self.0 == 0)
    }
}

/// Even numbers are rows, odd ones an error.
async fn boxed(n: u32) -> Result<Rows, BoxError> {
    if n.is_multiple_of(2) { Ok(Rows(n)) } else { Err(down().into()) }
}

/// The same with an error of the user.
async fn typed(n: u32) -> Result<Rows, Down> {
    if n.is_multiple_of(2) { Ok(Rows(n)) } else { Err(down()) }
}

/// A fallback, a retry and a breaker with closures. A function that returns a service hides the closures from the blocks
/// that call it.
fn stack()
-> impl Service<Request<u32>, Response = Response<BreakerBody<String>>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let fallback =
        FallbackLayer::from_fn(|kept: u32, _| async move { Some(Response::new(kept.to_string())) })
            .keep(|request: &Request<u32>| *request.body())
            .when_fn(|result: Result<&Response<_>, &BoxError>| {
                result.map_or(true, |response| response.status().is_server_error())
            });
    let policy = RetryPolicy::new(1).clone_with(|request: &Request<u32>| Some(request.clone()));
    let config = Config::http_client().ignore_errors(|error: &BoxError| error.is::<Down>());
    ServiceBuilder::new()
        .layer(fallback)
        .layer(RetryLayer::new(policy))
        .layer(CircuitBreakerLayer::new(config))
        .timeout(Duration::from_secs(1))
        .service(service_fn(|_: Request<u32>| async {
            Ok::<_, BoxError>(Response::builder().status(503).body(String::new()).unwrap())
        }))
}

/// Runs the same block in a spawned task and in an axum handler.
macro_rules! in_task_and_handler {
    ($($test:ident: $block:block)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            tokio::spawn(async move { $block }).await.unwrap();
            let router: Router = Router::new().route("/", get(|| async move { $block }));
            let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
        }
    )*};
}

/// Puts a layer around `boxed`, in a box, or around `typed`, without one.
macro_rules! service {
    ($layer:expr, boxed) => {
        BoxCloneSyncService::new(ServiceBuilder::new().layer($layer).service(service_fn(boxed)))
    };
    ($layer:expr, typed) => {
        ServiceBuilder::new().layer($layer).service(service_fn(typed))
    };
}

/// Calls a breaker with this config once with an error and once without one, and checks the totals.
macro_rules! counted {
    ($config:expr, $service:ident, $field:ident) => {{
        let layer = CircuitBreakerLayer::new($config);
        let handle = layer.handle();
        let service = service!(layer, $service);
        let _ = service.clone().oneshot(1).await;
        let _ = service.oneshot(2).await;
        assert!(handle.snapshot().totals.$field >= 1, "{:?}", handle.snapshot().totals);
    }};
}

in_task_and_handler! {
    an_override_ignores_boxed_errors: {
        counted!(Config::default().ignore_errors(|error: &BoxError| error.is::<Down>()), boxed, ignored);
    }
    an_override_ignores_errors_of_a_users_type: {
        counted!(Config::default().ignore_errors(|error: &Down| error.since == "noon"), typed, ignored);
    }
    an_override_makes_only_some_boxed_errors_failures: {
        counted!(Config::default().only_errors(|error: &BoxError| !error.is::<Down>()), boxed, success);
    }
    an_override_makes_only_some_errors_of_a_users_type_failures: {
        counted!(Config::default().only_errors(|error: &Down| error.since != "noon"), typed, success);
    }
    an_override_classifies_boxed_errors: {
        let throttled = |error: &BoxError| error.is::<Down>().then(Outcome::throttled);
        counted!(Config::default().classify_errors(throttled), boxed, throttled);
    }
    an_override_classifies_errors_of_a_users_type: {
        let throttled = |error: &Down| (error.since == "noon").then(Outcome::throttled);
        counted!(Config::default().classify_errors(throttled), typed, throttled);
    }
    overrides_on_causes_take_a_boxed_error: {
        counted!(Config::default().ignore_caused_by(|cause: &Down| cause.since == "noon"), boxed, ignored);
        counted!(Config::default().only_caused_by(|cause: &Down| cause.since != "noon"), boxed, success);
        counted!(Config::default().classify_caused_by(|_: &Down| Some(Outcome::exhausted())), boxed, exhausted);
    }
    overrides_on_causes_take_an_error_of_a_users_type: {
        counted!(Config::default().ignore_caused_by(|cause: &Down| cause.since == "noon"), typed, ignored);
        counted!(Config::default().only_caused_by(|cause: &Down| cause.since != "noon"), typed, success);
        counted!(Config::default().classify_caused_by(|_: &Down| Some(Outcome::exhausted())), typed, exhausted);
    }
    an_override_classifies_responses: {
        let few = |rows: &Rows| (rows.0 < 4).then(Outcome::throttled);
        counted!(Config::default().classify_responses(few), boxed, throttled);
        counted!(Config::default().classify_responses(few), typed, throttled);
    }
    overrides_stack: {
        let config = Config::default()
            .ignore_errors(|error: &BoxError| error.is::<CircuitOpen>())
            .classify_errors(|error: &BoxError| error.is::<Down>().then(Outcome::exhausted))
            .classify_responses(|rows: &Rows| (rows.0 == 0).then(Outcome::failure));
        counted!(config, boxed, exhausted);
    }
    a_closure_classifies_results_with_a_boxed_error: {
        let config = Config::default().classify_fn(|result: Result<&Rows, &BoxError>| match result {
            Ok(_) => Outcome::success(),
            Err(error) if error.is::<Down>() => Outcome::ignored(),
            Err(_) => Outcome::failure(),
        });
        counted!(config, boxed, ignored);
    }
    a_closure_classifies_results_with_an_error_of_a_users_type: {
        let config = Config::default().classify_fn(|result: Result<&Rows, &Down>| match result {
            Ok(_) => Outcome::success(),
            Err(error) if error.since == "noon" => Outcome::ignored(),
            Err(_) => Outcome::failure(),
        });
        counted!(config, typed, ignored);
    }
    a_closure_answers_a_rejection_with_a_boxed_error: {
        let config = Config::default().reject_with(|n: u32, open: CircuitOpen| Rows(n + open.name().len() as u32));
        let layer = CircuitBreakerLayer::new(config.name("db"));
        layer.handle().force_open(None);
        let service = service!(layer, boxed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(3));
    }
    a_closure_answers_a_rejection_with_an_error_of_a_users_type: {
        let config = Config::default().reject_with(|n, open| Rows(n + open.name().len() as u32));
        let layer = CircuitBreakerLayer::new(config.name("db"));
        layer.handle().force_open(None);
        let service = service!(layer, typed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(3));
    }
    a_fallback_is_made_from_a_function_with_a_boxed_error: {
        let fallback = FallbackLayer::from_fn(|(), trigger| {
            let rejected = trigger.rejection().is_some();
            async move { (!rejected).then_some(Rows(7)) }
        });
        let service = service!(fallback.when(OnError), boxed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(7));
    }
    a_fallback_is_made_from_a_function_with_an_error_of_a_users_type: {
        let fallback = FallbackLayer::from_fn(|(), trigger: &Trigger<_, Down>| {
            let since = trigger.error().map(|error| error.since.len() as u32);
            async move { since.map(Rows) }
        });
        let service = service!(fallback.when(OnError), typed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(4));
    }
    a_fallback_keeps_a_part_of_the_request: {
        let fallback = FallbackLayer::from_fn(|kept: String, _| async move { Some(Rows(kept.len() as u32)) })
            .keep(|n: &u32| n.to_string());
        let service = service!(fallback, boxed);
        assert_eq!(service.clone().oneshot(101).await.unwrap(), Rows(3));
        let fallback = FallbackLayer::from_fn(|kept: String, _| async move { Ok::<_, Down>(Rows(kept.len() as u32)) })
            .keep(|n: &u32| n.to_string());
        let service = service!(fallback, typed);
        assert_eq!(service.clone().oneshot(101).await.unwrap(), Rows(3));
    }
    a_fallback_keeps_a_part_of_some_requests: {
        let keep = |n: &u32| (*n < 5).then_some(*n);
        let fallback = FallbackLayer::from_fn(|kept: u32, _| async move { Some(Rows(kept)) }).try_keep(keep);
        let service = service!(fallback, boxed);
        assert_eq!(service.clone().oneshot(3).await.unwrap(), Rows(3));
        assert_eq!(service.clone().oneshot(7).await.unwrap_err().to_string(), "down since noon");
        let fallback = FallbackLayer::from_fn(|kept: u32, _| async move { Some(Rows(kept)) }).try_keep(keep);
        let service = service!(fallback, typed);
        assert_eq!(service.clone().oneshot(3).await.unwrap(), Rows(3));
        assert_eq!(service.clone().oneshot(7).await.unwrap_err().to_string(), "down since noon");
    }
    a_fallback_calls_a_backup_with_a_part_of_the_request: {
        let backup = service_fn(|kept: String| async move { Ok::<_, BoxError>(Rows(kept.len() as u32)) });
        let fallback = FallbackLayer::service(backup).keep(|n: &u32| n.to_string());
        let service = service!(fallback.clone(), boxed);
        assert_eq!(service.clone().oneshot(101).await.unwrap(), Rows(3));
        let service = service!(fallback, typed);
        assert_eq!(service.clone().oneshot(101).await.unwrap(), Rows(3));
    }
    a_closure_decides_when_to_fall_back_from_a_boxed_error: {
        let fallback = FallbackLayer::value(Rows(9))
            .when_fn(|result: Result<&Rows, &BoxError>| result.is_err_and(|error| error.is::<Down>()));
        let service = service!(fallback, boxed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(9));
    }
    a_closure_decides_when_to_fall_back_from_an_error_of_a_users_type: {
        let fallback = FallbackLayer::value_fn(|| Rows(9))
            .when_fn(|result: Result<&Rows, &Down>| result.is_err_and(|error| error.since == "noon"));
        let service = service!(fallback, typed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(9));
    }
    a_closure_classifies_for_a_retry_with_a_boxed_error: {
        let policy = RetryPolicy::new(2)
            .classify_fn(|result: Result<&Rows, &BoxError>| Outcome::failure_if(result.is_err()))
            .clone_with(|n: &u32| (*n < 5).then(|| *n + 1));
        let service = service!(RetryLayer::new(policy), boxed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(2));
    }
    a_closure_classifies_for_a_retry_with_an_error_of_a_users_type: {
        let policy = RetryPolicy::new(2)
            .classify_fn(|result: Result<&Rows, &Down>| Outcome::failure_if(result.is_err()))
            .clone_with(|n: &u32| (*n < 5).then(|| *n + 1));
        let service = service!(RetryLayer::new(policy), typed);
        assert_eq!(service.oneshot(1).await.unwrap(), Rows(2));
    }
    closures_meet_in_one_stack: {
        let spawned = tokio::spawn(stack().oneshot(Request::new(7))).await.unwrap();
        assert_eq!(spawned.unwrap().status(), 200);
        let boxed = BoxCloneSyncService::new(stack());
        assert_eq!(boxed.oneshot(Request::new(7)).await.unwrap().status(), 200);
        let service = stack();
        assert_eq!(service.clone().oneshot(Request::new(7)).await.unwrap().status(), 200);
    }
    a_typed_rejection_keeps_the_error: {
        let config = Config::default()
            .ignore_errors(|error: &Down| error.since == "noon")
            .on_rejected(RejectWithBreakerError);
        counted!(config, typed, ignored);
    }
}
