//! Anthropic, and the format of its models on other platforms.

use serde::Deserialize;

use super::common;
use crate::llm::json_shape::Presence;
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{CallersFault, Exhausted, Failed};
use crate::llm::signal::{Signals, StatusRange, blame, name, starts};
use crate::llm::stream_format::EventKind::{Content, End, MaybeContent, Progress};
use crate::llm::stream_format::StreamFormat;
use crate::llm::wait::Budget;

const ERRORS: &str = "platform.claude.com/docs/en/api/errors";

#[rustfmt::skip]
pub(super) static PROFILE: Profile = Profile {
    formats: &[&MESSAGES],
    budgets: &[
        Budget { remaining: "anthropic-ratelimit-requests-remaining", reset: "anthropic-ratelimit-requests-reset" },
        Budget { remaining: "anthropic-ratelimit-tokens-remaining", reset: "anthropic-ratelimit-tokens-reset" },
        Budget { remaining: "anthropic-ratelimit-input-tokens-remaining", reset: "anthropic-ratelimit-input-tokens-reset" },
        Budget { remaining: "anthropic-ratelimit-output-tokens-remaining", reset: "anthropic-ratelimit-output-tokens-reset" },
    ],
    ..Profile::new(&[&SIGNALS, &common::SIGNALS])
};

/// The signals of every provider that sells Anthropic's models or passes their errors on.
#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    texts: &[
        starts(StatusRange::only(400), "your credit balance is too low", Exhausted, "credit_balance_too_low", "anthropics/claude-code#66314"),
        starts(StatusRange::only(400), "you have reached your specified", Exhausted, "specified_usage_limits", "developersdigest.tech/errors/api/anthropic-api/400-spend-limit-reached; continuedev/continue#11305"),
    ],
    quotas: &[
        name(Exhausted, "enforced_spend_limit_reached", "developersdigest.tech/errors/api/anthropic-api/429-enforced-spend-limit-reached"),
        name(Exhausted, "billing_error", ERRORS),
    ],
    failures: &[
        name(Failed, "api_error", ERRORS),
        name(Failed, "timeout_error", ERRORS),
    ],
    requests: &[
        blame(CallersFault, "not_found_error", ERRORS),
        blame(CallersFault, "request_too_large", ERRORS),
    ],
    ..Signals::NONE
};

/// Messages.
static MESSAGES: StreamFormat = StreamFormat::named(
    "messages",
    &[
        ("content_block_delta", Content),
        ("content_block_start", MaybeContent(block_has_content)),
        ("content_block_stop", Progress),
        ("message_start", Progress),
        ("message_delta", Progress),
        ("message_stop", End),
    ],
);

/// Returns whether a block begins with content. Text and thinking begin empty; tool calls and search results do not.
fn block_has_content(data: &[u8]) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Start {
        content_block: Presence,
    }

    serde_json::from_slice::<Start>(data).map_or(true, |start| start.content_block.is_full())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_begins_empty_or_with_content() {
        for (block, content) in [
            (r#"{"type":"text","text":""}"#, false),
            (r#"{ "type": "text", "text": "", "citations": null }"#, false),
            (r#"{"type":"thinking","thinking":"","signature":""}"#, false),
            (r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#, true),
            (r#"{"type":"redacted_thinking","data":"x"}"#, true),
            (r#"{"type":"text","text":"a"}"#, true),
        ] {
            let data =
                format!(r#"{{"type":"content_block_start","index":0,"content_block":{block}}}"#);
            assert_eq!(block_has_content(data.as_bytes()), content, "{block}");
        }
        assert!(block_has_content(b"{"));
    }
}
