//! The outcome of each override, and the order in which overrides run.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, ErrorKind};

use super::*;
use crate::classify::tests::settle;
use crate::classify::{ClassifyFn, ErrorsAsFailures};
use crate::error::CircuitOpen;
use crate::{BoxError, BreakerError, Cause, Class, Config, State};

/// Returns the class that a config gives an error.
fn class<E, C, R>(config: Config<C, R>, error: E) -> Class
where
    C: Classify<(), (), E>,
{
    settle(config.classifier(), &(), Err(error)).1
}

fn io(kind: ErrorKind) -> io::Error {
    kind.into()
}

fn open() -> CircuitOpen {
    CircuitOpen::new(std::sync::Arc::new("db".into()), State::Open, Cause::FailureRate, None)
}

/// An error with a source.
#[derive(Debug)]
struct Outer<E>(E);

impl<E> fmt::Display for Outer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Outer<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn matching_errors_are_ignored_and_the_others_are_not() {
    let config =
        || Config::default().ignore_errors(|e: &io::Error| e.kind() == ErrorKind::NotFound);
    assert_eq!(class(config(), io(ErrorKind::NotFound)), Class::Ignored);
    assert_eq!(class(config(), io(ErrorKind::TimedOut)), Class::Failure);
}

#[test]
fn only_matching_errors_are_failures_and_the_others_are_successes() {
    let config = || Config::default().only_errors(|e: &io::Error| e.kind() == ErrorKind::TimedOut);
    assert_eq!(class(config(), io(ErrorKind::TimedOut)), Class::Failure);
    assert_eq!(class(config(), io(ErrorKind::NotFound)), Class::Success);
}

#[test]
fn the_next_override_sees_the_errors_that_only_matches() {
    let config = || {
        Config::default()
            .only_errors(|e: &io::Error| e.kind() != ErrorKind::NotFound)
            .ignore_errors(|e: &io::Error| e.kind() == ErrorKind::Interrupted)
    };
    assert_eq!(class(config(), io(ErrorKind::NotFound)), Class::Success);
    assert_eq!(class(config(), io(ErrorKind::Interrupted)), Class::Ignored);
    assert_eq!(class(config(), io(ErrorKind::TimedOut)), Class::Failure);
}

#[test]
fn an_override_returns_any_outcome_or_leaves_it_to_the_classifier() {
    let config = || {
        Config::default()
            .classify_fn(|result: Result<&(), &u8>| match result {
                Ok(()) => Outcome::success(),
                Err(_) => Outcome::throttled(),
            })
            .classify_errors(|error: &u8| match error {
                1 => Some(Outcome::exhausted()),
                2 => Some(Outcome::failure()),
                _ => None,
            })
    };
    assert_eq!(class(config(), 1), Class::Exhausted);
    assert_eq!(class(config(), 2), Class::Failure);
    assert_eq!(class(config(), 3), Class::Throttled);
    assert_eq!(settle(config().classifier(), &(), Ok::<(), u8>(())).1, Class::Success);
}

#[test]
fn overrides_run_once_each_from_the_top_down_until_one_returns_an_outcome() {
    let runs = RefCell::new(Vec::new());
    let decide = |name: u8| {
        let runs = &runs;
        move |error: &u8| {
            runs.borrow_mut().push(name);
            (*error == name).then(Outcome::ignored)
        }
    };
    let config = Config::default()
        .classify_errors(decide(1))
        .classify_errors(decide(2))
        .classify_errors(decide(3))
        .classify_errors(decide(4));
    for (error, expected, order) in [
        (1, Class::Ignored, vec![1]),
        (3, Class::Ignored, vec![1, 2, 3]),
        (9, Class::Failure, vec![1, 2, 3, 4]),
    ] {
        assert_eq!(settle(config.classifier(), &(), Err::<(), u8>(error)).1, expected);
        assert_eq!(runs.take(), order);
    }
}

#[test]
fn overrides_on_errors_do_not_see_responses_nor_those_on_responses_errors() {
    let config = Config::default()
        .ignore_errors(|_: &u8| panic!("there is no error"))
        .only_errors(|_: &u8| panic!("there is no error"));
    assert_eq!(settle(config.classifier(), &(), Ok::<_, u8>("ok")), (Ok("ok"), Class::Success));
    let config = Config::default().classify_responses(|_: &&str| panic!("there is no response"));
    assert_eq!(settle(config.classifier(), &(), Err::<&str, _>(7)), (Err(7), Class::Failure));
}

#[test]
fn a_cause_is_found_anywhere_in_a_box() {
    let config = || {
        Config::default().ignore_caused_by(|cause: &io::Error| cause.kind() == ErrorKind::NotFound)
    };
    let not_found = || io(ErrorKind::NotFound);
    let chains: [BoxError; 4] = [
        not_found().into(),
        Outer(not_found()).into(),
        Outer(Outer(not_found())).into(),
        io::Error::other(Outer(io::Error::other(not_found()))).into(),
    ];
    for chain in chains {
        assert_eq!(class(config(), chain), Class::Ignored);
    }
    assert_eq!(
        class::<BoxError, _, _>(config(), Outer(io(ErrorKind::TimedOut)).into()),
        Class::Failure
    );
    assert_eq!(class::<BoxError, _, _>(config(), "no cause".into()), Class::Failure);
}

#[test]
fn a_cause_is_found_in_an_error_whose_type_is_known() {
    macro_rules! found {
        ($($error:expr),*) => {$(
            let config = Config::default().ignore_caused_by(|_: &io::Error| true);
            assert_eq!(class(config, $error), Class::Ignored);
        )*};
    }
    let io = || io(ErrorKind::NotFound);
    found!(
        io(),
        Outer(io()),
        BreakerError::Inner(Outer(io())),
        BreakerError::<BoxError>::Inner(Box::new(Outer(io())))
    );
}

#[test]
fn only_errors_with_a_matching_cause_are_failures() {
    let config = || {
        Config::default().only_caused_by(|cause: &io::Error| cause.kind() == ErrorKind::TimedOut)
    };
    let class = |error: BoxError| class(config(), error);
    assert_eq!(class(Outer(io(ErrorKind::TimedOut)).into()), Class::Failure);
    assert_eq!(class(Outer(io(ErrorKind::NotFound)).into()), Class::Success);
    assert_eq!(class("no cause".into()), Class::Success);
}

#[test]
fn the_first_cause_with_an_outcome_decides() {
    let config = || {
        Config::default().classify_caused_by(|cause: &io::Error| match cause.kind() {
            ErrorKind::TimedOut => Some(Outcome::exhausted()),
            ErrorKind::NotFound => Some(Outcome::ignored()),
            _ => None,
        })
    };
    let wrapped = |kind| io::Error::other(io(kind));
    assert_eq!(class(config(), wrapped(ErrorKind::TimedOut)), Class::Exhausted);
    let both = io::Error::new(ErrorKind::NotFound, io(ErrorKind::TimedOut));
    assert_eq!(class(config(), both), Class::Ignored);
    assert_eq!(class(config(), wrapped(ErrorKind::BrokenPipe)), Class::Failure);
}

#[test]
fn overrides_do_not_see_a_downstream_rejection() {
    let config = || {
        Config::default()
            .only_errors(|_: &BoxError| false)
            .classify_errors(|_: &BoxError| Some(Outcome::failure()))
            .only_caused_by(|_: &io::Error| false)
            .classify_caused_by(|_: &Outer<CircuitOpen>| Some(Outcome::failure()))
    };
    assert_eq!(class::<BoxError, _, _>(config(), open().into()), Class::Ignored);
    assert_eq!(class::<BoxError, _, _>(config(), Outer(open()).into()), Class::Ignored);
}

#[test]
fn an_override_on_rejections_sees_them() {
    macro_rules! class_of {
        ($error:expr) => {{
            let throttled = |_: &CircuitOpen| Some(Outcome::throttled());
            class(Config::default().classify_caused_by(throttled), $error)
        }};
    }
    let boxed: BoxError = Outer(open()).into();
    assert_eq!(class_of!(boxed), Class::Throttled);
    assert_eq!(class_of!(open()), Class::Throttled);
    assert_eq!(class_of!(BreakerError::<io::Error>::Open(open())), Class::Throttled);
    assert_eq!(class_of!(BreakerError::<BoxError>::Open(open())), Class::Throttled);
    let other: BoxError = "other".into();
    assert_eq!(class_of!(other), Class::Failure);
}

#[test]
fn an_override_classifies_a_response_before_the_classifier() {
    let config = Config::default()
        .classify_responses(|rows: &u32| (*rows == 0).then(Outcome::failure))
        .classify_responses(|rows: &u32| (*rows < 2).then(Outcome::throttled));
    let class = |rows: u32| settle(config.classifier(), &(), Ok::<_, ()>(rows));
    assert_eq!(class(0), (Ok(0), Class::Failure));
    assert_eq!(class(1), (Ok(1), Class::Throttled));
    assert_eq!(class(2), (Ok(2), Class::Success));
}

#[test]
fn overrides_run_before_a_closure() {
    let classify = ClassifyFn::new(|_: Result<&(), &u8>| Outcome::failure());
    let config = || Config::default().classify(classify).ignore_errors(|error: &u8| *error == 1);
    assert_eq!(class(config(), 1), Class::Ignored);
    assert_eq!(class(config(), 2), Class::Failure);
}

#[test]
fn a_new_classifier_replaces_the_overrides() {
    let config = Config::default().ignore_errors(|_: &u8| true).classify(ErrorsAsFailures);
    assert_eq!(class(config, 1), Class::Failure);
}

#[test]
fn an_override_is_as_large_as_its_closure() {
    let config = Config::default()
        .ignore_errors(|_: &io::Error| true)
        .classify_caused_by(|_: &io::Error| None)
        .classify_responses(|_: &()| None);
    let classify = config.classifier();
    let _: &dyn Classify0 = classify;
    assert_eq!(size_of_val(classify), size_of::<ErrorsAsFailures>());
    assert!(format!("{classify:?}").starts_with("WithOverride { classify: WithOverride"));
}

/// Fixes the kind of the error, which nothing else determines there.
trait Classify0: fmt::Debug {}
impl<C: Classify<(), (), io::Error> + Clone + fmt::Debug> Classify0 for C {}

#[cfg(feature = "http")]
mod http {
    use ::http::{Request, Response};

    use super::*;
    use crate::classify::{BreakerBody, Http};

    fn class<C>(classify: &C, response: Response<String>) -> Class
    where
        C: Classify<Request<()>, Response<String>, (), Response = Response<BreakerBody<String>>>,
    {
        let (answer, class) = settle(classify, &Request::new(()), Ok(response));
        assert_eq!(answer.unwrap().into_body().into_inner().unwrap(), "body");
        class
    }

    fn response(status: u16, header: &str) -> Response<String> {
        let response = Response::builder().status(status).header(header, "1");
        response.body("body".to_owned()).unwrap()
    }

    #[test]
    fn a_response_that_an_override_classifies_is_settled_with_its_head() {
        let config = Config::http_client().classify_responses(|response: &Response<String>| {
            response.headers().contains_key("x-degraded").then(Outcome::failure)
        });
        assert_eq!(class(config.classifier(), response(200, "x-degraded")), Class::Failure);
        assert_eq!(class(config.classifier(), response(429, "x-degraded")), Class::Failure);
        assert_eq!(class(config.classifier(), response(429, "x-other")), Class::Throttled);
    }

    #[test]
    fn overrides_do_not_see_the_response_of_a_downstream_breaker() {
        macro_rules! ignored {
            ($($config:expr),*) => {$(
                let config = $config.classify_responses(|_: &Response<String>| Some(Outcome::failure()));
                assert_eq!(class(config.classifier(), response(503, "x-circuit-open")), Class::Ignored);
            )*};
        }
        ignored!(
            Config::http(),
            Config::http_client(),
            Config::grpc(),
            Config::grpc_client(),
            Config::http().classify_responses(|_: &Response<String>| None)
        );
        #[cfg(feature = "llm")]
        ignored!(Config::llm(crate::Provider::OpenAi));
    }

    #[test]
    fn the_classifier_sees_the_request() {
        let head = Request::builder().method("HEAD").body(()).unwrap();
        let first = Override::<OfError<()>, _>::new(Ignore(|_: &()| true));
        let classify = WithOverride::new(Http::client(), first);
        assert!(Classify::<_, Response<String>, ()>::request(&classify, &head));
    }
}
