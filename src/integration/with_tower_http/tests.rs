//! Classifiers of tower-http, and a classifier that is made from the request.

mod parts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use http::Method;
use http_body_util::Empty;
use tower_http::classify::{
    GrpcCode, GrpcFailureClass, ServerErrorsAsFailures, ServerErrorsFailureClass,
    StatusInRangeAsFailures, StatusInRangeFailureClass,
};

use self::parts::Step::{Breaks, Content, Trailers};
use self::parts::*;
use super::*;
use crate::breaker::BreakerHandle;
use crate::classify::ClassifyBody;
use crate::{BoxError, Cause, CircuitOpen, Settings, State};

const S: Duration = Duration::from_secs(1);

#[test]
fn an_error_has_the_outcome_of_its_class() {
    let mapped = servers().outcome_with(|class| match class {
        ServerErrorsFailureClass::Error(text) if text == "slow" => Outcome::throttled(),
        ServerErrorsFailureClass::Error(text) if text == "mine" => Outcome::ignored(),
        _ => Outcome::failure().reason("down"),
    });
    for (text, expected) in [
        ("slow", Outcome::throttled().reason("error")),
        ("mine", Outcome::ignored().reason("error")),
        ("lost", Outcome::failure().reason("down")),
    ] {
        assert_eq!(mapped.error(ServerErrorsAsFailures::new(), &text), expected);
    }
    let plain = servers().error(ServerErrorsAsFailures::new(), &"lost");
    assert_eq!(plain, Outcome::failure().reason("error"));
}

#[test]
fn a_downstream_rejection_is_ignored_with_its_wait_and_is_not_mapped() {
    let never = servers().outcome_with(|class| panic!("{class}"));
    let name = Arc::new("db".into());
    let open = CircuitOpen::new(name, State::Open, Cause::ConsecutiveFailures, Some(3 * S));
    let ignored = Outcome::rejected().retry_after(3 * S);
    assert_eq!(never.error(ServerErrorsAsFailures::new(), &open), ignored);
    let boxed: BoxError = open.into();
    assert_eq!(never.error(ServerErrorsAsFailures::new(), &boxed), ignored);

    let answered = head(&never, 503, &[("x-circuit-open", "db"), ("retry-after", "7")]).unwrap();
    assert_eq!((answered.class(), answered.wait()), (Class::Ignored, Some(7 * S)));
}

#[test]
fn a_class_at_the_head_is_a_failure_with_its_status_and_wait() {
    for status in [200, 204, 404, 429] {
        assert_eq!(head(&servers(), status, &[]), None, "{status}");
    }
    for (status, reason) in [(500, "Internal Server Error"), (501, "Not Implemented")] {
        let expected = Outcome::failure().code(status).reason(reason);
        assert_eq!(head(&servers(), status, &[]), Some(expected));
    }
    let with_wait = head(&servers(), 503, &[("retry-after", "7")]).unwrap();
    let expected = Outcome::failure().code(503).reason("Service Unavailable").retry_after(7 * S);
    assert_eq!(with_wait, expected);
    let unnamed = Some(Outcome::failure().code(599));
    assert_eq!(head(&servers(), 599, &[]), unnamed);

    let fine = TowerHttp::new(StatusInRangeAsFailures::new(200..=299).into_make_classifier());
    assert_eq!(head(&fine, 200, &[]), Some(Outcome::failure().code(200)));
    assert_eq!(head(&fine, 500, &[]), None);
}

#[test]
fn a_class_is_mapped_by_the_closure_and_completed_from_the_head() {
    let errors = StatusInRangeAsFailures::new_for_client_and_server_errors();
    let mapped = TowerHttp::new(errors.into_make_classifier()).outcome_with(|class| {
        let StatusInRangeFailureClass::StatusCode(code) = class else { return Outcome::failure() };
        match code.as_u16() {
            429 => Outcome::throttled(),
            404 => Outcome::success(),
            409 => Outcome::ignored(),
            402 => Outcome::exhausted().code(7).retry_after(S),
            _ => Outcome::failure().reason("ours").weight(3),
        }
    });
    let wait = [("retry-after", "7")];
    let limited = Outcome::throttled().code(429).reason("Too Many Requests").retry_after(7 * S);
    assert_eq!(head(&mapped, 429, &wait), Some(limited));
    assert_eq!(head(&mapped, 409, &wait), Some(Outcome::ignored()));
    assert_eq!(head(&mapped, 402, &wait), Some(Outcome::exhausted().code(7).retry_after(S)));
    let ours = Outcome::failure().weight(3).code(500).reason("ours").retry_after(7 * S);
    assert_eq!(head(&mapped, 500, &wait), Some(ours));
    assert_eq!(head(&mapped, 404, &wait), None);
    for (steps, expected) in
        [(vec![Content], "success"), (vec![Content, Breaks], "failure: body broke")]
    {
        assert_eq!(call(&mapped, get(), answer(404, &[], script(steps)), 9), expected);
    }
}

#[test]
fn a_grpc_status_in_the_head_is_the_code() {
    let pushback = [("grpc-status", "14"), ("grpc-retry-pushback-ms", "1500")];
    let expected = Outcome::failure().code(14).reason("UNAVAILABLE").retry_after(S * 3 / 2);
    assert_eq!(head(&grpc(), 200, &pushback), Some(expected));
    let unknown = Outcome::failure().code(99).reason("grpc-status is unknown");
    assert_eq!(head(&grpc(), 200, &[("grpc-status", "99")]), Some(unknown));
    for known in ["0", "5", "banana"] {
        assert_eq!(head(&grpc(), 200, &[("grpc-status", known)]), None);
    }
    let both = Outcome::failure().code(503).reason("Service Unavailable");
    assert_eq!(head(&grpc(), 503, &[("grpc-status", "14")]), Some(both));
}

#[test]
fn trailers_decide_whatever_the_pieces_of_the_data() {
    for (steps, expected) in [
        (vec![Content, Trailers(&[("grpc-status", "0")])], "success"),
        (vec![Content, Trailers(&[("grpc-status", "5")])], "success"),
        (vec![Content, Trailers(&[("grpc-status", "14")])], "failure: UNAVAILABLE (14)"),
        (vec![Trailers(&[("grpc-status", "13")])], "failure: INTERNAL (13)"),
        // For tower-http, a response without a `grpc-status` is a success.
        (vec![Content], "success"),
        (vec![Content, Trailers(&[])], "success"),
    ] {
        assert_eq!(call(&grpc(), get(), answer(200, &[], script(steps)), 9), expected);
    }
    let throttled = grpc().outcome_with(|class| match class {
        GrpcFailureClass::Status(status) if status.code() == Some(GrpcCode::ResourceExhausted) => {
            Outcome::throttled()
        }
        _ => Outcome::failure(),
    });
    let steps = [Content, Trailers(&[("grpc-status", "8")])];
    let ended = call(&throttled, get(), answer(200, &[], script(steps)), 9);
    assert_eq!(ended, "throttled: RESOURCE_EXHAUSTED (8)");
}

#[test]
fn a_wait_is_read_from_the_trailers() {
    let mut eos =
        Eos::new(Signed { required: true }, StatusCode::OK, |_: &&str| Outcome::failure());
    let trailers = map(&[("grpc-status", "14"), ("grpc-retry-pushback-ms", "1500")]);
    let expected = Outcome::failure().code(14).reason("UNAVAILABLE").retry_after(S * 3 / 2);
    assert_eq!(ClassifyBody::trailers(&mut eos, &trailers), expected);
}

#[test]
fn a_body_that_breaks_is_a_failure_and_one_that_is_dropped_is_not() {
    for (steps, polls, expected) in [
        (vec![Content, Breaks], 9, "failure: body broke"),
        (vec![Breaks], 9, "failure: body broke"),
        (vec![Content, Content], 1, "success"),
        (vec![Content, Content], 0, "cancelled"),
    ] {
        let body = || script(steps.clone());
        assert_eq!(call(&servers(), get(), answer(200, &[], body()), polls), expected);
        assert_eq!(call(&grpc(), get(), answer(200, &[], body()), polls), expected);
    }
    let failed = answer(500, &[], script([Content, Breaks]));
    assert_eq!(call(&servers(), get(), failed, 9), "failure: Internal Server Error (500)");
}

#[test]
fn a_classifier_is_made_from_the_request() {
    let classify = TowerHttp::new(SignedIfAsked);
    let unsigned = || answer(200, &[], script([Content]));
    let signed = || answer(200, &[], script([Content, Trailers(&[("signed", "by me")])]));
    assert_eq!(call(&classify, get(), unsigned(), 9), "success");
    assert_eq!(call(&classify, signing(Method::GET), unsigned(), 9), "failure: failure (200)");
    assert_eq!(call(&classify, signing(Method::GET), signed(), 9), "success");
    let named = classify.outcome_with(|class| Outcome::failure().reason(class));
    assert_eq!(call(&named, signing(Method::GET), unsigned(), 9), "failure: unsigned (200)");
    let broken = answer(200, &[], script([Content, Breaks]));
    assert_eq!(call(&named, signing(Method::GET), broken, 9), "failure: body broke");
}

#[test]
fn a_response_without_a_body_ends_with_its_head() {
    let classify = TowerHttp::new(SignedIfAsked);
    let long = |status| answer(status, &[], script([Content, Trailers(&[("signed", "by me")])]));
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304)] {
        let ended = call(&classify, signing(method.clone()), long(status), 0);
        assert_eq!(ended, format!("failure: failure ({status})"));
        let request = Request::builder().method(method).body(()).unwrap();
        assert_eq!(call(&servers(), request, long(status), 0), "success");
    }
    let empty = || answer(200, &[], Empty::<&[u8]>::new());
    assert_eq!(call(&classify, signing(Method::GET), empty(), 0), "failure: failure (200)");
    assert_eq!(call(&servers(), get(), empty(), 0), "success");
}

#[test]
fn a_call_can_be_settled_before_the_end() {
    let classify = |at| TowerHttp::new(SignedIfAsked).settle_at(at);
    for (at, polls, expected) in [
        (SettleAt::Head, 0, "success"),
        (SettleAt::FirstContent, 0, "cancelled"),
        (SettleAt::FirstContent, 1, "success"),
        (SettleAt::End, 1, "success"),
        (SettleAt::End, 2, "failure: failure (200)"),
    ] {
        let unsigned = answer(200, &[], script([Content]));
        let ended = call(&classify(at), signing(Method::GET), unsigned, polls);
        assert_eq!(ended, expected, "{at:?}, {polls} polls");
    }
    let nothing = answer(200, &[], script([]));
    let ended = call(&classify(SettleAt::FirstContent), signing(Method::GET), nothing, 1);
    assert_eq!(ended, "failure: failure (200)");
    let failed = answer(500, &[], script([]));
    let ended = call(&servers().settle_at(SettleAt::Head), get(), failed, 0);
    assert_eq!(ended, "failure: Internal Server Error (500)");
}

#[test]
fn a_call_whose_classifier_panics_is_ignored() {
    let handle = BreakerHandle::new("shop", Settings::default());
    let response = answer(200, &[], script([Trailers(&[("signed", "forged")])]));
    let mut body =
        classified(&TowerHttp::new(SignedIfAsked), signing(Method::GET), response, &handle);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let mut cx = Context::from_waker(Waker::noop());
        let _frame = Pin::new(&mut body).poll_frame(&mut cx);
    }));
    assert!(unwound.is_err());
    drop(body);
    assert_eq!(ended(&handle), "ignored");
}
