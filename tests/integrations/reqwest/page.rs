//! The snippets of `docs/guide/reqwest.md`.

// guide: reqwest
async fn numbers() -> Result<Vec<u32>, tower::BoxError> {
    use tower::{ServiceBuilder, ServiceExt};
    use tower_breaker::{CircuitBreakerLayer, Config};

    let breaker = CircuitBreakerLayer::new(Config::http_client().name("numbers"));
    let client = ServiceBuilder::new().layer(breaker).service(reqwest::Client::new());

    let request =
        reqwest::Request::new(reqwest::Method::GET, "https://api.example.com/numbers".parse()?);
    let response: reqwest::Response = client.oneshot(request).await?;
    Ok(response.error_for_status()?.json().await?)
}
// guide: end

// guide: reqwest_middleware
async fn ask() -> Result<(), Box<dyn std::error::Error>> {
    use reqwest_middleware::ClientBuilder;
    use tower_breaker::integration::with_reqwest_middleware::CircuitBreakerMiddleware;
    use tower_breaker::{AsRejection, Config};

    let breakers = CircuitBreakerMiddleware::per_host(Config::http_client());
    let client = ClientBuilder::new(reqwest::Client::new())
        // .with(RetryTransientMiddleware::new_with_policy(policy)) // before the breaker: every attempt counts
        .with(breakers.clone())
        .build();

    match client.get("https://api.example.com/numbers").send().await {
        Ok(response) => println!("{}", response.text().await?),
        // `source()` of this error skips the rejection. `as_rejection` does not.
        Err(error) => match error.as_rejection() {
            Some(open) => println!("{} is open, retry after {:?}", open.name(), open.retry_after()),
            None => return Err(error.into()),
        },
    }
    for handle in breakers.handles() {
        println!("{} is {}", handle.name(), handle.state());
    }
    Ok(())
}
// guide: end

/// The programs only compile. Their addresses do not exist.
#[test]
fn the_programs_are_futures() {
    drop((numbers(), ask()));
}
