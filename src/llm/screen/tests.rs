use serde_json::json;

use super::*;

fn is_error(json: &str) -> bool {
    let screened = may_report_error(json.as_bytes());
    let reported = reports_error(&serde_json::from_str(json).unwrap());
    assert!(screened || !reported, "the search skips an error: {json}");
    screened && reported
}

#[test]
fn every_word_reports_an_error_in_every_place() {
    let words = profiles().flat_map(|profile| profile.failed_finish_reasons).copied();
    for word in words.chain(["error"]) {
        for event in [
            json!({ "finish_reason": word }),
            json!({ "delta": { "finish_reason": word } }),
            json!({ "choices": [{ "finish_reason": null }, { "finish_reason": word }] }),
            json!([{ "finish_reason": word }]),
        ] {
            assert!(is_error(&event.to_string()), "{event}");
        }
        assert!(!is_error(&json!({ "content": word }).to_string()), "{word}");
    }
    for kind in profiles().flat_map(|profile| profile.failed_types).copied().chain(["error"]) {
        assert!(is_error(&json!({ "type": kind }).to_string()), "{kind}");
    }
    for parent in profiles().flat_map(|profile| profile.error_parents).copied().chain(["response"])
    {
        assert!(is_error(&json!({ parent: { "error": "x" } }).to_string()), "{parent}");
        assert!(!is_error(&json!({ parent: { "error": null } }).to_string()), "{parent}");
    }
}

#[test]
fn a_usual_finish_reason_reports_no_error() {
    for reason in ["stop", "length", "tool_calls", "content_filter", "COMPLETE", "MAX_TOKENS", ""] {
        let event = json!({ "choices": [{ "finish_reason": reason }], "error": null });
        assert!(!is_error(&event.to_string()), "{event}");
    }
}

#[test]
fn an_ending_is_a_success_unless_it_says_otherwise() {
    let failure = Outcome::failure().reason("ended with an error");
    for (data, outcome) in [
        (r#"{"response":{"status":"failed"}}"#, failure),
        (r#"{"interaction":{"status":"failed"}}"#, failure),
        (r#"{"delta":{"finish_reason":"ERROR"}}"#, failure),
        (r#"{"finish_reason":"TIMEOUT"}"#, failure),
        (r#"{"interaction":{"status":"cancelled"}}"#, Outcome::ignored()),
        (r#"{"finish_reason":"USER_CANCEL"}"#, Outcome::ignored()),
        (r#"{"finish_reason":"COMPLETE"}"#, Outcome::success()),
        (r#"{"status":"failed"}"#, Outcome::success()),
        ("{}", Outcome::success()),
        ("{", Outcome::success()),
    ] {
        assert_eq!(ending(data.as_bytes()), outcome, "{data}");
    }
}
