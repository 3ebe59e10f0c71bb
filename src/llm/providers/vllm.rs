//! vLLM.

use super::{common, openai, tgi};
use crate::llm::profile::Profile;
use crate::llm::signal::Meaning::{CallersFault, Failed};
use crate::llm::signal::{Signals, blame, name};

const ERRORS: &str = "vllm-project/vllm vllm/entrypoints/openai/models/serving.py";

pub(super) static PROFILE: Profile =
    Profile::new(&[&openai::COMPATIBLE, &tgi::SIGNALS, &SIGNALS, &common::SIGNALS]);

/// The signals of self-hosted servers, as vLLM names them.
pub(super) static SIGNALS: Signals = Signals {
    failures: &[name(Failed, "InternalServerError", ERRORS)],
    requests: &[
        blame(CallersFault, "BadRequestError", ERRORS),
        blame(CallersFault, "NotFoundError", ERRORS),
    ],
    ..Signals::NONE
};
