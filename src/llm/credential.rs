//! The credential of the calls, which may be shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::signals;
use crate::Outcome;

/// The number of consecutive responses that must refuse a shared credential. A single refusal may be due to a region, a
/// model, or a race with the renewal of the credential.
const CONSECUTIVE: u32 = 2;

/// The credential of the calls, which decides the meaning of a 401 and a 403.
#[derive(Clone, Debug, Default)]
pub(super) struct Credential {
    /// The number of consecutive refusals. `None` if each caller has its own credential.
    refused: Option<Arc<AtomicU32>>,
}

impl Credential {
    pub(super) const PER_CALLER: Self = Self { refused: None };

    pub(super) fn shared() -> Self {
        Self { refused: Some(Arc::default()) }
    }

    /// Classifies an error response whose signal gave this outcome.
    pub(super) fn classify(&self, outcome: Outcome) -> Outcome {
        let Some(refused) = &self.refused else { return outcome };
        if !signals::is_credential(&outcome) {
            // A provider reports limits and overloads only to callers whose credential it accepts.
            refused.store(0, Ordering::Relaxed);
            return outcome;
        }
        if refused.fetch_add(1, Ordering::Relaxed).saturating_add(1) < CONSECUTIVE {
            return outcome;
        }
        let exhausted = Outcome::exhausted().reason(outcome.why().unwrap_or("credential"));
        match outcome.status() {
            Some(status) => exhausted.code(status),
            None => exhausted,
        }
    }

    /// Records a good response.
    pub(super) fn accepted(&self) {
        if let Some(refused) = &self.refused
            && refused.load(Ordering::Relaxed) > 0
        {
            refused.store(0, Ordering::Relaxed);
        }
    }
}
