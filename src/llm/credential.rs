//! Credentials that all callers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::signals;
use crate::Outcome;

/// So many answers in a row must say that a shared credential is not accepted. One may be a region, a model or a race
/// with its renewal.
const IN_A_ROW: u32 = 2;

/// What 401 and 403 mean.
#[derive(Clone, Debug, Default)]
pub(super) struct Credential {
    /// How many answers in a row did not accept it. `None`: it is each caller's own.
    refused: Option<Arc<AtomicU32>>,
}

impl Credential {
    pub(super) const OWN: Self = Self { refused: None };

    pub(super) fn shared() -> Self {
        Self { refused: Some(Arc::default()) }
    }

    /// The verdict on an error response.
    pub(super) fn judge(&self, outcome: Outcome) -> Outcome {
        let Some(refused) = &self.refused else { return outcome };
        if !signals::is_credential(&outcome) {
            // A limit or an overload is told to those only whose credential was accepted.
            refused.store(0, Ordering::Relaxed);
            return outcome;
        }
        if refused.fetch_add(1, Ordering::Relaxed).saturating_add(1) < IN_A_ROW {
            return outcome;
        }
        let exhausted = Outcome::exhausted().reason(outcome.why().unwrap_or("credential"));
        match outcome.status() {
            Some(status) => exhausted.code(status),
            None => exhausted,
        }
    }

    /// A good response.
    pub(super) fn accepted(&self) {
        if let Some(refused) = &self.refused
            && refused.load(Ordering::Relaxed) > 0
        {
            refused.store(0, Ordering::Relaxed);
        }
    }
}
