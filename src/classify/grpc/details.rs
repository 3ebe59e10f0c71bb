//! How long to wait, in the details of a gRPC status.

#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName};
use prost::Message;

const STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// How a type URL ends, whatever host it names.
const RETRY_INFO: &str = "/google.rpc.RetryInfo";

/// The most characters of base64 that are decoded, of all values together: 64 KiB as bytes.
const MOST: usize = (64 * 1024_usize).div_ceil(3) * 4;

/// The longest `google.protobuf.Duration`: 10 000 years, as its definition has it.
const LONGEST: u64 = 315_576_000_000;

/// Binary metadata is sent without padding and accepted with it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

// Only the fields that are read: the others are skipped without being copied or checked.

/// `google.rpc.Status`
#[derive(Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`
#[derive(Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`
#[derive(Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// The delay of the first `google.rpc.RetryInfo` in `grpc-status-details-bin`.
///
/// Of several values, joined by commas or on lines of their own, the first that is a `google.rpc.Status` decides.
/// A delay that is malformed, negative or out of the range of `google.protobuf.Duration` is none. A value that
/// would be more than 64 KiB, with those before it, is not read.
pub(in crate::classify) fn retry_delay(headers: &HeaderMap) -> Option<Duration> {
    let status = first_status(headers)?;
    let info = status.details.iter().find(|detail| detail.type_url.ends_with(RETRY_INFO))?;
    delay(RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?)
}

fn first_status(headers: &HeaderMap) -> Option<Status> {
    let mut left = MOST;
    let lines = headers.get_all(STATUS_DETAILS).iter();
    for value in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')) {
        let value = value.trim_ascii();
        left = left.checked_sub(value.len())?;
        // An empty value would be a status without any field.
        if value.is_empty() {
            continue;
        }
        let status = BASE64.decode(value).ok().and_then(|bytes| Status::decode(&*bytes).ok());
        if status.is_some() {
            return status;
        }
    }
    None
}

fn delay(delay: Delay) -> Option<Duration> {
    let seconds = u64::try_from(delay.seconds).ok().filter(|seconds| *seconds <= LONGEST)?;
    let nanos = u32::try_from(delay.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}
