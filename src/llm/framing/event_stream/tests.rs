use proptest::prelude::*;

use super::super::support::{cases, noise, pieces, sizes};
use super::*;

#[derive(Clone, Debug)]
pub(in crate::llm) enum Value {
    Bool(bool),
    Byte(u8),
    Short(u16),
    Int(u32),
    Long(u64),
    Bytes(Vec<u8>),
    Text(String),
    Timestamp(u64),
    Uuid([u8; 16]),
}

fn push_header(headers: &mut Vec<u8>, name: &str, value: &Value) {
    headers.push(u8::try_from(name.len()).unwrap());
    headers.extend_from_slice(name.as_bytes());
    let mut sized = |kind: u8, value: &[u8]| {
        headers.push(kind);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value);
    };
    match value {
        Value::Bytes(value) => sized(6, value),
        Value::Text(value) => sized(7, value.as_bytes()),
        Value::Bool(value) => headers.push(u8::from(!value)),
        Value::Byte(value) => headers.extend_from_slice(&[2, *value]),
        Value::Short(value) => {
            headers.push(3);
            headers.extend_from_slice(&value.to_be_bytes());
        }
        Value::Int(value) => {
            headers.push(4);
            headers.extend_from_slice(&value.to_be_bytes());
        }
        Value::Long(value) => {
            headers.push(5);
            headers.extend_from_slice(&value.to_be_bytes());
        }
        Value::Timestamp(value) => {
            headers.push(8);
            headers.extend_from_slice(&value.to_be_bytes());
        }
        Value::Uuid(value) => {
            headers.push(9);
            headers.extend_from_slice(value);
        }
    }
}

fn frame(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let total = u32::try_from(headers.len() + payload.len()).unwrap() + FRAME;
    message.extend_from_slice(&total.to_be_bytes());
    message.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message.extend_from_slice(headers);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message
}

fn encode(headers: &[(String, Value)], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        push_header(&mut bytes, name, value);
    }
    frame(&bytes, payload)
}

/// A message with string headers.
pub(in crate::llm) fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let texts =
        headers.iter().map(|(name, value)| ((*name).to_owned(), Value::Text((*value).to_owned())));
    encode(&texts.collect::<Vec<_>>(), payload.as_bytes())
}

/// The values of the given headers, the payload, and whether it was truncated.
type Read = (Vec<Option<String>>, Vec<u8>, bool);

fn read(pieces: &[&[u8]], names: &[&str]) -> (Vec<Read>, EventStream) {
    let mut reader = EventStream::default();
    let mut seen = Vec::new();
    for mut piece in pieces.iter().copied() {
        while let Some(message) = reader.next(&mut piece) {
            let text = |name: &&str| {
                message.header(name).map(|value| String::from_utf8_lossy(value).into_owned())
            };
            let headers = names.iter().map(text).collect();
            seen.push((headers, message.payload.to_vec(), message.truncated));
        }
        assert!(piece.is_empty());
    }
    (seen, reader)
}

#[test]
fn the_checksum_is_that_of_the_standard() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    assert_eq!(crc32(b""), 0);
}

/// From the test vectors of the AWS SDKs ("empty message").
#[test]
fn an_empty_message_is_one() {
    let empty = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xC2, 0x48, 0xEB, 0x7D, 0x98, 0xC8, 0xFF];
    assert_eq!(frame(&[], &[]), empty);
    let (seen, reader) = read(&[&empty, &empty], &[]);
    assert_eq!(seen, [(vec![], vec![], false), (vec![], vec![], false)]);
    assert!(reader.is_between_messages());
}

#[test]
fn headers_of_every_type_are_skipped() {
    let all = [
        Value::Bool(true),
        Value::Bool(false),
        Value::Byte(7),
        Value::Short(0x0707),
        Value::Int(9),
        Value::Long(10),
        Value::Bytes(b"\x07:event-type".to_vec()),
        Value::Text("x".to_owned()),
        Value::Timestamp(11),
        Value::Uuid([7; 16]),
    ];
    for value in all {
        let headers = [
            (":a".to_owned(), value.clone()),
            (":event-type".to_owned(), Value::Text("chunk".to_owned())),
        ];
        let (seen, _) = read(&[&encode(&headers, b"{}")], &[":event-type"]);
        assert_eq!(seen, [(vec![Some("chunk".to_owned())], b"{}".to_vec(), false)], "{value:?}");
    }
}

#[test]
fn only_a_string_is_the_value_of_a_header() {
    let headers = [
        (":event-type".to_owned(), Value::Bytes(b"x".to_vec())),
        (":event-type".to_owned(), Value::Bool(true)),
        (":event-type".to_owned(), Value::Text("y".to_owned())),
        (":event-type".to_owned(), Value::Text("z".to_owned())),
    ];
    let (seen, _) = read(&[&encode(&headers, b"")], &[":event-type", ":other"]);
    assert_eq!(seen[0].0, [Some("y".to_owned()), None]);
}

#[test]
fn unreadable_headers_lose_neither_the_payload_nor_the_next_message() {
    let good = message(&[(":event-type", "x")], "next");
    for headers in [
        &[200, b'a'][..],
        &[1, b'a'],
        &[1, b'a', 10, 0],
        &[1, b'a', 7, 0],
        &[1, b'a', 7, 0, 9, b'v'],
        &[1, b'a', 9, 0],
    ] {
        let stream = [frame(headers, b"payload"), good.clone()].concat();
        let (seen, _) = read(&[&stream], &[":event-type"]);
        assert_eq!(seen[0], (vec![None], b"payload".to_vec(), false), "{headers:?}");
        assert_eq!(seen[1], (vec![Some("x".to_owned())], b"next".to_vec(), false));
    }
}

#[test]
fn after_an_invalid_prelude_the_reader_is_lost() {
    let good = message(&[(":event-type", "x")], "{}");
    let prelude = |total: u32, headers: u32| {
        let lengths = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        [lengths.clone(), crc32(&lengths).to_be_bytes().to_vec()].concat()
    };
    let mut wrong_sum = good.clone();
    wrong_sum[8] ^= 1;
    for bad in [
        prelude(15, 0),
        prelude(0, 0),
        prelude(20, 5),
        prelude(16, u32::MAX),
        wrong_sum,
        b"HTTP/1.1 502 Bad Gateway".to_vec(),
    ] {
        let (seen, reader) = read(&[&good, &bad, &good], &[]);
        assert_eq!(seen.len(), 1, "{bad:?}");
        assert!(reader.is_lost() && !reader.is_between_messages());
    }
}

#[test]
fn the_longest_lengths_are_waited_for() {
    let lengths = [u32::MAX.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    let stream = [lengths.clone(), crc32(&lengths).to_be_bytes().to_vec(), vec![0; 9]].concat();
    let (seen, reader) = read(&[&stream], &[]);
    assert!(seen.is_empty() && !reader.is_lost() && !reader.is_between_messages());
}

#[test]
fn inside_a_message_the_reader_is_not_between_messages() {
    let stream = message(&[(":event-type", "x")], "{}");
    for end in 1..stream.len() {
        let (seen, reader) = read(&[&stream[..end]], &[]);
        assert!(seen.is_empty() && !reader.is_between_messages(), "{end}");
    }
    assert!(read(&[&stream], &[]).1.is_between_messages());
}

#[test]
fn a_long_payload_is_truncated_and_the_next_one_is_not() {
    let stream = [message(&[], &"a".repeat(BOUND + 1)), message(&[], "b")].concat();
    let (seen, _) = read(&[&stream], &[]);
    assert_eq!((seen[0].1.len(), seen[0].2), (BOUND, true));
    assert_eq!(seen[1], (vec![], b"b".to_vec(), false));
}

#[test]
fn long_headers_leave_room_for_the_payload() {
    let long = "v".repeat(30_000);
    let stream =
        message(&[(":first", "1"), (":a", &long), (":b", &long), (":last", "2")], "payload");
    let (seen, _) = read(&[&stream], &[":first", ":last"]);
    assert_eq!(seen, [(vec![Some("1".to_owned()), None], b"payload".to_vec(), false)]);
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<u8>().prop_map(Value::Byte),
        any::<u16>().prop_map(Value::Short),
        any::<u32>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::Long),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        ".{0,20}".prop_map(Value::Text),
        any::<u64>().prop_map(Value::Timestamp),
        any::<[u8; 16]>().prop_map(Value::Uuid),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn messages_in_any_pieces_read_as_they_were_written(
        written in prop::collection::vec(
            (
                prop::collection::vec(("[abc]", value()), 0..5),
                prop::collection::vec(any::<u8>(), 0..60),
            ),
            0..5,
        ),
        sizes in sizes(),
    ) {
        let names = ["a", "b", "c"];
        let stream: Vec<u8> =
            written.iter().flat_map(|(headers, payload)| encode(headers, payload)).collect();
        let expected: Vec<Read> = written
            .iter()
            .map(|(headers, payload)| {
                let text = |name: &&str| headers.iter().find_map(|(found, value)| match value {
                    Value::Text(text) if found == name => Some(text.clone()),
                    _ => None,
                });
                (names.iter().map(text).collect(), payload.clone(), false)
            })
            .collect();
        let (seen, reader) = read(&pieces(&stream, &sizes), &names);
        prop_assert_eq!(seen, expected);
        prop_assert!(reader.is_between_messages());
    }

    #[test]
    fn nothing_panics_or_takes_more_than_the_bound(
        headers in noise(),
        payload in noise(),
        sizes in sizes(),
        flip in any::<prop::sample::Index>(),
    ) {
        let mut stream = [frame(&headers, &payload), frame(&payload, &headers)].concat();
        let flip = flip.index(stream.len());
        stream[flip] ^= 1;
        let mut reader = EventStream::default();
        for mut piece in pieces(&stream, &sizes) {
            while let Some(message) = reader.next(&mut piece) {
                let _ = message.header(":event-type");
            }
            prop_assert!(reader.kept.bytes.capacity() <= BOUND);
        }
        let names = ["a", ":event-type"];
        prop_assert_eq!(read(&pieces(&stream, &sizes), &names).0, read(&[&stream], &names).0);
    }
}
