//! A panic of the guarded service is a failure. A panic of a callback is not. Both propagate unchanged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use tower::{Service, ServiceExt};
use tower_breaker::classify::{Classified, NeverDeferred};
use tower_breaker::{
    Outcome, Permit, State,
    classify::Classify,
    rejection::{OnRejected, RejectWithBoxError},
};

use crate::support::doubles::*;

/// Makes a call that panics, and returns the panic message.
async fn panics<S: Service<()>>(service: &mut S) -> &'static str {
    let unwound = AssertUnwindSafe(call(service)).catch_unwind().await;
    match unwound {
        Ok(_) => panic!("the call did not panic"),
        Err(panic) => *panic.downcast::<&'static str>().expect("a message"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_inner_counts_as_a_failure_and_propagates() {
    for (reply, message) in [(Reply::PanicsInCall, "call"), (Reply::PanicsInPoll, "poll")] {
        let (mut service, script, handle) = guarded(config());
        script.reply(reply);
        assert_eq!(panics(&mut service).await, message);
        let seen = handle.snapshot();
        assert_eq!((seen.state, seen.totals.failure), (State::Closed, 1));
        assert_eq!(seen.last_error.unwrap().reason, Some("panic"));
        assert_eq!(panics(&mut service).await, message);
        assert_eq!(handle.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_probe_reopens_the_circuit() {
    for reply in [Reply::PanicsInCall, Reply::PanicsInPoll] {
        let (mut service, script, handle) = guarded(config());
        trip(&mut service, &script, &handle).await;
        cool_down(&handle).await;
        script.reply(reply);
        panics(&mut service).await;
        assert_eq!((handle.state(), handle.snapshot().probes), (State::Open, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_readiness_of_the_inner_counts_as_a_failure_and_propagates() {
    let (mut service, script, handle) = guarded(config());
    script.readiness(Readiness::Panics);
    for _ in 0..2 {
        assert_eq!(panics(&mut service).await, "readiness");
    }
    assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_separate_task_counts_as_a_failure() {
    let (service, script, handle) = guarded(config());
    script.reply(Reply::PanicsInPoll);
    for _ in 0..2 {
        assert!(tokio::spawn(service.clone().oneshot(())).await.unwrap_err().is_panic());
    }
    assert_eq!(handle.state(), State::Open);
}

#[derive(Clone, Copy, PartialEq)]
enum Where {
    Request,
    Result,
    AfterSettling,
}

/// A classifier that panics.
#[derive(Clone)]
struct Confused(Where);

impl<Req, Res, E> Classify<Req, Res, E> for Confused {
    type RequestInfo = ();
    type Response = Res;
    type Deferred = NeverDeferred<Result<Res, E>>;

    fn request(&self, _: &Req) {
        if self.0 == Where::Request {
            panic!("confused");
        }
    }

    fn result(
        &self,
        (): (),
        _: Result<Res, E>,
        permit: Permit,
    ) -> Classified<Result<Res, E>, Self::Deferred> {
        if self.0 == Where::AfterSettling {
            permit.success();
        }
        panic!("confused")
    }

    fn settled(&self, response: Res) -> Res {
        response
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_classifier_settles_as_ignored_and_propagates() {
    for (place, calls) in [(Where::Request, 0), (Where::Result, 10)] {
        let (mut service, script, handle) = guarded(config().classify(Confused(place)));
        for _ in 0..10 {
            assert_eq!(panics(&mut service).await, "confused");
        }
        let seen = handle.snapshot();
        assert_eq!(
            (seen.state, seen.totals.ignored, seen.totals.settled()),
            (State::Closed, 10, 10)
        );
        assert_eq!(script.calls(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_classifier_on_a_probe_returns_its_lease() {
    for place in [Where::Request, Where::Result] {
        let (mut service, _, handle) = guarded(config().classify(Confused(place)));
        handle.hold_for(COOLDOWN);
        cool_down(&handle).await;
        for _ in 0..3 {
            assert_eq!(panics(&mut service).await, "confused");
            assert_eq!((handle.state(), handle.snapshot().probes), (State::HalfOpen, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_settled_before_the_classifier_panicked_stands() {
    let (mut service, _, handle) = guarded(config().classify(Confused(Where::AfterSettling)));
    assert_eq!(panics(&mut service).await, "confused");
    let totals = handle.snapshot().totals;
    assert_eq!((totals.success, totals.settled()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_classifying_closure_is_ignored() {
    let classify = |_: Result<&&'static str, &Down>| -> Outcome { panic!("confused") };
    let (mut service, _, handle) = guarded(config().classify_fn(classify));
    assert_eq!(panics(&mut service).await, "confused");
    assert_eq!(handle.snapshot().totals.ignored, 1);
}

/// A rejection policy that panics.
#[derive(Clone)]
struct Refuses;

impl<Req, Res, E> OnRejected<Req, Res, E> for Refuses {
    type Error = E;
    type Future = std::future::Ready<Result<Res, E>>;

    fn rejected(&self, _: Req, _: tower_breaker::CircuitOpen) -> Self::Future {
        panic!("refused")
    }

    fn error(&self, _: E) -> E {
        panic!("refused")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_rejection_policy_propagates_and_is_not_counted() {
    let (mut service, script, handle) = guarded(config().on_rejected(Refuses));
    handle.force_open(None);
    assert_eq!(panics(&mut service).await, "refused");
    handle.force_closed();
    // The error of the inner service is the failure. The panic in the policy is not.
    script.reply(Reply::Fails);
    assert_eq!(panics(&mut service).await, "refused");
    let totals = handle.snapshot().totals;
    assert_eq!((totals.rejected, totals.failure, totals.settled()), (1, 1, 1));
    script.reply(Reply::Ok);
    assert_eq!(call(&mut service).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_trip_rule_propagates_and_leaves_the_breaker_intact() {
    let (mut service, script, handle) =
        guarded(config().on_rejected(RejectWithBoxError).trip_when(|_| panic!("rule")));
    script.reply(Reply::Fails);
    assert_eq!(panics(&mut service).await, "rule");
    assert_eq!(handle.snapshot().totals.failure, 1);
    // The built-in rule runs first and fires.
    assert!(call(&mut service).await.is_err());
    assert_eq!(handle.state(), State::Open);
    cool_down(&handle).await;
    script.reply(Reply::Ok);
    assert_eq!(call(&mut service).await.unwrap(), "ok");
}

#[test]
fn a_panic_of_a_guarded_function_is_a_failure_and_of_its_classifier_is_ignored() {
    let (_, _, handle) = guarded(config());
    let call = || handle.call(|| -> Result<(), ()> { panic!("function") });
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    let classified = || handle.call_with(|| Ok::<_, ()>(()), |_| panic!("classify"));
    assert!(catch_unwind(AssertUnwindSafe(classified)).is_err());
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.ignored, totals.settled()), (1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_trip_rule_that_panics_during_a_panic_does_not_abort_the_process() {
    for readiness in [Readiness::Ready, Readiness::Panics] {
        let (mut service, script, handle) = guarded(config().trip_when(|_| panic!("rule")));
        script.reply(Reply::PanicsInPoll);
        script.readiness(readiness);
        let message = panics(&mut service).await;
        assert!(matches!(message, "poll" | "readiness"), "the first panic propagates: {message}");
        assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Closed, 1));
        panics(&mut service).await;
        assert_eq!(handle.state(), State::Open);
    }
}
