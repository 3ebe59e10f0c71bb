//! The breaker at home in axum: extractors, responses, errors, faults; served on loopback with a connection per request.

mod errors;
mod extract;
mod faults;
mod layers;
mod requests;
mod responses;
