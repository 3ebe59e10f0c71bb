use super::*;
use crate::llm::json_shape::event_name;

#[test]
fn every_provider_is_found_by_its_name() {
    for &provider in Provider::ALL {
        assert_eq!(provider.as_str().parse(), Ok(provider));
        assert_eq!(provider.to_string().to_uppercase().parse(), Ok(provider));
    }
}

#[test]
fn every_provider_is_listed_once() {
    for (index, &provider) in Provider::ALL.iter().enumerate() {
        assert_eq!(provider as usize, index);
    }
    assert_eq!(Provider::Generic as usize + 1, Provider::ALL.len());
}

#[test]
fn an_unknown_name_lists_what_is_allowed() {
    let error = "open-ai".parse::<Provider>().unwrap_err();
    assert_eq!(error.name, "open-ai");
    let text = error.to_string();
    assert!(text.starts_with("unknown provider \"open-ai\", expected one of openai, azure_"));
    assert!(text.ends_with(", tgi, ollama, generic"), "{text}");
}

#[test]
fn no_event_hides_another() {
    for (index, row) in EVENTS.iter().enumerate() {
        let name = String::from_utf8_lossy(row.name);
        assert!(!EVENTS[..index].iter().any(|above| above.matches(row.name)), "{name} is hidden");
    }
}

/// The name of the format, whether the event has content, and whether it has the end marker.
fn shape(data: &str) -> (Option<&'static str>, bool, bool) {
    let (format, shape) = unnamed_event(data.as_bytes()).unwrap();
    (Some(format.name), shape.content, shape.end)
}

#[test]
fn a_chunk_of_a_chat_has_content_if_its_delta_has_more_than_a_role() {
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
        assert_eq!(shape(&data), (Some("chat"), content, false), "{choices}");
    }
}

#[test]
fn a_candidate_of_google_has_content_in_its_parts_and_ends_with_its_reason() {
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
        assert_eq!(shape(data), (Some("generate_content"), content, end), "{data}");
    }
}

#[test]
fn formats_without_names_are_known_by_their_fields() {
    for (data, kind, content, end) in [
        (r#"{"message":{"role":"assistant","content":""},"done":false}"#, "ollama", false, false),
        (r#"{"message":{"role":"assistant","content":"a"},"done":false}"#, "ollama", true, false),
        (r#"{"response":"a","done":false}"#, "ollama", true, false),
        (r#"{"response":"","thinking":"a","done":false}"#, "ollama", true, false),
        (r#"{"response":"","done":true,"done_reason":"stop"}"#, "ollama", false, true),
        (r#"{"token":{"text":"a"},"generated_text":null}"#, "generate_stream", true, false),
        (r#"{"token":{"text":"a"},"generated_text":"a"}"#, "generate_stream", true, true),
        (r#"{"token":{"id":1},"generated_text":""}"#, "generate_stream", true, true),
        (r#"{"text":"a","is_finished":false}"#, "cohere_v1", true, false),
        (r#"{"is_finished":true,"finish_reason":"COMPLETE"}"#, "cohere_v1", false, true),
    ] {
        assert_eq!(shape(data), (Some(kind), content, end), "{data}");
    }
}

#[test]
fn data_without_these_fields_has_no_format() {
    for data in
        ["{}", r#"{"status":"pulling manifest"}"#, r#"{"choices":null}"#, "[1]", "7", "x", ""]
    {
        assert_eq!(unnamed_event(data.as_bytes()).map(|(format, _)| format.name), None, "{data}");
    }
}

#[test]
fn a_field_may_have_any_type() {
    for value in ["null", "true", "0", "-1", "0.5", "\"a\"", "[1]", "[[]]", "{\"a\":[0]}", "{}"] {
        for key in ["type", "event_type", "choices", "candidates", "done", "message", "thinking"] {
            let data = format!(r#"{{"{key}":{value},"token":{value},"generated_text":null}}"#);
            let format = unnamed_event(data.as_bytes()).map(|(format, _)| format.name);
            let list = matches!(key, "choices" | "candidates") && value.starts_with('[');
            assert!(list || format == Some("generate_stream"), "{data}");
        }
    }
    let data = r#"{"type":{"a":1},"event_type":[1],"token":7,"done":"no","generated_text":null}"#;
    assert_eq!(shape(data), (Some("generate_stream"), true, false));
}

#[test]
fn data_that_is_nested_too_deeply_has_neither_a_format_nor_a_name() {
    let deep =
        format!(r#"{{"choices":[{{"delta":{}1{}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(unnamed_event(deep.as_bytes()).is_none());
    assert_eq!(event_name(deep.as_bytes()), None);
}
