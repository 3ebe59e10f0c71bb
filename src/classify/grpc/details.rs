//! The wait in the details of a gRPC status: decoded and encoded.

#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;

pub(crate) const STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// The end of a type URL. The host before it may be any.
const RETRY_INFO: &str = "/google.rpc.RetryInfo";

/// The largest number of base64 characters that are decoded, for all values together. It stands for 64 KiB.
const MAX_BASE64: usize = (64 * 1024_usize).div_ceil(3) * 4;

/// The longest `google.protobuf.Duration` in seconds: 10 000 years, as its definition states.
const MAX_SECONDS: u64 = 315_576_000_000;

/// The decoder. Binary metadata is accepted with and without padding.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The encoder. The protocol asks senders to omit the padding.
const ENCODER: GeneralPurpose = base64::engine::general_purpose::STANDARD_NO_PAD;

// The messages below declare only the fields that are read. The decoder skips all other fields without copying or checking
// them.

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

// The messages below encode one detail of one type. A single field has the same wire format as the repeated field and as
// the bytes of `Any` in the definitions, so that only the value of the header is allocated.

/// A `google.rpc.Status` with one detail
#[derive(Message)]
struct SentStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(bytes = "bytes", tag = "2")]
    message: Bytes,
    #[prost(message, optional, tag = "3")]
    detail: Option<SentAny>,
}

/// A `google.protobuf.Any` that holds a `google.rpc.RetryInfo`
#[derive(Message)]
struct SentAny {
    #[prost(bytes = "bytes", tag = "1")]
    type_url: Bytes,
    #[prost(message, optional, tag = "2")]
    value: Option<RetryInfo>,
}

/// The size of the buffer for an encoded status. With the longest delay and a message of 12 bytes, a status takes 87 bytes.
const MAX_STATUS: usize = 120;

/// Returns a value of `grpc-status-details-bin`: a `google.rpc.Status` with this code and message, and with a
/// `google.rpc.RetryInfo` that carries the delay. A delay above the longest one is shortened to it. `None` if the message is
/// too long for the buffer.
pub(crate) fn encode_retry_delay(
    code: i32,
    message: &'static str,
    delay: Duration,
) -> Option<HeaderValue> {
    let is_longest = delay.as_secs() >= MAX_SECONDS;
    let delay = Delay {
        seconds: i64::try_from(delay.as_secs().min(MAX_SECONDS)).ok()?,
        nanos: if is_longest { 0 } else { i32::try_from(delay.subsec_nanos()).ok()? },
    };
    let status = SentStatus {
        code,
        message: Bytes::from_static(message.as_bytes()),
        detail: Some(SentAny {
            type_url: Bytes::from_static(b"type.googleapis.com/google.rpc.RetryInfo"),
            value: Some(RetryInfo { retry_delay: Some(delay) }),
        }),
    };
    let (mut bytes, mut text) = ([0; MAX_STATUS], [0; MAX_STATUS / 3 * 4]);
    status.encode(&mut bytes.as_mut_slice()).ok()?;
    let bytes = bytes.get(..status.encoded_len())?;
    let length = ENCODER.encode_slice(bytes, &mut text).ok()?;
    HeaderValue::from_bytes(text.get(..length)?).ok()
}

/// Returns the delay of the first `google.rpc.RetryInfo` in `grpc-status-details-bin`.
///
/// If there are several values, joined by commas or in separate headers, the first one that is a `google.rpc.Status`
/// decides. A delay that is malformed, negative or outside of the range of `google.protobuf.Duration` is ignored. A value
/// that exceeds 64 KiB together with the values before it is not read.
pub(crate) fn retry_delay(headers: &HeaderMap) -> Option<Duration> {
    let status = first_status(headers)?;
    let info = status.details.iter().find(|detail| detail.type_url.ends_with(RETRY_INFO))?;
    delay(RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?)
}

fn first_status(headers: &HeaderMap) -> Option<Status> {
    let mut left = MAX_BASE64;
    let lines = headers.get_all(STATUS_DETAILS).iter();
    for value in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')) {
        let value = value.trim_ascii();
        left = left.checked_sub(value.len())?;
        // An empty value would decode as a status without fields.
        if value.is_empty() {
            continue;
        }
        let status = DECODER.decode(value).ok().and_then(|bytes| Status::decode(&*bytes).ok());
        if status.is_some() {
            return status;
        }
    }
    None
}

fn delay(delay: Delay) -> Option<Duration> {
    let seconds = u64::try_from(delay.seconds).ok().filter(|seconds| *seconds <= MAX_SECONDS)?;
    let nanos = u32::try_from(delay.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}
