use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::llm::framing::support;
use crate::llm::wait;

fn read(body: &str) -> ErrorBody {
    ErrorBody::of_response(body.as_bytes())
}

fn event(json: &str) -> Option<ErrorBody> {
    ErrorBody::of_event(json.as_bytes())
}

#[test]
fn the_shape_of_openai_is_read() {
    let error = read(
        r#"{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"credit_balance_exhausted"}}"#,
    );
    assert_eq!(error.codes, ["credit_balance_exhausted"]);
    assert_eq!(error.types, ["insufficient_quota"]);
    assert_eq!(error.message, "m");
    assert_eq!(error.status, None);
}

#[test]
fn the_shape_of_anthropic_is_read() {
    let error = read(
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}},"request_id":"req_1"}"#,
    );
    assert_eq!(error.codes, ["enforced_spend_limit_reached"]);
    assert_eq!(error.types, ["rate_limit_error", "error"]);
}

#[test]
fn the_shape_of_google_is_read_in_an_array_as_well() {
    let object = r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"A"},{"quotaId":"B"},{}]},
        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}, 7]}}"#;
    for body in [object.to_owned(), format!("[{object}]"), format!("[{object}\n,\n{{}}]")] {
        let error = read(&body);
        assert_eq!(error.status, Some(429));
        assert_eq!(error.codes, ["RATE_LIMIT_EXCEEDED"]);
        assert_eq!(error.types, ["RESOURCE_EXHAUSTED"]);
        assert_eq!(error.quotas, ["A", "B"]);
        assert_eq!(error.delay, Some(Duration::from_secs(48)));
    }
}

#[test]
fn the_shape_of_openrouter_is_read() {
    let error = read(
        r#"{"error":{"code":429,"message":"m","metadata":{"error_type":"x","limit_source":"y","headers":{"X-RateLimit-Reset":"1741305600000"},"retry_after_seconds":2.5}},"user_id":"u"}"#,
    );
    assert_eq!(error.status, Some(429));
    assert_eq!(error.codes, ["x", "y"]);
    assert_eq!(error.delay, Some(Duration::from_millis(2_500)));
    assert_eq!(error.reset, wait::epoch_ms(1_741_305_600_000));
}

#[test]
fn the_shapes_of_aws_are_read() {
    let error = read(r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"m"}"#);
    assert_eq!(error.types, ["ThrottlingException"]);
    assert_eq!(error.message, "m");
    let header = Some("ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/");
    assert_eq!(read("").with_exception(header).types, ["ThrottlingException"]);
    let error = ErrorBody::of_exception("aws#modelTimeoutException", br#"{"message":"m"}"#);
    assert_eq!(error.types, ["modelTimeoutException"]);
    assert_eq!(error.message, "m");
    assert_eq!(ErrorBody::of_exception("x", b"plain").message, "plain");
}

#[test]
fn the_shapes_without_an_inner_object_are_read() {
    let error = read(r#"{"error":"Model is overloaded","error_type":"overloaded"}"#);
    assert_eq!(
        (error.message.as_str(), &*error.types),
        ("Model is overloaded", &["overloaded".into()][..])
    );
    assert_eq!(read(r#"{"error":"server busy"}"#).message, "server busy");
    assert_eq!(read(r#"{"message":"too many tokens"}"#).message, "too many tokens");
    assert_eq!(read(r#"{"detail":"Unauthorized"}"#).message, "Unauthorized");
    assert_eq!(
        read(r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#).message,
        "field required"
    );
    assert_eq!(read(r#""just text""#).message, "just text");
    let error = read(r#"{"statusCode":429,"message":"Rate limit is exceeded."}"#);
    assert_eq!((error.status, error.message.as_str()), (Some(429), "Rate limit is exceeded."));
    let error = read(r#"{"object":"error","message":"m","type":"rate_limited","code":"1300"}"#);
    assert_eq!((error.status, &*error.codes), (None, &["1300".into()][..]));
}

#[test]
fn a_code_may_be_a_number_or_a_string() {
    assert_eq!(read(r#"{"error":{"code":502}}"#).status, Some(502));
    assert_eq!(read(r#"{"error":{"code":"429"}}"#).status, Some(429));
    for none in ["200", "-1", "1e3", "99999999999999999999", "true", "null", "[]", "{}", "\"4290\""]
    {
        assert_eq!(read(&format!(r#"{{"error":{{"code":{none}}}}}"#)).status, None, "{none}");
    }
}

#[test]
fn without_json_only_plain_text_is_read() {
    assert_eq!(read("  too many requests\n").message, "too many requests");
    for body in ["", "<html>busy</html>", " {\"error\":\"cut", "[{\"error\"", &"x".repeat(5_000)] {
        assert_eq!(read(body).message, "", "{body}");
    }
    assert_eq!(ErrorBody::of_response(b"\xff\xfe busy").message, "");
    assert_eq!(read(&"[".repeat(60_000)).message, "");
    assert_eq!(read(&format!("{}1{}", "{\"error\":".repeat(200), "}".repeat(200))).message, "");
}

#[test]
fn content_is_no_error() {
    for json in [
        r#"{"id":"1","choices":[{"delta":{"content":"an error"},"finish_reason":null}]}"#,
        r#"{"type":"response.completed","response":{"error":null,"status":"completed"}}"#,
        r#"{"type":"response.incomplete","response":{"error":null,"incomplete_details":{"reason":"max_output_tokens"}}}"#,
        r#"{"choices":[{"finish_reason":"stop","delta":{"content":"\"error\""}}]}"#,
        r#"{"error":null}"#,
        r#"{"error":""}"#,
        r#"{"error":{}}"#,
        r#"{"error":false}"#,
        r#"{"content":[{"type":"error"}]}"#,
        r#"{"name":"error"}"#,
        r#"{"type":"ping"}"#,
        "[DONE]",
        "",
        r#"{"error":"cut"#,
    ] {
        assert!(event(json).is_none(), "{json}");
    }
}

#[test]
fn an_error_in_a_stream_is_seen_in_every_spelling() {
    for json in [
        r#"{"error":"x"}"#,
        r#"{"error":{"message":"x"}}"#,
        r#"{ "error" : {"code":502} }"#,
        r#"[{"error":{"code":502}}]"#,
        r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
        r#"{"type":"error","code":"server_error"}"#,
        r#"{"event_type":"error","error":{"code":"not_found"}}"#,
        r#"{"object":"error","message":"x"}"#,
        r#"{"type":"response.failed","response":{"error":{"code":"server_error"}}}"#,
        r#"{"type":"response.failed","response":{"error":null}}"#,
        r#"{"choices":[{"finish_reason":"error"}]}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#,
        r#"{"finish_reason":"TIMEOUT"}"#,
    ] {
        assert!(event(json).is_some(), "{json}");
    }
}

#[test]
fn an_error_after_content_in_one_array_is_seen() {
    let error =
        event(r#"[{"candidates":[]},{"error":{"code":503,"status":"UNAVAILABLE"}}]"#).unwrap();
    assert_eq!((error.status, &*error.types), (Some(503), &["UNAVAILABLE".into()][..]));
}

#[test]
fn the_code_of_a_failed_response_is_read() {
    let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}}}"#;
    let error = event(failed).unwrap();
    assert_eq!(
        (error.codes, error.message),
        (vec!["rate_limit_exceeded".to_owned()], "m".to_owned())
    );
    let choice = r#"{"choices":[{"finish_reason":"error","error":{"code":502,"message":"m"}}]}"#;
    let error = event(choice).unwrap();
    assert_eq!((error.status, error.message), (Some(502), "m".to_owned()));
}

/// JSON with the relevant keys, at any depth and with values of any type.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "error",
        "code",
        "type",
        "status",
        "details",
        "metadata",
        "headers",
        "X-RateLimit-Reset",
        "message",
        "violations",
        "quotaId",
        "retryDelay",
        "response",
        "choices",
        "finish_reason",
        "delta",
        "detail",
        "__type",
        "retry_after_seconds",
        "resets_at",
        "innererror",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (400..600_u16).prop_map(Value::from),
        "error|ERROR|\\PC{0,8}|retry in [0-9]{0,4}[a-z]".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|fields| fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #![proptest_config(support::cases())]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = (ErrorBody::of_response(&bytes), ErrorBody::of_event(&bytes));
        let _ = ErrorBody::of_exception(&String::from_utf8_lossy(&bytes), &bytes);
    }

    #[test]
    #[cfg_attr(miri, ignore = "generating the text takes minutes")]
    fn no_shape_panics(json in any_json()) {
        let json = json.to_string();
        let _ = (ErrorBody::of_response(json.as_bytes()), ErrorBody::of_event(json.as_bytes()));
    }
}
