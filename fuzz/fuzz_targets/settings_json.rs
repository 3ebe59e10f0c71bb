//! See `tower_breaker_fuzz::settings_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tower_breaker_fuzz::settings_json(data);
});
