//! The snippets of the chapter on rejections.

#[test]
fn a_function_answers_a_rejected_call() {
    // guide: reject_with
    use axum::{
        Router,
        extract::Request,
        response::{IntoResponse, Response},
        routing::get,
    };
    use http::StatusCode;
    use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Config};

    let config = Config::http().reject_with(|request: Request, open: CircuitOpen| -> Response {
        let text = format!("{} is not available: {open}", request.uri().path());
        (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
    });
    let app: Router =
        Router::new().route("/", get(|| async { "hello" })).layer(CircuitBreakerLayer::new(config));
    // guide: end
    let _ = app;
}
