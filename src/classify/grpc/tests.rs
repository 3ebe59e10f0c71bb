use std::time::Duration;

use super::*;

fn classify(grpc: &Grpc, http: u16, headers: &[(&str, &str)]) -> Outcome {
    let mut response = Response::builder().status(http);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    grpc.outcome(Ok::<_, &()>(&response.body(()).unwrap()))
}

fn class(grpc: &Grpc, status: &str) -> Class {
    classify(grpc, 200, &[("grpc-status", status)]).class()
}

#[test]
fn every_code_has_its_class() {
    for code in 0..=16_u16 {
        let (server, client) = match code {
            1 => (Class::Ignored, Class::Ignored),
            8 => (Class::Ignored, Class::Throttled),
            2 | 4 | 13 | 14 | 15 => (Class::Failure, Class::Failure),
            _ => (Class::Success, Class::Success),
        };
        assert_eq!(class(&Grpc::server(), &code.to_string()), server, "{code}");
        assert_eq!(class(&Grpc::client(), &code.to_string()), client, "{code}");
    }
}

#[test]
fn a_status_that_is_not_a_known_code_is_a_failure() {
    for bad in [
        "",
        "banana",
        "-1",
        "+0",
        "1.0",
        "0 0",
        "17",
        "99",
        "65536",
        "65550",
        "99999999999999999999",
    ] {
        assert_eq!(class(&Grpc::client(), bad), Class::Failure, "{bad}");
    }
    assert_eq!(class(&Grpc::client(), "014"), Class::Failure);
    assert_eq!(class(&Grpc::client(), "00"), Class::Success);
}

#[test]
fn a_head_without_a_status_is_a_success() {
    assert_eq!(classify(&Grpc::client(), 200, &[]).class(), Class::Success);
}

#[test]
fn the_http_status_is_classified_first() {
    let client = Grpc::client();
    let page = classify(&client, 503, &[("grpc-status", "0"), ("retry-after", "2")]);
    assert_eq!(page.class(), Class::Failure);
    assert_eq!(page.wait(), Some(Duration::from_secs(2)));
    assert_eq!(page.last_error().unwrap().code, Some(503));
    assert_eq!(classify(&client, 429, &[]).class(), Class::Throttled);
    assert_eq!(classify(&Grpc::server(), 429, &[]).class(), Class::Ignored);
    assert_eq!(classify(&client, 404, &[]).class(), Class::Success);
    assert_eq!(classify(&client, 501, &[]).class(), Class::Success);
    assert_eq!(classify(&client, 400, &[("grpc-status", "13")]).class(), Class::Failure);
}

#[test]
fn pushback_is_the_wait_of_a_failure_and_of_a_throttled_call() {
    let pushback = ("grpc-retry-pushback-ms", "1500");
    for code in ["14", "8"] {
        let outcome = classify(&Grpc::client(), 200, &[("grpc-status", code), pushback]);
        assert_eq!(outcome.wait(), Some(Duration::from_millis(1500)), "{code}");
    }
    let server = classify(&Grpc::server(), 200, &[("grpc-status", "8"), pushback]);
    assert_eq!(server.wait(), None);
}

/// A status with a `RetryInfo` of 1.5 s
#[cfg(feature = "grpc")]
const DETAILS: (&str, &str) = (
    "grpc-status-details-bin",
    "CA4SBGJ1c3kaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAyrXuAQ",
);

#[test]
#[cfg(feature = "grpc")]
fn retry_info_is_the_wait_of_a_failure_and_of_a_throttled_call() {
    for code in ["14", "8"] {
        let outcome = classify(&Grpc::client(), 200, &[("grpc-status", code), DETAILS]);
        assert_eq!(outcome.wait(), Some(Duration::from_millis(1500)), "{code}");
    }
    for code in ["0", "1", "5"] {
        let outcome = classify(&Grpc::client(), 200, &[("grpc-status", code), DETAILS]);
        assert_eq!(outcome.wait(), None, "{code}");
    }
}

#[test]
#[cfg(feature = "grpc")]
fn pushback_wins_over_retry_info_unless_it_names_no_time() {
    let wait = |pushback| {
        let headers = [("grpc-status", "14"), ("grpc-retry-pushback-ms", pushback), DETAILS];
        classify(&Grpc::client(), 200, &headers).wait()
    };
    assert_eq!(wait("700"), Some(Duration::from_millis(700)));
    assert_eq!(wait("0"), Some(Duration::ZERO));
    assert_eq!(wait("-1"), Some(Duration::from_millis(1500)));
}

#[test]
fn a_bad_outcome_names_its_code() {
    let error = classify(&Grpc::client(), 200, &[("grpc-status", "14")]).last_error().unwrap();
    assert_eq!(error.to_string(), "UNAVAILABLE (14)");
}

#[test]
fn a_downstream_rejection_is_ignored_with_its_wait() {
    let headers =
        [("grpc-status", "14"), ("grpc-retry-pushback-ms", "700"), ("x-circuit-open", "db")];
    for grpc in [Grpc::server(), Grpc::client()] {
        let outcome = classify(&grpc, 200, &headers);
        assert_eq!(outcome.class(), Class::Ignored);
        assert_eq!(outcome.wait(), Some(Duration::from_millis(700)));
    }
}

#[test]
fn an_error_is_a_failure() {
    assert_eq!(Grpc::server().outcome::<(), _>(Err(&())).class(), Class::Failure);
    assert_eq!(Grpc::client().outcome::<(), _>(Err(&())).class(), Class::Failure);
}

#[test]
fn setters_override_the_class_of_codes() {
    let grpc = Grpc::client()
        .failure_on([5])
        .success_on([2])
        .throttled_on([14])
        .exhausted_on([8])
        .ignored_on([4]);
    assert_eq!(class(&grpc, "5"), Class::Failure);
    assert_eq!(class(&grpc, "2"), Class::Success);
    assert_eq!(class(&grpc, "14"), Class::Throttled);
    assert_eq!(class(&grpc, "8"), Class::Exhausted);
    assert_eq!(class(&grpc, "4"), Class::Ignored);
    assert_eq!(class(&Grpc::client().success_on([99]), "99"), Class::Failure);
}

#[test]
fn a_failure_has_the_weight_of_its_code() {
    let grpc = Grpc::client().weight_on([14, 8], 3).weight_on([17], 9);
    let weight = |status| classify(&grpc, 200, &[("grpc-status", status)]).failure_weight();
    assert_eq!((weight("14"), weight("13"), weight("17")), (3, 1, 1));
    assert_eq!(class(&grpc, "8"), Class::Throttled, "a weight changes no class");
}
