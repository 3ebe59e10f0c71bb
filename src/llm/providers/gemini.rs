//! Google Gemini through the Gemini API, and Google's error model.

use serde::Deserialize;
use serde_json::Value;

use super::{common, openai};
use crate::llm::error_body::{ErrorBody, Object, text_at};
use crate::llm::json_shape::{Choices, Presence};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{CallersFault, Credential, Exhausted, Failed, Throttled};
use crate::llm::signal::{Matcher, Signal, Signals, StatusRange, blame, contains, name, named};
use crate::llm::stream_format::EventKind::{
    Cancelled, Content, EndWithStatus, Failed as FailedEnd, Progress,
};
use crate::llm::stream_format::{EndMarker, EventShape, StreamFormat, UnnamedEvents};
use crate::llm::wait;

const ERRORS: &str = "ai.google.dev/gemini-api/docs/generate-content/api-errors";
const INTERACTION_ERRORS: &str =
    "ai.google.dev/gemini-api/docs/api-errors; developersdigest.tech/errors/api/gemini-api";
const REASONS: &str = "googleapis/googleapis google/api/error_reason.proto";

pub(super) static PROFILE: Profile = Profile {
    formats: &[&GENERATE_CONTENT, &INTERACTIONS],
    read_detail: Some(read_detail),
    ..Profile::new(&[&SIGNALS, &openai::COMPATIBLE, &GOOGLE, &common::SIGNALS])
};

/// The signals of Gemini models, which Vertex AI shares.
#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    texts: &[
        quota(429, "perday", Exhausted, "quota_per_day", "cline/cline#2540; langgenius/dify#19838"),
        contains(StatusRange::only(429), "limit: 0", Exhausted, "limit_0", "continuedev/continue#9570"),
        contains(StatusRange::only(429), "prepayment credits are depleted", Exhausted, "prepaid_credits_depleted", "discuss.ai.google.dev/t/169216"),
    ],
    quotas: &[
        name(Exhausted, "quota_exceeded", INTERACTION_ERRORS),
    ],
    ..Signals::NONE
};

/// The signals of every provider that uses Google's error model or passes its errors on.
#[rustfmt::skip]
pub(super) static GOOGLE: Signals = Signals {
    quotas: &[
        name(Exhausted, "payment_required", INTERACTION_ERRORS),
        name(Exhausted, "billing_disabled", REASONS),
        named(StatusRange::only(402), "resource_exhausted", Exhausted, "prepaid_credits_depleted", "developersdigest.tech/errors/api/gemini-api/402-resource-exhausted"),
    ],
    rates: &[
        name(Throttled, "resource_exhausted", ERRORS),
    ],
    failures: &[
        name(Failed, "model_capacity_exhausted", "google-gemini/gemini-cli#23520 (503), #25179 (429)"),
        name(Failed, "unavailable", ERRORS),
        name(Failed, "service_unavailable", INTERACTION_ERRORS),
        name(Failed, "internal", ERRORS),
        name(Failed, "deadline_exceeded", ERRORS),
    ],
    credentials: &[
        blame(Credential, "api_key_invalid", REASONS),
        blame(Credential, "unauthenticated", "googleapis/googleapis google/rpc/code.proto"),
        blame(Credential, "permission_denied", ERRORS),
    ],
    requests: &[
        blame(CallersFault, "invalid_argument", ERRORS),
        blame(CallersFault, "failed_precondition", ERRORS),
        blame(CallersFault, "not_found", ERRORS),
        blame(CallersFault, "invalid_request", INTERACTION_ERRORS),
    ],
    ..Signals::NONE
};

/// A violated quota whose id contains `text`.
const fn quota(
    status: u16,
    text: &'static str,
    meaning: crate::llm::signal::Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    let statuses = StatusRange::only(status);
    Signal { statuses, matcher: Matcher::QuotaPart(text), meaning, reason, source }
}

/// `streamGenerateContent`. The stream ends with the chunk that has a `finishReason`. Candidates end one by one, and
/// some models give a reason in every chunk.
static GENERATE_CONTENT: StreamFormat = StreamFormat {
    name: "generate_content",
    end: EndMarker::Field(b"\"finishReason\""),
    end_repeats: true,
    events: &[],
    unnamed: Some(UnnamedEvents {
        keys: &[b"\"candidates\"", b"\"usageMetadata\"", b"\"promptFeedback\""],
        shape: generate_content_shape,
    }),
};

/// Interactions. The names changed from `content` to `step`, and from `complete` to `completed`.
static INTERACTIONS: StreamFormat = StreamFormat::named(
    "interactions",
    &[
        ("step.delta", Content),
        ("content.delta", Content),
        ("interaction.complete", EndWithStatus),
        ("interaction.completed", EndWithStatus),
        ("interaction.failed", FailedEnd("interaction failed")),
        ("interaction.cancelled", Cancelled),
        ("interaction.*", Progress),
        ("step.*", Progress),
        ("content.*", Progress),
    ],
);

fn generate_content_shape(data: &[u8]) -> Option<EventShape> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Chunk {
        candidates: Choices,
        prompt_feedback: Option<Feedback>,
        usage_metadata: Presence,
    }

    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Feedback {
        block_reason: Presence,
    }

    let Chunk { candidates, prompt_feedback, usage_metadata } =
        serde_json::from_slice(data).ok()?;
    let recognized = candidates.is_list || usage_metadata.is_present() || prompt_feedback.is_some();
    let blocked = prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_full());
    recognized.then_some(EventShape { content: candidates.content, end: candidates.end || blocked })
}

/// Reads `QuotaFailure` and `RetryInfo`. `ErrorInfo` has a `reason`, which is read everywhere.
fn read_detail(error: &mut ErrorBody, detail: &Object) {
    if let Some(Value::Array(violations)) = detail.get("violations") {
        let violations = violations.iter().filter_map(Value::as_object);
        error.quotas.extend(violations.filter_map(|violation| text_at(violation, "quotaId")));
    }
    let delay = detail.get("retryDelay").and_then(Value::as_str);
    error.delay = error.delay.or_else(|| wait::go_duration(delay?));
}
