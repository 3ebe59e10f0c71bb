//! xAI.

use super::{common, openai};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{Credential, Exhausted};
use crate::llm::signal::{Signals, StatusRange, contains, starts};

const CREDITS: &str = "continuedev/continue#10373 (429); Anantys-oss/koan#2412 (403)";

pub(super) static PROFILE: Profile =
    Profile::new(&[&SIGNALS, &openai::COMPATIBLE, &common::SIGNALS]);

#[rustfmt::skip]
static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(403), "used all available credits", Exhausted, "credits_or_spending_limit", CREDITS),
        contains(StatusRange::only(429), "used all available credits", Exhausted, "credits_or_spending_limit", CREDITS),
        starts(StatusRange::only(403), "you have run out of credits", Exhausted, "out_of_credits", "Wei-Shaw/sub2api#4069; luxus/pi-xai#10"),
        contains(StatusRange::only(403), "doesn't have any credits", Exhausted, "no_credits", "continuedev/continue#12670; griptape-ai/griptape-nodes-engine#1079"),
        starts(StatusRange::only(400), "incorrect api key", Credential, "incorrect_api_key", "docs.x.ai/developers/debugging; continuedev/continue#10778"),
    ],
    ..Signals::NONE
};
