//! gRPC over real sockets: tonic on both sides, and servers that do not speak it.

mod calls;
mod details;
mod generated;
mod handler;
mod probe;
mod proxy;
mod relay;
mod reset;
mod server;
mod server_side;
mod streaming;
mod streaming_requests;
mod support;
mod unary;
#[path = "../shared/until.rs"]
mod until;
