//! Which types are `Send`, `Sync`, `Unpin` and `Clone`, and which services need none of these.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_breaker::classify::overrides::{Ignore, OfError, Override, WithOverride};
use tower_breaker::{
    BreakerBody,
    classify::{ClassifyFn, ErrorsAsFailures, Grpc, Http},
    llm::Llm,
};
use tower_breaker::{
    BreakerError, BreakerHandle, CircuitBreaker, CircuitBreakerLayer, CircuitOpen, Config, Outcome,
    Permit, Settings, Snapshot, State, Transition,
    handle::{Changed, Events, GuardedStream, Watch, WrapFuture},
    rejection::{
        RejectWithBoxError, RejectWithBreakerError, RejectWithFn, RejectWithGrpc, RejectWithHttp,
        RejectWithInnerError, RejectWithService,
    },
};

use crate::support::doubles::config;

const fn shared<T: Send + Sync + 'static>() {}

/// Returns whether a type is `Send` and whether it is `Sync`. The method with fewer references wins.
macro_rules! send_sync {
    ($type:ty) => {{
        struct Is<T>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "some types have the narrower method only")]
        trait No {
            fn send(&self) -> bool {
                false
            }
            fn sync(&self) -> bool {
                false
            }
        }
        impl<T> No for &Is<T> {}
        #[allow(dead_code, reason = "some types have the narrower method only")]
        trait Sends {
            fn send(&self) -> bool {
                true
            }
        }
        impl<T: Send> Sends for Is<T> {}
        #[allow(dead_code, reason = "some types have the narrower method only")]
        trait Syncs {
            fn sync(&self) -> bool {
                true
            }
        }
        impl<T: Sync> Syncs for Is<T> {}
        let is = Is::<$type>(std::marker::PhantomData);
        ((&is).send(), (&is).sync())
    }};
}

type Function = fn(()) -> Ready<Result<(), Infallible>>;
type Inner = tower::util::ServiceFn<Function>;
type Guarded<C, R> = CircuitBreaker<Inner, C, R>;
type Local = futures_util::stream::Iter<std::vec::IntoIter<Result<Rc<()>, ()>>>;
type Future<S> = <S as Service<()>>::Future;

#[test]
fn everything_is_send_and_sync_when_its_parts_are() {
    shared::<CircuitBreakerLayer>();
    shared::<CircuitBreakerLayer<Http, RejectWithHttp>>();
    shared::<Config<Llm, RejectWithBoxError>>();
    shared::<Guarded<ErrorsAsFailures, RejectWithBoxError>>();
    shared::<Guarded<Grpc, RejectWithGrpc>>();
    shared::<Guarded<ClassifyFn<fn()>, RejectWithFn<fn()>>>();
    shared::<
        Guarded<
            WithOverride<ErrorsAsFailures, Override<OfError<Rc<()>>, Ignore<fn()>>>,
            RejectWithBoxError,
        >,
    >();
    shared::<Future<Guarded<ErrorsAsFailures, RejectWithBoxError>>>();
    shared::<Future<Guarded<ErrorsAsFailures, RejectWithBreakerError>>>();
    shared::<Future<Guarded<ErrorsAsFailures, RejectWithService<Inner>>>>();
    shared::<(BreakerHandle, Permit, Watch, Changed, Events)>();
    shared::<GuardedStream<futures_util::stream::Empty<Result<(), ()>>>>();
    shared::<WrapFuture<Function, (), Ready<Result<(), Infallible>>>>();
    shared::<(Settings, Snapshot, State, Transition, Outcome)>();
    shared::<(CircuitOpen, BreakerError<()>, BreakerBody<String>)>();
    shared::<(
        RejectWithBoxError,
        RejectWithBreakerError,
        RejectWithInnerError,
        RejectWithHttp,
        RejectWithGrpc,
    )>();
}

#[test]
fn a_type_is_send_and_sync_only_if_its_parts_are() {
    assert_eq!(send_sync!(CircuitBreaker<Rc<()>>), (false, false));
    assert_eq!(send_sync!(CircuitBreaker<Cell<()>>), (true, false));
    assert_eq!(send_sync!(CircuitBreakerLayer<ErrorsAsFailures, Rc<()>>), (false, false));
    assert_eq!(send_sync!(CircuitBreakerLayer<Cell<()>>), (true, false));
    assert_eq!(send_sync!(CircuitBreaker<()>), (true, true));
    assert_eq!(send_sync!(GuardedStream<Local>), (false, false));
    assert_eq!(send_sync!(WrapFuture<Rc<()>, (), Ready<()>>), (false, false));
    assert_eq!(send_sync!(WrapFuture<(), Cell<()>, Ready<()>>), (true, false));
}

#[test]
fn a_future_is_send_although_its_request_is_not() {
    // The future does not hold the request.
    type NotSendRequest =
        CircuitBreaker<tower::util::ServiceFn<fn(Rc<()>) -> Ready<Result<(), Infallible>>>>;
    shared::<<NotSendRequest as Service<Rc<()>>>::Future>();
}

#[test]
fn the_future_of_an_unpin_service_is_unpin() {
    fn unpin<T: Unpin>() {}
    unpin::<Future<Guarded<ErrorsAsFailures, RejectWithBoxError>>>();
    unpin::<Permit>();
    unpin::<GuardedStream<futures_util::stream::Empty<Result<(), ()>>>>();
}

#[test]
fn a_service_whose_future_is_not_send_is_guarded() {
    let service = service_fn(|()| {
        let local = Rc::new(7);
        async move { Ok::<_, Infallible>(*local) }
    });
    let guarded = CircuitBreakerLayer::new(config()).layer(service);
    assert_eq!(guarded.oneshot(()).now_or_never().unwrap().unwrap(), 7);
}

/// A service that is not `Clone`, `Send` or `'static`. Its error is `()`. Its request and its response are borrowed.
struct Plain<'a>(
    &'a Cell<u32>,
    #[expect(dead_code, reason = "makes it neither `Send` nor `Sync`")] Rc<()>,
);

impl<'a> Service<&'a str> for Plain<'a> {
    type Response = &'a Cell<u32>;
    type Error = ();
    type Future = Pin<Box<dyn std::future::Future<Output = Result<&'a Cell<u32>, ()>> + 'a>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: &'a str) -> Self::Future {
        let cell = self.0;
        cell.set(cell.get() + request.len() as u32);
        Box::pin(async move { if request.is_empty() { Err(()) } else { Ok(cell) } })
    }
}

#[test]
fn a_service_that_is_not_clone_send_or_static_is_guarded() {
    let cell = Cell::new(0);
    let layer = CircuitBreakerLayer::new(config().on_rejected(RejectWithBreakerError));
    let mut guarded = layer.layer(Plain(&cell, Rc::new(())));
    let mut call = |request| {
        let ready = guarded.ready().now_or_never().unwrap().unwrap();
        ready.call(request).now_or_never().unwrap()
    };
    assert_eq!(call("tea").unwrap().get(), 3);
    assert_eq!(call(""), Err(BreakerError::Inner(())));
    assert_eq!(call(""), Err(BreakerError::Inner(())));
    assert!(matches!(call("tea"), Err(BreakerError::Open(_))));
}

#[test]
fn a_closure_with_state_that_is_not_sync_classifies() {
    let seen = Cell::new(0);
    let classify = |result: Result<&u8, &()>| {
        seen.set(seen.get() + 1);
        if result.is_ok() { Outcome::success() } else { Outcome::failure() }
    };
    let layer = CircuitBreakerLayer::new(
        config().classify_fn(classify).on_rejected(RejectWithBreakerError),
    );
    let guarded = layer.layer(service_fn(|()| ready(Ok::<_, ()>(1))));
    guarded.oneshot(()).now_or_never().unwrap().unwrap();
    assert_eq!(seen.get(), 1);
}

#[test]
fn every_public_type_has_debug_output() {
    let layer = CircuitBreakerLayer::new(config());
    let mut guarded = layer.layer(());
    let texts = [format!("{layer:?}"), format!("{guarded:?}"), format!("{:?}", layer.handle())];
    assert!(texts.iter().all(|text| !text.is_empty()));
    assert!(format!("{guarded:?}").contains("db"));
    let () = *guarded.get_mut();
}
