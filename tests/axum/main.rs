//! The breaker at home in axum: extractors, responses, errors, faults; served on loopback with a connection per request.

mod errors;
mod example;
mod extract;
mod faults;
mod layers;
mod parts;
#[path = "../shared/program.rs"]
mod program;
mod responses;
#[path = "../shared/until.rs"]
mod until;
