//! hyper-util's pooled client behind a breaker, with faults on real sockets: the counts, and the errors of the caller.

mod client;
mod faults;
mod goaway;
mod many;
mod pool;
mod readiness;
mod server;
mod tls;
