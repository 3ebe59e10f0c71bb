// Functions that a stack around async-openai needs beside the layers. Copy what you use.

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Body, Response, Url};
use serde_json::Value;
use tower_breaker::{BoxError, CircuitOpen, Outcome};

/// Converts the boxed error of a breaker or a timeout to an error of async-openai. For `.map_err(openai_error)`.
///
/// An error of async-openai is unboxed, so that its retry layer finds failed connects and callers can match on variants. Any
/// other error becomes `OpenAIError::Boxed`.
pub(crate) fn openai_error(error: BoxError) -> OpenAIError {
    error.downcast().map_or_else(OpenAIError::Boxed, |own| *own)
}

/// Returns the rejection if a breaker rejected the call.
///
/// The source of a transparent error is the source of its inner error, so `CircuitOpen::find` on the `OpenAIError` itself
/// would skip the rejection.
pub(crate) fn rejection(error: &OpenAIError) -> Option<&CircuitOpen> {
    match error {
        OpenAIError::Boxed(error) => CircuitOpen::find(&**error),
        _ => None,
    }
}

/// Classifies an error of async-openai. For `.classify_caused_by(outcome)`. Errors for which it returns `None` are left to
/// the classifier, which counts them as failures.
///
/// A breaker outside of async-openai's retry layer needs this function, because that layer reads the body of a 429 and
/// converts it to an error. Responses with any other status stay responses.
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
        // The request could not be built, and no call was made.
        OpenAIError::InvalidArgument(_) | OpenAIError::FileReadError(_) => Some(Outcome::ignored()),
        OpenAIError::Reqwest(error) if error.is_builder() => Some(Outcome::ignored()),
        // A breaker further inside rejected the call.
        _ => rejection(error).map(|open| Outcome::rejected().maybe_retry_after(open.retry_after())),
    }
}

/// Turns an error status of a second provider into an error. For `.map_result(good)`.
///
/// A fallback uses every response of its service. If the service fails, the fallback returns the result of the primary.
pub(crate) fn good(result: Result<Response, BoxError>) -> Result<Response, BoxError> {
    Ok(result?.error_for_status()?)
}

/// Another provider with the same API.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The prefix of its URLs, as in `OpenAIConfig::with_api_base`.
    pub(crate) base: Url,
    /// `Bearer` and the key.
    pub(crate) authorization: HeaderValue,
    /// The name of the model at this provider.
    pub(crate) model: String,
}

impl Target {
    /// Redirects a request from the provider whose URLs begin with `primary` to this one.
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
                // A body that is not JSON, such as the form of an upload, contains no model name to replace.
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
