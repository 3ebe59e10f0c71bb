//! async-openai with its tower stack, over real sockets: what a breaker sees inside and outside of its retry layer, in
//! streams, with a second provider, and with `RetryPolicy` in the place of its own.
//!
//! The server and the functions are those of the example.

mod fallback;
mod inside;
mod outside;
mod own_retry;
#[path = "../../examples/async_openai/recipe.rs"]
mod recipe;
#[path = "../../examples/async_openai/server.rs"]
mod server;
mod streaming;
mod support;
#[path = "../shared/until.rs"]
mod until;
