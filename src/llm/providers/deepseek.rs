//! DeepSeek.

use super::{common, openai};
use crate::llm::profile::Profile;

pub(super) static PROFILE: Profile = Profile {
    // The inference system interrupted the response.
    failed_finish_reasons: &["insufficient_system_resource"],
    ..Profile::new(&[&openai::COMPATIBLE, &common::SIGNALS])
};
