use proptest::prelude::*;

use super::super::support::{self, Owned, cases, noise, pieces, sizes};
use super::*;

fn read(stream: &str) -> Vec<Owned> {
    let whole = support::events::<Lines>(&[stream.as_bytes()]);
    assert_eq!(support::events::<Lines>(&pieces(stream.as_bytes(), &[1])), whole, "byte by byte");
    whole
}

fn line(data: &str) -> Owned {
    Owned { data: data.to_owned(), ..Owned::default() }
}

#[test]
fn lines_end_in_a_line_feed_with_or_without_a_carriage_return() {
    assert_eq!(read("a\nb\r\nc\rd\r\r\n"), [line("a"), line("b"), line("c\rd\r")]);
}

#[test]
fn lines_of_whitespace_are_skipped() {
    assert_eq!(read("\n \n\r\n\ta \n\n  "), [line("\ta ")]);
}

#[test]
fn the_last_line_needs_no_end() {
    assert_eq!(read("a\nb"), [line("a"), Owned { cut: true, ..line("b") }]);
    assert_eq!(read("a\r"), [Owned { cut: true, ..line("a") }]);
}

#[test]
fn a_long_line_is_truncated_and_the_next_one_is_not() {
    let stream = format!("{}\n{}\nb\n", "a".repeat(BOUND), "a".repeat(BOUND + 1));
    let lines = support::events::<Lines>(&[stream.as_bytes()]);
    let long: Vec<_> = lines.iter().map(|line| (line.data.len(), line.truncated)).collect();
    assert_eq!(long, [(BOUND, false), (BOUND, true), (1, false)]);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn lines_in_any_pieces_read_as_they_were_written(
        written in prop::collection::vec(("[^\r\n]{0,30}", any::<bool>()), 0..8),
        sizes in sizes(),
    ) {
        let stream: String =
            written.iter().map(|(line, cr)| format!("{line}{}", if *cr { "\r\n" } else { "\n" })).collect();
        let expected: Vec<_> = written
            .iter()
            .filter(|(text, _)| !text.as_bytes().trim_ascii().is_empty())
            .map(|(text, _)| line(text))
            .collect();
        prop_assert_eq!(support::events::<Lines>(&pieces(stream.as_bytes(), &sizes)), expected);
    }

    #[test]
    fn nothing_panics_or_takes_more_than_the_bound(stream in noise(), sizes in sizes()) {
        let mut lines = Lines::default();
        for mut piece in pieces(&stream, &sizes) {
            while lines.next(&mut piece).is_some() {}
            prop_assert!(lines.line.bytes.capacity() <= BOUND);
        }
        lines.finish();
        prop_assert_eq!(
            support::events::<Lines>(&pieces(&stream, &sizes)),
            support::events::<Lines>(&[&stream])
        );
    }
}
