use http::HeaderValue;
use proptest::prelude::*;

use super::*;

/// `{ code: 14, message: "busy", details: [RetryInfo { retry_delay: 1.5 s }] }`, written by hand.
const BUSY: &[u8] = b"\x08\x0e\x12\x04busy\x1a\x36\
    \x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x0a\
    \x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01";

/// [`BUSY`] in base64, as written by another encoder.
const BUSY_BASE64: &str =
    "CA4SBGJ1c3kaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAyrXuAQ";

const BUSY_FOR: Option<Duration> = Some(Duration::from_millis(1500));

fn read<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(STATUS_DETAILS, HeaderValue::from_bytes(value.as_ref()).unwrap());
    }
    retry_delay(&headers)
}

fn read_bytes(status: impl AsRef<[u8]>) -> Option<Duration> {
    read([DECODER.encode(status)])
}

fn any(type_url: &str, value: Vec<u8>) -> Any {
    Any { type_url: type_url.into(), value }
}

fn retry_info(seconds: i64, nanos: i32) -> Any {
    let info = RetryInfo { retry_delay: Some(Delay { seconds, nanos }) };
    any("type.googleapis.com/google.rpc.RetryInfo", info.encode_to_vec())
}

fn read_details(details: Vec<Any>) -> Option<Duration> {
    read_bytes(Status { details }.encode_to_vec())
}

#[test]
fn the_delay_is_read_from_known_bytes() {
    assert_eq!(read_bytes(BUSY), BUSY_FOR);
    assert_eq!(read([BUSY_BASE64]), BUSY_FOR);
}

#[test]
fn padding_is_optional() {
    // Two characters of padding, one, none.
    for (extra, padding) in [("", "=="), ("\x20\x00", ""), ("\x12\x02ab", "=")] {
        let bytes = [BUSY, extra.as_bytes()].concat();
        let padded = base64::prelude::BASE64_STANDARD.encode(&bytes);
        let bare = base64::prelude::BASE64_STANDARD_NO_PAD.encode(&bytes);
        assert_eq!(padded, format!("{bare}{padding}"));
        assert_eq!(read([&padded]), BUSY_FOR, "{padded}");
        assert_eq!(read([&bare]), BUSY_FOR, "{bare}");
    }
}

#[test]
fn no_header_is_no_delay() {
    assert_eq!(retry_delay(&HeaderMap::new()), None);
    assert_eq!(read([""]), None);
}

#[test]
fn the_first_value_that_is_a_status_decides() {
    let other = DECODER.encode(Status { details: vec![retry_info(7, 0)] }.encode_to_vec());
    assert_eq!(read([format!("{BUSY_BASE64},{other}")]), BUSY_FOR);
    assert_eq!(read([format!("{other}, {BUSY_BASE64}")]), Some(Duration::from_secs(7)));
    assert_eq!(read([other.as_str(), BUSY_BASE64]), Some(Duration::from_secs(7)));
    // Not base64, base64 of bytes that are not protobuf, and an empty value.
    for bad in ["!", "/////w", ""] {
        assert_eq!(read([format!("{bad},{BUSY_BASE64}")]), BUSY_FOR, "{bad}");
        assert_eq!(read([bad, BUSY_BASE64]), BUSY_FOR, "{bad}");
    }
}

#[test]
fn the_first_retry_info_decides() {
    let other = || any("type.googleapis.com/google.rpc.ErrorInfo", b"\x0a\x04QUOT".to_vec());
    assert_eq!(read_details(vec![other()]), None);
    assert_eq!(
        read_details(vec![other(), retry_info(3, 0), retry_info(9, 0)]),
        Some(Duration::from_secs(3))
    );
    assert_eq!(read_details(vec![retry_info(-1, 0), retry_info(9, 0)]), None);
}

#[test]
fn the_host_of_a_type_url_is_ignored() {
    for (type_url, delay) in [
        ("type.googleapis.com/google.rpc.RetryInfo", BUSY_FOR),
        ("types.example.com/a/b/google.rpc.RetryInfo", BUSY_FOR),
        ("/google.rpc.RetryInfo", BUSY_FOR),
        ("google.rpc.RetryInfo", None),
        ("type.googleapis.com/my.google.rpc.RetryInfo", None),
        ("type.googleapis.com/google.rpc.RetryInfoV2", None),
        ("", None),
    ] {
        let info = Any { type_url: type_url.into(), ..retry_info(1, 500_000_000) };
        assert_eq!(read_details(vec![info]), delay, "{type_url}");
    }
}

#[test]
fn a_delay_has_the_range_of_a_protobuf_duration() {
    const MOST: i64 = 315_576_000_000;
    for (seconds, nanos, delay) in [
        (0, 0, Some(Duration::ZERO)),
        (0, 1, Some(Duration::from_nanos(1))),
        (MOST, 0, Some(Duration::from_secs(315_576_000_000))),
        (MOST, 999_999_999, Some(Duration::new(315_576_000_000, 999_999_999))),
        (MOST + 1, 0, None),
        (i64::MAX, 0, None),
        (0, 1_000_000_000, None),
        (0, i32::MAX, None),
        (-1, 0, None),
        (0, -1, None),
        (1, -1, None),
        (-1, 1, None),
        (i64::MIN, i32::MIN, None),
    ] {
        assert_eq!(read_details(vec![retry_info(seconds, nanos)]), delay, "{seconds} {nanos}");
    }
}

#[test]
fn a_retry_info_without_a_delay_is_no_delay() {
    let empty = any("type.googleapis.com/google.rpc.RetryInfo", Vec::new());
    assert_eq!(read_details(vec![empty]), None);
    // An empty duration is a duration of zero.
    let zero = any("type.googleapis.com/google.rpc.RetryInfo", b"\x0a\x00".to_vec());
    assert_eq!(read_details(vec![zero]), Some(Duration::ZERO));
}

#[test]
fn a_truncated_status_has_no_delay() {
    for end in 0..BUSY.len() {
        assert_eq!(read_bytes(&BUSY[..end]), None, "{end}");
    }
    for end in 0..BUSY_BASE64.len() {
        assert_eq!(read([&BUSY_BASE64[..end]]), None, "{end}");
    }
}

#[test]
fn a_message_that_is_not_text_does_not_hide_the_delay() {
    assert_eq!(read_bytes([b"\x12\x02\xff\xfe".as_slice(), BUSY].concat()), BUSY_FOR);
}

#[test]
#[cfg_attr(miri, ignore = "64 KiB in base64, byte by byte")]
fn nothing_is_read_after_64_kib() {
    const BYTES: usize = 64 * 1024;
    let long = |len: usize| {
        let message = [b"\x12".as_slice(), &length(len), &vec![b'a'; len], BUSY].concat();
        (message.len(), read_bytes(message))
    };
    let rest = long(60_000).0 - 60_000;
    assert_eq!(long(BYTES - rest), (BYTES, BUSY_FOR));
    assert_eq!(long(BYTES - rest + 3), (BYTES + 3, None));
    // The limit applies to all values together.
    let junk = "/".repeat(4 * 1024);
    assert_eq!(read(vec![junk.as_str(); 20].into_iter().chain([BUSY_BASE64])), BUSY_FOR);
    assert_eq!(read(vec![junk.as_str(); 30].into_iter().chain([BUSY_BASE64])), None);
}

/// Encodes a length as protobuf does.
fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while length > 127 {
        bytes.push(length as u8 | 128);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes
}

/// Runs few cases under miri, where each takes up to a second.
fn cases() -> ProptestConfig {
    match cfg!(miri) {
        true => ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) },
        false => ProptestConfig::default(),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_value_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..128)) {
        if HeaderValue::from_bytes(&bytes).is_ok() {
            let _ = read([bytes]);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..128)) {
        let _ = read_bytes(&bytes);
        let _ = read_details(vec![any("/google.rpc.RetryInfo", bytes)]);
    }

    #[test]
    fn a_changed_byte_does_no_harm(at in 0..BUSY.len(), byte in proptest::num::u8::ANY) {
        let mut bytes = BUSY.to_vec();
        bytes[at] = byte;
        let longest = Duration::new(MAX_SECONDS, 999_999_999);
        prop_assert!(read_bytes(&bytes).is_none_or(|delay| delay <= longest));
    }

    #[test]
    fn every_duration_is_read_as_it_was_written(
        seconds in 0..=315_576_000_000_i64,
        nanos in 0..1_000_000_000_i32,
    ) {
        let delay = Duration::new(seconds as u64, nanos as u32);
        prop_assert_eq!(read_details(vec![retry_info(seconds, nanos)]), Some(delay));
    }
}

/// Encodes a delay and decodes it with the full definitions.
fn round_trip(delay: Duration) -> (Duration, HeaderMap) {
    let value = encode_retry_delay(14, "circuit open", delay).unwrap();
    assert!(!value.as_bytes().contains(&b'='), "padded");
    let headers = HeaderMap::from_iter([(STATUS_DETAILS, value)]);
    (retry_delay(&headers).unwrap(), headers)
}

/// `google.rpc.Status` with all of its fields
#[derive(Message)]
struct Whole {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[test]
fn an_encoded_delay_is_a_status_with_one_retry_info() {
    let (_, headers) = round_trip(Duration::new(3, 500_000_000));
    let bytes = DECODER.decode(&headers[STATUS_DETAILS]).unwrap();
    let status = Whole::decode(&*bytes).unwrap();
    assert_eq!((status.code, &*status.message, status.details.len()), (14, "circuit open", 1));
    assert_eq!(status.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    // The bytes are those of the full definitions: no field is missing or in another place.
    assert_eq!(status.encode_to_vec(), bytes);
    let info = RetryInfo::decode(&*status.details[0].value).unwrap();
    let delay = info.retry_delay.unwrap();
    assert_eq!((delay.seconds, delay.nanos), (3, 500_000_000));
}

#[test]
fn a_delay_is_exact_to_the_nanosecond_up_to_the_longest() {
    let longest = Duration::from_secs(MAX_SECONDS);
    for delay in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_millis(1_200),
        Duration::new(MAX_SECONDS - 1, 999_999_999),
        longest,
    ] {
        assert_eq!(round_trip(delay).0, delay);
    }
    assert_eq!(round_trip(longest + Duration::from_nanos(1)).0, longest);
    assert_eq!(round_trip(Duration::MAX).0, longest);
}

#[test]
fn a_message_that_is_too_long_is_not_encoded() {
    let long = "a message that is longer than any that this crate sends to its callers today";
    assert!(encode_retry_delay(14, long, Duration::MAX).is_none());
    assert!(encode_retry_delay(14, "circuit open", Duration::MAX).is_some());
}
