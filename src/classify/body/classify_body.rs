//! Verdicts that are in the body.

use http::HeaderMap;

use crate::Outcome;

/// What a piece of a body said about the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyProgress {
    /// Nothing yet: a comment, a ping, a beginning that says neither.
    Pending,
    /// Content: the call does its work.
    Content,
    /// How the call ended. Nothing is asked after it.
    Settled(Outcome),
}

/// Reads a response body in passing, and says what it meant.
///
/// It sees every byte once, in order, in whatever pieces they come, and changes none of them. Once
/// [`data`](Self::data) has given a verdict nothing more is asked; else exactly one of the other methods is asked last.
///
/// It runs while the body is polled: it must not block, and what it keeps must be bounded. If it panics, the call
/// counts as ignored, and the panic goes on to whoever polls the body.
pub trait ClassifyBody: Send + Sync {
    /// A piece of the body; never empty.
    fn data(&mut self, data: &[u8]) -> BodyProgress;

    /// The body ended without trailers.
    fn end(&mut self) -> Outcome;

    /// The body ended with trailers.
    ///
    /// Default: they say nothing, and [`end`](Self::end) is asked.
    fn trailers(&mut self, trailers: &HeaderMap) -> Outcome {
        let _ = trailers;
        self.end()
    }

    /// The body failed.
    ///
    /// Default: so did the call.
    fn error(&mut self) -> Outcome {
        Outcome::failure().reason("body broke")
    }

    /// The body was dropped before it ended.
    ///
    /// Default: `None`. Its caller has given the call up before the first content, and has enough after it: cancelled,
    /// and a success.
    fn dropped(&mut self) -> Option<Outcome> {
        None
    }
}

/// When a call is settled whose head was good.
///
/// A probe is settled at its first content wherever it is not settled at the head, and what its body does later is one
/// failure at most: see [`Permit::answered`](crate::Permit::answered).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettleAt {
    /// At the end of the body, whatever that is.
    #[default]
    End,
    /// With the first frame of the body that has content.
    FirstContent,
    /// With the head. Nothing is asked of the body, and it costs nothing.
    Head,
}
