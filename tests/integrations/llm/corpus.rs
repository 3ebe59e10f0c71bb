//! The files of `tests/data/llm`. The README in that folder describes their format.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tower_breaker::{Class, Outcome, Provider};

use super::event_stream;

/// One response and its expected outcome.
#[derive(Clone)]
pub(crate) struct Case {
    /// `<provider>/<signal>`.
    pub(crate) name: String,
    pub(crate) provider: Provider,
    /// Includes the reason and the code, but not the wait.
    pub(crate) outcome: Outcome,
    pub(crate) wait: Option<Duration>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The positions of the events, if the response is a stream.
    pub(crate) stream: Option<Stream>,
}

#[derive(Clone)]
pub(crate) struct Stream {
    /// The start and end of the event with the first content.
    pub(crate) content: Option<(usize, usize)>,
    /// How its body ends: `marker`, `error`, `eof` or `cut`.
    pub(crate) ends: String,
    /// The start of the event that ends the stream.
    pub(crate) last: usize,
}

/// The time to which the timestamps in the files are relative.
const NOON: &str = "2026-11-21T12:00:00Z";

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/llm"))
}

/// Returns all files, with their timestamps moved so that they are relative to `now`.
pub(crate) fn cases(now: SystemTime) -> Vec<Case> {
    let mut cases = Vec::new();
    for folder in fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.is_dir() {
            continue;
        }
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let provider = folder.file_name().unwrap().to_str().unwrap();
            let name = format!("{provider}/{}", path.file_stem().unwrap().to_str().unwrap());
            let text = fs::read_to_string(&path).unwrap();
            cases.push(read(name, provider.parse().unwrap(), &moved(&text, now)));
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Returns the streams.
pub(crate) fn streams() -> Vec<(Case, Stream)> {
    let streams = cases(whole_second()).into_iter();
    streams.filter_map(|case| case.stream.clone().map(|stream| (case, stream))).collect()
}

/// Returns the streams that end well.
pub(crate) fn good_streams() -> Vec<(Case, Stream)> {
    let mut streams = streams();
    streams.retain(|(case, _)| case.outcome == Outcome::success());
    streams
}

fn read(name: String, provider: Provider, text: &str) -> Case {
    let (about, response) = text.split_once("\n\n").unwrap();
    let about: BTreeMap<_, _> = about
        .lines()
        .map(|line| line.strip_prefix("# ").and_then(|it| it.split_once(": ")).unwrap())
        .collect();
    for key in about.keys() {
        let known = [
            "provider", "source", "class", "reason", "code", "wait", "content", "ends", "marker",
            "body",
        ];
        assert!(known.contains(key), "{name}: {key}");
    }
    assert_eq!(about["provider"], provider.as_str(), "{name}");
    assert!(!about["source"].is_empty(), "{name}");
    let (head, body) = response.split_once("\n\n").unwrap();
    let mut head = head.lines();
    let status: StatusCode =
        head.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    let headers = head.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    });
    let body = match about.get("body") {
        Some(&"base64") => BASE64_STANDARD.decode(body.replace('\n', "")).unwrap(),
        Some(other) => panic!("{name}: {other}"),
        None => body.as_bytes().to_vec(),
    };
    let headers: HeaderMap = headers.collect();
    let stream = about.get("content").map(|&content| {
        let events = events(&headers, &body);
        let at = |text: &str| at(&events, &body, text).unwrap_or_else(|| panic!("{name}: {text}"));
        Stream {
            content: (content != "none").then(|| at(content)),
            ends: about["ends"].to_owned(),
            last: about.get("marker").map_or(events[events.len() - 1].0, |marker| at(marker).0),
        }
    });
    let in_body = about.get("code").map(|code| code.parse().unwrap());
    let code = if status.as_u16() >= 400 { Some(status.as_u16()) } else { in_body };
    let wait = about["wait"];
    Case {
        outcome: outcome(about["class"], about.get("reason").copied(), code),
        wait: (wait != "none").then(|| humantime::parse_duration(wait).unwrap()),
        provider,
        status,
        headers,
        body,
        stream,
        name,
    }
}

fn outcome(class: &str, reason: Option<&str>, code: Option<u16>) -> Outcome {
    let mut outcome = match class {
        "throttled" => Outcome::throttled(),
        "exhausted" => Outcome::exhausted(),
        "failed" => Outcome::failure(),
        "callers_fault" | "success" => Outcome::success(),
        "neutral" => Outcome::ignored(),
        other => panic!("{other}"),
    };
    if let Some(reason) = reason {
        outcome = outcome.reason(String::leak(reason.to_owned()));
    }
    match code {
        Some(code) => outcome.code(code),
        None => outcome,
    }
}

/// Returns the start and end of each event of a stream.
fn events(headers: &HeaderMap, body: &[u8]) -> Vec<(usize, usize)> {
    let content_type = headers["content-type"].to_str().unwrap();
    let mut events = Vec::new();
    let mut begin = 0;
    while begin < body.len() {
        let rest = &body[begin..];
        let until = |border: &[u8]| {
            rest.windows(border.len()).position(|it| it == border).map(|at| at + border.len())
        };
        let length = match content_type {
            "application/vnd.amazon.eventstream" => Some(event_stream::length(rest)),
            "application/json; charset=UTF-8" => None,
            it if it.starts_with("text/event-stream") => match (until(b"\n\n"), until(b"\r\n\r\n"))
            {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            _ => until(b"\n"),
        };
        let end = length.map_or(body.len(), |length| (begin + length).min(body.len()));
        events.push((begin, end));
        begin = end;
    }
    events
}

/// Returns the position of the first event that contains this text. If the body is a single event, returns the position
/// of the text.
fn at(events: &[(usize, usize)], body: &[u8], text: &str) -> Option<(usize, usize)> {
    let begin = body.windows(text.len()).position(|it| it == text.as_bytes())?;
    match events {
        [_] if body.starts_with(b"[") => Some((begin, begin + text.len())),
        _ => events.iter().copied().find(|event| (event.0..event.1).contains(&begin)),
    }
}

/// Returns the current time without fractions of a second, because the timestamps in the files have none.
pub(crate) fn whole_second() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds(SystemTime::now()))
}

fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Moves the timestamps in a text from their distance to noon to the same distance to `now`.
fn moved(text: &str, now: SystemTime) -> String {
    let noon = seconds(humantime::parse_rfc3339(NOON).unwrap());
    let move_on = |moment: u64, unit: u64| moment + seconds(now) * unit - noon * unit;
    let mut moved = text.to_owned();
    for (at, _) in text.match_indices("2026-11-2") {
        let old = &text[at..at + NOON.len()];
        let new = move_on(seconds(humantime::parse_rfc3339(old).unwrap()), 1);
        let new = SystemTime::UNIX_EPOCH + Duration::from_secs(new);
        moved = moved.replace(old, &humantime::format_rfc3339_seconds(new).to_string());
    }
    for (at, _) in text.match_indices("17952") {
        let old = &text[at..at + 13];
        moved = moved.replace(old, &move_on(old.parse().unwrap(), 1000).to_string());
    }
    moved
}

#[test]
fn the_timestamps_of_a_file_move_with_the_clock() {
    let now = humantime::parse_rfc3339("2026-11-22T12:00:07Z").unwrap();
    let text = "a: 2026-11-21T12:00:50Z\nb: 1795262433000\nc: 2025-11-21T12:00:00Z";
    let later = "a: 2026-11-22T12:00:57Z\nb: 1795348840000\nc: 2025-11-21T12:00:00Z";
    assert_eq!(moved(text, now), later);
}

#[test]
fn every_provider_has_streams_of_every_kind() {
    let streams = streams();
    assert!(streams.len() > 150, "{}", streams.len());
    for provider in tower_breaker::llm::UnknownProvider::allowed() {
        let of = |what: &dyn Fn(&Case, &Stream) -> bool| {
            streams
                .iter()
                .any(|(case, stream)| case.provider.as_str() == provider && what(case, stream))
        };
        assert!(of(&|case, _| case.outcome == Outcome::success()), "{provider}: good");
        assert!(of(&|case, _| case.name.contains("tool")), "{provider}: tool call");
        assert!(
            of(&|_, stream| stream.ends == "error" && stream.content.is_none()),
            "{provider}: error first"
        );
        assert!(
            of(&|_, stream| stream.ends == "error" && stream.content.is_some()),
            "{provider}: error later"
        );
        assert!(
            of(&|case, stream| case.outcome.class() == Class::Failure
                && ["eof", "cut"].contains(&&*stream.ends)),
            "{provider}: ends early"
        );
    }
}
