//! The outcome that a classifier leaves in a response.

use crate::Outcome;

/// The outcome of a response, as far as its classifier knew it when the response was handed on.
///
/// It is in the response's [extensions](http::Extensions), where a [`ToOutcome`](super::ToOutcome) response finds it.
/// Fallbacks and retry policies outside of a breaker then classify the response as the breaker did.
///
/// [`Llm`](crate::llm::Llm) leaves one in every response whose body it read before the response was handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict(pub Outcome);
