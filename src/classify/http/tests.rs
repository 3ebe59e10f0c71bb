use std::time::Duration;

use http::Method;

use super::*;

fn classify(http: &Http, status: u16, headers: &[(&str, &str)]) -> Outcome {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    http.outcome(Ok::<_, &()>(&response.body(()).unwrap()))
}

fn class(http: &Http, status: u16) -> Class {
    classify(http, status, &[]).class()
}

#[test]
#[cfg_attr(miri, ignore = "a long table without threads or unsafe code")]
fn every_status_has_its_class() {
    for status in 100..=999 {
        let (server, client) = match status {
            429 => (Class::Ignored, Class::Throttled),
            501 | 505 => (Class::Success, Class::Success),
            500..=599 => (Class::Failure, Class::Failure),
            _ => (Class::Success, Class::Success),
        };
        assert_eq!(class(&Http::server(), status), server, "{status}");
        assert_eq!(class(&Http::client(), status), client, "{status}");
    }
}

#[test]
fn an_error_is_a_failure() {
    assert_eq!(Http::server().outcome::<(), _>(Err(&())).class(), Class::Failure);
    assert_eq!(Http::client().outcome::<(), _>(Err(&())).class(), Class::Failure);
}

#[test]
fn a_failure_carries_the_wait_of_the_response() {
    for http in [Http::server(), Http::client()] {
        let with_wait = classify(&http, 503, &[("retry-after", "7")]);
        assert_eq!(
            (with_wait.class(), with_wait.wait()),
            (Class::Failure, Some(Duration::from_secs(7)))
        );
        let without = classify(&http, 503, &[]);
        assert_eq!((without.class(), without.wait()), (Class::Failure, None));
    }
}

#[test]
fn a_rate_limit_has_a_wait_for_clients_and_none_for_servers() {
    let limit = [("retry-after", "7")];
    assert_eq!(classify(&Http::client(), 429, &limit).wait(), Some(Duration::from_secs(7)));
    assert_eq!(classify(&Http::server(), 429, &limit).wait(), None);
}

#[test]
fn a_success_has_no_wait() {
    assert_eq!(classify(&Http::client(), 202, &[("retry-after", "7")]), Outcome::success());
}

#[test]
fn a_downstream_rejection_is_ignored_with_its_wait() {
    let headers = [("x-circuit-open", "db"), ("retry-after", "7")];
    for http in [Http::server(), Http::client(), Http::client().failure_on([503])] {
        for status in [200, 429, 503] {
            let outcome = classify(&http, status, &headers);
            assert_eq!(outcome.class(), Class::Ignored, "{status}");
            assert_eq!(outcome.wait(), Some(Duration::from_secs(7)), "{status}");
        }
    }
}

#[test]
fn a_bad_outcome_names_its_status() {
    let text = |status| class_text(&classify(&Http::client(), status, &[]));
    assert_eq!(text(502), "Bad Gateway (502)");
    assert_eq!(text(429), "Too Many Requests (429)");
    assert_eq!(text(599), "status (599)");
}

fn class_text(outcome: &Outcome) -> String {
    outcome.last_error().unwrap().to_string()
}

#[test]
fn setters_override_the_class_of_codes() {
    let http = Http::server()
        .failure_on([408, 501])
        .success_on(500..=502)
        .throttled_on([429, 503])
        .exhausted_on(vec![402])
        .ignored_on([404]);
    assert_eq!(class(&http, 408), Class::Failure);
    assert_eq!(class(&http, 500), Class::Success);
    assert_eq!(class(&http, 501), Class::Success, "the last setter wins");
    assert_eq!(class(&http, 429), Class::Throttled);
    assert_eq!(class(&http, 503), Class::Throttled);
    assert_eq!(class(&http, 402), Class::Exhausted);
    assert_eq!(class(&http, 404), Class::Ignored);
    assert_eq!(class(&http, 504), Class::Failure, "the other codes keep their class");
}

#[test]
fn an_overridden_code_keeps_its_wait_if_its_class_has_one() {
    let http = Http::client().failure_on([404]).exhausted_on([402]).ignored_on([503]);
    let wait = |status| classify(&http, status, &[("retry-after", "7")]).wait();
    assert_eq!(wait(404), Some(Duration::from_secs(7)));
    assert_eq!(wait(402), Some(Duration::from_secs(7)));
    assert_eq!(wait(503), None);
}

#[test]
fn a_failure_has_the_weight_of_its_code() {
    let http = Http::client().weight_on([503, 504, 429], 3).failure_on([404]).weight_on([404], 0);
    let weight = |status| classify(&http, status, &[("retry-after", "7")]).failure_weight();
    assert_eq!((weight(504), weight(500), weight(404)), (3, 1, 1));
    let with_wait = classify(&http, 503, &[("retry-after", "7")]);
    assert_eq!(
        (with_wait.class(), with_wait.wait()),
        (Class::Failure, Some(Duration::from_secs(7)))
    );
    assert_eq!(class(&http, 429), Class::Throttled, "a weight changes no class");
    let heavy = Http::client().weight_on([500], 200);
    assert_eq!(classify(&heavy, 500, &[]).failure_weight(), 100);
}

#[test]
fn only_head_is_a_head_request() {
    for (method, head) in [(Method::HEAD, true), (Method::GET, false), (Method::POST, false)] {
        let request = Request::builder().method(method).body(()).unwrap();
        let is_head = Classify::<_, Response<String>, ()>::request(&Http::client(), &request);
        assert_eq!(is_head, head);
    }
}
