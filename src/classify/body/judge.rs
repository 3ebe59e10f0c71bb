//! Verdicts that are in the body.

use http::HeaderMap;

use crate::Outcome;

/// What a piece of a body said about the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing yet: a comment, a ping, a beginning that says neither.
    Nothing,
    /// Content: the call does its work.
    Content,
    /// How the call ended. Nothing is asked after it.
    Verdict(Outcome),
}

/// Reads a response body in passing, and says what it meant.
///
/// It sees every byte once, in order, in whatever pieces they come, and changes none of them. Once
/// [`data`](Self::data) has given a verdict nothing more is asked; else exactly one of [`end`](Self::end) and
/// [`trailers`](Self::trailers) is asked last, unless the body fails or is dropped before: then the call has failed, or
/// was given up by its caller.
///
/// It runs while the body is polled: it must not block, and what it keeps must be bounded.
pub trait JudgeBody: Send + Sync {
    /// A piece of the body; never empty.
    fn data(&mut self, data: &[u8]) -> Seen;

    /// The body ended without trailers.
    fn end(&mut self) -> Outcome;

    /// The body ended with trailers.
    ///
    /// Default: they say nothing, and [`end`](Self::end) is asked.
    fn trailers(&mut self, trailers: &HeaderMap) -> Outcome {
        let _ = trailers;
        self.end()
    }
}
