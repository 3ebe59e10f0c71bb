use super::*;

fn sight(data: &str) -> (Option<Kind>, bool, bool) {
    let Sight { kind, content, end, .. } = look(data.as_bytes());
    (kind, content, end)
}

#[test]
fn a_chunk_of_a_chat_has_content_if_its_delta_says_more_than_a_role() {
    for (choices, content) in [
        ("[]", false),
        ("[{}]", false),
        (r#"[{"delta":{}}]"#, false),
        (r#"[{"delta":null}]"#, false),
        (r#"[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]"#, false),
        (r#"[{"delta":{"role":"assistant","content":""},"logprobs":{"content":[1]}}]"#, false),
        (
            r#"[{"delta":{"role":"assistant","content":"","reasoning":null,"tool_calls":[]}}]"#,
            false,
        ),
        (r#"[{"delta":{"content":[{"type":"text","text":""}]}}]"#, false),
        (r#"[{"delta":{},"finish_reason":"stop"}]"#, false),
        (r#"[{"text":"","finish_reason":"length"}]"#, false),
        (r#"[{"text":"a"}]"#, true),
        (r#"[{"delta":{"content":"a"}}]"#, true),
        (r#"[{"delta":{"content":" "}}]"#, true),
        (r#"[{"delta":{"reasoning_content":"a"}}]"#, true),
        (r#"[{"delta":{"refusal":"a"}}]"#, true),
        (r#"[{"delta":{"content":[{"type":"text","text":"a"}]}}]"#, true),
        (r#"[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]"#, true),
        (r#"[{"delta":{}},{"delta":{"content":"a"}}]"#, true),
        (r#"[{"message":{"role":"assistant","content":"a"}}]"#, true),
    ] {
        let data = format!(r#"{{"id":"1","choices":{choices},"usage":{{"total":1}}}}"#);
        assert_eq!(sight(&data), (Some(Kind::Chat), content, false), "{choices}");
    }
}

#[test]
fn a_candidate_of_google_has_content_in_its_parts_and_ends_by_its_reason() {
    for (data, content, end) in [
        (r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]}}]}"#, true, false),
        (
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#,
            true,
            true,
        ),
        (
            r#"{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}]}"#,
            false,
            true,
        ),
        (r#"{"candidates":[{"content":{"parts":[{"text":""}]}}]}"#, false, false),
        (r#"{"candidates":[{},{"content":{"parts":[{"text":"a"}]}}]}"#, true, false),
        (r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, false, true),
        (r#"{"promptFeedback":{"safetyRatings":[{"category":"X"}]}}"#, false, false),
        (r#"{"usageMetadata":{"promptTokenCount":1}}"#, false, false),
    ] {
        assert_eq!(sight(data), (Some(Kind::Gemini), content, end), "{data}");
    }
}

#[test]
fn the_kinds_without_names_are_known_by_their_fields() {
    for (data, kind, content, end) in [
        (
            r#"{"message":{"role":"assistant","content":""},"done":false}"#,
            Kind::Ollama,
            false,
            false,
        ),
        (
            r#"{"message":{"role":"assistant","content":"a"},"done":false}"#,
            Kind::Ollama,
            true,
            false,
        ),
        (r#"{"response":"a","done":false}"#, Kind::Ollama, true, false),
        (r#"{"response":"","thinking":"a","done":false}"#, Kind::Ollama, true, false),
        (r#"{"response":"","done":true,"done_reason":"stop"}"#, Kind::Ollama, false, true),
        (r#"{"token":{"text":"a"},"generated_text":null}"#, Kind::Tgi, true, false),
        (r#"{"token":{"text":"a"},"generated_text":"a"}"#, Kind::Tgi, true, true),
        (r#"{"token":{"id":1},"generated_text":""}"#, Kind::Tgi, true, true),
        (r#"{"text":"a","is_finished":false}"#, Kind::CohereV1, true, false),
        (r#"{"is_finished":true,"finish_reason":"COMPLETE"}"#, Kind::CohereV1, false, true),
    ] {
        assert_eq!(sight(data), (Some(kind), content, end), "{data}");
    }
}

#[test]
fn what_has_none_of_these_fields_has_no_kind() {
    for data in
        ["{}", r#"{"status":"pulling manifest"}"#, r#"{"choices":null}"#, "[1]", "7", "x", ""]
    {
        assert_eq!(look(data.as_bytes()).kind, None, "{data}");
    }
}

#[test]
fn no_type_is_wrong() {
    for value in ["null", "true", "0", "-1", "0.5", "\"a\"", "[1]", "[[]]", "{\"a\":[0]}", "{}"] {
        for key in ["type", "event_type", "choices", "candidates", "done", "message", "thinking"] {
            let data = format!(r#"{{"{key}":{value},"token":{value},"generated_text":null}}"#);
            let kind = look(data.as_bytes()).kind;
            let list = matches!(key, "choices" | "candidates") && value.starts_with('[');
            assert!(list || kind == Some(Kind::Tgi), "{data}");
        }
    }
    let data = r#"{"type":{"a":1},"event_type":[1],"token":7,"done":"no","generated_text":null}"#;
    assert_eq!(sight(data), (Some(Kind::Tgi), true, false));
}

#[test]
fn what_is_nested_too_deeply_says_nothing() {
    let deep =
        format!(r#"{{"choices":[{{"delta":{}1{}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(look(deep.as_bytes()), Sight::default());
}

#[test]
fn the_type_comes_before_the_event_type() {
    let name = |data: &'static str| look(data.as_bytes()).name.0;
    assert_eq!(name(r#"{"event_type":"a"}"#).as_deref(), Some("a"));
    assert_eq!(name(r#"{"event_type":"a","type":"b"}"#).as_deref(), Some("b"));
    assert_eq!(name(r#"{"type":"\u0061"}"#).as_deref(), Some("a"));
    assert_eq!(name(r#"{"type":1,"event_type":"a"}"#).as_deref(), Some("a"));
}

#[test]
fn the_first_name_is_read_without_the_rest() {
    for (data, name) in [
        (r#"{"type":"ping"#, Some("ping")),
        ("{ \"type\" :\n\"ping\",…", Some("ping")),
        (r#"{"event_type":"x"}"#, Some("x")),
        (r#"{"id":1,"type":"x"}"#, None),
        (r#"{"type":1}"#, None),
        (r#"{"types":"x"}"#, None),
        ("", None),
    ] {
        assert_eq!(first_name(data.as_bytes()), name.map(str::as_bytes), "{data}");
    }
}

#[test]
fn the_blocks_of_anthropic_begin_empty_or_not() {
    for (block, content) in [
        (r#"{"type":"text","text":""}"#, false),
        (r#"{ "type": "text", "text": "", "citations": null }"#, false),
        (r#"{"type":"thinking","thinking":"","signature":""}"#, false),
        (r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#, true),
        (r#"{"type":"redacted_thinking","data":"x"}"#, true),
        (r#"{"type":"text","text":"a"}"#, true),
    ] {
        let data = format!(r#"{{"type":"content_block_start","index":0,"content_block":{block}}}"#);
        assert_eq!(block_has_content(data.as_bytes()), content, "{block}");
    }
    assert!(block_has_content(b"{"));
}
