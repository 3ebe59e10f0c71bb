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

const OPENAI_CODES: &str = "developers.openai.com/api/docs/guides/error-codes";
const OPENAI_QUOTA: &str =
    "help.openai.com/en/articles/6614457; developers.openai.com/api/docs/guides/error-codes";
const OPENAI_OVERLOAD: &str =
    "developersdigest.tech/errors/api/openai-api/503-server-is-overloaded";
const OPENAI_RESPONSES: &str = "openai/openai-python src/openai/types/responses/response_error.py";
const OPENAI_POLICIES: &str = "only in ports of OpenAI's API and in users' code";
const OPENAI_BIG: &str = "Aider-AI/aider#1880; continuedev/continue#11717";
const GROQ_BIG: &str = "continuedev/continue#10218; assafelovic/gpt-researcher#985";
const AZURE_FILTER: &str = "developersdigest.tech/errors/api/azure-openai/400-content-filter";
const AZURE_429: &str =
    "developersdigest.tech/errors/api/azure-openai/429-system-capacity-throttling";
const ANTHROPIC_ERRORS: &str = "platform.claude.com/docs/en/api/errors";
const ANTHROPIC_SPEND: &str =
    "developersdigest.tech/errors/api/anthropic-api/429-enforced-spend-limit-reached";
const GEMINI_ERRORS: &str = "ai.google.dev/gemini-api/docs/generate-content/api-errors";
const GEMINI_QUOTA: &str = "cline/cline#2540; langgenius/dify#19838";
const INTERACTIONS: &str =
    "ai.google.dev/gemini-api/docs/api-errors; developersdigest.tech/errors/api/gemini-api";
const GOOGLE_REASONS: &str = "googleapis/googleapis google/api/error_reason.proto";
const BEDROCK_ERRORS: &str =
    "docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html";
const BEDROCK_NAMES: &str = "docs.rs aws-sdk-bedrockruntime, InvokeModelWithResponseStreamError";
const BEDROCK_STREAM: &str =
    "docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html";
const AWS_COMMON: &str = "docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/common-errors.html";
const OPENROUTER_ERRORS: &str = "openrouter.ai/docs/api/errors";
const OPENROUTER_IN_FLIGHT: &str =
    "developersdigest.tech/errors/api/openrouter/402-in-flight-budget-exhausted";
const OPENROUTER_WEIGHT: &str =
    "developersdigest.tech/errors/api/openrouter/402-weight-exceeds-budget";
const OPENROUTER_BUDGETS: &str =
    "developersdigest.tech/errors/api/openrouter/403-budget-limit-exceeded";
const GROQ_FLEX: &str = "console.groq.com/docs/flex-processing";
const XAI_CREDITS: &str = "continuedev/continue#10373 (429); Anantys-oss/koan#2412 (403)";
const TGI_ERRORS: &str =
    "huggingface/text-generation-inference router/src/infer/mod.rs, router/src/server.rs";
const VLLM_ERRORS: &str = "vllm-project/vllm vllm/entrypoints/openai/models/serving.py";
const OLLAMA_BUSY: &str = "ollama/ollama server/sched.go (ErrMaxQueue), #4124, #4144";
const OLLAMA_CLOUD: &str = "diegosouzapw/OmniRoute#3709; continuedev/continue#9233, #11444";
const HTTP: &str = "RFC 9110";

/// The signals. Within one kind of `What` the first that fits decides.
#[rustfmt::skip]
pub(super) static TABLE: &[Signal] = &[
    // Texts and quotas that decide before anything else does, because the names beside them say less or say another thing.
    signal(CLAUDE, is(400), Begins("your credit balance is too low"), Exhausted, "credit_balance_too_low", "anthropics/claude-code#66314"),
    signal(CLAUDE, is(400), Begins("you have reached your specified"), Exhausted, "specified_usage_limits", "developersdigest.tech/errors/api/anthropic-api/400-spend-limit-reached; continuedev/continue#11305"),
    signal(GEMINI, is(429), Quota("perday"), Exhausted, "quota_per_day", GEMINI_QUOTA),
    signal(GEMINI, is(429), Says("limit: 0"), Exhausted, "limit_0", "continuedev/continue#9570"),
    signal(GEMINI, is(429), Says("prepayment credits are depleted"), Exhausted, "prepaid_credits_depleted", "discuss.ai.google.dev/t/169216"),
    signal(BEDROCK, is(429), Says("too many tokens per day"), Exhausted, "tokens_per_day", "minorun365/agent-book#29 (the name); Ivy-Interactive/Ivy-Tendril#1756 (the status)"),
    signal(AZURE, is(429), Says("experiencing high demand"), Throttled, "high_demand", "learn.microsoft.com/en-us/answers/a/12567967"),
    signal(AZURE, is(429), Says("temporarily unable to process"), Throttled, "temporarily_unable", AZURE_429),
    signal(MISTRAL, is(429), Says("service tier capacity exceeded"), Throttled, "service_tier_capacity_exceeded", "continuedev/continue#6185"),
    signal(COHERE, is(429), Says("calls / month"), Exhausted, "trial_calls_per_month", "docs.cohere.com/docs/rate-limits (the limit; its text only in users' reports)"),
    signal(XAI, is(403), Says("used all available credits"), Exhausted, "credits_or_spending_limit", XAI_CREDITS),
    signal(XAI, is(429), Says("used all available credits"), Exhausted, "credits_or_spending_limit", XAI_CREDITS),
    signal(XAI, is(403), Begins("you have run out of credits"), Exhausted, "out_of_credits", "Wei-Shaw/sub2api#4069; luxus/pi-xai#10"),
    signal(XAI, is(403), Says("doesn't have any credits"), Exhausted, "no_credits", "continuedev/continue#12670; griptape-ai/griptape-nodes-engine#1079"),
    signal(XAI, is(400), Begins("incorrect api key"), Credential, "incorrect_api_key", "docs.x.ai/developers/debugging; continuedev/continue#10778"),
    signal(OLLAMA, is(429), Says("usage limit"), Exhausted, "usage_limit", OLLAMA_CLOUD),
    signal(OLLAMA, is(503), Says("maximum pending requests exceeded"), Failed, "server_busy", OLLAMA_BUSY),
    signal(Who::of(&[Provider::OpenRouter]), is(402), Says("in_flight_budget_exhausted"), Throttled, "in_flight_budget_exhausted", "openrouter.ai/docs/api/errors (the code; as a text in Anthropic's format only in users' reports)"),
    // Asks for more at once than the limit of a minute: never granted, however long one waits.
    signal(COMPATIBLE, is(413), Begins("request too large for"), CallersFault, "request_beyond_the_limit", GROQ_BIG),
    signal(COMPATIBLE, is(429), Begins("request too large for"), CallersFault, "request_beyond_the_limit", OPENAI_BIG),
    signal(SERVERS, is(429), Says("model is overloaded"), Failed, "overloaded", TGI_ERRORS),

    // Quotas and credit. Finer codes first: they stand beside `insufficient_quota` and `rate_limit_error`.
    name(COMPATIBLE, Any, Exhausted, "credit_balance_exhausted", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "organization_spend_limit_exceeded", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "project_spend_limit_exceeded", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "organization_usage_limit_exceeded", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "insufficient_quota", OPENAI_QUOTA),
    name(COMPATIBLE, Any, Exhausted, "billing_hard_limit_reached", "dfinke/PowerShellAI#127 (the body); all-in-aigc/aiwallpaper#2 (the status)"),
    name(COMPATIBLE, Any, Exhausted, "billing_not_active", "lifan0127/ai-research-assistant#174; BerriAI/litellm#2743"),
    name(CLAUDE, Any, Exhausted, "enforced_spend_limit_reached", ANTHROPIC_SPEND),
    name(CLAUDE, Any, Exhausted, "billing_error", ANTHROPIC_ERRORS),
    name(OPENROUTER, Any, Throttled, "in_flight_budget_exhausted", OPENROUTER_IN_FLIGHT),
    name(OPENROUTER, Any, Throttled, "openrouter_in_flight_budget", OPENROUTER_ERRORS),
    name(OPENROUTER, Any, CallersFault, "weight_exceeds_budget", OPENROUTER_WEIGHT),
    name(OPENROUTER, Any, Exhausted, "openrouter_guardrail_budget", OPENROUTER_BUDGETS),
    name(OPENROUTER, Any, Exhausted, "openrouter_workspace_budget", OPENROUTER_BUDGETS),
    name(OPENROUTER, Any, Exhausted, "openrouter_key_limit", OPENROUTER_BUDGETS),
    name(GOOGLE, Any, Exhausted, "payment_required", INTERACTIONS),
    name(GEMINI, Any, Exhausted, "quota_exceeded", INTERACTIONS),
    name(GOOGLE, Any, Exhausted, "billing_disabled", GOOGLE_REASONS),
    signal(GOOGLE, is(402), Name("resource_exhausted"), Exhausted, "prepaid_credits_depleted", "developersdigest.tech/errors/api/gemini-api/402-resource-exhausted"),

    // Rates.
    name(COMPATIBLE, Any, Throttled, "slow_down", OPENAI_CODES),
    name(ANY, Any, Throttled, "rate_limit_exceeded", "Aider-AI/aider#1880; googleapis/googleapis google/api/error_reason.proto"),
    name(ANY, Any, Throttled, "rate_limit_error", ANTHROPIC_ERRORS),
    name(MISTRAL, Any, Throttled, "rate_limited", "raycast/extensions#31107; cline/cline#9085"),
    name(ANY, Any, Throttled, "too_many_requests", INTERACTIONS),
    name(GOOGLE, Any, Throttled, "resource_exhausted", GEMINI_ERRORS),
    name(BEDROCK, Any, Throttled, "ThrottlingException", BEDROCK_ERRORS),
    // Says "later", of quotas of a minute and of others.
    name(BEDROCK, Any, Throttled, "ServiceQuotaExceededException", "developersdigest.tech/errors/api/bedrock/400-servicequotaexceededexception"),

    // Failures.
    name(COMPATIBLE, Any, Failed, "server_is_overloaded", OPENAI_OVERLOAD),
    name(COMPATIBLE, Any, Failed, "service_unavailable_error", OPENAI_OVERLOAD),
    name(COMPATIBLE, Any, Failed, "server_error", OPENAI_RESPONSES),
    name(COMPATIBLE, Any, Failed, "vector_store_timeout", OPENAI_RESPONSES),
    name(ANY, Any, Failed, "overloaded_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Any, Failed, "api_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Any, Failed, "timeout_error", ANTHROPIC_ERRORS),
    name(GOOGLE, Any, Failed, "model_capacity_exhausted", "google-gemini/gemini-cli#23520 (503), #25179 (429)"),
    name(GOOGLE, Any, Failed, "unavailable", GEMINI_ERRORS),
    name(GOOGLE, Any, Failed, "service_unavailable", INTERACTIONS),
    name(GOOGLE, Any, Failed, "internal", GEMINI_ERRORS),
    name(GOOGLE, Any, Failed, "deadline_exceeded", GEMINI_ERRORS),
    name(OPENROUTER, Any, Failed, "provider_overloaded", "developersdigest.tech/errors/api/openrouter/503-provider-overloaded"),
    name(OPENROUTER, Any, Failed, "provider_unavailable", "developersdigest.tech/errors/api/openrouter/502-provider-unavailable"),
    name(GROQ, Any, Failed, "capacity_exceeded", GROQ_FLEX),
    name(BEDROCK, Any, Failed, "ModelNotReadyException", "developersdigest.tech/errors/api/bedrock/429-modelnotreadyexception"),
    name(BEDROCK, Any, Failed, "ServiceUnavailableException", BEDROCK_STREAM),
    name(BEDROCK, Any, Failed, "ModelTimeoutException", BEDROCK_STREAM),
    name(BEDROCK, Any, Failed, "ModelErrorException", "developersdigest.tech/errors/api/bedrock/424-modelerrorexception"),
    name(BEDROCK, Any, Failed, "ModelStreamErrorException", BEDROCK_STREAM),
    name(BEDROCK, Any, Failed, "InternalServerException", BEDROCK_STREAM),
    name(BEDROCK, Any, Failed, "InternalFailure", AWS_COMMON),
    name(SERVERS, Any, Failed, "overloaded", TGI_ERRORS),
    name(SERVERS, Any, Failed, "generation", TGI_ERRORS),
    name(SERVERS, Any, Failed, "incomplete_generation", TGI_ERRORS),
    name(SERVERS, Any, Failed, "InternalServerError", VLLM_ERRORS),

    // Credentials.
    name(ANY, Blame, Credential, "invalid_api_key", "chatanywhere/GPT_API_free#62; popjane/free_chatgpt_api#3"),
    name(ANY, Blame, Credential, "authentication_error", ANTHROPIC_ERRORS),
    name(ANY, Blame, Credential, "permission_error", ANTHROPIC_ERRORS),
    name(GOOGLE, Blame, Credential, "api_key_invalid", GOOGLE_REASONS),
    name(GOOGLE, Blame, Credential, "unauthenticated", "googleapis/googleapis google/rpc/code.proto"),
    name(GOOGLE, Blame, Credential, "permission_denied", GEMINI_ERRORS),
    name(BEDROCK, Blame, Credential, "AccessDeniedException", BEDROCK_ERRORS),
    name(BEDROCK, Blame, Credential, "UnrecognizedClientException", "langchain-ai/langchain#19677; vercel/ai#4163"),
    name(BEDROCK, Blame, Credential, "ExpiredTokenException", AWS_COMMON),
    name(BEDROCK, Blame, Credential, "InvalidSignatureException", "aws/aws-sdk-js#168; rpgreen/apigateway-generic-java-sdk#11 (403)"),
    name(BEDROCK, Blame, Credential, "IncompleteSignature", BEDROCK_ERRORS),
    name(BEDROCK, Blame, Credential, "NotAuthorized", BEDROCK_ERRORS),

    // The request is wrong. Finer codes first: they stand beside `invalid_request_error` and 403.
    name(COMPATIBLE, Blame, CallersFault, "unsupported_country_region_territory", "home-assistant/core#120072"),
    name(COMPATIBLE, Blame, CallersFault, "context_length_exceeded", "crewAIInc/crewAI-examples#121"),
    name(COMPATIBLE, Blame, CallersFault, "content_filter", AZURE_FILTER),
    name(COMPATIBLE, Blame, CallersFault, "content_policy_violation", "songquanpeng/one-api#737; BerriAI/litellm#16072 (Azure)"),
    name(COMPATIBLE, Blame, CallersFault, "model_not_found", "Aider-AI/aider#2030"),
    name(COMPATIBLE, Blame, CallersFault, "invalid_prompt", OPENAI_RESPONSES),
    name(AZURE, Blame, CallersFault, "DeploymentNotFound", "chatboxai/chatbox#861; MicrosoftDocs/azure-docs#114013"),
    name(ANY, Blame, CallersFault, "invalid_request_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Blame, CallersFault, "not_found_error", ANTHROPIC_ERRORS),
    name(CLAUDE, Blame, CallersFault, "request_too_large", ANTHROPIC_ERRORS),
    name(GOOGLE, Blame, CallersFault, "invalid_argument", GEMINI_ERRORS),
    name(GOOGLE, Blame, CallersFault, "failed_precondition", GEMINI_ERRORS),
    name(GOOGLE, Blame, CallersFault, "not_found", GEMINI_ERRORS),
    name(GOOGLE, Blame, CallersFault, "invalid_request", INTERACTIONS),
    name(BEDROCK, Blame, CallersFault, "ValidationException", BEDROCK_NAMES),
    name(BEDROCK, Blame, CallersFault, "ResourceNotFoundException", BEDROCK_NAMES),
    name(SERVERS, Blame, CallersFault, "validation", TGI_ERRORS),
    name(SERVERS, Blame, CallersFault, "BadRequestError", VLLM_ERRORS),
    name(SERVERS, Blame, CallersFault, "NotFoundError", VLLM_ERRORS),
    // Codes inside of a 200, where no status says whose fault it is.
    name(COMPATIBLE, Blame, CallersFault, "invalid_image", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "invalid_image_format", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "invalid_base64_image", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "invalid_image_url", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "image_too_large", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "image_too_small", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "image_parse_error", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "image_content_policy_violation", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "invalid_image_mode", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "image_file_too_large", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "unsupported_image_media_type", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "empty_image_file", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "failed_to_download_image", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "image_file_not_found", OPENAI_RESPONSES),
    name(COMPATIBLE, Blame, CallersFault, "bio_policy", OPENAI_POLICIES),
    name(COMPATIBLE, Blame, CallersFault, "misalignment_policy_violation", OPENAI_POLICIES),
    name(COMPATIBLE, Blame, CallersFault, "data_residency_mismatch", OPENAI_POLICIES),

    // Neither.
    name(ANY, Any, Neutral, "conflict_error", ANTHROPIC_ERRORS),
    name(BEDROCK, Any, Neutral, "ConflictException", "docs.rs aws-sdk-bedrockruntime, StartAsyncInvokeError"),

    // By the status alone.
    status(OPENAI, 403, 403, CallersFault, "country_not_supported", OPENAI_CODES),
    status(Who::of(&[Provider::OpenRouter]), 403, 403, CallersFault, "moderation_or_guardrail", OPENROUTER_ERRORS),
    status(Who::of(&[Provider::Groq]), 498, 498, Failed, "flex_capacity_exceeded", GROQ_FLEX),
    status(Who::of(&[Provider::Bedrock]), 424, 424, Failed, "model_error", BEDROCK_STREAM),
    status(Who::of(&[Provider::Tgi]), 424, 424, Failed, "generation", TGI_ERRORS),
    status(ANY, 401, 401, Credential, "unauthorized", HTTP),
    status(ANY, 402, 402, Exhausted, "payment_required", "api-docs.deepseek.com/quick_start/error_codes; developersdigest.tech/errors/api/cohere-api/402-payment-required"),
    status(ANY, 403, 403, Credential, "forbidden", HTTP),
    status(ANY, 408, 408, Failed, "request_timeout", OPENROUTER_ERRORS),
    status(ANY, 409, 409, Neutral, "conflict", HTTP),
    status(ANY, 425, 425, Neutral, "too_early", "RFC 8470"),
    status(ANY, 429, 429, Throttled, "too_many_requests", "RFC 6585"),
    status(ANY, 501, 501, CallersFault, "not_implemented", HTTP),
    status(ANY, 505, 505, CallersFault, "http_version_not_supported", HTTP),
    status(ANY, 520, 524, Failed, "cloudflare", "n8n-io/n8n#18275 (520); curl/curl discussion 16143 (522); httpcats/http.cat#93 (521, 523)"),
    status(ANY, 529, 529, Failed, "overloaded", ANTHROPIC_ERRORS),
    status(ANY, 400, 499, CallersFault, "rejected", HTTP),
    status(ANY, 500, 599, Failed, "server_error", HTTP),

    // Errors inside of a 200 that have nothing but a text. None closes the door: such a text may quote what was generated.
    signal(ANY, Any, Hints("rate limit"), Throttled, "rate_limit", "the text itself; inside of a 200 not found in public documentation"),
    signal(ANY, Any, Hints("requests rate limit"), Throttled, "rate_limit", "dnakov/anon-kode#53 (as a 429; inside of a 200 not found)"),
    signal(ANY, Any, Hints("too many requests"), Throttled, "too_many_requests", "the text itself; inside of a 200 not found in public documentation"),
];

#[cfg(test)]
mod tests;
