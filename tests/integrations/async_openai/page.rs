//! The snippets of the recipe, `docs/recipes/async-openai.md`.

use super::recipe::{Target, good};

// guide: openai_functions
use async_openai::error::OpenAIError;
use tower::BoxError;
use tower_breaker::{CircuitOpen, Outcome};

fn openai_error(error: BoxError) -> OpenAIError {
    error.downcast().map_or_else(OpenAIError::Boxed, |own| *own)
}

fn rejection(error: &OpenAIError) -> Option<&CircuitOpen> {
    match error {
        OpenAIError::Boxed(error) => CircuitOpen::find(&**error),
        _ => None,
    }
}

fn outcome(error: &OpenAIError) -> Option<Outcome> {
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
// guide: end

#[test]
fn the_functions_distinguish_errors() {
    let own = openai_error(Box::new(OpenAIError::InvalidArgument("mine".to_owned())));
    assert!(matches!(own, OpenAIError::InvalidArgument(_)));
    assert_eq!(outcome(&own), Some(Outcome::ignored()));
    let other = openai_error("other".into());
    assert!(matches!(&other, OpenAIError::Boxed(_)));
    assert!(rejection(&other).is_none() && outcome(&other).is_none());
}

#[test]
fn the_stack_of_a_client() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // guide: openai_stack
    use async_openai::{Client, config::OpenAIConfig, middleware::ReqwestService};
    use std::time::Duration;
    use tower::{ServiceBuilder, retry::RetryLayer};
    use tower_breaker::{CircuitBreakerLayer, Config, Provider, retry::RetryPolicy};

    let breaker =
        CircuitBreakerLayer::new(Config::llm(Provider::OpenAi).classify_caused_by(outcome));
    let handle = breaker.handle();

    let stack = ServiceBuilder::new()
        .map_err(openai_error) // unboxes async-openai's own errors
        .layer(RetryLayer::new(RetryPolicy::new(2))) // stops at a rejection
        .layer(breaker) // counts every attempt
        .timeout(Duration::from_secs(120)) // tower's own, until the head
        .service(ReqwestService::new(reqwest::Client::new()));

    let client = Client::with_config(OpenAIConfig::new()).with_http_service(stack);
    // guide: end
    let _ = (client, handle);
}

#[test]
fn the_stack_with_a_second_provider() -> Result<(), BoxError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let (key, model) = (reqwest::header::HeaderValue::from_static("Bearer key"), String::new());
    // guide: openai_second_provider
    use async_openai::middleware::{HttpRequestFactory, ReqwestService, retry::OpenAIRetryLayer};
    use async_openai::{Client, config::OpenAIConfig};
    use reqwest::Url;
    use tower::ServiceBuilder;
    use tower_breaker::{CircuitBreakerLayer, Config, FallbackLayer, Provider};

    let primary = Url::parse("https://api.openai.com/v1")?;
    let second =
        Target { base: Url::parse("https://openrouter.ai/api/v1")?, authorization: key, model };

    let backup = ServiceBuilder::new()
        .map_result(good) // a bad response becomes an error: the caller gets the primary's
        .map_request(move |request: HttpRequestFactory| {
            second.clone().redirect(primary.clone(), request)
        })
        .layer(CircuitBreakerLayer::new(Config::llm(Provider::OpenRouter).name("openrouter")))
        .service(ReqwestService::new(http.clone()));

    let openai = Config::llm(Provider::OpenAi).name("openai").classify_caused_by(outcome);
    let stack = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup))
        .layer(OpenAIRetryLayer::default()) // or `RetryPolicy`, with `map_err` outside it
        .map_err(openai_error)
        .layer(CircuitBreakerLayer::new(openai))
        .service(ReqwestService::new(http));

    let client = Client::with_config(OpenAIConfig::new()).with_http_service(stack);
    // guide: end
    let _ = client;
    Ok(())
}
