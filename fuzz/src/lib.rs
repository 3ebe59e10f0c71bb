//! Fuzz targets for everything that is read from files, headers, bodies and callers.
//!
//! ```sh
//! cargo run --release --bin seeded -- --seconds 20              # stable, every target
//! cargo run --release --bin seeded -- --seed 7 retry_after
//! # nightly, guided by coverage
//! cargo +nightly fuzz run --features libfuzzer retry_after fuzz/corpus/retry_after fuzz/seeds/retry_after
//! ```
//!
//! A target takes bytes and panics if they reveal a bug. Both runs use the same targets and the same seeds.

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

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, as in `fuzz_targets/` and `seeds/`.
    pub name: &'static str,
    /// Checks the bytes. Returns `true` if they passed the first validation; such inputs are mutated further.
    pub run: fn(&[u8]) -> bool,
    /// The words from which inputs are made.
    pub words: &'static [&'static str],
}

macro_rules! targets {
    ($($(#[$doc:meta])* $name:ident: $run:path, $words:expr;)*) => {
        /// All targets.
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
    /// The headers that hold a wait.
    retry_after: retry_after::check, mutate::HEADS;
    /// HTTP heads, with the rules for HTTP and for LLM APIs.
    http_head: classes::http, mutate::HEADS;
    /// gRPC heads.
    grpc_head: classes::grpc, mutate::HEADS;
    /// The trailers of gRPC bodies.
    grpc_body: bodies::grpc, mutate::HEADS;
    /// The error bodies, events, lines and messages of LLM APIs.
    llm_body: bodies::llm, mutate::BODIES;
    /// The details of a gRPC status.
    grpc_details: details::check, mutate::DETAILS;
}
