//! Mistral.

use super::{common, openai};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::Throttled;
use crate::llm::signal::{Signals, StatusRange, contains, name};
use crate::llm::stream_format::EventKind::{End, Failed as FailedEnd, Progress};
use crate::llm::stream_format::StreamFormat;

pub(super) static PROFILE: Profile = Profile {
    formats: &[&CONVERSATIONS],
    ..Profile::new(&[&SIGNALS, &openai::COMPATIBLE, &common::SIGNALS])
};

#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(429), "service tier capacity exceeded", Throttled, "service_tier_capacity_exceeded", "continuedev/continue#6185"),
    ],
    rates: &[
        name(Throttled, "rate_limited", "raycast/extensions#31107; cline/cline#9085"),
    ],
    ..Signals::NONE
};

/// Conversations.
static CONVERSATIONS: StreamFormat = StreamFormat::named(
    "conversations",
    &[
        ("conversation.response.started", Progress),
        ("conversation.response.done", End),
        ("conversation.response.error", FailedEnd("error event")),
    ],
);
