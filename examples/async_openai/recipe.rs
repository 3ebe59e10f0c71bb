// What a stack around async-openai needs beside the layers. Copy what you use.

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Body, Response, Url};
use serde_json::Value;
use tower_breaker::{BoxError, CircuitOpen, Outcome};

/// The error that async-openai knows, from the boxed one of a breaker or a timeout. For `.map_err(openai_error)`.
///
/// Its own errors come out of the box again: its retry layer finds failed connects, and callers the variants they match on.
/// Anything else is `OpenAIError::Boxed`.
pub(crate) fn openai_error(error: BoxError) -> OpenAIError {
    error.downcast().map_or_else(OpenAIError::Boxed, |own| *own)
}

/// The rejection, if a breaker answered and nobody was called.
///
/// The source of a transparent error is that of what it holds: `CircuitOpen::find` on the `OpenAIError` itself would look
/// past the rejection.
pub(crate) fn rejection(error: &OpenAIError) -> Option<&CircuitOpen> {
    match error {
        OpenAIError::Boxed(error) => CircuitOpen::find(&**error),
        _ => None,
    }
}

/// What an error of async-openai's means, for `.classify_caused_by(outcome)`. What it does not know is left to the
/// classifier: a failure.
///
/// A breaker outside of async-openai's retry layer cannot do without: that layer reads the body of a 429 and makes it an
/// error. Every other status stays a response.
pub(crate) fn outcome(error: &OpenAIError) -> Option<Outcome> {
    match error {
        OpenAIError::ApiError(error) if error.status_code == 429 => {
            let names = [&error.api_error.code, &error.api_error.r#type];
            let quota = names.into_iter().flatten().any(|name| name == "insufficient_quota");
            Some(match quota {
                true => Outcome::exhausted().code(429).reason("insufficient_quota"),
                false => Outcome::throttled().code(429),
            })
        }
        // The request could not be built: it was not sent.
        OpenAIError::InvalidArgument(_) | OpenAIError::FileReadError(_) => Some(Outcome::ignored()),
        OpenAIError::Reqwest(error) if error.is_builder() => Some(Outcome::ignored()),
        // A breaker further in has answered.
        _ => rejection(error).map(|open| Outcome::ignored().maybe_retry_after(open.retry_after())),
    }
}

/// An answer of a second provider, if it is a good one. For `.map_result(good)`.
///
/// A fallback service answers with whatever its response says, and gives way to the primary's outcome where it has none.
pub(crate) fn good(result: Result<Response, BoxError>) -> Result<Response, BoxError> {
    Ok(result?.error_for_status()?)
}

/// Another provider that speaks the same API.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// What its URLs begin with, as in `OpenAIConfig::with_api_base`.
    pub(crate) base: Url,
    /// `Bearer` and its key.
    pub(crate) authorization: HeaderValue,
    /// Its name for the model.
    pub(crate) model: String,
}

impl Target {
    /// The same request to this provider, in place of the one whose URLs begin with `primary`.
    pub(crate) fn redirect(self, primary: Url, request: HttpRequestFactory) -> HttpRequestFactory {
        HttpRequestFactory::new(move || {
            let (to, primary, request) = (self.clone(), primary.clone(), request.clone());
            async move {
                let mut request = request.build().await?;
                let foreign = || OpenAIError::InvalidArgument(format!("not below {primary}"));
                let path = request.url().as_str().strip_prefix(primary.as_str());
                let url = format!("{}{}", to.base, path.ok_or_else(foreign)?);
                *request.url_mut() = Url::parse(&url)
                    .map_err(|error| OpenAIError::InvalidArgument(format!("{url}: {error}")))?;
                request.headers_mut().insert(AUTHORIZATION, to.authorization);
                // What is no JSON (the form of an upload) has no name of a model that could be replaced here.
                let json = request.body().and_then(Body::as_bytes).map(serde_json::from_slice);
                if let Some(Ok(Value::Object(mut json))) = json {
                    if let Some(model) = json.get_mut("model") {
                        *model = to.model.into();
                    }
                    *request.body_mut() = Some(Value::Object(json).to_string().into());
                }
                Ok(request)
            }
        })
    }
}
