//! The snippets of the chapter on LLM APIs.

use http::{Request, Response};
use tower::{BoxError, ServiceExt, service_fn};

#[test]
fn one_line_guards_a_provider() {
    // guide: llm
    use tower_breaker::{CircuitBreakerLayer, Config, Provider};

    let breaker = CircuitBreakerLayer::new(Config::llm(Provider::OpenAi));
    // guide: end
    let _ = breaker;
}

#[tokio::test]
async fn retry_and_fallback_see_what_the_breaker_read() -> Result<(), BoxError> {
    let client =
        service_fn(|_: Request<String>| async { Ok::<_, BoxError>(Response::new(String::new())) });
    let backup = client;
    // guide: llm_stack
    use std::time::Duration;
    use tower::{ServiceBuilder, retry::RetryLayer};
    use tower_breaker::{CircuitBreakerLayer, Config, FallbackLayer, Provider};
    use tower_breaker::{llm::Llm, retry::RetryPolicy};

    let llm = Llm::new(Provider::OpenAi)
        .buffer_until_content(Duration::from_secs(10)) // retry and fallback see errors before the first token
        .shared_credential();

    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup))
        .layer(RetryLayer::new(RetryPolicy::new(2)))
        .layer(CircuitBreakerLayer::new(Config::llm(Provider::OpenAi).classify(llm)))
        .service(client);
    // guide: end
    service.oneshot(Request::new(String::new())).await?;
    Ok(())
}
