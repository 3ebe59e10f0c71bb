//! A breaker around another breaker. A rejection by the inner one is not a failure of the dependency.

use std::convert::Infallible;

use http::{Request, Response};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{
    AsRejection, BreakerError, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, Outcome,
    State,
    rejection::{RejectWithBreakerError, RejectWithGrpc, RejectWithHttp, RejectWithInnerError},
};

use crate::support::doubles::{COOLDOWN, config};

/// Makes a hundred calls that are all rejected downstream.
async fn rejected_downstream<S, Req>(
    mut service: S,
    outer: &BreakerHandle,
    request: impl Fn() -> Req,
) where
    S: Service<Req>,
{
    for _ in 0..100 {
        let Ok(ready) = service.ready().await else { panic!("not ready") };
        let _ = ready.call(request()).await;
    }
    let seen = outer.snapshot();
    assert_eq!((seen.state, seen.totals.ignored), (State::Closed, 100));
    assert_eq!((seen.window.calls, seen.window.consecutive_failures), (0, 0));
    assert_eq!(seen.last_error, None);
}

fn open<C, R>(config: Config<C, R>) -> CircuitBreakerLayer<C, R> {
    let layer = CircuitBreakerLayer::new(config.name("downstream"));
    layer.handle().hold_for(COOLDOWN);
    layer
}

#[tokio::test(start_paused = true)]
async fn a_rejection_in_a_box_does_not_open_the_outer_breaker() {
    let outer = CircuitBreakerLayer::new(config());
    let handle = outer.handle();
    let service = ServiceBuilder::new()
        .layer(outer)
        .layer(open(config()))
        .service(service_fn(async |()| Ok::<_, Infallible>(())));
    rejected_downstream(service, &handle, || ()).await;
}

#[tokio::test(start_paused = true)]
async fn a_rejection_deep_in_a_box_does_not_open_the_outer_breaker() {
    #[derive(Debug)]
    struct Wrapped(BreakerError<std::io::Error>);
    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("wrapped")
        }
    }
    impl std::error::Error for Wrapped {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let outer = CircuitBreakerLayer::new(config());
    let handle = outer.handle();
    let service = ServiceBuilder::new()
        .layer(outer)
        .map_err(|error| BoxError::from(Wrapped(error)))
        .layer(open(config().on_rejected(RejectWithBreakerError)))
        .service(service_fn(async |()| Ok::<_, std::io::Error>(())));
    rejected_downstream(service, &handle, || ()).await;
}

#[tokio::test(start_paused = true)]
async fn a_typed_rejection_does_not_open_the_outer_breaker() {
    async fn boxed((): ()) -> Result<(), BoxError> {
        Ok(())
    }
    async fn infallible((): ()) -> Result<(), Infallible> {
        Ok(())
    }
    // `BoxError` does not implement `Error`, so `BreakerError<BoxError>` does not either and cannot be boxed.
    let outer = CircuitBreakerLayer::new(config().on_rejected(RejectWithBreakerError));
    let handle = outer.handle();
    let service =
        outer.layer(open(config().on_rejected(RejectWithBreakerError)).layer(service_fn(boxed)));
    rejected_downstream(service, &handle, || ()).await;

    let outer = CircuitBreakerLayer::new(config());
    let handle = outer.handle();
    let service = outer
        .layer(open(config().on_rejected(RejectWithBreakerError)).layer(service_fn(infallible)));
    rejected_downstream(service, &handle, || ()).await;

    let outer = CircuitBreakerLayer::new(config());
    let handle = outer.handle();
    let only = service_fn(async |()| Ok::<_, CircuitOpen>(()));
    let service = outer.layer(open(config().on_rejected(RejectWithInnerError)).layer(only));
    rejected_downstream(service, &handle, || ()).await;
}

#[tokio::test(start_paused = true)]
async fn a_rejection_in_an_io_error_does_not_open_the_outer_breaker() {
    let outer = CircuitBreakerLayer::new(config());
    let handle = outer.handle();
    let service = ServiceBuilder::new()
        .layer(outer)
        .map_err(std::io::Error::other)
        .layer(open(config()))
        .service(service_fn(async |()| Ok::<_, Infallible>(())));
    rejected_downstream(service, &handle, || ()).await;
}

#[tokio::test(start_paused = true)]
async fn a_rejection_in_a_custom_error_is_recognised_by_a_closure() {
    #[derive(Debug)]
    enum CustomError {
        Open(CircuitOpen),
    }
    impl From<CircuitOpen> for CustomError {
        fn from(open: CircuitOpen) -> Self {
            Self::Open(open)
        }
    }
    impl AsRejection for CustomError {
        fn as_rejection(&self) -> Option<&CircuitOpen> {
            let Self::Open(open) = self;
            Some(open)
        }
    }
    let classify = |result: Result<&(), &CustomError>| match result {
        Ok(()) => Outcome::success(),
        Err(error) if error.as_rejection().is_some() => Outcome::ignored(),
        Err(_) => Outcome::failure(),
    };
    let outer = CircuitBreakerLayer::new(
        config().classify_fn(classify).on_rejected(RejectWithBreakerError),
    );
    let handle = outer.handle();
    let service = ServiceBuilder::new()
        .layer(outer)
        .layer(open(config().on_rejected(RejectWithInnerError)))
        .service(service_fn(async |()| Ok::<_, CustomError>(())));
    rejected_downstream(service, &handle, || ()).await;
}

async fn hello(_: Request<()>) -> Result<Response<String>, Infallible> {
    Ok(Response::new("hello".to_owned()))
}

#[tokio::test(start_paused = true)]
async fn an_http_or_grpc_answer_of_a_breaker_does_not_open_the_outer_breaker() {
    macro_rules! outer_over_inner {
        ($($outer:expr, $inner:expr;)*) => {$(
            let outer = CircuitBreakerLayer::new($outer);
            let handle = outer.handle();
            let service = outer.layer(open($inner).layer(service_fn(hello)));
            rejected_downstream(service, &handle, || Request::new(())).await;
        )*};
    }
    outer_over_inner! {
        Config::http(), Config::http();
        Config::http_client(), Config::http();
        Config::http_client(), Config::http_client();
        Config::http(), Config::http_client().on_rejected(RejectWithHttp);
        Config::grpc(), Config::grpc();
        Config::grpc_client(), Config::grpc();
        Config::grpc_client(), Config::grpc_client();
        Config::grpc_client(), Config::grpc().on_rejected(RejectWithHttp);
        Config::http_client(), Config::grpc().on_rejected(RejectWithGrpc);
        Config::llm(tower_breaker::Provider::Anthropic), Config::http();
        Config::llm(tower_breaker::Provider::Anthropic), Config::http_client();
    }
}

#[tokio::test(start_paused = true)]
async fn an_ignored_probe_of_the_outer_breaker_leaves_it_half_open() {
    let outer = CircuitBreakerLayer::new(config());
    let downstream = open(config());
    let (handle, downstream_handle) = (outer.handle(), downstream.handle());
    let mut service = ServiceBuilder::new()
        .layer(outer)
        .layer(downstream)
        .service(service_fn(async |()| Ok::<_, Infallible>(())));
    handle.hold_for(COOLDOWN / 2);
    tokio::time::advance(COOLDOWN / 2).await;
    for _ in 0..3 {
        let error = service.ready().await.unwrap().call(()).await.unwrap_err();
        assert_eq!(CircuitOpen::find(&*error).unwrap().name(), "downstream");
        assert_eq!((handle.state(), handle.snapshot().probes), (State::HalfOpen, 0));
    }
    downstream_handle.force_closed();
    service.ready().await.unwrap().call(()).await.unwrap();
    assert_eq!(handle.state(), State::Closed);
}
