//! Signals and events that apply to every provider.

use crate::llm::signal::Meaning::{
    CallersFault, Credential, Exhausted, Failed, Neutral, Throttled,
};
use crate::llm::signal::StatusRange::Any;
use crate::llm::signal::{Matcher, Signal, Signals, blame, name, status, statuses};
use crate::llm::stream_format::EventKind::{End, Failed as FailedEnd, Progress};
use crate::llm::stream_format::NamedEvent;

const ANTHROPIC: &str = "platform.claude.com/docs/en/api/errors";
const GOOGLE: &str =
    "ai.google.dev/gemini-api/docs/api-errors; developersdigest.tech/errors/api/gemini-api";
const HTTP: &str = "RFC 9110";
const TEXT_ITSELF: &str = "the text itself; not found inside a 200 in public documentation";

/// Names that are widely copied, and statuses.
#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    rates: &[
        name(Throttled, "rate_limit_exceeded", "Aider-AI/aider#1880; googleapis/googleapis google/api/error_reason.proto"),
        name(Throttled, "rate_limit_error", ANTHROPIC),
        name(Throttled, "too_many_requests", GOOGLE),
    ],
    failures: &[
        name(Failed, "overloaded_error", ANTHROPIC),
    ],
    credentials: &[
        blame(Credential, "invalid_api_key", "chatanywhere/GPT_API_free#62; popjane/free_chatgpt_api#3"),
        blame(Credential, "authentication_error", ANTHROPIC),
        blame(Credential, "permission_error", ANTHROPIC),
    ],
    requests: &[
        blame(CallersFault, "invalid_request_error", ANTHROPIC),
    ],
    neutral: &[
        name(Neutral, "conflict_error", ANTHROPIC),
    ],
    statuses: &[
        status(401, Credential, "unauthorized", HTTP),
        status(402, Exhausted, "payment_required", "api-docs.deepseek.com/quick_start/error_codes; developersdigest.tech/errors/api/cohere-api/402-payment-required"),
        status(403, Credential, "forbidden", HTTP),
        status(408, Failed, "request_timeout", "openrouter.ai/docs/api/errors"),
        status(409, Neutral, "conflict", HTTP),
        status(425, Neutral, "too_early", "RFC 8470"),
        status(429, Throttled, "too_many_requests", "RFC 6585"),
        status(501, CallersFault, "not_implemented", HTTP),
        status(505, CallersFault, "http_version_not_supported", HTTP),
        statuses(520, 524, Failed, "cloudflare", "n8n-io/n8n#18275 (520); curl/curl discussion 16143 (522); httpcats/http.cat#93 (521, 523)"),
        status(529, Failed, "overloaded", ANTHROPIC),
        statuses(400, 499, CallersFault, "rejected", HTTP),
        statuses(500, 599, Failed, "server_error", HTTP),
    ],
    // None of these is exhausted: such a text may quote generated output, and must not open the circuit for long.
    bare_texts: &[
        bare_text("rate limit", "rate_limit", TEXT_ITSELF),
        bare_text("requests rate limit", "rate_limit", "dnakov/anon-kode#53 (as a 429; not found inside a 200)"),
        bare_text("too many requests", "too_many_requests", TEXT_ITSELF),
    ],
    ..Signals::NONE
};

/// The beginning of a message that reports a rate limit.
const fn bare_text(text: &'static str, reason: &'static str, source: &'static str) -> Signal {
    let matcher = Matcher::BareMessageStart(text);
    Signal { statuses: Any, matcher, meaning: Throttled, reason, source }
}

/// Events that occur in streams of several formats.
pub(super) const EVENTS: &[NamedEvent] = &[
    ("ping", Progress),
    ("keepalive", Progress),
    ("keep-alive", Progress),
    ("heartbeat", Progress),
    ("error", FailedEnd("error event")),
    ("done", End),
];
