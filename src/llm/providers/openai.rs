//! OpenAI, and the formats that compatible servers share with it.

use serde::Deserialize;

use super::common;
use crate::llm::json_shape::Choices;
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{CallersFault, Exhausted, Failed, Throttled};
use crate::llm::signal::{Signals, StatusRange, blame, name, starts, status};
use crate::llm::stream_format::EventKind::{
    Cancelled, Content, End, EndWithStatus, Failed as FailedEnd, Progress,
};
use crate::llm::stream_format::{EndMarker, EventShape, StreamFormat, UnnamedEvents};
use crate::llm::wait::Budget;

const CODES: &str = "developers.openai.com/api/docs/guides/error-codes";
const QUOTA: &str =
    "help.openai.com/en/articles/6614457; developers.openai.com/api/docs/guides/error-codes";
const OVERLOAD: &str = "developersdigest.tech/errors/api/openai-api/503-server-is-overloaded";
const POLICIES: &str = "only in ports of OpenAI's API and in users' code";
const RESPONSE_ERRORS: &str = "openai/openai-python src/openai/types/responses/response_error.py";
const TOO_LARGE: &str = "Aider-AI/aider#1880; continuedev/continue#11717";
const TOO_LARGE_GROQ: &str = "continuedev/continue#10218; assafelovic/gpt-researcher#985";

pub(super) static PROFILE: Profile = Profile {
    formats: &[&CHAT, &RESPONSES, &ASSISTANTS, &AUDIO],
    failed_types: &["response.failed"],
    budgets: &[
        Budget { remaining: "x-ratelimit-remaining-requests", reset: "x-ratelimit-reset-requests" },
        Budget { remaining: "x-ratelimit-remaining-tokens", reset: "x-ratelimit-reset-tokens" },
    ],
    ..Profile::new(&[&SIGNALS, &COMPATIBLE, &common::SIGNALS])
};

static SIGNALS: Signals = Signals {
    statuses: &[status(403, CallersFault, "country_not_supported", CODES)],
    ..Signals::NONE
};

/// The signals of every provider that uses OpenAI's error format or passes its errors on.
#[rustfmt::skip]
pub(super) static COMPATIBLE: Signals = Signals {
    // The request alone exceeds the limit per minute, so it never passes, however long the caller waits.
    texts: &[
        starts(StatusRange::only(413), "request too large for", CallersFault, "request_beyond_the_limit", TOO_LARGE_GROQ),
        starts(StatusRange::only(429), "request too large for", CallersFault, "request_beyond_the_limit", TOO_LARGE),
    ],
    // More specific codes first: they occur beside `insufficient_quota` and `rate_limit_error`.
    quotas: &[
        name(Exhausted, "credit_balance_exhausted", QUOTA),
        name(Exhausted, "organization_spend_limit_exceeded", QUOTA),
        name(Exhausted, "project_spend_limit_exceeded", QUOTA),
        name(Exhausted, "organization_usage_limit_exceeded", QUOTA),
        name(Exhausted, "insufficient_quota", QUOTA),
        name(Exhausted, "billing_hard_limit_reached", "dfinke/PowerShellAI#127 (the body); all-in-aigc/aiwallpaper#2 (the status)"),
        name(Exhausted, "billing_not_active", "lifan0127/ai-research-assistant#174; BerriAI/litellm#2743"),
    ],
    rates: &[
        name(Throttled, "slow_down", CODES),
    ],
    failures: &[
        name(Failed, "server_is_overloaded", OVERLOAD),
        name(Failed, "service_unavailable_error", OVERLOAD),
        name(Failed, "server_error", RESPONSE_ERRORS),
        name(Failed, "vector_store_timeout", RESPONSE_ERRORS),
    ],
    // More specific codes first: they occur beside `invalid_request_error` and 403.
    requests: &[
        blame(CallersFault, "unsupported_country_region_territory", "home-assistant/core#120072"),
        blame(CallersFault, "context_length_exceeded", "crewAIInc/crewAI-examples#121"),
        blame(CallersFault, "content_filter", "developersdigest.tech/errors/api/azure-openai/400-content-filter"),
        blame(CallersFault, "content_policy_violation", "songquanpeng/one-api#737; BerriAI/litellm#16072 (Azure)"),
        blame(CallersFault, "model_not_found", "Aider-AI/aider#2030"),
        blame(CallersFault, "invalid_prompt", RESPONSE_ERRORS),
        // Codes that occur inside a 200, where no status shows whose fault the error is.
        blame(CallersFault, "invalid_image", RESPONSE_ERRORS),
        blame(CallersFault, "invalid_image_format", RESPONSE_ERRORS),
        blame(CallersFault, "invalid_base64_image", RESPONSE_ERRORS),
        blame(CallersFault, "invalid_image_url", RESPONSE_ERRORS),
        blame(CallersFault, "image_too_large", RESPONSE_ERRORS),
        blame(CallersFault, "image_too_small", RESPONSE_ERRORS),
        blame(CallersFault, "image_parse_error", RESPONSE_ERRORS),
        blame(CallersFault, "image_content_policy_violation", RESPONSE_ERRORS),
        blame(CallersFault, "invalid_image_mode", RESPONSE_ERRORS),
        blame(CallersFault, "image_file_too_large", RESPONSE_ERRORS),
        blame(CallersFault, "unsupported_image_media_type", RESPONSE_ERRORS),
        blame(CallersFault, "empty_image_file", RESPONSE_ERRORS),
        blame(CallersFault, "failed_to_download_image", RESPONSE_ERRORS),
        blame(CallersFault, "image_file_not_found", RESPONSE_ERRORS),
        blame(CallersFault, "bio_policy", POLICIES),
        blame(CallersFault, "misalignment_policy_violation", POLICIES),
        blame(CallersFault, "data_residency_mismatch", POLICIES),
    ],
    ..Signals::NONE
};

/// Chat and text completions, and those of compatible servers. The stream ends with `[DONE]`.
static CHAT: StreamFormat = StreamFormat {
    name: "chat",
    end: EndMarker::Done,
    end_repeats: false,
    events: &[],
    unnamed: Some(UnnamedEvents { keys: &[b"\"choices\""], shape: chat_shape }),
};

/// Responses. An incomplete response stopped at a limit or at a filter.
static RESPONSES: StreamFormat = StreamFormat::named(
    "responses",
    &[
        ("response.created", Progress),
        ("response.queued", Progress),
        ("response.in_progress", Progress),
        ("response.output_item.added", Progress),
        ("response.content_part.added", Progress),
        ("response.completed", End),
        ("response.incomplete", End),
        ("response.done", EndWithStatus),
        ("response.failed", FailedEnd("response failed")),
        ("response.cancelled", Cancelled),
        ("response.*", Content),
    ],
);

/// Assistants. The stream ends with `[DONE]` in a `done` event.
static ASSISTANTS: StreamFormat = StreamFormat {
    end: EndMarker::Done,
    ..StreamFormat::named(
        "assistants",
        &[
            ("thread.message.delta", Content),
            ("thread.run.step.delta", Content),
            ("thread.run.failed", FailedEnd("run failed")),
            ("thread.run.expired", FailedEnd("run expired")),
            ("thread.run.cancelled", Cancelled),
            ("thread.*", Progress),
        ],
    )
};

/// Transcriptions and speech.
static AUDIO: StreamFormat = StreamFormat::named(
    "audio",
    &[
        ("transcript.text.done", End),
        ("transcript.text.*", Content),
        ("speech.audio.done", End),
        ("speech.audio.*", Content),
    ],
);

fn chat_shape(data: &[u8]) -> Option<EventShape> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Chunk {
        choices: Choices,
    }

    let Chunk { choices } = serde_json::from_slice(data).ok()?;
    choices.is_list.then_some(EventShape { content: choices.content, end: false })
}
