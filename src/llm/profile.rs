//! The description of one provider.

use super::error_body::{ErrorBody, Object};
use super::signal::Signals;
use super::stream_format::{NamedEvent, StreamFormat};
use super::wait::Budget;

/// The description of one provider.
///
/// Only [`signals`](Self::signals) and [`needs_end_marker`](Self::needs_end_marker) are limited to calls of this
/// provider. The rest describes shapes and names that are unambiguous, and applies to every provider, because gateways
/// and compatible servers pass them on.
#[derive(Debug)]
pub(super) struct Profile {
    /// The tables in which errors are looked up. Within one group of signals, earlier tables decide first.
    pub(super) signals: &'static [&'static Signals],
    /// Whether a stream of a known format must end with its marker.
    pub(super) needs_end_marker: bool,
    /// The stream formats that this provider introduced.
    pub(super) formats: &'static [&'static StreamFormat],
    /// Named events that occur in streams of several formats.
    pub(super) events: &'static [NamedEvent],
    /// Values of `finish_reason` that report a failure, beside `error`.
    pub(super) failed_finish_reasons: &'static [&'static str],
    /// Values of `type` that report a failure, beside `error`.
    pub(super) failed_types: &'static [&'static str],
    /// Keys of objects in a successful response that may contain an `error`.
    pub(super) error_parents: &'static [&'static str],
    /// The header that names the error.
    pub(super) error_header: Option<&'static str>,
    /// Reads parts of an error body that only this provider has, from an object with error fields.
    pub(super) read_error: Option<fn(&mut ErrorBody, &Object)>,
    /// Reads parts of a detail of an error that only this provider has.
    pub(super) read_detail: Option<fn(&mut ErrorBody, &Object)>,
    /// The budgets whose state the headers of a response report.
    pub(super) budgets: &'static [Budget],
}

impl Profile {
    /// Describes a provider with these signals and no other properties.
    pub(super) const fn new(signals: &'static [&'static Signals]) -> Self {
        Self {
            signals,
            needs_end_marker: true,
            formats: &[],
            events: &[],
            failed_finish_reasons: &[],
            failed_types: &[],
            error_parents: &[],
            error_header: None,
            read_error: None,
            read_detail: None,
            budgets: &[],
        }
    }
}
