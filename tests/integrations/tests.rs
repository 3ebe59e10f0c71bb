//! The integrations with their clients and servers over real sockets, and the compiler messages.

mod async_openai;
mod axum;
mod closures;
mod examples;
mod grpc;
mod hyper;
mod llm;
mod matrix;
mod messages;
mod reqwest;
#[path = "../../examples/shared/mod.rs"]
mod shared;
#[path = "../support/mod.rs"]
mod support;
mod tower_http;
