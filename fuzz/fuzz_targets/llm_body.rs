//! See `tower_breaker_fuzz::llm_body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tower_breaker_fuzz::llm_body(data);
});
