//! Frames that were read before the caller polled for them.

use std::collections::VecDeque;

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};

use super::body_permit::BodyPermit;

/// The frames at the beginning of a body that were read and not yet yielded, and the permit for the rest.
pub(super) struct ReadAhead<B: Body> {
    pub(super) frames: VecDeque<Result<Frame<B::Data>, B::Error>>,
    /// Whether the body has no more frames.
    pub(super) ended: bool,
    /// `None` if the call is settled.
    pub(super) permit: Option<BodyPermit>,
}

impl<B: Body> ReadAhead<B> {
    pub(super) fn new() -> Self {
        Self { frames: VecDeque::new(), ended: false, permit: None }
    }

    /// Returns whether no frame is left here or in the body.
    pub(super) fn is_end_stream(&self, body: Option<&B>) -> bool {
        self.frames.is_empty() && (self.ended || body.is_none_or(Body::is_end_stream))
    }

    /// Returns the size of the frames here and of the rest of the body.
    pub(super) fn size_hint(&self, body: Option<&B>) -> SizeHint {
        let here = self.frames.iter().flatten().filter_map(Frame::data_ref);
        let here = here.map(|data| data.remaining() as u64).fold(0, u64::saturating_add);
        let mut hint = match body {
            Some(body) if !self.ended => body.size_hint(),
            _ => SizeHint::with_exact(0),
        };
        // The upper bound is set first, because it must never be below the lower one.
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(here));
        }
        hint.set_lower(hint.lower().saturating_add(here));
        hint
    }
}
