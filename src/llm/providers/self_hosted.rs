//! Signals that vLLM and Text Generation Inference share.

use crate::llm::signal::Meaning::{CallersFault, Failed};
use crate::llm::signal::{Signals, StatusRange, blame, contains, name};

pub(super) const TGI: &str =
    "huggingface/text-generation-inference router/src/infer/mod.rs, router/src/server.rs";
const VLLM: &str = "vllm-project/vllm vllm/entrypoints/openai/models/serving.py";

#[rustfmt::skip]
pub(super) static SIGNALS: Signals = Signals {
    texts: &[
        contains(StatusRange::only(429), "model is overloaded", Failed, "overloaded", TGI),
    ],
    failures: &[
        name(Failed, "overloaded", TGI),
        name(Failed, "generation", TGI),
        name(Failed, "incomplete_generation", TGI),
        name(Failed, "InternalServerError", VLLM),
    ],
    requests: &[
        blame(CallersFault, "validation", TGI),
        blame(CallersFault, "BadRequestError", VLLM),
        blame(CallersFault, "NotFoundError", VLLM),
    ],
    ..Signals::NONE
};
