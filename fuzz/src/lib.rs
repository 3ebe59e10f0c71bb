//! Whatever is read from files, headers and callers, against arbitrary bytes.
//!
//! ```sh
//! cargo run --release --bin seeded -- --seconds 20              # stable, every target
//! cargo run --release --bin seeded -- --seed 7 retry_after
//! # nightly, guided by coverage
//! cargo +nightly fuzz run --features libfuzzer retry_after fuzz/corpus/retry_after fuzz/seeds/retry_after
//! ```
//!
//! A target takes bytes and panics when they find something. Both runs use the same targets and the same seeds.

mod bodies;
mod breaker;
mod builder;
mod classes;
mod details;
mod head;
mod input;
pub mod mutate;
mod retry_after;
mod settings;

pub use input::Input;

/// One thing that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As in `fuzz_targets/` and `seeds/`.
    pub name: &'static str,
    /// Whether the bytes got past the first check: others are made from those that did.
    pub run: fn(&[u8]) -> bool,
    /// What its inputs are made of.
    pub words: &'static [&'static str],
}

macro_rules! targets {
    ($($(#[$doc:meta])* $name:ident: $run:path, $words:expr;)*) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[
            $(Target { name: stringify!($name), run: $run, words: $words },)*
        ];

        $(
            $(#[$doc])*
            pub fn $name(data: &[u8]) -> bool {
                $run(data)
            }
        )*
    };
}

targets! {
    /// Settings from YAML.
    settings_yaml: settings::yaml, mutate::SETTINGS;
    /// Settings from JSON.
    settings_json: settings::json, mutate::SETTINGS;
    /// Settings from TOML.
    settings_toml: settings::toml, mutate::SETTINGS;
    /// Settings from a program.
    settings_builder: builder::check, &[];
    /// How long to wait, in every spelling.
    retry_after: retry_after::check, mutate::HEADS;
    /// HTTP heads, with the rules for HTTP and for LLM APIs.
    http_head: classes::http, mutate::HEADS;
    /// gRPC heads.
    grpc_head: classes::grpc, mutate::HEADS;
    /// Trailers of gRPC bodies.
    grpc_body: bodies::grpc, mutate::HEADS;
    /// Error bodies, events, lines and messages of LLM APIs.
    llm_body: bodies::llm, mutate::BODIES;
    /// The details of a gRPC status.
    grpc_details: details::check, mutate::DETAILS;
}
