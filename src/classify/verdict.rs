//! The outcome that a classifier leaves in a response.

use crate::Outcome;

/// The outcome that a classifier found beyond the head of a response.
///
/// It is in the [extensions](http::Extensions) of the response, where [`ToOutcome`](super::ToOutcome) reads it. A
/// fallback and a retry policy outside the breaker therefore classify the response as the breaker did.
///
/// [`Llm`](crate::llm::Llm) leaves one in every response that it classified by its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict(pub Outcome);
