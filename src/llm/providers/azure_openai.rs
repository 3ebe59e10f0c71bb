//! Azure OpenAI.

use super::{common, openai};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{CallersFault, Throttled};
use crate::llm::signal::{Signals, StatusRange, blame, contains};

pub(super) static PROFILE: Profile =
    Profile::new(&[&SIGNALS, &openai::COMPATIBLE, &common::SIGNALS]);

#[rustfmt::skip]
static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(429), "experiencing high demand", Throttled, "high_demand", "learn.microsoft.com/en-us/answers/a/12567967"),
        contains(StatusRange::only(429), "temporarily unable to process", Throttled, "temporarily_unable", "developersdigest.tech/errors/api/azure-openai/429-system-capacity-throttling"),
    ],
    requests: &[
        blame(CallersFault, "DeploymentNotFound", "chatboxai/chatbox#861; MicrosoftDocs/azure-docs#114013"),
    ],
    ..Signals::NONE
};
