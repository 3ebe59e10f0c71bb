//! What the providers' errors mean, as plain data.

use super::Provider;
use super::matching::{Meaning, On, Signal, What, Who};

const fn signal(
    who: Who,
    on: On,
    what: What,
    meaning: Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    Signal { who, on, what, meaning, reason, source }
}

/// A name that is its own reason.
const fn name(
    who: Who,
    on: On,
    meaning: Meaning,
    name: &'static str,
    source: &'static str,
) -> Signal {
    signal(who, on, What::Name(name), meaning, name, source)
}

/// A status, whatever the body says.
const fn status(
    who: Who,
    from: u16,
    to: u16,
    meaning: Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    signal(who, On::Status(from, to), What::Status, meaning, reason, source)
}

const fn is(status: u16) -> On {
    On::Status(status, status)
}

use Meaning::{CallersFault, Credential, Exhausted, Failed, Neutral, Throttled};
use On::{Any, Blame};
use What::{Begins, Hints, Name, Quota, Says};

const ANY: Who = Who::ANY;
const AZURE: Who = Who::of(&[Provider::AzureOpenAi]);
const BEDROCK: Who = Who::of(&[Provider::Bedrock, Provider::Generic]);
const COHERE: Who = Who::of(&[Provider::Cohere]);
const GROQ: Who = Who::of(&[Provider::Groq, Provider::Generic]);
const MISTRAL: Who = Who::of(&[Provider::Mistral, Provider::Generic]);
const OLLAMA: Who = Who::of(&[Provider::Ollama]);
const OPENAI: Who = Who::of(&[Provider::OpenAi]);
const OPENROUTER: Who = Who::of(&[Provider::OpenRouter, Provider::Generic]);
const XAI: Who = Who::of(&[Provider::XAi]);
/// Servers that one runs oneself.
const SERVERS: Who = Who::of(&[Provider::Tgi, Provider::Vllm, Provider::Generic]);
/// Who sells Anthropic's models, or passes its errors on.
const CLAUDE: Who = Who::of(&[
    Provider::Anthropic,
    Provider::Bedrock,
    Provider::Vertex,
    Provider::OpenRouter,
    Provider::Generic,
]);
/// Who speaks Google's error model.
const GOOGLE: Who =
    Who::of(&[Provider::Gemini, Provider::Vertex, Provider::OpenRouter, Provider::Generic]);
const GEMINI: Who = Who::of(&[Provider::Gemini, Provider::Vertex]);
/// Who speaks OpenAI's error format, or passes its errors on.
const COMPATIBLE: Who = Who::of(&[
    Provider::OpenAi,
    Provider::AzureOpenAi,
    Provider::OpenRouter,
    Provider::Groq,
    Provider::Mistral,
    Provider::DeepSeek,
    Provider::XAi,
    Provider::Vllm,
    Provider::Tgi,
    Provider::Ollama,
    Provider::Gemini,
    Provider::Generic,
]);

const OPENAI_CODES: &str = "developers.openai.com/docs/guides/error-codes";
const OPENAI_QUOTA: &str = "learn.microsoft.com dev-proxy openai-insufficient-quota";
const OPENAI_RESPONSES: &str = "OpenAI API reference, Responses: error codes of a failed response";
const AZURE_ERRORS: &str = "learn.microsoft.com Azure OpenAI content filters and quotas";
const AZURE_429: &str = "developersdigest.tech azure-openai 429";
const ANTHROPIC_ERRORS: &str = "docs.claude.com/en/api/errors";
const ANTHROPIC_SPEND: &str = "learn.microsoft.com dev-proxy anthropic-529-overloaded-error";
const GEMINI_ERRORS: &str = "ai.google.dev gemini-api api-errors";
const GEMINI_QUOTA: &str = "discuss.ai.google.dev 109581, 124640";
const INTERACTIONS: &str = "developersdigest.tech gemini-api, Interactions codes";
const GOOGLE_REASONS: &str = "googleapis google/api/error_reason.proto";
const BEDROCK_ERRORS: &str = "docs.aws.amazon.com bedrock troubleshooting-api-error-codes";
const BEDROCK_STREAM: &str = "docs.aws.amazon.com bedrock API_runtime_ResponseStream";
const AWS_COMMON: &str = "docs.aws.amazon.com common error types";
const OPENROUTER_ERRORS: &str = "openrouter.ai/docs/api/errors";
const OPENROUTER_BUDGETS: &str = "developersdigest.tech openrouter 402, 403";
const GROQ_ERRORS: &str = "console.groq.com/docs/errors, flex-processing";
const MISTRAL_ERRORS: &str = "docs.mistral.ai error-glossary";
const XAI_ISSUES: &str = "continuedev/continue#10373, #12670; Anantys-oss/koan#2412";
const TGI_ERRORS: &str = "huggingface text-generation-inference, error types; #439";
const VLLM_ERRORS: &str = "docs.vllm.ai OpenAI-compatible server, ErrorResponse";
const OLLAMA_BUSY: &str = "ollama/ollama#4124, #4144";
const OLLAMA_CLOUD: &str = "ollama/ollama#15934; vybestack/llxprt-code#2450";
const HTTP: &str = "RFC 9110";

/// The signals. Within one kind of `What` the first that fits decides.
#[rustfmt::skip]
pub(super) static TABLE: &[Signal] = &[
    // Texts and quotas that decide before anything else does, because the names beside them say less or say another thing.
    signal(CLAUDE, is(400), Begins("your credit balance is too low"), Exhausted, "credit_balance_too_low", "BerriAI/litellm#16092"),
    signal(CLAUDE, is(400), Begins("you have reached your specified"), Exhausted, "specified_usage_limits", "developersdigest.tech anthropic-api 400 spend limit reached"),
    signal(GEMINI, is(429), Quota("perday"), Exhausted, "quota_per_day", GEMINI_QUOTA),
    signal(GEMINI, is(429), Says("limit: 0"), Exhausted, "limit_0", "dev.to/nils44344 gemini-api-429"),
    signal(BEDROCK, is(429), Says("too many tokens per day"), Exhausted, "tokens_per_day", BEDROCK_ERRORS),
    signal(AZURE, is(429), Says("experiencing high demand"), Throttled, "high_demand", AZURE_429),
    signal(AZURE, is(429), Says("temporarily unable to process"), Throttled, "temporarily_unable", AZURE_429),
    signal(MISTRAL, is(429), Says("service tier capacity exceeded"), Throttled, "service_tier_capacity_exceeded", "continuedev/continue#6185"),
    signal(COHERE, is(429), Says("calls / month"), Exhausted, "trial_calls_per_month", "docs.cohere.com/docs/rate-limits"),
    signal(XAI, is(403), Says("used all available credits"), Exhausted, "credits_or_spending_limit", XAI_ISSUES),
    signal(XAI, is(429), Says("used all available credits"), Exhausted, "credits_or_spending_limit", XAI_ISSUES),
    signal(XAI, is(403), Begins("you have run out of credits"), Exhausted, "out_of_credits", "Wei-Shaw/sub2api#4069"),
    signal(XAI, is(403), Says("doesn't have any credits"), Exhausted, "no_credits", XAI_ISSUES),
    signal(XAI, is(400), Begins("incorrect api key"), Credential, "incorrect_api_key", "docs.x.ai debugging errors"),
    signal(OLLAMA, is(429), Says("usage limit"), Exhausted, "usage_limit", OLLAMA_CLOUD),
    signal(OLLAMA, is(503), Says("maximum pending requests exceeded"), Failed, "server_busy", OLLAMA_BUSY),
    signal(Who::of(&[Provider::OpenRouter]), is(402), Says("in_flight_budget_exhausted"), Throttled, "in_flight_budget_exhausted", "openrouter.ai/docs/api/errors, in Anthropic's format"),
    signal(SERVERS, is(429), Says("model is overloaded"), Failed, "overloaded", TGI_ERRORS),

    // Quotas and credit. Finer codes first: they stand beside `insufficient_quota` and `rate_limit_error`.
    name(COMPATIBLE, Any, Exhausted, "credit_balance_exhausted", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "organization_spend_limit_exceeded", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "project_spend_limit_exceeded", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "organization_usage_limit_exceeded", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "insufficient_quota", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "billing_hard_limit_reached", "openai-node#1011; image generation"),
    name(COMPATIBLE, Any, Exhausted, "billing_not_active", "community.openai.com, account is not active"),
    name(CLAUDE, Any, Exhausted, "enforced_spend_limit_reached", ANTHROPIC_SPEND),
    name(CLAUDE, Any, Exhausted, "billing_error", ANTHROPIC_ERRORS),
    name(OPENROUTER, Any, Throttled, "in_flight_budget_exhausted", OPENROUTER_BUDGETS),
    name(OPENROUTER, Any, Throttled, "openrouter_in_flight_budget", OPENROUTER_ERRORS),
    name(OPENROUTER, Any, CallersFault, "weight_exceeds_budget", OPENROUTER_BUDGETS),
    name(OPENROUTER, Any, Exhausted, "openrouter_guardrail_budget", OPENROUTER_BUDGETS),
    name(OPENROUTER, Any, Exhausted, "openrouter_workspace_budget", OPENROUTER_BUDGETS),
    name(OPENROUTER, Any, Exhausted, "openrouter_key_limit", OPENROUTER_BUDGETS),
    name(GOOGLE, Any, Exhausted, "payment_required", INTERACTIONS),
    name(GOOGLE, Any, Exhausted, "quota_exceeded", INTERACTIONS),
    name(GOOGLE, Any, Exhausted, "billing_disabled", GOOGLE_REASONS),
    signal(GOOGLE, is(402), Name("resource_exhausted"), Exhausted, "prepaid_credits_depleted", GEMINI_ERRORS),
    name(BEDROCK, Any, Exhausted, "ServiceQuotaExceededException", BEDROCK_ERRORS),

    // Rates.
    name(COMPATIBLE, Any, Throttled, "slow_down", "developersdigest.tech openai-api 429 slow_down"),
    name(ANY, Any, Throttled, "rate_limit_exceeded", "learn.microsoft.com dev-proxy openai-rate-limit-reached"),
    name(ANY, Any, Throttled, "rate_limit_error", ANTHROPIC_ERRORS),
    name(MISTRAL, Any, Throttled, "rate_limited", "raycast/extensions#31107"),
    name(GOOGLE, Any, Throttled, "too_many_requests", INTERACTIONS),
    name(GOOGLE, Any, Throttled, "resource_exhausted", GEMINI_QUOTA),
    name(BEDROCK, Any, Throttled, "ThrottlingException", BEDROCK_ERRORS),

    // Failures.
    name(COMPATIBLE, Any, Failed, "server_is_overloaded", "developersdigest.tech openai-api 503"),
    name(COMPATIBLE, Any, Failed, "service_unavailable_error", "developersdigest.tech openai-api 503"),
    name(COMPATIBLE, Any, Failed, "server_error", OPENAI_RESPONSES),
    name(COMPATIBLE, Any, Failed, "vector_store_timeout", OPENAI_RESPONSES),
    name(ANY, Any, Failed, "overloaded_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Any, Failed, "api_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Any, Failed, "timeout_error", ANTHROPIC_ERRORS),
    name(GOOGLE, Any, Failed, "model_capacity_exhausted", "google-gemini/gemini-cli#23520"),
    name(GOOGLE, Any, Failed, "unavailable", GEMINI_ERRORS),
    name(GOOGLE, Any, Failed, "service_unavailable", INTERACTIONS),
    name(GOOGLE, Any, Failed, "internal", GEMINI_ERRORS),
    name(GOOGLE, Any, Failed, "deadline_exceeded", GEMINI_ERRORS),
    name(OPENROUTER, Any, Failed, "provider_overloaded", "developersdigest.tech openrouter 503"),
    name(OPENROUTER, Any, Failed, "provider_unavailable", "developersdigest.tech openrouter 502"),
    name(GROQ, Any, Failed, "capacity_exceeded", GROQ_ERRORS),
    name(BEDROCK, Any, Failed, "ModelNotReadyException", BEDROCK_ERRORS),
    name(BEDROCK, Any, Failed, "ServiceUnavailableException", BEDROCK_ERRORS),
    name(BEDROCK, Any, Failed, "ModelTimeoutException", BEDROCK_STREAM),
    name(BEDROCK, Any, Failed, "ModelErrorException", "docs.aws.amazon.com bedrock API_runtime_InvokeModel"),
    name(BEDROCK, Any, Failed, "ModelStreamErrorException", BEDROCK_STREAM),
    name(BEDROCK, Any, Failed, "InternalServerException", BEDROCK_STREAM),
    name(BEDROCK, Any, Failed, "InternalFailure", AWS_COMMON),
    name(SERVERS, Any, Failed, "overloaded", TGI_ERRORS),
    name(SERVERS, Any, Failed, "generation", TGI_ERRORS),
    name(SERVERS, Any, Failed, "incomplete_generation", TGI_ERRORS),
    name(SERVERS, Any, Failed, "InternalServerError", VLLM_ERRORS),

    // Credentials.
    name(ANY, Blame, Credential, "invalid_api_key", OPENAI_CODES),
    name(ANY, Blame, Credential, "authentication_error", ANTHROPIC_ERRORS),
    name(ANY, Blame, Credential, "permission_error", ANTHROPIC_ERRORS),
    name(GOOGLE, Blame, Credential, "api_key_invalid", GEMINI_ERRORS),
    name(GOOGLE, Blame, Credential, "unauthenticated", GEMINI_ERRORS),
    name(GOOGLE, Blame, Credential, "permission_denied", GEMINI_ERRORS),
    name(BEDROCK, Blame, Credential, "AccessDeniedException", BEDROCK_ERRORS),
    name(BEDROCK, Blame, Credential, "UnrecognizedClientException", AWS_COMMON),
    name(BEDROCK, Blame, Credential, "ExpiredTokenException", AWS_COMMON),
    name(BEDROCK, Blame, Credential, "InvalidSignatureException", AWS_COMMON),
    name(BEDROCK, Blame, Credential, "IncompleteSignature", BEDROCK_ERRORS),

    // The request is wrong. Finer codes first: they stand beside `invalid_request_error` and 403.
    name(COMPATIBLE, Blame, CallersFault, "unsupported_country_region_territory", OPENAI_CODES),
    name(COMPATIBLE, Blame, CallersFault, "context_length_exceeded", OPENAI_CODES),
    name(COMPATIBLE, Blame, CallersFault, "content_filter", AZURE_ERRORS),
    name(COMPATIBLE, Blame, CallersFault, "content_policy_violation", AZURE_ERRORS),
    name(COMPATIBLE, Blame, CallersFault, "model_not_found", OPENAI_CODES),
    name(COMPATIBLE, Blame, CallersFault, "invalid_prompt", OPENAI_RESPONSES),
    name(AZURE, Blame, CallersFault, "DeploymentNotFound", "learn.microsoft.com Azure OpenAI deployments"),
    name(ANY, Blame, CallersFault, "invalid_request_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Blame, CallersFault, "not_found_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Blame, CallersFault, "request_too_large", ANTHROPIC_ERRORS),
    name(GOOGLE, Blame, CallersFault, "invalid_argument", GEMINI_ERRORS),
    name(GOOGLE, Blame, CallersFault, "failed_precondition", GEMINI_ERRORS),
    name(GOOGLE, Blame, CallersFault, "not_found", GEMINI_ERRORS),
    name(GOOGLE, Blame, CallersFault, "invalid_request", INTERACTIONS),
    name(BEDROCK, Blame, CallersFault, "ValidationException", BEDROCK_ERRORS),
    name(BEDROCK, Blame, CallersFault, "ResourceNotFoundException", BEDROCK_ERRORS),
    name(SERVERS, Blame, CallersFault, "validation", TGI_ERRORS),
    name(SERVERS, Blame, CallersFault, "BadRequestError", VLLM_ERRORS),
    name(SERVERS, Blame, CallersFault, "NotFoundError", VLLM_ERRORS),

    // Neither.
    name(ANY, Any, Neutral, "conflict_error", ANTHROPIC_ERRORS),
    name(BEDROCK, Any, Neutral, "ConflictException", BEDROCK_ERRORS),

    // By the status alone.
    status(OPENAI, 403, 403, CallersFault, "country_not_supported", OPENAI_CODES),
    status(Who::of(&[Provider::OpenRouter]), 403, 403, CallersFault, "moderation_or_guardrail", OPENROUTER_ERRORS),
    status(Who::of(&[Provider::Groq]), 498, 498, Failed, "flex_capacity_exceeded", GROQ_ERRORS),
    status(Who::of(&[Provider::Bedrock]), 424, 424, Failed, "model_error", BEDROCK_ERRORS),
    status(ANY, 401, 401, Credential, "unauthorized", HTTP),
    status(ANY, 402, 402, Exhausted, "payment_required", "docs of DeepSeek, Mistral, Cohere, OpenRouter"),
    status(ANY, 403, 403, Credential, "forbidden", HTTP),
    status(ANY, 408, 408, Failed, "request_timeout", OPENROUTER_ERRORS),
    status(ANY, 409, 409, Neutral, "conflict", HTTP),
    status(ANY, 425, 425, Neutral, "too_early", "RFC 8470"),
    status(ANY, 429, 429, Throttled, "too_many_requests", "RFC 6585"),
    status(ANY, 501, 501, CallersFault, "not_implemented", HTTP),
    status(ANY, 505, 505, CallersFault, "http_version_not_supported", HTTP),
    status(ANY, 520, 524, Failed, "cloudflare", "developers.cloudflare.com 5xx errors"),
    status(ANY, 529, 529, Failed, "overloaded", ANTHROPIC_ERRORS),
    status(ANY, 400, 499, CallersFault, "rejected", HTTP),
    status(ANY, 500, 599, Failed, "server_error", HTTP),

    // Errors inside of a 200 that have nothing but a text.
    signal(OLLAMA, Any, Hints("usage limit"), Exhausted, "usage_limit", OLLAMA_CLOUD),
    signal(ANY, Any, Hints("insufficient credits"), Exhausted, "insufficient_credits", OPENROUTER_ERRORS),
    signal(ANY, Any, Hints("rate limit"), Throttled, "rate_limit", MISTRAL_ERRORS),
    signal(ANY, Any, Hints("too many requests"), Throttled, "too_many_requests", "RFC 6585"),
];

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
