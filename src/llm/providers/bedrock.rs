//! Amazon Bedrock.

use memchr::memmem;
use serde_json::Value;

use super::{anthropic, common};
use crate::llm::error_body::{ErrorBody, Object};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{
    CallersFault, Credential, Exhausted, Failed, Neutral, Throttled,
};
use crate::llm::signal::{Signals, StatusRange, blame, contains, name, status};
use crate::llm::stream_format::EventKind::{Content, End, Progress};
use crate::llm::stream_format::{EndMarker, StreamFormat};

const ERRORS: &str =
    "docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html";
const NAMES: &str = "docs.rs aws-sdk-bedrockruntime, InvokeModelWithResponseStreamError";
const STREAM: &str =
    "docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html";
const AWS_COMMON: &str = "docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/common-errors.html";

pub(super) static PROFILE: Profile = Profile {
    formats: &[&CONVERSE],
    events: &[("metadata", Progress), ("initial-response", Progress)],
    error_header: Some("x-amzn-errortype"),
    read_error: Some(read_error),
    ..Profile::new(&[&OWN, &SIGNALS, &anthropic::SIGNALS, &common::SIGNALS])
};

static OWN: Signals =
    Signals { statuses: &[status(424, Failed, "model_error", STREAM)], ..Signals::NONE };

/// The names of AWS exceptions.
#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(429), "too many tokens per day", Exhausted, "tokens_per_day", "minorun365/agent-book#29 (the name); Ivy-Interactive/Ivy-Tendril#1756 (the status)"),
    ],
    rates: &[
        name(Throttled, "ThrottlingException", ERRORS),
        // Used for quotas per minute and for longer ones. Its message only asks to retry "later".
        name(Throttled, "ServiceQuotaExceededException", "developersdigest.tech/errors/api/bedrock/400-servicequotaexceededexception"),
    ],
    failures: &[
        name(Failed, "ModelNotReadyException", "developersdigest.tech/errors/api/bedrock/429-modelnotreadyexception"),
        name(Failed, "ServiceUnavailableException", STREAM),
        name(Failed, "ModelTimeoutException", STREAM),
        name(Failed, "ModelErrorException", "developersdigest.tech/errors/api/bedrock/424-modelerrorexception"),
        name(Failed, "ModelStreamErrorException", STREAM),
        name(Failed, "InternalServerException", STREAM),
        name(Failed, "InternalFailure", AWS_COMMON),
    ],
    credentials: &[
        blame(Credential, "AccessDeniedException", ERRORS),
        blame(Credential, "UnrecognizedClientException", "langchain-ai/langchain#19677; vercel/ai#4163"),
        blame(Credential, "ExpiredTokenException", AWS_COMMON),
        blame(Credential, "InvalidSignatureException", "aws/aws-sdk-js#168; rpgreen/apigateway-generic-java-sdk#11 (403)"),
        blame(Credential, "IncompleteSignature", ERRORS),
        blame(Credential, "NotAuthorized", ERRORS),
    ],
    requests: &[
        blame(CallersFault, "ValidationException", NAMES),
        blame(CallersFault, "ResourceNotFoundException", NAMES),
    ],
    neutral: &[
        name(Neutral, "ConflictException", "docs.rs aws-sdk-bedrockruntime, StartAsyncInvokeError"),
    ],
    ..Signals::NONE
};

/// `ConverseStream`.
static CONVERSE: StreamFormat = StreamFormat::named(
    "converse",
    &[
        ("contentBlockDelta", Content),
        ("contentBlockStart", Progress),
        ("contentBlockStop", Progress),
        ("messageStart", Progress),
        ("messageStop", End),
    ],
);

/// `InvokeModelWithResponseStream`: messages of type [`CHUNK`], each with a part of the model's own stream.
pub(in crate::llm) static INVOKE: StreamFormat = StreamFormat {
    name: "invoke",
    end: EndMarker::None,
    end_repeats: false,
    events: &[],
    unnamed: None,
};

/// The type of the messages of [`INVOKE`]. Other formats may use the name for something else.
pub(in crate::llm) const CHUNK: &[u8] = b"chunk";

/// Returns whether a part of a model's stream, in base64, may have content.
///
/// Anthropic's models begin with a `message_start` and may ping. Their first bytes identify both.
pub(in crate::llm) fn chunk_has_content(payload: &[u8]) -> bool {
    // `{"type":"message_start"` and `{"type":"ping"`, as far as they alone determine the base64.
    const WITHOUT_CONTENT: [&[u8]; 2] =
        [b"\"eyJ0eXBlIjoibWVzc2FnZV9zdGFydC", b"\"eyJ0eXBlIjoicGluZy"];
    !WITHOUT_CONTENT.iter().any(|start| memmem::find(payload, start).is_some())
}

/// Returns the name of an AWS exception: `namespace#ThrottlingException:http://…` is a `ThrottlingException`.
pub(in crate::llm) fn exception_name(name: &str) -> &str {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    name.rsplit_once('#').map_or(name, |(_, name)| name).trim()
}

fn read_error(error: &mut ErrorBody, object: &Object) {
    let name = object.get("__type").and_then(Value::as_str);
    error.types.extend(name.map(|name| exception_name(name).to_owned()));
}
