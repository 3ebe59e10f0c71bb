use proptest::prelude::*;

use super::super::support::{self, Owned, cases, noise, pieces, sizes};
use super::*;

fn read(stream: &str) -> Vec<Owned> {
    let whole = support::events::<Sse>(&[stream.as_bytes()]);
    assert_eq!(support::events::<Sse>(&pieces(stream.as_bytes(), &[1])), whole, "byte by byte");
    whole
}

fn event(name: &str, data: &str) -> Owned {
    Owned { name: name.to_owned(), data: data.to_owned(), ..Owned::default() }
}

#[test]
fn a_blank_line_ends_an_event() {
    assert_eq!(read("data: a\n\ndata: b\n\n"), [event("", "a"), event("", "b")]);
    assert_eq!(read("\n\n\n"), []);
}

#[test]
fn lines_end_in_every_way() {
    for end in ["\n", "\r", "\r\n"] {
        let stream = format!("event: x{end}data: a{end}data: b{end}{end}data: c{end}{end}");
        assert_eq!(read(&stream), [event("x", "a\nb"), event("", "c")], "{end:?}");
    }
    assert_eq!(read("data: a\n\rdata: b\r\r\n"), [event("", "a"), event("", "b")]);
}

#[test]
fn a_line_feed_in_the_next_piece_belongs_to_its_carriage_return() {
    let pieces: [&[u8]; 4] = [b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n"];
    assert_eq!(support::events::<Sse>(&pieces), [event("", "a\nb")]);
}

#[test]
fn an_event_ends_with_the_carriage_return_of_its_blank_line() {
    let mut sse = Sse::default();
    assert!(sse.next(&mut &b"data: a\r\n\r"[..]).is_some());
}

#[test]
fn one_space_after_the_colon_is_not_part_of_the_value() {
    assert_eq!(read("data:a\n\n"), [event("", "a")]);
    assert_eq!(read("data:  a \n\n"), [event("", " a ")]);
    assert_eq!(read("data: :\n\n"), [event("", ":")]);
}

#[test]
fn a_field_without_a_colon_is_empty() {
    assert_eq!(read("data\n\n"), [event("", "")]);
    assert_eq!(read("data\ndata\n\n"), [event("", "\n")]);
    assert_eq!(read("event: x\nevent\ndata: a\n\n"), [event("", "a")]);
}

#[test]
fn comments_and_other_fields_are_skipped() {
    let stream = ": keep-alive\n\n:\nid: 7\nretry: 5\ndata: a\nDATA: b\ndat: c\ndatas: d\n\n";
    assert_eq!(read(stream), [event("", "a")]);
    assert_eq!(read(": OPENROUTER PROCESSING\n\n: again\n\n"), []);
}

#[test]
fn the_last_name_of_an_event_counts_and_only_for_it() {
    assert_eq!(
        read("event: x\nevent: y\ndata: a\n\ndata: b\n\n"),
        [event("y", "a"), event("", "b")]
    );
}

#[test]
fn an_event_may_have_only_a_name() {
    assert_eq!(read("event: ping\n\n"), [event("ping", "")]);
    assert_eq!(read("event:\n\n"), []);
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_beginning_only() {
    assert_eq!(read("\u{FEFF}data: a\n\n"), [event("", "a")]);
    assert_eq!(read("\u{FEFF}\u{FEFF}data: a\n\ndata: b\n\n"), [event("", "b")]);
    assert_eq!(read("data: a\n\n\u{FEFF}data: b\n\n"), [event("", "a")]);
    let half: [&[u8]; 2] = [b"\xEF\xBB", b"data: a\n\ndata: b\n\n"];
    assert_eq!(support::events::<Sse>(&half), [event("", "b")]);
}

#[test]
fn the_end_of_the_stream_ends_an_event() {
    assert_eq!(read("event: x\ndata: a\n"), [event("x", "a")]);
    assert_eq!(read("data: a\r"), [event("", "a")]);
    for stream in ["event: x\ndata: a", "event: x\ndata: a\ni", "event: x\ndata: a\n:"] {
        assert_eq!(read(stream), [Owned { cut: true, ..event("x", "a") }], "{stream:?}");
    }
    assert_eq!(read("event: x\n"), []);
    assert_eq!(read("event: x\ndata"), []);
    assert_eq!(read("da"), []);
}

#[test]
fn a_long_event_is_truncated_and_the_next_one_is_not() {
    let stream = format!("event: x\ndata: {}\n\ndata: b\n\n", "a".repeat(BOUND));
    let [long, next] = support::events::<Sse>(&[stream.as_bytes()]).try_into().unwrap();
    assert_eq!((long.name.as_str(), long.truncated), ("x", true));
    assert_eq!(long.data, "a".repeat(BOUND - NAME_BOUND));
    assert_eq!(next, event("", "b"));
    let fits = format!("data: {}\n\n", "a".repeat(BOUND - NAME_BOUND));
    assert!(!support::events::<Sse>(&[fits.as_bytes()])[0].truncated);
}

#[test]
fn a_long_name_is_truncated() {
    let stream = format!("event: {}\ndata: a\n\n", "x".repeat(NAME_BOUND + 1));
    let [event] = support::events::<Sse>(&[stream.as_bytes()]).try_into().unwrap();
    assert!(event.truncated);
    assert_eq!(event.name.len(), NAME_BOUND);
}

/// One line of an event, before it is spelled.
#[derive(Clone, Debug)]
enum Part {
    Name(String),
    Data(String),
    /// A comment or an irrelevant field.
    Noise(String),
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        1 => "[a-z._]{0,12}".prop_map(Part::Name),
        3 => "[^\r\n]{0,24}|[ :]{0,3}".prop_map(Part::Data),
        1 => ":[^\r\n]{0,9}|id: ?[0-9]{0,3}|retry:[0-9]|[A-Z]{1,7}(:[^\r\n]{0,5})?".prop_map(Part::Noise),
    ]
}

/// The spelling of a line: its end, and whether the optional space and colon are there.
type Spelling = (usize, bool, bool);

const ENDS: [&str; 3] = ["\n", "\r", "\r\n"];

fn push_line(stream: &mut String, line: &str, end: usize) {
    // A line feed right after a carriage return would belong to the same line end.
    let merges = line.is_empty() && stream.ends_with('\r') && ENDS[end] == "\n";
    stream.push_str(line);
    stream.push_str(ENDS[if merges { 1 } else { end }]);
}

fn field(name: &str, value: &str, (_, space, colon): Spelling) -> String {
    match value {
        "" if !colon => name.to_owned(),
        _ if space || value.starts_with(' ') => format!("{name}: {value}"),
        _ => format!("{name}:{value}"),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_spelling_in_any_pieces_reads_as_it_was_written(
        written in prop::collection::vec(
            (prop::collection::vec((part(), (0..3_usize, any::<bool>(), any::<bool>())), 0..5), 0..3_usize),
            0..6,
        ),
        mark in any::<bool>(),
        sizes in sizes(),
    ) {
        let mut stream = String::from(if mark { "\u{FEFF}" } else { "" });
        let mut expected = Vec::new();
        for (parts, end) in &written {
            let (mut name, mut data) = (String::new(), Vec::new());
            for (part, spelling) in parts {
                let line = match part {
                    Part::Name(value) => {
                        name.clone_from(value);
                        field("event", value, *spelling)
                    }
                    Part::Data(value) => {
                        data.push(value.as_str());
                        field("data", value, *spelling)
                    }
                    Part::Noise(line) => line.clone(),
                };
                push_line(&mut stream, &line, spelling.0);
            }
            push_line(&mut stream, "", *end);
            if !name.is_empty() || !data.is_empty() {
                expected.push(event(&name, &data.join("\n")));
            }
        }
        let pieces = pieces(stream.as_bytes(), &sizes);
        prop_assert_eq!(support::events::<Sse>(&pieces), expected);
    }

    #[test]
    fn nothing_panics_or_takes_more_than_the_bound(stream in noise(), sizes in sizes()) {
        let mut sse = Sse::default();
        for mut piece in pieces(&stream, &sizes) {
            while let Some(event) = sse.next(&mut piece) {
                prop_assert!(event.name.len() + event.data.len() <= BOUND);
            }
            prop_assert!(sse.name.bytes.capacity() + sse.data.bytes.capacity() <= BOUND);
        }
        sse.finish();
        prop_assert_eq!(
            support::events::<Sse>(&pieces(&stream, &sizes)),
            support::events::<Sse>(&[&stream])
        );
    }
}
