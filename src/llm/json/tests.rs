use proptest::prelude::*;

use super::super::framing::support::{cases, noise, pieces, sizes};
use super::*;
use crate::Class;

/// Whether there was content, and the outcome at the end.
fn classify_pieces(pieces: &[&[u8]]) -> (bool, Outcome) {
    let mut classifier = JsonClassifier::new(Provider::OpenRouter);
    let mut content = false;
    for piece in pieces {
        content |= classifier.data(piece) == BodyProgress::Content;
    }
    (content, classifier.end())
}

fn classify(body: &str) -> (bool, Outcome) {
    let whole = classify_pieces(&[body.as_bytes()]);
    assert_eq!(classify_pieces(&pieces(body.as_bytes(), &[1])), whole, "byte by byte");
    whole
}

/// Whether there was content, and the class of the error that was found.
fn error((content, outcome): (bool, Outcome)) -> (bool, Class) {
    assert_ne!(outcome.why(), Some("body ended early"));
    (content, outcome.class())
}

#[test]
fn a_body_without_an_error_is_content_and_a_success() {
    for body in [
        r#"{"id":"1","choices":[]}"#,
        r#"{"id":"1","error":null}"#,
        r#"{"errors":1}"#,
        r#"{"erro":1}"#,
        r#"{"":1}"#,
        "{}",
        "[]",
        "[[1]]",
        "[1, 2]",
        "7",
        "\"text\"",
        "null",
        " \r\n\t{\"a\":1}\n",
        "\n\n[ {\"a\":{\"error\":1}} , {\"b\":2} ] ",
    ] {
        assert_eq!(classify(body), (true, Outcome::success()), "{body}");
    }
}

#[test]
fn an_error_in_the_first_place_is_no_content() {
    for (body, class) in [
        (r#"{"error":{"code":502,"message":"m"}}"#, Class::Failure),
        ("   \n {  \"error\" : \"m\" }", Class::Failure),
        (r#"{"error":{"code":429},"user_id":"u"}"#, Class::Throttled),
        (r#"[{"error":{"code":503,"status":"UNAVAILABLE"}}]"#, Class::Failure),
    ] {
        assert_eq!(error(classify(body)), (false, class), "{body}");
    }
    assert_eq!(classify(r#"{"error":null,"id":1}"#), (false, Outcome::success()));
}

#[test]
fn an_error_in_another_place_is_found_at_the_end() {
    for body in [
        r#"{"id":"1","error":{"code":502}}"#,
        r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
        r#"[{"candidates":[]} , {"error":{"code":503}},{"candidates":[]}]"#,
        "{\"response\":\"a\"}\n{\"error\":\"m\"}\n",
    ] {
        assert_eq!(error(classify(body)), (true, Class::Failure), "{body}");
    }
}

#[test]
fn whitespace_is_no_content() {
    let mut json = JsonClassifier::new(Provider::OpenRouter);
    assert_eq!(json.data(b"\n   \r\n"), BodyProgress::Pending);
    assert_eq!(json.data(b" "), BodyProgress::Pending);
    assert_eq!(json.data(b"\n{"), BodyProgress::Pending);
    assert_eq!(json.data(b" \"e"), BodyProgress::Pending);
    assert_eq!(json.data(b"x"), BodyProgress::Content);
}

#[test]
fn whitespace_before_the_value_does_not_count_towards_the_bound() {
    let body = format!("{}{}", " ".repeat(2 * BOUND), r#"{"id":1,"error":"m"}"#);
    let outcome = classify_pieces(&pieces(body.as_bytes(), &[1000]));
    assert_eq!(error(outcome), (true, Class::Failure));
}

#[test]
fn an_incomplete_body_ended_early() {
    let early = Outcome::failure().reason("body ended early");
    for body in [
        "",
        " \n",
        "{",
        r#"{"id"#,
        r#"{"id":1"#,
        r#"[{"id":1},"#,
        "\"te",
        "tru",
        "{\"a\":1}\n{\"b\"",
    ] {
        assert_eq!(classify(body).1, early, "{body}");
    }
}

#[test]
fn a_body_that_is_no_json_is_a_failure() {
    for body in ["<html>Bad Gateway</html>", "OK", "{\"a\":1}}x", "{]"] {
        assert_eq!(classify(body).1, Outcome::failure().reason("body is not JSON"), "{body}");
    }
}

#[test]
fn numbers_that_are_not_json_are_accepted() {
    for body in [r#"{"logprob":-Infinity}"#, "[NaN]\n"] {
        assert_eq!(classify(body), (true, Outcome::success()), "{body}");
    }
}

#[test]
fn any_depth_is_read() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(classify(&deep), (true, Outcome::success()));
    assert_eq!(classify(&deep[..40_000]).1, Outcome::failure().reason("body ended early"));
}

#[test]
fn a_body_beyond_the_bound_is_a_success_at_its_end() {
    let body = |len: usize| format!(r#"{{"id":1,"error":"{}"}}"#, "x".repeat(len - 19));
    assert_eq!(body(BOUND).len(), BOUND);
    assert_eq!(error(classify_pieces(&[body(BOUND).as_bytes()])), (true, Class::Failure));
    assert_eq!(classify_pieces(&[body(BOUND + 1).as_bytes()]), (true, Outcome::success()));
    assert_eq!(
        classify_pieces(&[&body(BOUND + 9).as_bytes()[..BOUND + 1]]),
        (true, Outcome::success())
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn nothing_panics_or_takes_more_than_the_bound(body in noise(), sizes in sizes()) {
        let mut json = JsonClassifier::new(Provider::OpenAi);
        let mut seen = false;
        for piece in pieces(&body, &sizes) {
            seen |= json.data(piece) == BodyProgress::Content;
            prop_assert!(json.body.bytes.capacity() <= BOUND);
        }
        prop_assert_eq!((seen, json.end()), classify_pieces(&[&body]));
    }
}
