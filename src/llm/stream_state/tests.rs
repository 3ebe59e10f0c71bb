use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::super::framing::event_stream;
use super::super::framing::support::pieces;
use super::super::stream::classifier_for;
use super::*;
use crate::Class;

const SSE: &str = "text/event-stream";
const LINES: &str = "application/x-ndjson";
const AWS: &str = "application/vnd.amazon.eventstream";

/// Whether there was content, and the outcome at the end marker or at the end.
fn classify_pieces(provider: Provider, kind: &str, pieces: &[&[u8]]) -> (bool, Outcome) {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())]);
    let mut classifier = classifier_for(provider, &headers).unwrap();
    let mut content = false;
    for piece in pieces {
        match classifier.data(piece) {
            BodyProgress::Pending => {}
            BodyProgress::Content => content = true,
            BodyProgress::Settled(outcome) => return (content, outcome),
        }
    }
    (content, classifier.end())
}

fn classify(provider: Provider, kind: &str, body: &[u8]) -> (bool, Outcome) {
    let bytewise = classify_pieces(provider, kind, &pieces(body, &[1]));
    assert_eq!(classify_pieces(provider, kind, &[body]).1, bytewise.1, "the split does not matter");
    bytewise
}

fn early() -> Outcome {
    Outcome::failure().reason("stream ended early")
}

/// A stream of unnamed events.
fn data(events: &[&str]) -> String {
    events.iter().map(|data| format!("data: {data}\n\n")).collect()
}

/// A stream of events that are named after their type.
fn typed(events: &[&str]) -> String {
    events.iter().map(|name| format!("event: {name}\ndata: {{\"type\":\"{name}\"}}\n\n")).collect()
}

/// The same without the lines with the names.
fn untyped(events: &[&str]) -> String {
    events.iter().map(|name| format!("data: {{\"type\":\"{name}\"}}\n\n")).collect()
}

const ROLE: &str = r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
const WORD: &str = r#"{"choices":[{"delta":{"content":"Hello"}}]}"#;
const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;

/// Complete streams: provider, content type, body, and whether there is content. Each is a success, and ended early
/// without its last event.
fn complete_streams() -> Vec<(Provider, &'static str, String, bool)> {
    let done = "[DONE]";
    let gemini = |rest: &str| {
        format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}}{rest}}}]}}"#)
    };
    let (word, last) = (gemini(""), gemini(r#","finishReason":"STOP""#));
    vec![
        (Provider::OpenAi, SSE, data(&[ROLE, WORD, STOP, done]), true),
        (Provider::AzureOpenAi, SSE, data(&[r#"{"choices":[],"prompt_filter_results":[]}"#, ROLE, WORD, STOP, done]), true),
        (Provider::Groq, SSE, data(&[ROLE, STOP, done]), false),
        (Provider::Ollama, SSE, data(&[ROLE, WORD, done]), true),
        (Provider::OpenAi, SSE, data(&[r#"{"choices":[{"text":"a"}]}"#, done]), true),
        (Provider::OpenAi, SSE, typed(&["response.created", "response.queued", "response.in_progress", "response.output_item.added", "response.output_text.delta", "response.completed"]), true),
        (Provider::XAi, SSE, untyped(&["response.created", "response.output_text.delta", "response.incomplete"]), true),
        (Provider::OpenRouter, SSE, untyped(&["response.created", "keepalive", "response.output_text.delta", "response.done"]), true),
        (Provider::OpenAi, SSE, typed(&["response.created", "response.completed"]), false),
        (Provider::AzureOpenAi, SSE, typed(&["thread.run.created", "thread.message.delta", "thread.run.completed"]) + "event: done\ndata: [DONE]\n\n", true),
        (Provider::OpenAi, SSE, untyped(&["transcript.text.delta", "transcript.text.done"]), true),
        (Provider::Anthropic, SSE, typed(&["message_start", "ping", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]), true),
        (Provider::Vertex, SSE, typed(&["vertex_event", "message_start", "message_delta", "message_stop"]), false),
        (Provider::Gemini, SSE, data(&[&word, &last]), true),
        (Provider::Vertex, SSE, data(&[&word, r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#]), true),
        (Provider::Gemini, SSE, data(&[r#"{"usageMetadata":{}}"#, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#]), false),
        (Provider::Gemini, SSE, typed(&["interaction.created", "interaction.status_update", "step.start", "step.delta", "step.stop", "interaction.completed"]), true),
        (Provider::Gemini, SSE, typed(&["interaction.start", "content.start", "content.delta", "interaction.complete"]), true),
        (Provider::Mistral, SSE, typed(&["conversation.response.started", "message.output.delta", "conversation.response.done"]), true),
        (Provider::Cohere, SSE, typed(&["message-start", "content-start", "content-delta", "content-end", "message-end"]), true),
        (Provider::Cohere, LINES, "{\"is_finished\":false,\"event_type\":\"stream-start\"}\n{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"a\"}\n{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\"}\n".to_owned(), true),
        (Provider::Cohere, LINES, "{\"text\":\"a\",\"is_finished\":false}\n{\"is_finished\":true}\n".to_owned(), true),
        (Provider::Ollama, LINES, "{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"message\":{\"content\":\"\"},\"done\":true}\n".to_owned(), true),
        (Provider::Ollama, LINES, "{\"response\":\"\",\"done\":false}\n{\"response\":\"\",\"done\": true}\n".to_owned(), false),
        (Provider::Vllm, SSE, data(&[r#"{"token":{"text":"a"},"generated_text":null}"#, r#"{"token":{"text":"b"},"generated_text":"ab"}"#]), true),
    ]
}

#[test]
fn a_complete_stream_is_a_success() {
    for (provider, kind, body, content) in complete_streams() {
        assert_eq!(
            classify(provider, kind, body.as_bytes()),
            (content, Outcome::success()),
            "{body}"
        );
    }
}

#[test]
fn a_stream_without_its_last_event_ended_early() {
    for (provider, kind, body, _) in complete_streams() {
        let separator = if kind == SSE { "\n\n" } else { "\n" };
        let end = body.trim_end().rfind(separator).unwrap() + separator.len();
        let begun = &body[..end];
        assert_eq!(classify(provider, kind, begun.as_bytes()).1, early(), "{begun}");
        let generic = classify(Provider::Generic, kind, begun.as_bytes()).1;
        assert_eq!(generic, Outcome::success(), "{begun}");
    }
}

#[test]
fn a_stream_that_ends_inside_its_last_event_ended_early() {
    for (provider, kind, body, _) in complete_streams() {
        let cut = &body.trim_end()[..body.trim_end().len() - 2];
        assert_eq!(classify(provider, kind, cut.as_bytes()).1, early(), "{cut}");
    }
}

#[test]
fn the_last_event_needs_no_line_end() {
    for (provider, kind, body, _) in complete_streams() {
        for end in ["", "\n", "\r\n"] {
            let body = format!("{}{end}", body.trim_end());
            assert_eq!(classify(provider, kind, body.as_bytes()).1, Outcome::success(), "{body}");
        }
    }
}

#[test]
fn a_stream_of_nothing_but_pings_ended_early() {
    for body in [
        "",
        ": ping\n\n: ping\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        "data: {}\n\n",
        "data\n\n",
    ] {
        for provider in
            [Provider::OpenAi, Provider::Anthropic, Provider::OpenRouter, Provider::Gemini]
        {
            assert_eq!(classify(provider, SSE, body.as_bytes()), (false, early()), "{body}");
        }
        assert_eq!(classify(Provider::Generic, SSE, body.as_bytes()), (false, Outcome::success()));
    }
    for kind in [LINES, AWS] {
        assert_eq!(classify(Provider::Ollama, kind, b""), (false, early()));
    }
}

#[test]
fn the_end_alone_is_a_success() {
    for body in [data(&["[DONE]"]), typed(&["message_stop"]), typed(&["response.completed"])] {
        assert_eq!(classify(Provider::OpenAi, SSE, body.as_bytes()), (false, Outcome::success()));
    }
}

#[test]
fn content_of_an_unknown_format_needs_no_end_marker() {
    for body in [
        "data: hello\n\n",
        "event: image\ndata: {\"b64\":\"x\"}\n\n",
        "data: 7\n\n",
        "data: [1]\n\n",
    ] {
        assert_eq!(
            classify(Provider::OpenAi, SSE, body.as_bytes()),
            (true, Outcome::success()),
            "{body}"
        );
    }
    let pull = "{\"status\":\"pulling manifest\"}\n{\"status\":\"success\"}\n";
    assert_eq!(classify(Provider::Ollama, LINES, pull.as_bytes()), (true, Outcome::success()));
}

#[test]
fn an_error_decides_wherever_it_comes() {
    let nested = r#"{"type":"error","error":{"type":"overloaded_error"}}"#;
    for (kind, before, content) in [
        (SSE, String::new(), false),
        (SSE, data(&[ROLE]), false),
        (SSE, data(&[ROLE, WORD]), true),
        (SSE, typed(&["message_start", "content_block_delta"]), true),
        (SSE, typed(&["response.output_text.delta"]), true),
        (SSE, data(&["hello"]), true),
        (LINES, String::new(), false),
        (LINES, "{\"response\":\"a\",\"done\":false}\n".to_owned(), true),
    ] {
        let errors = [
            nested,
            r#"{"error":{"code":502,"message":"m"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
            r#"{"error":"m"}"#,
            r#"{"event_type":"error","error":{"code":"internal"}}"#,
        ];
        for event in errors {
            let event = if kind == SSE { data(&[event]) } else { format!("{event}\n") };
            let body = before.clone() + &event;
            let (seen, outcome) = classify(Provider::OpenRouter, kind, body.as_bytes());
            assert_eq!((seen, outcome.class()), (content, Class::Failure), "{body}");
        }
    }
    let named = typed(&["message_start"]) + "event: error\ndata: " + nested + "\n\n";
    let overloaded = Outcome::failure().reason("overloaded_error");
    assert_eq!(classify(Provider::Anthropic, SSE, named.as_bytes()), (false, overloaded));
}

#[test]
fn an_unreadable_error_event_is_a_failure() {
    let failure = Outcome::failure().reason("error event");
    let long = format!("event: error\ndata: {{\"error\":\"{}\"}}\n\n", "x".repeat(70_000));
    for body in [
        "event: error\ndata: upstream\n\n",
        "event: error\ndata: {\n\n",
        "event: error\n\n",
        long.as_str(),
    ] {
        assert_eq!(classify_pieces(Provider::OpenAi, SSE, &[body.as_bytes()]), (false, failure));
    }
}

#[test]
fn a_text_about_errors_is_content() {
    let word = r#"{"error":null,"choices":[{"delta":{"content":"\"error\": \"error\""}}]}"#;
    assert_eq!(
        classify(Provider::OpenAi, SSE, data(&[word, word, "[DONE]"]).as_bytes()),
        (true, Outcome::success())
    );
}

#[test]
fn a_failed_response_is_classified_by_its_error_or_is_a_failure() {
    let with = r#"{"type":"response.failed","response":{"error":{"code":"server_error"}}}"#;
    let without = r#"{"type":"response.failed","response":{"error":null}}"#;
    for (event, reason) in [(with, "server_error"), (without, "unknown_error")] {
        for name in ["", "event: response.failed\n"] {
            let body =
                typed(&["response.created", "response.output_text.delta"]) + name + &data(&[event]);
            assert_eq!(
                classify(Provider::OpenAi, SSE, body.as_bytes()),
                (true, Outcome::failure().reason(reason))
            );
        }
    }
}

#[test]
fn an_error_event_is_classified_by_fields_in_any_place() {
    let event = |data: &str| {
        let text = format!("event: conversation.response.error\ndata: {data}\n\n");
        classify(Provider::Mistral, SSE, text.as_bytes()).1
    };
    let throttled = Outcome::throttled().reason("rate_limit");
    assert_eq!(event(r#"{"message":"Rate limit exceeded","code":1300}"#), throttled);
    let failure = Outcome::failure().reason("error event");
    assert_eq!(event(r#"{"message":"Tool failed","code":3000}"#), failure);
}

#[test]
fn a_finish_reason_that_reports_a_failure_is_a_failure() {
    let broken = r#"{"choices":[{"delta":{},"finish_reason":"insufficient_system_resource"}]}"#;
    let quoted = r#"{"choices":[{"delta":{"content":"\"insufficient_system_resource\""}}]}"#;
    let unknown = Outcome::failure().reason("unknown_error");
    for (event, outcome) in [(broken, unknown), (quoted, Outcome::success())] {
        for before in [ROLE, WORD] {
            let body = data(&[before, event, "[DONE]"]);
            assert_eq!(classify(Provider::DeepSeek, SSE, body.as_bytes()).1, outcome, "{body}");
            // A gateway passes it on.
            assert_eq!(classify(Provider::OpenRouter, SSE, body.as_bytes()).1, outcome, "{body}");
        }
    }
}

#[test]
fn every_word_for_a_failed_end_decides_in_a_stream_of_unnamed_events() {
    for word in ["error", "ERROR", "TIMEOUT", "insufficient_system_resource"] {
        let last = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{word}"}}]}}"#);
        for before in [&[ROLE][..], &[ROLE, WORD]] {
            let body = data(&[before, &[&*last, "[DONE]"]].concat());
            let failure = Outcome::failure().reason("unknown_error");
            for provider in [Provider::OpenAi, Provider::Generic] {
                assert_eq!(classify(provider, SSE, body.as_bytes()).1, failure, "{body}");
            }
        }
    }
}

#[test]
fn the_reason_why_groq_stopped_a_stream_is_an_error() {
    let stopped = |error: &str| {
        let last = format!(
            r#"{{"choices":[{{"delta":{{}},"finish_reason":"stop"}}],"x_groq":{{"id":"r","error":{error}}}}}"#
        );
        classify(Provider::Groq, SSE, data(&[ROLE, WORD, &last, "[DONE]"]).as_bytes()).1
    };
    assert_eq!(stopped(r#""over capacity""#), Outcome::failure().reason("unknown_error"));
    assert_eq!(stopped(r#""Rate limit reached""#), Outcome::throttled().reason("rate_limit"));
    assert_eq!(stopped("null"), Outcome::success());
}

#[test]
fn a_tool_call_is_content_in_version_1_of_cohere() {
    let line = |name: &str| format!("{{\"is_finished\":false,\"event_type\":\"{name}\"}}\n");
    for name in ["tool-calls-chunk", "tool-calls-generation"] {
        let body = line("stream-start") + &line(name);
        assert_eq!(classify(Provider::Cohere, LINES, body.as_bytes()), (true, early()), "{name}");
    }
    assert_eq!(
        classify(Provider::Cohere, LINES, line("stream-start").as_bytes()),
        (false, early())
    );
}

#[test]
fn the_last_event_reports_how_the_stream_ended() {
    let failed = Outcome::failure().reason("ended with an error");
    let unknown = Outcome::failure().reason("unknown_error");
    for (event, outcome) in [
        (r#"{"type":"response.done","response":{"status":"completed"}}"#, Outcome::success()),
        (r#"{"type":"response.done","response":{"status":"failed"}}"#, failed),
        (r#"{"type":"response.cancelled"}"#, Outcome::ignored()),
        (r#"{"type":"interaction.completed","interaction":{"status":"failed"}}"#, failed),
        (
            r#"{"type":"interaction.complete","interaction":{"status":"cancelled"}}"#,
            Outcome::ignored(),
        ),
        (r#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#, unknown),
        (r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#, unknown),
        (r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}"#, Outcome::success()),
        (r#"{"event_type":"stream-end","is_finished":true,"finish_reason":"ERROR"}"#, unknown),
        (r#"{"is_finished":true,"finish_reason":"USER_CANCEL"}"#, Outcome::ignored()),
        (
            r#"{"type":"thread.run.failed","last_error":{"code":"server_error"}}"#,
            Outcome::failure().reason("run failed"),
        ),
        (r#"{"type":"thread.run.cancelled"}"#, Outcome::ignored()),
    ] {
        assert_eq!(
            classify(Provider::Generic, SSE, data(&[event]).as_bytes()).1,
            outcome,
            "{event}"
        );
    }
}

#[test]
fn a_finish_reason_in_every_chunk_does_not_end_the_stream() {
    let chunk = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#;
    let error = r#"{"error":{"code":503,"status":"UNAVAILABLE"}}"#;
    let body = data(&[chunk, chunk, error]);
    assert_eq!(
        classify(Provider::Gemini, SSE, body.as_bytes()),
        (true, Outcome::failure().reason("unavailable").code(503))
    );
}

#[test]
fn an_event_beyond_the_bound_is_content() {
    let long = "x".repeat(70_000);
    let chunk = data(&[&format!(r#"{{"choices":[{{"delta":{{"content":"{long}"}}}}]}}"#)]);
    assert_eq!(
        classify_pieces(Provider::OpenAi, SSE, &[chunk.as_bytes()]),
        (true, Outcome::success())
    );
    let begun = data(&[ROLE]) + &chunk;
    assert_eq!(classify_pieces(Provider::OpenAi, SSE, &[begun.as_bytes()]), (true, early()));
}

#[test]
fn a_long_event_is_recognized_by_its_name() {
    let long = "x".repeat(70_000);
    let whole = format!(r#"{{"type":"response.completed","response":{{"output":"{long}"}}}}"#);
    for name in ["", "event: response.completed\n"] {
        let body = typed(&["response.output_text.delta"]) + name + &data(&[&whole]);
        assert_eq!(
            classify_pieces(Provider::OpenAi, SSE, &[body.as_bytes()]).1,
            Outcome::success()
        );
    }
}

#[test]
fn the_end_of_a_long_event_may_have_been_the_end_of_the_stream() {
    let long = "x".repeat(70_000);
    let last = format!("{{\"response\":\"\",\"context\":\"{long}\",\"done\":true}}");
    for end in ["\n", ""] {
        let body = format!("{{\"response\":\"a\",\"done\":false}}\n{last}{end}");
        assert_eq!(
            classify_pieces(Provider::Ollama, LINES, &[body.as_bytes()]),
            (true, Outcome::success())
        );
    }
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    event_stream::tests::message(&[(":message-type", "event"), (":event-type", name)], payload)
}

#[test]
fn a_converse_stream_ends_with_its_message() {
    let begin = [event("messageStart", "{}"), event("contentBlockStart", "{}")].concat();
    let word =
        [begin.clone(), event("contentBlockDelta", "{}"), event("contentBlockStop", "{}")].concat();
    let whole = [word.clone(), event("messageStop", "{}"), event("metadata", "{}")].concat();
    assert_eq!(classify(Provider::Bedrock, AWS, &begin), (false, early()));
    assert_eq!(classify(Provider::Bedrock, AWS, &word), (true, early()));
    assert_eq!(classify(Provider::Bedrock, AWS, &whole), (true, Outcome::success()));
    assert_eq!(classify(Provider::Bedrock, AWS, &word[..word.len() - 1]), (true, early()));
}

#[test]
fn an_invoked_stream_ends_between_two_messages() {
    // `{"type":"message_start","message":{}}`, `{"type":"ping"}`, and `{"type":"content_block_delta"}`.
    let start = event(
        "chunk",
        r#"{"bytes":"eyJ0eXBlIjoibWVzc2FnZV9zdGFydCIsIm1lc3NhZ2UiOnt9fQ==","p":"ab"}"#,
    );
    let ping = event("chunk", r#"{"bytes":"eyJ0eXBlIjoicGluZyJ9"}"#);
    let word = event("chunk", r#"{"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSJ9"}"#);
    let begin = [start, ping].concat();
    assert_eq!(classify(Provider::Bedrock, AWS, &begin), (false, early()));
    let whole = [begin, word].concat();
    assert_eq!(classify(Provider::Bedrock, AWS, &whole), (true, Outcome::success()));
    assert_eq!(classify(Provider::Bedrock, AWS, &whole[..whole.len() - 3]).1, early());
    assert_eq!(classify(Provider::Generic, AWS, &whole[..whole.len() - 3]).1, early());
}

#[test]
fn an_exception_decides() {
    let exception = |name| {
        let headers = [(":message-type", "exception"), (":exception-type", name)];
        event_stream::tests::message(&headers, r#"{"message":"m"}"#)
    };
    let error = event_stream::tests::message(
        &[
            (":message-type", "error"),
            (":error-code", "throttlingException"),
            (":error-message", "m"),
        ],
        "",
    );
    let word = event("contentBlockDelta", "{}");
    for (message, class) in [
        (exception("throttlingException"), Class::Throttled),
        (exception("modelStreamErrorException"), Class::Failure),
        (error, Class::Throttled),
    ] {
        let (content, outcome) = classify(Provider::Bedrock, AWS, &message);
        assert_eq!((content, outcome.class()), (false, class));
        let (content, outcome) =
            classify(Provider::Bedrock, AWS, &[word.clone(), message].concat());
        assert_eq!((content, outcome.class()), (true, class));
    }
}

#[test]
fn an_invalid_event_stream_is_classified_by_its_end() {
    let body = b"<html>this is no event stream</html>";
    assert_eq!(classify(Provider::Bedrock, AWS, body), (true, Outcome::success()));
}

#[test]
fn after_the_first_content_an_event_without_an_end_marker_is_not_parsed() {
    let gemini = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;
    let ollama = r#"{"response":"a","done":false}"#;
    for word in [WORD, gemini, ollama] {
        let mut state = StreamState::new(Provider::Generic);
        let mut event = |data: &str| {
            let data = data.as_bytes();
            state.event(&Event { name: b"", data, truncated: false, cut: false })
        };
        assert_eq!(event(word), BodyProgress::Content);
        assert_eq!(event(r#"{"type":"message_stop"}"#), BodyProgress::Content, "{word}");
    }
}
