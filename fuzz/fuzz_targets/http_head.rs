//! See `tower_breaker_fuzz::http_head`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tower_breaker_fuzz::http_head(data);
});
