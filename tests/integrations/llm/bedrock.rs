//! The binary files of the corpus, message by message.

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::corpus::root;
use super::event_stream::message;

fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers =
        [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    message(&headers, payload)
}

fn exception(name: &str, payload: &str) -> Vec<u8> {
    let headers = [
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    message(&headers, payload)
}

/// An unmodeled error of the service.
fn error(code: &str, text: &str) -> Vec<u8> {
    message(&[(":message-type", "error"), (":error-code", code), (":error-message", text)], "")
}

/// A chunk of the model's native stream.
fn chunk(padding: &str, inner: &str) -> Vec<u8> {
    event("chunk", &format!(r#"{{"bytes":"{}","p":"{padding}"}}"#, BASE64_STANDARD.encode(inner)))
}

fn word(text: &str) -> Vec<u8> {
    event(
        "contentBlockDelta",
        &format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}},"p":"abcdefgh"}}"#),
    )
}

fn start() -> Vec<u8> {
    event("messageStart", r#"{"p":"abcdefghijklm","role":"assistant"}"#)
}

fn stop(reason: &str) -> Vec<u8> {
    let block = event("contentBlockStop", r#"{"contentBlockIndex":0,"p":"abcd"}"#);
    [block, event("messageStop", &format!(r#"{{"p":"abcdefgh","stopReason":"{reason}"}}"#))]
        .concat()
}

fn metadata() -> Vec<u8> {
    let usage = r#"{"metrics":{"latencyMs":672},"p":"abcdefghijk","usage":{"inputTokens":16,"outputTokens":9,"totalTokens":25}}"#;
    event("metadata", usage)
}

fn begun() -> Vec<u8> {
    let inner = r#"{"type":"message_start","message":{"id":"msg_bdrk_01Xq","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":16,"output_tokens":1}}}"#;
    [chunk("begun", inner), chunk("ping", r#"{"type":"ping"}"#)].concat()
}

fn chunk_word(padding: &str, text: &str) -> Vec<u8> {
    chunk(
        padding,
        &format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
        ),
    )
}

fn chunk_end(reason: &str) -> Vec<u8> {
    let delta = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{{"output_tokens":9}}}}"#
    );
    let last = r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":16,"outputTokenCount":9,"invocationLatency":672,"firstByteLatency":411}}"#;
    [chunk("delta", &delta), chunk("stop", last)].concat()
}

fn without_the_last_bytes(mut stream: Vec<u8>) -> Vec<u8> {
    stream.truncate(stream.len() - 30);
    stream
}

/// Returns the bodies with the names of their files.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let tool = event(
        "contentBlockStart",
        r#"{"contentBlockIndex":0,"p":"abc","start":{"toolUse":{"name":"get_weather","toolUseId":"tooluse_kZJMlvQmRJ6eAyJE5GIl7Q"}}}"#,
    );
    let arguments = |part: &str| {
        event(
            "contentBlockDelta",
            &format!(
                r#"{{"contentBlockIndex":0,"delta":{{"toolUse":{{"input":"{part}"}}}},"p":"abcdef"}}"#
            ),
        )
    };
    let throttled = r#"{"message":"Too many requests, please wait before trying again. You have sent too many requests. Wait before trying again."}"#;
    let broken = r#"{"message":"The system encountered an unexpected error during processing. Try your request again.","originalMessage":"stream reset","originalStatusCode":500}"#;
    let unavailable = r#"{"message":"Bedrock is unable to process your request."}"#;
    let invalid = r#"{"message":"Input is too long for requested model."}"#;
    let text_block = || {
        chunk(
            "block",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        )
    };
    vec![
        (
            "stream_converse",
            [start(), word("Hello"), word(" there"), stop("end_turn"), metadata()].concat(),
        ),
        (
            "stream_converse_tool_call",
            [
                start(),
                tool,
                arguments(r#"{\"city\""#),
                arguments(r#":\"Paris\"}"#),
                stop("tool_use"),
                metadata(),
            ]
            .concat(),
        ),
        (
            "stream_converse_max_tokens",
            [start(), word("Hello"), stop("max_tokens"), metadata()].concat(),
        ),
        (
            "stream_converse_guardrail",
            [start(), word("Sorry"), stop("guardrail_intervened"), metadata()].concat(),
        ),
        (
            "stream_converse_throttled_first",
            [start(), exception("throttlingException", throttled)].concat(),
        ),
        (
            "stream_converse_throttled_in_content",
            [start(), word("Hello"), exception("throttlingException", throttled)].concat(),
        ),
        (
            "stream_converse_model_stream_error_in_content",
            [start(), word("Hello"), exception("modelStreamErrorException", broken)].concat(),
        ),
        (
            "stream_converse_unavailable_first",
            exception("serviceUnavailableException", unavailable),
        ),
        ("stream_converse_validation_first", exception("validationException", invalid)),
        (
            "stream_converse_unmodeled_in_content",
            [
                start(),
                word("Hello"),
                error("InternalFailure", "An internal server error occurred."),
            ]
            .concat(),
        ),
        ("stream_converse_ends_early", [start(), word("Hello"), word(" there")].concat()),
        (
            "stream_converse_cut",
            without_the_last_bytes([start(), word("Hello"), word(" there")].concat()),
        ),
        (
            "stream_invoke",
            [
                begun(),
                chunk_word("first", "Hello"),
                chunk_word("second", " there"),
                chunk_end("end_turn"),
            ]
            .concat(),
        ),
        (
            "stream_invoke_max_tokens",
            [begun(), chunk_word("first", "Hello"), chunk_end("max_tokens")].concat(),
        ),
        (
            "stream_invoke_model_stream_error_first",
            [begun(), exception("modelStreamErrorException", broken)].concat(),
        ),
        (
            "stream_invoke_timeout_in_content",
            [
                begun(),
                text_block(),
                chunk_word("first", "Hello"),
                exception(
                    "modelTimeoutException",
                    r#"{"message":"The request took too long to process."}"#,
                ),
            ]
            .concat(),
        ),
        (
            "stream_invoke_internal_in_content",
            [
                begun(),
                chunk_word("first", "Hello"),
                exception(
                    "internalServerException",
                    r#"{"message":"An internal server error occurred. Retry your request."}"#,
                ),
            ]
            .concat(),
        ),
        ("stream_invoke_begun_only", begun()),
        (
            "stream_invoke_cut",
            without_the_last_bytes(
                [begun(), chunk_word("first", "Hello"), chunk_word("second", " there")].concat(),
            ),
        ),
    ]
}

/// Returns the Base64 form that the files use.
fn written(body: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(body);
    let lines = text.as_bytes().chunks(96).map(|line| str::from_utf8(line).unwrap());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_binary_files_match_the_output_of_the_writer() {
    let bodies = bodies();
    for (name, body) in &bodies {
        let file =
            fs::read_to_string(root().join(format!("bedrock/{name}.http"))).unwrap_or_default();
        let body = written(body);
        assert!(file.ends_with(&format!("\n\n{body}")), "{name} must be\n{body}");
    }
    let files =
        fs::read_dir(root().join("bedrock")).unwrap().map(|entry| entry.unwrap().file_name());
    let binary = files.filter(|name| name.to_str().unwrap().starts_with("stream_")).count();
    assert_eq!(binary, bodies.len(), "a file without a writer");
}
