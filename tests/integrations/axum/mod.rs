//! The breaker in axum: extractors, responses, errors and faults, served on loopback with one connection per request.

mod errors;
mod extract;
mod faults;
mod layers;
mod requests;
mod responses;
