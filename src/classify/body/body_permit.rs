//! A call that has not ended with its head.

use std::io::IoSlice;
use std::task::Poll;
use std::time::Instant;

use bytes::Buf;
use http::HeaderMap;
use http_body::{Body, Frame};

use super::{BodyProgress, ClassifyBody};
use crate::Outcome;
use crate::breaker::{Permit, Runs, in_drop};
use crate::classify::Grpc;
use crate::classify::grpc::given_up;

/// The permit of a call, in the hands of the response's body.
pub(crate) struct BodyPermit {
    /// `None` once it is settled.
    permit: Option<Permit>,
    judge: BodyClassifier,
    content: bool,
    /// Somebody asked for the body.
    asked: bool,
    /// There was content, and nobody looks at more of it.
    passes_data: bool,
    /// Whether content is all that it takes.
    until_content: bool,
    runs: Runs,
}

/// What a body answers to a poll.
pub(super) type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Who reads the body.
pub(crate) enum BodyClassifier {
    /// Nobody: it is good if it ends.
    Plain,
    /// Its trailers are read; nobody waits for the first message beyond the deadline.
    Grpc(Grpc, Option<Instant>),
    /// Every byte is.
    Custom(Box<dyn ClassifyBody>),
    /// It is asked how the body ended; none of its data is shown.
    #[cfg_attr(not(feature = "tower-http"), allow(dead_code))]
    AtEnd(Box<dyn ClassifyBody>),
}

/// So many pieces of one frame are looked at, in bodies whose frames have more than one.
const PIECES: usize = 16;

impl BodyPermit {
    pub(crate) fn new(permit: Permit, judge: BodyClassifier, until_content: bool) -> Self {
        Self {
            permit: Some(permit),
            judge,
            content: false,
            asked: false,
            passes_data: false,
            until_content,
            runs: Runs::Nothing,
        }
    }

    /// From now on, content is all that it takes.
    #[cfg(feature = "llm")]
    pub(super) fn until_content(&mut self) {
        self.until_content = true;
    }

    /// The body is about to be polled.
    #[inline(always)]
    pub(super) fn before(&mut self) {
        self.look_back();
        self.asked = true;
        self.runs = Runs::Call;
    }

    /// The body was polled. Whether it said more than that there is more content.
    #[inline(always)]
    pub(super) fn after<B: Body>(&mut self, body: &B, polled: &Polled<B>) -> bool {
        let passes = match polled {
            Poll::Pending => true,
            Poll::Ready(Some(Ok(frame))) => {
                self.passes_data && frame.is_data() && !body.is_end_stream()
            }
            Poll::Ready(_) => false,
        };
        self.runs = Runs::Nothing;
        !passes
    }

    /// How the call ended, if the body has said it.
    pub(super) fn look<B: Body>(&mut self, body: &B, polled: &Polled<B>) -> Option<Outcome> {
        match polled {
            Poll::Pending => None,
            Poll::Ready(Some(Ok(frame))) => match frame.data_ref() {
                Some(data) => self.data(data).or_else(|| body.is_end_stream().then(|| self.end())),
                None => frame.trailers_ref().map(|trailers| self.trailers(trailers)),
            },
            Poll::Ready(Some(Err(_))) => Some(self.error()),
            Poll::Ready(None) => Some(self.end()),
        }
    }

    /// Ends the call.
    pub(super) fn settle(&mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            permit.settle(outcome);
        }
    }

    /// There is no more of the body.
    pub(super) fn settle_at_end(&mut self) {
        let outcome = self.end();
        self.settle(outcome);
    }

    /// Ends the call if its last poll panicked: that was caught, and the body is used on.
    #[inline]
    fn look_back(&mut self) {
        if self.runs != Runs::Nothing {
            self.unwound();
        }
    }

    #[cold]
    fn unwound(&mut self) {
        let outcome = std::mem::replace(&mut self.runs, Runs::Nothing).unwound();
        // Nothing more is asked.
        self.judge = BodyClassifier::Plain;
        if let Some(outcome) = outcome {
            self.settle(outcome);
        }
    }

    /// Whether content was seen.
    pub(super) fn has_content(&self) -> bool {
        self.content
    }

    #[inline]
    fn data(&mut self, data: &impl Buf) -> Option<Outcome> {
        if !data.has_remaining() {
            return None;
        }
        if matches!(self.judge, BodyClassifier::Custom(_)) {
            if let Some(verdict) = self.read(data) {
                return Some(verdict);
            }
        } else if !self.content {
            self.first_content();
        }
        (self.until_content && self.content).then_some(Outcome::success())
    }

    #[cold]
    fn first_content(&mut self) {
        self.content = true;
        self.passes_data = !matches!(self.judge, BodyClassifier::Custom(_));
        self.permit = self.permit.take().map(Permit::answered);
    }

    /// Shows the judge every byte of a frame.
    fn read(&mut self, data: &impl Buf) -> Option<Outcome> {
        let first = data.chunk();
        if first.len() == data.remaining() {
            return self.read_piece(first);
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let count = data.chunks_vectored(&mut pieces).min(PIECES);
        let pieces = &pieces[..count];
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() != data.remaining() {
            // Not all of it can be seen without taking it: from here on only the end is known.
            self.judge = BodyClassifier::Plain;
            self.first_content();
            return None;
        }
        pieces.iter().filter(|piece| !piece.is_empty()).find_map(|piece| self.read_piece(piece))
    }

    fn read_piece(&mut self, piece: &[u8]) -> Option<Outcome> {
        match self.ask(|judge| judge.data(piece))? {
            BodyProgress::Pending => None,
            BodyProgress::Content if self.content => None,
            BodyProgress::Content => {
                self.first_content();
                None
            }
            BodyProgress::Settled(outcome) => Some(outcome),
        }
    }

    /// Runs the judge, if there is one.
    fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut (dyn ClassifyBody + 'static)) -> T,
    ) -> Option<T> {
        let (BodyClassifier::Custom(judge) | BodyClassifier::AtEnd(judge)) = &mut self.judge else {
            return None;
        };
        self.runs = Runs::Classifier;
        let answer = question(&mut **judge);
        self.runs = Runs::Nothing;
        Some(answer)
    }

    /// `None` once it is settled.
    pub(super) fn unless_settled(self) -> Option<Self> {
        self.permit.is_some().then_some(self)
    }

    /// What the end of the body means, without trailers.
    pub(super) fn end(&mut self) -> Outcome {
        match &self.judge {
            BodyClassifier::Plain => Outcome::success(),
            BodyClassifier::Grpc(grpc, _) => grpc.no_status(),
            BodyClassifier::Custom(_) | BodyClassifier::AtEnd(_) => {
                self.ask(|judge| judge.end()).unwrap_or(Outcome::success())
            }
        }
    }

    fn trailers(&mut self, trailers: &HeaderMap) -> Outcome {
        match &self.judge {
            BodyClassifier::Plain => Outcome::success(),
            BodyClassifier::Grpc(grpc, _) => grpc.trailers(trailers),
            BodyClassifier::Custom(_) | BodyClassifier::AtEnd(_) => {
                self.ask(|judge| judge.trailers(trailers)).unwrap_or(Outcome::success())
            }
        }
    }

    fn error(&mut self) -> Outcome {
        self.ask(|judge| judge.error()).unwrap_or(Outcome::failure().reason("body broke"))
    }

    /// The body goes on without us.
    pub(super) fn let_go(mut self) {
        self.look_back();
        let outcome = self.given_up().unwrap_or(Outcome::success());
        self.settle(outcome);
    }

    /// What it means that nobody reads on; `None` if it was never begun.
    fn given_up(&mut self) -> Option<Outcome> {
        let own = self.ask(|judge| judge.dropped()).flatten();
        own.or_else(|| self.content.then_some(Outcome::success()))
    }

    /// What it means that somebody waited for the beginning until now, and not longer.
    fn waited_for(&self) -> Option<Outcome> {
        match self.judge {
            BodyClassifier::Grpc(_, deadline) if self.asked => given_up(deadline),
            _ => None,
        }
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let unwound = std::mem::replace(&mut self.runs, Runs::Nothing).unwound();
        in_drop(|| {
            let mut held = Held(Some(permit));
            let outcome = unwound.or_else(|| self.given_up()).or_else(|| self.waited_for());
            match (held.0.take(), outcome) {
                (Some(permit), Some(outcome)) => permit.settle(outcome),
                // Nobody waited for the server: however long that was, it was the caller's time.
                (Some(permit), None) if !self.asked => permit.cancel(),
                // Cancelled.
                (permit, _) => drop(permit),
            }
        });
    }
}

/// A permit while the judge is asked for the last time: if that panics, the call says nothing.
struct Held(Option<Permit>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(permit) = self.0.take() {
            in_drop(|| permit.ignore());
        }
    }
}
