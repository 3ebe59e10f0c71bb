//! How a breaker counts response bodies, with real servers that break in every way and with random bodies.

mod breaking;
mod client;
mod given_up;
mod http1;
mod http2;
mod http2_frames;
mod modes;
mod probe;
mod random;
mod reading;
mod script;
mod server_side;
mod stacked;
mod streams;
mod time;
