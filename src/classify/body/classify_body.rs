//! Classifiers that read response bodies.

use http::HeaderMap;

use crate::Outcome;

/// The result of reading a piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyProgress {
    /// Nothing yet. Examples are a comment, a ping, or a beginning that is neither content nor an error.
    Pending,
    /// Content: the dependency works.
    Content,
    /// The outcome of the call. No other method is called after it.
    Settled(Outcome),
}

/// Reads a response body as it passes, and classifies the call.
///
/// A classifier sees every byte once, in order, in pieces of any size, and changes none of them. After
/// [`data`](Self::data) has returned [`BodyProgress::Settled`], no other method is called. Otherwise exactly one of the
/// other methods is called last.
///
/// A classifier runs while the body is polled. It must not block, and its memory must be bounded. If it panics, the call
/// counts as ignored, and the panic propagates to the task that polls the body.
pub trait ClassifyBody: Send + Sync {
    /// Reads a piece of the body. The piece is never empty.
    fn data(&mut self, data: &[u8]) -> BodyProgress;

    /// Returns the outcome of a body that ended without trailers.
    fn end(&mut self) -> Outcome;

    /// Returns the outcome of a body that ended with trailers.
    ///
    /// Default: ignores the trailers and calls [`end`](Self::end).
    fn trailers(&mut self, trailers: &HeaderMap) -> Outcome {
        let _ = trailers;
        self.end()
    }

    /// Returns the outcome of a body that yielded an error.
    ///
    /// Default: a failure.
    fn error(&mut self) -> Outcome {
        Outcome::failure().reason("body broke")
    }

    /// Returns the outcome of a body that was dropped before it ended.
    ///
    /// Default: `None`. The call is then cancelled before the first content, and a success after it.
    fn dropped(&mut self) -> Option<Outcome> {
        None
    }

    /// Returns whether the classifier reads data. If not, [`data`](Self::data) is never called, and any data counts as
    /// content. Called once, before the body is polled.
    ///
    /// Default: `true`.
    fn reads_data(&self) -> bool {
        true
    }
}

/// The point at which a call with a good head is settled.
///
/// A probe is settled at its first content at the latest. After that, its body can record one failure at most: see
/// [`Permit::response_started`](crate::Permit::response_started).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettleAt {
    /// At the end of the body, however it ends.
    #[default]
    End,
    /// With the first frame of the body that has content.
    FirstContent,
    /// With the head. The body is not observed, which costs nothing.
    Head,
}
