//! gRPC over real sockets: tonic on both sides, and servers that do not speak gRPC.

mod calls;
mod client;
mod deadlines;
mod details;
mod faults;
mod frames;
mod generated;
mod handler;
mod interceptors;
mod probe;
mod proxy;
mod rejections;
mod relay;
mod reset;
mod server;
mod server_side;
mod streaming;
mod streaming_requests;
mod timeouts;
mod unary;
