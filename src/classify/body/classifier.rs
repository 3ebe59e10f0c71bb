//! The classifiers that a body can have.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;

use super::ClassifyBody;
use crate::Outcome;

/// The classifier of one body.
pub(crate) enum BodyClassifier {
    /// The end of the body is a success.
    Plain,
    /// The trailers decide. The request may have had a deadline.
    Trailers(Shared<dyn ClassifyTrailers>, Option<Instant>),
    /// The classifier reads every byte.
    Custom(Box<dyn ClassifyBody>),
    /// The classifier decides at the end of the body and reads no data.
    AtEnd(Box<dyn ClassifyBody>),
}

impl From<Box<dyn ClassifyBody>> for BodyClassifier {
    fn from(classifier: Box<dyn ClassifyBody>) -> Self {
        match classifier.reads_data() {
            true => Self::Custom(classifier),
            false => Self::AtEnd(classifier),
        }
    }
}

/// Classifies bodies by their trailers.
///
/// One value serves every call of a service. A [`ClassifyBody`], in contrast, is allocated for each call.
pub(crate) trait ClassifyTrailers: Send + Sync {
    /// Returns the outcome of a body that ended with trailers.
    fn trailers(&self, trailers: &HeaderMap) -> Outcome;

    /// Returns the outcome of a body that ended without trailers.
    fn end(&self) -> Outcome;

    /// Returns the outcome of a body that was polled, and was dropped before its first content. `None` if the call is
    /// cancelled.
    fn abandoned(&self, deadline: Option<Instant>) -> Option<Outcome>;
}

/// A value that is a constant, or that is shared behind a reference count.
pub(crate) enum Shared<T: ?Sized + 'static> {
    Static(&'static T),
    Counted(Arc<T>),
}

impl<T: Clone> Shared<T> {
    /// Returns the value for writing. Clones it if it has other owners.
    pub(crate) fn make_mut(&mut self) -> &mut T {
        if let Self::Static(value) = *self {
            *self = Self::Counted(Arc::new(value.clone()));
        }
        match self {
            Self::Counted(value) => Arc::make_mut(value),
            Self::Static(_) => unreachable!("replaced above"),
        }
    }
}

impl<T: ?Sized> Clone for Shared<T> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Self::Static(value) => Self::Static(value),
            Self::Counted(value) => Self::Counted(value.clone()),
        }
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::Static(value) => value,
            Self::Counted(value) => value,
        }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
