//! The permit of a call that the body settles.

use std::io::IoSlice;
use std::mem;
use std::task::Poll;

use bytes::Buf;
use http::HeaderMap;
use http_body::{Body, Frame};

use super::{BodyClassifier, BodyProgress, ClassifyBody};
use crate::Outcome;
use crate::breaker::{Permit, Runs, in_drop};

/// The permit of a call that the body settles, with the classifier of that body.
pub(crate) struct BodyPermit {
    /// `None` once the call is settled.
    permit: Option<Permit>,
    classifier: BodyClassifier,
    /// Whether the body has yielded content.
    has_content: bool,
    /// Whether the body was ever polled.
    polled: bool,
    /// Whether data frames need no classification: there was content, and the classifier does not read data.
    skips_data: bool,
    /// Whether the first content settles the call.
    settles_at_content: bool,
    runs: Runs,
}

/// The result of polling a body for a frame.
pub(super) type PolledFrame<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// How many pieces of one frame are read, for bodies whose frames consist of several pieces.
const MAX_PIECES: usize = 16;

impl BodyPermit {
    pub(super) fn new(
        permit: Permit,
        classifier: BodyClassifier,
        settles_at_content: bool,
    ) -> Self {
        Self {
            permit: Some(permit),
            classifier,
            has_content: false,
            polled: false,
            skips_data: false,
            settles_at_content,
            runs: Runs::Nothing,
        }
    }

    /// From now on, the first content settles the call.
    pub(super) fn settle_at_content(&mut self) {
        self.settles_at_content = true;
    }

    /// Prepares for a poll of the body.
    #[inline(always)]
    pub(super) fn before_poll(&mut self) {
        self.check_unwound();
        self.polled = true;
        self.runs = Runs::Call;
    }

    /// Records that a poll of the body has returned. Returns whether the frame must be classified.
    #[inline(always)]
    pub(super) fn after_poll<B: Body>(&mut self, body: &B, polled: &PolledFrame<B>) -> bool {
        let passes = match polled {
            Poll::Pending => true,
            Poll::Ready(Some(Ok(frame))) => {
                self.skips_data && frame.is_data() && !body.is_end_stream()
            }
            Poll::Ready(_) => false,
        };
        self.runs = Runs::Nothing;
        !passes
    }

    /// Returns the outcome of the call, if the frame decides it.
    pub(super) fn classify<B: Body>(
        &mut self,
        body: &B,
        polled: &PolledFrame<B>,
    ) -> Option<Outcome> {
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

    /// Settles the call, unless it is settled.
    pub(super) fn settle(&mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            permit.settle(outcome);
        }
    }

    /// Settles the call with the outcome of a body that has ended without trailers.
    pub(super) fn settle_at_end(&mut self) {
        let outcome = self.end();
        self.settle(outcome);
    }

    /// Settles the call if the last poll panicked. That panic was caught, and the body is in use again.
    #[inline]
    fn check_unwound(&mut self) {
        if self.runs != Runs::Nothing {
            self.unwound();
        }
    }

    #[cold]
    fn unwound(&mut self) {
        let outcome = mem::replace(&mut self.runs, Runs::Nothing).unwound();
        // A classifier that may have panicked is not used again.
        self.classifier = BodyClassifier::Plain;
        if let Some(outcome) = outcome {
            self.settle(outcome);
        }
    }

    /// Returns whether the body has yielded content.
    pub(super) fn has_content(&self) -> bool {
        self.has_content
    }

    #[inline]
    fn data(&mut self, data: &impl Buf) -> Option<Outcome> {
        if !data.has_remaining() {
            return None;
        }
        if matches!(self.classifier, BodyClassifier::Custom(_)) {
            if let Some(outcome) = self.read(data) {
                return Some(outcome);
            }
        } else if !self.has_content {
            self.first_content();
        }
        (self.settles_at_content && self.has_content).then_some(Outcome::success())
    }

    #[cold]
    fn first_content(&mut self) {
        self.has_content = true;
        self.skips_data = !matches!(self.classifier, BodyClassifier::Custom(_));
        self.permit = self.permit.take().map(Permit::response_started);
    }

    /// Passes every byte of a frame to the classifier.
    fn read(&mut self, data: &impl Buf) -> Option<Outcome> {
        let first = data.chunk();
        if first.len() == data.remaining() {
            return self.read_piece(first);
        }
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
        let count = data.chunks_vectored(&mut pieces).min(MAX_PIECES);
        let pieces = &pieces[..count];
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() != data.remaining() {
            // The frame does not show all of its bytes without being consumed. The classifier would miss some, so from
            // here on the body is classified by its end alone.
            self.classifier = BodyClassifier::Plain;
            self.first_content();
            return None;
        }
        pieces.iter().filter(|piece| !piece.is_empty()).find_map(|piece| self.read_piece(piece))
    }

    fn read_piece(&mut self, piece: &[u8]) -> Option<Outcome> {
        match self.run_classifier(|classifier| classifier.data(piece))? {
            BodyProgress::Pending => None,
            BodyProgress::Content if self.has_content => None,
            BodyProgress::Content => {
                self.first_content();
                None
            }
            BodyProgress::Settled(outcome) => Some(outcome),
        }
    }

    /// Runs the [`ClassifyBody`], if there is one.
    fn run_classifier<T>(
        &mut self,
        run: impl FnOnce(&mut (dyn ClassifyBody + 'static)) -> T,
    ) -> Option<T> {
        let (BodyClassifier::Custom(classifier) | BodyClassifier::AtEnd(classifier)) =
            &mut self.classifier
        else {
            return None;
        };
        self.runs = Runs::Classifier;
        let output = run(&mut **classifier);
        self.runs = Runs::Nothing;
        Some(output)
    }

    /// Returns the permit, or `None` if the call is settled.
    pub(super) fn into_unsettled(self) -> Option<Self> {
        self.permit.is_some().then_some(self)
    }

    /// Returns the outcome of a body that ended without trailers.
    pub(super) fn end(&mut self) -> Outcome {
        match &self.classifier {
            BodyClassifier::Plain => Outcome::success(),
            BodyClassifier::Trailers(classifier, _) => classifier.end(),
            BodyClassifier::Custom(_) | BodyClassifier::AtEnd(_) => {
                self.run_classifier(|classifier| classifier.end()).unwrap_or(Outcome::success())
            }
        }
    }

    fn trailers(&mut self, trailers: &HeaderMap) -> Outcome {
        match &self.classifier {
            BodyClassifier::Plain => Outcome::success(),
            BodyClassifier::Trailers(classifier, _) => classifier.trailers(trailers),
            BodyClassifier::Custom(_) | BodyClassifier::AtEnd(_) => self
                .run_classifier(|classifier| classifier.trailers(trailers))
                .unwrap_or(Outcome::success()),
        }
    }

    fn error(&mut self) -> Outcome {
        self.run_classifier(|classifier| classifier.error())
            .unwrap_or(Outcome::failure().reason("body broke"))
    }

    /// Settles the call of a body that is used without its permit from now on.
    pub(super) fn detach(mut self) {
        self.check_unwound();
        let outcome = self.dropped().unwrap_or(Outcome::success());
        self.settle(outcome);
    }

    /// Returns the outcome of a body that is not read to its end. `None` if it had no content.
    fn dropped(&mut self) -> Option<Outcome> {
        let outcome = self.run_classifier(|classifier| classifier.dropped()).flatten();
        outcome.or_else(|| self.has_content.then_some(Outcome::success()))
    }

    /// Returns the outcome of a body whose caller waited for the first content until the deadline of the request.
    fn timed_out(&self) -> Option<Outcome> {
        match &self.classifier {
            BodyClassifier::Trailers(classifier, deadline) if self.polled => {
                classifier.abandoned(*deadline)
            }
            _ => None,
        }
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let unwound = mem::replace(&mut self.runs, Runs::Nothing).unwound();
        in_drop(|| {
            let mut guard = IgnoreOnUnwind(Some(permit));
            let outcome = unwound.or_else(|| self.dropped()).or_else(|| self.timed_out());
            match (guard.0.take(), outcome) {
                (Some(permit), Some(outcome)) => permit.settle(outcome),
                // The body was never polled, so the time since the head was that of the caller.
                (Some(permit), None) if !self.polled => permit.cancel(),
                // The permit records a cancelled call, or a failure after `cancelled_after`.
                (permit, _) => drop(permit),
            }
        });
    }
}

/// A permit while the classifier runs for the last time. If the classifier panics, the call is ignored.
struct IgnoreOnUnwind(Option<Permit>);

impl Drop for IgnoreOnUnwind {
    fn drop(&mut self) {
        if let Some(permit) = self.0.take() {
            in_drop(|| permit.ignore());
        }
    }
}
