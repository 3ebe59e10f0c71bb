//! Handlers that take their breakers as arguments.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Path, State as Shared};
use axum::routing::get;
use tower_breaker::{
    BreakerHandle, CircuitBreakerLayer, Config, Settings,
    integration::with_axum::{Breakers, MissingBreaker},
};

use super::requests::*;

async fn health(breaker: BreakerHandle) -> String {
    format!("{} is {}", breaker.name(), breaker.state())
}

async fn all(breakers: Breakers) -> String {
    breakers.iter().map(|breaker| format!("{} {};", breaker.name(), breaker.state())).collect()
}

async fn named(breakers: Breakers, Path(name): Path<String>) -> Result<String, String> {
    let breaker = breakers.get(&name).ok_or(format!("no {name}"))?;
    Ok(breaker.state().to_string())
}

fn breaker(name: &str) -> BreakerHandle {
    BreakerHandle::new(name, Settings::default())
}

#[tokio::test]
async fn a_handler_takes_the_breaker_of_its_router_over_real_connections() {
    let layer = CircuitBreakerLayer::new(Config::http().name("orders"));
    let handle = layer.handle();
    let app = Router::new()
        .route("/orders", get(|| async { "orders" }))
        .layer(layer)
        .route("/health", get(health))
        .layer(Breakers::new([handle.clone()]));
    let address = serve(app).await;
    assert_eq!(fetch(address, "/health").await.unwrap().text, "orders is closed");
    handle.force_open(None);
    assert_eq!(fetch(address, "/orders").await.unwrap().status, 503);
    let answer = fetch(address, "/health").await.unwrap();
    assert_eq!((answer.status, &*answer.text), (200, "orders is forced_open"));
}

#[tokio::test]
async fn several_breakers_are_found_by_name_and_in_order() {
    let (database, search) = (breaker("database"), breaker("search"));
    search.force_open(None);
    let app = Router::new()
        .route("/all", get(all))
        .route("/{name}", get(named))
        .layer([database, search].into_iter().collect::<Breakers>());
    assert_eq!(ask(&app, "/all").await.text, "database closed;search forced_open;");
    assert_eq!(ask(&app, "/search").await.text, "forced_open");
    assert_eq!(ask(&app, "/mail").await.text, "no mail");
}

#[tokio::test]
async fn the_first_breaker_of_a_name_is_found() {
    let (one, two) = (breaker("same"), breaker("same"));
    two.force_open(None);
    let breakers = Breakers::new([one.clone(), two]);
    assert_eq!(breakers.get("same").unwrap().state(), one.state());
    assert_eq!((&breakers).into_iter().count(), 2);
}

#[tokio::test]
async fn a_missing_layer_is_a_500_that_names_what_to_add() {
    let app = Router::new().route("/health", get(health)).route("/all", get(all));
    for path in ["/health", "/all"] {
        let answer = ask(&app, path).await;
        assert_eq!(answer.status, 500);
        assert!(answer.text.contains("`.layer(Breakers::new([breaker.handle()]))`"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_ambiguous_or_missing_breaker_is_a_500_that_suggests_a_name() {
    for (handles, count) in [(vec![], "0"), (vec![breaker("a"), breaker("b")], "2")] {
        let app = Router::new().route("/health", get(health)).layer(Breakers::new(handles));
        let answer = ask(&app, "/health").await;
        assert_eq!(answer.status, 500);
        assert!(answer.text.starts_with(count), "{answer:?}");
        assert!(answer.text.contains("`.get(name)`"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_handler_may_take_an_optional_breaker() {
    async fn optional(breaker: Result<BreakerHandle, MissingBreaker>) -> String {
        breaker.map_or_else(|missing| format!("{missing:?}"), |breaker| breaker.name().to_owned())
    }
    let app = Router::new().route("/", get(optional));
    assert_eq!(ask(&app, "/").await.text, "NoLayer");
    assert_eq!(ask(&app.layer(Breakers::new([breaker("db")])), "/").await.text, "db");
}

#[tokio::test]
async fn the_innermost_layer_provides_the_breaker() {
    let inner = Router::new().route("/in", get(health)).layer(Breakers::new([breaker("inner")]));
    let app = Router::new()
        .route("/out", get(health))
        .merge(inner)
        .layer(Breakers::new([breaker("outer")]));
    assert_eq!(ask(&app, "/in").await.text, "inner is closed");
    assert_eq!(ask(&app, "/out").await.text, "outer is closed");
}

#[tokio::test]
async fn the_state_of_a_router_provides_a_breaker_without_the_layer() {
    #[derive(Clone)]
    struct App {
        breaker: BreakerHandle,
        _more: Arc<u8>,
    }
    impl FromRef<App> for BreakerHandle {
        fn from_ref(app: &App) -> Self {
            app.breaker.clone()
        }
    }
    async fn health(Shared(breaker): Shared<BreakerHandle>) -> String {
        breaker.name().to_owned()
    }
    let alone = Router::new().route("/", get(health)).with_state(breaker("alone"));
    assert_eq!(ask(&alone, "/").await.text, "alone");
    let state = App { breaker: breaker("part"), _more: Arc::new(0) };
    let part = Router::new().route("/", get(health)).with_state(state);
    assert_eq!(ask(&part, "/").await.text, "part");
}

#[tokio::test]
async fn a_handler_takes_a_breaker_beside_its_state() {
    async fn both(breaker: BreakerHandle, Shared(word): Shared<&'static str>) -> String {
        format!("{word} {}", breaker.name())
    }
    let app = Router::new()
        .route("/", get(both))
        .layer(Breakers::new([breaker("db")]))
        .with_state("hello");
    assert_eq!(ask(&app, "/").await.text, "hello db");
}

#[test]
fn the_debug_output_shows_breakers_with_their_states() {
    let text = format!("{:?}", Breakers::new([breaker("db")]));
    assert!(text.contains("\"db\"") && text.contains("Closed"), "{text}");
}
