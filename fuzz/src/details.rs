//! The `RetryInfo` in the details of a gRPC status.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use http::{HeaderValue, Response};
use tower_breaker::Class;
use tower_breaker::classify::Grpc;

use crate::input::Input;

const DETAILS: &str = "grpc-status-details-bin";

/// The longest `google.protobuf.Duration`.
const LONGEST: Duration = Duration::new(315_576_000_000, 999_999_999);

pub(crate) fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let code = if input.byte().is_multiple_of(2) { "14" } else { "8" };
    match input.byte() % 3 {
        0 => values(code, input.take(4096)),
        1 => status(code, input.take(4096)),
        _ => delay(code, &mut input),
    }
}

/// Checks arbitrary lines of the header.
fn values(code: &str, lines: &[u8]) -> bool {
    let values: Vec<_> = lines
        .split(|byte| *byte == b'\n')
        .take(16)
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    wait(code, &values).is_some()
}

/// Checks arbitrary bytes in base64.
fn status(code: &str, bytes: &[u8]) -> bool {
    let bare = BASE64_STANDARD_NO_PAD.encode(bytes);
    let read = wait(code, &[value(&bare)]);
    let padded = value(&BASE64_STANDARD.encode(bytes));
    assert_eq!(wait(code, std::slice::from_ref(&padded)), read, "{padded:?}");
    // A value that is not base64 is skipped, whether it is joined by a comma or on a separate line.
    assert_eq!(wait(code, &[value(&format!("*,{bare}"))]), read, "{bare}");
    assert_eq!(wait(code, &[value("*"), padded]), read, "{bare}");
    read.is_some()
}

/// Checks a delay that follows a message and a detail of another kind.
fn delay(code: &str, input: &mut Input<'_>) -> bool {
    let number = |input: &mut Input<'_>| match input.byte() {
        0..=99 => i64::from(input.number()),
        100..=149 => -i64::from(input.number()),
        _ => input.time().as_nanos() as i64,
    };
    let (seconds, nanos) = (number(input), number(input) as i32);
    let host: String = input.take(16).iter().map(|byte| char::from(byte % 128)).collect();

    let duration =
        [vec![0x08], varint(seconds as u64), vec![0x10], varint(i64::from(nanos) as u64)].concat();
    let info = any(&format!("{host}/google.rpc.RetryInfo"), &field(1, &duration));
    let other = any("type.googleapis.com/google.rpc.ErrorInfo", input.take(64));
    let status = [field(2, input.take(64)), field(3, &other), field(3, &info)].concat();

    let expected = u64::try_from(seconds).ok().zip(u32::try_from(nanos).ok());
    let expected = expected
        .filter(|(seconds, nanos)| *seconds <= 315_576_000_000 && *nanos < 1_000_000_000)
        .map(|(seconds, nanos)| Duration::new(seconds, nanos));
    let read = wait(code, &[value(&BASE64_STANDARD_NO_PAD.encode(&status))]);
    assert_eq!(read, expected, "{seconds} s {nanos} ns");
    read.is_some()
}

/// Returns the wait of a head with these values. They must not change the class, which follows from the code.
fn wait(code: &str, values: &[HeaderValue]) -> Option<Duration> {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert("grpc-status", value(code));
    for value in values {
        headers.append(DETAILS, value.clone());
    }
    let outcome = Grpc::client().outcome(Ok::<_, &()>(&response));
    let class = if code == "8" { Class::Throttled } else { Class::Failure };
    assert_eq!(outcome.class(), class, "{response:?}");
    assert!(outcome.wait().is_none_or(|wait| wait <= LONGEST), "{response:?}");

    // The pushback of the transport overrides the details, unless it holds no time.
    for (pushback, wait) in [("250", Some(Duration::from_millis(250))), ("-1", outcome.wait())] {
        response.headers_mut().insert("grpc-retry-pushback-ms", value(pushback));
        let pushed = Grpc::client().outcome(Ok::<_, &()>(&response));
        assert_eq!(pushed.wait(), wait, "{response:?}");
    }
    outcome.wait()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("visible text")
}

fn any(type_url: &str, value: &[u8]) -> Vec<u8> {
    [field(1, type_url.as_bytes()), field(2, value)].concat()
}

/// Encodes a protobuf field of bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(value.len() as u64), value.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
