//! hyper-util's pooled client under a breaker, with faults on real sockets: what is counted, and what its caller sees.

mod faults;
mod goaway;
mod many;
mod pool;
mod readiness;
mod support;
mod tls;
#[path = "../shared/until.rs"]
mod until;
