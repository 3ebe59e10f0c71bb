//! vLLM.

use super::{common, openai, self_hosted};
use crate::llm::profile::Profile;

pub(super) static PROFILE: Profile =
    Profile::new(&[&openai::COMPATIBLE, &self_hosted::SIGNALS, &common::SIGNALS]);
