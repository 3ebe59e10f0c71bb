//! hyper-util's pooled client under a breaker, with faults on real sockets: what is counted and what the caller sees.

mod client;
mod faults;
mod goaway;
mod many;
mod pool;
mod readiness;
mod server;
mod tls;
