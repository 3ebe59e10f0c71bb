//! OpenRouter, which passes on the errors of most other providers.

use serde_json::Value;

use super::{anthropic, common, gemini, openai};
use crate::llm::error_body::{ErrorBody, Object, number, text_at};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{CallersFault, Exhausted, Failed, Throttled};
use crate::llm::signal::{Signals, StatusRange, contains, name, status};
use crate::llm::wait;

const ERRORS: &str = "openrouter.ai/docs/api/errors";
const BUDGETS: &str = "developersdigest.tech/errors/api/openrouter/403-budget-limit-exceeded";

pub(super) static PROFILE: Profile = Profile {
    read_error: Some(read_error),
    ..Profile::new(&[
        &OWN,
        &openai::COMPATIBLE,
        &anthropic::SIGNALS,
        &SIGNALS,
        &gemini::GOOGLE,
        &common::SIGNALS,
    ])
};

#[rustfmt::skip]
static OWN: Signals = Signals {
    texts: &[
        contains(StatusRange::only(402), "in_flight_budget_exhausted", Throttled, "in_flight_budget_exhausted", "openrouter.ai/docs/api/errors (the code; as a text in Anthropic's format only in users' reports)"),
    ],
    statuses: &[
        status(403, CallersFault, "moderation_or_guardrail", ERRORS),
    ],
    ..Signals::NONE
};

/// The names that OpenRouter adds.
#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    quotas: &[
        name(Throttled, "in_flight_budget_exhausted", "developersdigest.tech/errors/api/openrouter/402-in-flight-budget-exhausted"),
        name(Throttled, "openrouter_in_flight_budget", ERRORS),
        name(CallersFault, "weight_exceeds_budget", "developersdigest.tech/errors/api/openrouter/402-weight-exceeds-budget"),
        name(Exhausted, "openrouter_guardrail_budget", BUDGETS),
        name(Exhausted, "openrouter_workspace_budget", BUDGETS),
        name(Exhausted, "openrouter_key_limit", BUDGETS),
    ],
    failures: &[
        name(Failed, "provider_overloaded", "developersdigest.tech/errors/api/openrouter/503-provider-overloaded"),
        name(Failed, "provider_unavailable", "developersdigest.tech/errors/api/openrouter/502-provider-unavailable"),
    ],
    ..Signals::NONE
};

/// Reads `metadata`.
fn read_error(error: &mut ErrorBody, object: &Object) {
    let Some(Value::Object(metadata)) = object.get("metadata") else { return };
    for key in ["error_type", "limit_source", "reason", "code"] {
        error.codes.extend(text_at(metadata, key));
    }
    let seconds = metadata.get("retry_after_seconds").and_then(Value::as_f64);
    error.delay = error.delay.or_else(|| wait::seconds(seconds?));
    if let Some(Value::Object(headers)) = metadata.get("headers") {
        let reset = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-ratelimit-reset"));
        error.reset = error.reset.or_else(|| wait::epoch_ms(number(reset?.1)?));
    }
    let resets_at = metadata.get("resets_at").and_then(Value::as_str);
    error.reset = error.reset.or_else(|| wait::rfc3339(resets_at?));
}
