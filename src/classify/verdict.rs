//! The outcome in the extensions of a response.

use crate::Outcome;

/// The outcome that a classifier found beyond the head of a response.
///
/// The classifier inserts it into the [extensions](http::Extensions) of the response, where
/// [`ToOutcome`](super::ToOutcome) reads it. A fallback and a retry policy outside the breaker therefore classify the
/// response as the breaker did.
///
/// [`Llm`](crate::llm::Llm) inserts one into every response that it classifies by its body before it hands it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict(pub Outcome);
