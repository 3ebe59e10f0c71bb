//! The classes of heads, compared with the tables of the manual.

use http::{Request, Response};
use tower_breaker::{
    BreakerHandle, Class, Outcome, Provider, Settings, classify::Classify, handle::Totals,
};
use tower_breaker::{
    classify::{Classified, Grpc, Http, retry_after},
    llm::Llm,
};

use crate::head::response;
use crate::input::Input;

const PROVIDERS: [Provider; 4] =
    [Provider::OpenAi, Provider::Anthropic, Provider::Bedrock, Provider::Generic];

pub(crate) fn http(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let (server, provider) =
        (input.byte().is_multiple_of(2), PROVIDERS[usize::from(input.byte()) % 4]);
    let overridden = match input.byte() % 2 {
        0 => None,
        _ => Some((u16::from(input.byte()) * 4, input.byte() % 5)),
    };
    let response = response(&mut input);
    let status = response.status().as_u16();
    let rejected = response.headers().contains_key("x-circuit-open");

    let classifier = if server { Http::server() } else { Http::client() };
    let limited = if server { Class::Ignored } else { Class::Throttled };
    let (classifier, class) = match overridden {
        Some((code, to)) => {
            let (classifier, class) = match to {
                0 => (classifier.failure_on([code]), Class::Failure),
                1 => (classifier.success_on([code]), Class::Success),
                2 => (classifier.throttled_on([code]), Class::Throttled),
                3 => (classifier.exhausted_on([code]), Class::Exhausted),
                _ => (classifier.ignored_on([code]), Class::Ignored),
            };
            (classifier, if code == status { class } else { by_status(status, limited) })
        }
        None => (classifier, by_status(status, limited)),
    };
    let outcome = classifier.outcome(Ok::<_, &()>(&response));
    assert_eq!(outcome.class(), if rejected { Class::Ignored } else { class }, "{response:?}");
    check_wait(&outcome, &response, rejected);
    check_totals(&classifier, outcome.class(), &response);

    let classifier = Llm::new(provider);
    let class = match status {
        402 => Class::Exhausted,
        408 => Class::Failure,
        409 | 425 => Class::Ignored,
        // Bedrock's `ModelErrorException`.
        424 if provider == Provider::Bedrock => Class::Failure,
        _ => by_status(status, Class::Throttled),
    };
    let outcome = classifier.outcome(Ok::<_, &()>(&response));
    assert_eq!(outcome.class(), if rejected { Class::Ignored } else { class }, "{response:?}");
    check_wait(&outcome, &response, rejected);
    check_totals(&classifier, outcome.class(), &response);
    outcome.class() != Class::Success
}

pub(crate) fn grpc(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let server = input.byte().is_multiple_of(2);
    let response = response(&mut input);
    let rejected = response.headers().contains_key("x-circuit-open");
    let classifier = if server { Grpc::server() } else { Grpc::client() };
    let limited = if server { Class::Ignored } else { Class::Throttled };

    let by_head = by_status(response.status().as_u16(), limited);
    let kind = response.headers().get("content-type").map(|kind| kind.as_bytes());
    let is_grpc = kind.map(|kind| {
        let rest = kind.strip_prefix(b"application/grpc");
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b'-')))
    });
    let in_trailers = response.status() == 200 && !response.headers().contains_key("grpc-status");
    let page = in_trailers && !server && is_grpc == Some(false);
    let class = match response.headers().get("grpc-status") {
        _ if rejected => Class::Ignored,
        _ if by_head != Class::Success => by_head,
        None if page => Class::Failure,
        None => Class::Success,
        Some(code) => by_code(code.as_bytes(), limited),
    };
    let outcome = classifier.outcome(Ok::<_, &()>(&response));
    assert_eq!(outcome.class(), class, "{response:?}");
    check_wait(&outcome, &response, rejected);
    // The body has no trailers. That is a failure, except for responses that are not expected to have any: gRPC-Web,
    // and responses of a server that are not gRPC.
    let web = kind.is_some_and(|kind| kind.starts_with(b"application/grpc-"));
    let plain = web || server && is_grpc != Some(true);
    let ended = in_trailers && class == Class::Success && !rejected;
    check_totals(&classifier, if ended && !plain { Class::Failure } else { class }, &response);
    response.headers().contains_key("grpc-status")
}

fn by_status(status: u16, limited: Class) -> Class {
    match status {
        429 => limited,
        501 | 505 => Class::Success,
        500..=599 => Class::Failure,
        _ => Class::Success,
    }
}

pub(crate) fn by_code(code: &[u8], limited: Class) -> Class {
    let text = std::str::from_utf8(code).unwrap_or("not ASCII");
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.trim_start_matches('0') {
        _ if !digits => Class::Failure,
        "" | "3" | "5" | "6" | "7" | "9" | "10" | "11" | "12" | "16" => Class::Success,
        "1" => Class::Ignored,
        "8" => limited,
        _ => Class::Failure,
    }
}

/// Checks that bad outcomes and rejections carry the wait of the head.
fn check_wait(outcome: &Outcome, response: &Response<String>, rejected: bool) {
    if let (Some(wait), Some(read)) = (outcome.wait(), retry_after(response.headers())) {
        assert!(wait.abs_diff(read).as_secs() < 60, "{response:?}: {wait:?}, {read:?}");
    } else if rejected {
        assert_eq!(outcome.wait(), retry_after(response.headers()), "{response:?}");
    } else if outcome.class() == Class::Success {
        assert_eq!(outcome.wait(), None, "{response:?}");
    }
    if let Some(error) = outcome.last_error() {
        assert!(!error.to_string().is_empty());
    }
}

/// Checks that the call is counted once, in the given class.
fn check_totals<C>(classifier: &C, class: Class, response: &Response<String>)
where
    C: Classify<Request<()>, Response<String>, ()>,
{
    let handle = BreakerHandle::new("fuzzed", Settings::default());
    let permit = handle.try_acquire().expect("a closed circuit");
    let info = classifier.request(&Request::new(()));
    assert!(matches!(
        classifier.result(info, Ok(response.clone()), permit),
        Classified::Ready(Ok(_))
    ));
    let totals = handle.snapshot().totals;
    let Totals { success, failure, throttled, exhausted, ignored, .. } = totals;
    let counted = match class {
        Class::Success => success,
        Class::Failure => failure,
        Class::Throttled => throttled,
        Class::Exhausted => exhausted,
        _ => ignored,
    };
    assert_eq!((counted, totals.settled()), (1, 1), "{response:?}: {totals:?}");
}
