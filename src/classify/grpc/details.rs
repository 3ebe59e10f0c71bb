//! How long to wait, in the details of a gRPC status: read, and told.

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

/// Without padding, as the protocol asks of whoever sends.
const BASE64_TOLD: GeneralPurpose = base64::engine::general_purpose::STANDARD_NO_PAD;

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

// What is told has one detail, of one type: what is repeated or any type of message in the definitions is a single
// one here, and the same on the wire. So nothing but the value of the header is allocated.

/// A `google.rpc.Status` that tells a delay.
#[derive(Message)]
struct Told {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(bytes = "bytes", tag = "2")]
    message: Bytes,
    #[prost(message, optional, tag = "3")]
    detail: Option<ToldAny>,
}

/// A `google.protobuf.Any` that is a `google.rpc.RetryInfo`.
#[derive(Message)]
struct ToldAny {
    #[prost(bytes = "bytes", tag = "1")]
    type_url: Bytes,
    #[prost(message, optional, tag = "2")]
    value: Option<RetryInfo>,
}

/// More than a status takes that tells a delay: 87 bytes with the longest one and a message of 12.
const ROOM: usize = 120;

/// The value of `grpc-status-details-bin`: a `google.rpc.Status` with this code and message, and a
/// `google.rpc.RetryInfo` with this delay, or the longest there is. `None` if the message is too long to have room.
pub(crate) fn tell_delay(code: i32, message: &'static str, delay: Duration) -> Option<HeaderValue> {
    let longest = delay.as_secs() >= LONGEST;
    let delay = Delay {
        seconds: i64::try_from(delay.as_secs().min(LONGEST)).ok()?,
        nanos: if longest { 0 } else { i32::try_from(delay.subsec_nanos()).ok()? },
    };
    let status = Told {
        code,
        message: Bytes::from_static(message.as_bytes()),
        detail: Some(ToldAny {
            type_url: Bytes::from_static(b"type.googleapis.com/google.rpc.RetryInfo"),
            value: Some(RetryInfo { retry_delay: Some(delay) }),
        }),
    };
    let (mut bytes, mut text) = ([0; ROOM], [0; ROOM / 3 * 4]);
    status.encode(&mut bytes.as_mut_slice()).ok()?;
    let bytes = bytes.get(..status.encoded_len())?;
    let length = BASE64_TOLD.encode_slice(bytes, &mut text).ok()?;
    HeaderValue::from_bytes(text.get(..length)?).ok()
}

/// The delay of the first `google.rpc.RetryInfo` in `grpc-status-details-bin`.
///
/// Of several values, joined by commas or on lines of their own, the first that is a `google.rpc.Status` decides.
/// A delay that is malformed, negative or out of the range of `google.protobuf.Duration` is none. A value that
/// would be more than 64 KiB, with those before it, is not read.
pub(crate) fn retry_delay(headers: &HeaderMap) -> Option<Duration> {
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
