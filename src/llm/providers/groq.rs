//! Groq.

use super::{common, openai};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::Failed;
use crate::llm::signal::{Signals, name, status};

const FLEX: &str = "console.groq.com/docs/flex-processing";

pub(super) static PROFILE: Profile = Profile {
    // The last chunk has the error that stopped the stream, beside its choices.
    error_parents: &["x_groq"],
    ..Profile::new(&[&OWN, &SIGNALS, &openai::COMPATIBLE, &common::SIGNALS])
};

static OWN: Signals =
    Signals { statuses: &[status(498, Failed, "flex_capacity_exceeded", FLEX)], ..Signals::NONE };

pub(super) static SIGNALS: Signals =
    Signals { failures: &[name(Failed, "capacity_exceeded", FLEX)], ..Signals::NONE };
