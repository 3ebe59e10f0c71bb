//! Clients of async-openai and the configurations of their breakers.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::{HttpRequestFactory, ReqwestService};
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionResponseStream, CreateChatCompletionRequest,
};
use tower::Service;
use tower_breaker::llm::Llm;
use tower_breaker::{Backoff, Config, Provider, Settings};

use super::server::{Answer, Server};

/// A limit without a wait.
pub(crate) const LIMITED: Answer = Answer::Plain { status: 429, headers: &[], body: LIMIT };
pub(crate) const LIMITED_1S: Answer =
    Answer::Plain { status: 429, headers: &[("retry-after", "1")], body: LIMIT };
/// A limit of a proxy.
pub(crate) const PAGE: Answer =
    Answer::Plain { status: 429, headers: &[], body: "<html>slow down</html>" };
pub(crate) const MISTAKE: Answer = Answer::Plain {
    status: 400,
    headers: &[],
    body: r#"{"error":{"message":"Unknown model","type":"invalid_request_error","param":"model","code":null}}"#,
};

const LIMIT: &str = concat!(
    r#"{"error":{"message":"Rate limit reached for requests","type":"requests","#,
    r#""param":null,"code":"rate_limit_exceeded"}}"#
);

pub(crate) type OpenAi = Client<OpenAIConfig>;

/// The service at the bottom of every stack.
pub(crate) fn transport() -> ReqwestService {
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ReqwestService::new(reqwest::Client::builder().no_proxy().build().unwrap())
}

/// The bounds that async-openai puts on its HTTP service.
pub(crate) trait Stack:
    Service<
        HttpRequestFactory,
        Response = reqwest::Response,
        Error: Into<OpenAIError> + Send + Sync + 'static,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Stack for S where
    S: Service<
            HttpRequestFactory,
            Response = reqwest::Response,
            Error: Into<OpenAIError> + Send + Sync + 'static,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

pub(crate) fn client(server: &Server, stack: impl Stack) -> OpenAi {
    client_at(server.base(), stack)
}

pub(crate) fn client_at(base: String, stack: impl Stack) -> OpenAi {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = OpenAIConfig::new().with_api_base(base).with_api_key("primary-key");
    Client::with_config(config).with_http_service(stack)
}

/// The preset, with this number of consecutive failures and this cooldown.
pub(crate) fn config(failures: u32, cooldown: Duration) -> Config<Llm> {
    let preset = Settings::llm();
    let settings = preset
        .to_builder()
        .trip(preset.trip().consecutive(failures).consecutive_over(Duration::ZERO))
        .cooldown(Backoff::fixed(cooldown))
        .build()
        .unwrap();
    Config::llm(Provider::OpenAi).settings(settings)
}

/// The preset, opened only by holds.
pub(crate) fn patient() -> Config<Llm> {
    config(1_000, Duration::from_secs(60))
}

fn request() -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        model: "model".to_owned(),
        messages: vec![ChatCompletionRequestUserMessage::from("Hello?").into()],
        ..Default::default()
    }
}

/// Makes a call, and returns the name of the server that responded.
pub(crate) async fn ask(client: &OpenAi) -> Result<String, OpenAIError> {
    let response = client.chat().create(request()).await?;
    Ok(response.choices.into_iter().find_map(|choice| choice.message.content).unwrap_or_default())
}

pub(crate) async fn stream(client: &OpenAi) -> Result<ChatCompletionResponseStream, OpenAIError> {
    client.chat().create_stream(request()).await
}
