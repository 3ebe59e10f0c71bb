//! Mutates bytes at random, with words from the format of each target.

/// The pieces of error bodies and events.
pub const BODIES: &[&str] = &[
    "data: ",
    "data:",
    "event: ",
    "event: error",
    "\n",
    "\r\n",
    "\n\n",
    ": ping\n\n",
    "id: 1\n",
    "[DONE]",
    "{\"error\":",
    "{\"error\":null",
    "{\"type\":\"error\"",
    "\"type\":",
    "\"code\":",
    "\"message\":",
    "\"status\":",
    "\"details\":[",
    "insufficient_quota",
    "rate_limit_exceeded",
    "server_is_overloaded",
    "overloaded_error",
    "RESOURCE_EXHAUSTED",
    "\"retryDelay\":\"48s\"",
    "Please retry in 10h17m5.7s",
    "try again in 5.289s",
    "response.failed",
    "response.completed",
    "response.output_text.delta",
    "message_start",
    "message_stop",
    "content_block_delta",
    "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
    "\"finish_reason\":\"error\"",
    "{\"candidates\":[",
    "\"finishReason\":\"STOP\"",
    "\"done\":true",
    "generated_text",
    "is_finished",
    "message-end",
    ":message-type",
    ":exception-type",
    "throttlingException",
    "null",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":",
    "99999999999999999999999s",
    "-1",
    "\u{feff}",
];

/// The words of a settings file.
pub const SETTINGS: &[&str] = &[
    "preset",
    "default",
    "http",
    "grpc",
    "http_client",
    "grpc_client",
    "llm",
    "trip",
    "consecutive",
    "failures",
    "over",
    "overdue",
    "calls",
    "after",
    "failure_rate",
    "rate",
    "min_calls",
    "slow",
    "window",
    "period",
    "buckets",
    "cooldown",
    "fixed",
    "initial",
    "multiplier",
    "max",
    "jitter",
    "stable_for",
    "probe",
    "successes",
    "sample",
    "in_flight",
    "lease",
    "ramp",
    "steps",
    "step",
    "throttled",
    "action",
    "hold",
    "count_as_failure",
    "ignore",
    "max_hold",
    "default_hold",
    "exhausted",
    "min_hold",
    "hold_jitter",
    "cancelled_after",
    "track_in_flight",
    "seed",
    "off",
    "true",
    "false",
    "null",
    "~",
    "30s",
    "1m 30s",
    "500ms",
    "1ns",
    "30years",
    "0",
    "1",
    "-1",
    "0.5",
    "1e-6",
    "1e308",
    ".nan",
    ".inf",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    ": ",
    ", ",
    "\n",
    "\n  ",
    " = ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "&a ",
    "*a",
    "!t ",
    "\0",
    "[trip]\n",
    "<<: ",
];

/// The words of headers.
pub const HEADS: &[&str] = &[
    "\n\u{0}",
    "\n\u{1}",
    "\n\u{2}",
    "\n\u{3}",
    "\n\u{4}",
    "\n\u{5}",
    "\n\u{6}",
    "0",
    "1",
    "8",
    "16",
    "17",
    "120",
    "1.5",
    ".25",
    "1e3",
    "1e-9",
    "1e999",
    "-1",
    "+1",
    "inf",
    "NaN",
    " ",
    "\t",
    "18446744073709551615",
    "18446744073709551616",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
];

/// The words of a gRPC status, as bytes and in base64.
pub const DETAILS: &[&str] = &[
    "\n",
    ",",
    "=",
    "==",
    "type.googleapis.com",
    "/google.rpc.RetryInfo",
    "\u{1a}",
    "\u{a}",
    "\u{12}",
    "\u{8}",
    "\u{10}",
    "\u{8}\u{1}\u{10}\u{1}",
    "CA4SBGJ1c3kaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAyrXuAQ",
    "GjYKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8SCgoICAEQgMq17gE",
];

/// SplitMix64. The same seed gives the same mutations.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Creates a generator from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number from 0 to `end`, which is excluded.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }
}

/// The longest input.
const LONGEST: usize = 4096;

/// Applies one to four mutations to `data`. Some splice in a part of `other`.
pub fn mutate(data: &mut Vec<u8>, other: &[u8], words: &[&str], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let (from, to) = range(data.len(), random);
        match random.below(10) {
            0 => replace(data, from, from, &[random.below(256) as u8]),
            1 => replace(data, from, to, &[]),
            2 => {
                if let Some(byte) = data.get_mut(from) {
                    *byte ^= 1 << random.below(8);
                }
            }
            3 => {
                if let Some(byte) = data.get_mut(from) {
                    *byte = random.below(256) as u8;
                }
            }
            4 => {
                let copy = data[from..to].to_vec();
                let at = random.below(data.len() + 1);
                replace(data, at, at, &copy);
            }
            5 => {
                let (other_from, other_to) = range(other.len(), random);
                replace(data, from, to, &other[other_from..other_to]);
            }
            6 => number(data, from, random),
            _ if words.is_empty() => replace(data, from, from, &[random.below(256) as u8]),
            7 => replace(data, from, to, words[random.below(words.len())].as_bytes()),
            _ => replace(data, from, from, words[random.below(words.len())].as_bytes()),
        }
    }
    data.truncate(LONGEST);
}

fn replace(data: &mut Vec<u8>, from: usize, to: usize, by: &[u8]) {
    drop(data.splice(from..to, by.iter().copied()));
}

/// Returns a range of at most 11 bytes.
fn range(len: usize, random: &mut Random) -> (usize, usize) {
    let from = random.below(len + 1);
    (from, (from + random.below(12)).min(len))
}

/// Replaces the first number at or after `from` with another one.
fn number(data: &mut Vec<u8>, from: usize, random: &mut Random) {
    let Some(start) = data[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else {
        return;
    };
    let len = data[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = match random.below(6) {
        0 => "0".to_owned(),
        1 => (1_u64 << random.below(64)).to_string(),
        2 => ((1_u64 << random.below(64)) - 1).to_string(),
        3 => format!("{}.{}", random.below(100), random.below(1_000_000)),
        4 => format!("{}e{}", random.below(100), random.below(400)),
        _ => random.below(2_000).to_string(),
    };
    replace(data, start, start + len, value.as_bytes());
}
