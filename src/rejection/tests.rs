use std::convert::Infallible;
use std::time::Duration;

use futures_util::FutureExt;

use super::*;
use crate::{BoxError, BreakerError, Cause, State};

fn open() -> CircuitOpen {
    CircuitOpen::new(
        std::sync::Arc::new("db".into()),
        State::Open,
        Cause::FailureRate,
        Some(Duration::from_millis(1200)),
    )
}

fn rejected<P, Req, Res, E>(policy: &P, request: Req) -> Result<Res, P::Error>
where
    P: OnRejected<Req, Res, E>,
{
    policy.rejected(request, open()).now_or_never().expect("ready at once")
}

#[test]
fn a_boxed_rejection_can_be_found_again() {
    let error = rejected::<_, _, (), Infallible>(&RejectWithBoxError, ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&open()));
    assert_eq!(CircuitOpen::find(&*error), Some(&open()));
}

#[test]
fn an_inner_boxed_error_is_not_wrapped_again() {
    let inner: BoxError = Box::new(std::fmt::Error);
    let error = OnRejected::<(), (), BoxError>::error(&RejectWithBoxError, inner);
    assert!(error.is::<std::fmt::Error>());
}

#[test]
fn a_breaker_error_keeps_rejections_and_inner_errors_apart() {
    let error = rejected::<_, _, (), u8>(&RejectWithBreakerError, ()).unwrap_err();
    assert_eq!(error, BreakerError::Open(open()));
    assert_eq!(OnRejected::<(), (), u8>::error(&RejectWithBreakerError, 7), BreakerError::Inner(7));
}

#[derive(Debug, PartialEq)]
enum Mine {
    Open(CircuitOpen),
    Other,
}

impl From<CircuitOpen> for Mine {
    fn from(open: CircuitOpen) -> Self {
        Self::Open(open)
    }
}

#[test]
fn the_inner_error_type_is_made_from_a_rejection() {
    assert_eq!(rejected::<_, _, (), Mine>(&RejectWithInnerError, ()), Err(Mine::Open(open())));
    assert_eq!(OnRejected::<(), (), Mine>::error(&RejectWithInnerError, Mine::Other), Mine::Other);
    let boxed = rejected::<_, _, (), BoxError>(&RejectWithInnerError, ()).unwrap_err();
    assert!(boxed.is::<CircuitOpen>());
}

#[test]
fn a_function_gets_the_request_and_the_rejection() {
    let policy = RejectWithFn::new(|request: String, open| format!("{request} at {}", open.name()));
    let answer = rejected::<_, _, String, Infallible>(&policy, "get".to_owned());
    assert_eq!(answer, Ok("get at db".to_owned()));
}

#[cfg(feature = "http")]
#[test]
fn a_function_may_return_the_response_of_the_inner_service() {
    use crate::classify::BreakerBody;
    use ::http::Response;

    let policy = RejectWithFn::new(|_: (), _| Response::new("plain".to_owned()));
    let answer: Result<Response<BreakerBody<String>>, Infallible> = rejected(&policy, ());
    assert_eq!(answer.unwrap().into_body().into_inner().unwrap(), "plain");
}
