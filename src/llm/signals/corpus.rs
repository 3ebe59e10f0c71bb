//! The responses under `tests/data/llm`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::{HeaderName, HeaderValue};

use super::document::tables;
use super::*;

struct Case {
    path: PathBuf,
    provider: Provider,
    class: String,
    reason: Option<String>,
    wait: Option<Duration>,
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

fn now() -> SystemTime {
    wait::rfc3339("2026-11-21T12:00:00Z").unwrap()
}

/// All responses except streams, which this module cannot read.
fn cases() -> Vec<Case> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/llm"));
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|path| fs::read_dir(path).unwrap());
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().filter_map(read).collect()
}

fn read(path: PathBuf) -> Option<Case> {
    let text = fs::read_to_string(&path).unwrap();
    let (about, response) = text.split_once("\n\n").unwrap();
    let about: BTreeMap<_, _> = about
        .lines()
        .map(|line| line.strip_prefix("# ").and_then(|it| it.split_once(": ")).unwrap())
        .collect();
    if about.contains_key("ends") {
        return None;
    }
    assert!(!about["source"].is_empty());
    let (head, body) = response.split_once("\n\n").unwrap();
    let mut head = head.lines();
    let status = head.next().and_then(|line| line.split(' ').nth(1)).unwrap();
    let headers = head.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    });
    let folder = path.parent().and_then(Path::file_name).unwrap().to_str();
    assert_eq!(folder, Some(about["provider"]), "{}", path.display());
    Some(Case {
        provider: about["provider"].parse().unwrap(),
        class: about["class"].to_owned(),
        reason: about.get("reason").map(|&reason| reason.to_owned()),
        wait: match about["wait"] {
            "none" => None,
            wait => Some(humantime::parse_duration(wait).unwrap()),
        },
        status: status.parse().unwrap(),
        headers: headers.collect(),
        body: body.to_owned(),
        path,
    })
}

fn classify(case: &Case, body: &[u8]) -> Outcome {
    match case.status.is_success() {
        true => classify_event_at(case.provider, body, now).unwrap_or(Outcome::success()),
        false => classify_error_at(case.provider, case.status, &case.headers, body, now),
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn every_response_is_classified_as_its_file_states() {
    let cases = cases();
    assert!(cases.len() > 200, "{}", cases.len());
    for case in &cases {
        let path = case.path.display();
        let outcome = classify(case, case.body.as_bytes());
        let class = match (outcome.class(), outcome.why()) {
            (Class::Success, Some(_)) => "callers_fault",
            (Class::Failure, _) => "failed",
            (Class::Ignored, _) => "neutral",
            (class, _) => class.as_str(),
        };
        assert_eq!(class, case.class, "{path}");
        assert_eq!(outcome.wait(), case.wait, "{path}");
        assert_eq!(outcome.why(), case.reason.as_deref(), "{path}");
        if !case.status.is_success() {
            assert_eq!(outcome.status(), Some(case.status.as_u16()), "{path}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn every_signal_occurs_in_a_response() {
    let mut unused: Vec<_> = tables().into_iter().flat_map(Signals::groups).flatten().collect();
    for case in cases() {
        let body = case.body.as_bytes();
        let exception = exception_in(&case.headers);
        let (status, error) = match case.status.is_success() {
            true => match ErrorBody::of_event(body) {
                Some(error) => (error.status, error),
                None => continue,
            },
            false => {
                (Some(case.status.as_u16()), ErrorBody::of_response(body).with_exception(exception))
            }
        };
        if let Some(signal) = find(case.provider, status, &error) {
            unused.retain(|it| !std::ptr::eq(*it, signal));
        }
    }
    let unused: Vec<_> = unused.into_iter().map(|it| (it.reason, it.matcher)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn every_provider_has_a_success() {
    let good = cases().into_iter().filter(|case| case.status == 200 && case.class == "success");
    let mut good: Vec<_> = good.map(|case| case.provider.as_str()).collect();
    good.dedup();
    let mut all: Vec<_> = crate::llm::UnknownProvider::allowed().collect();
    all.sort_unstable();
    assert_eq!(good, all);
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn a_truncated_body_leaves_the_decision_to_the_head() {
    for case in cases().iter().filter(|case| case.body.starts_with(['{', '['])) {
        let body = case.body.trim_end().as_bytes();
        let head = match case.status.is_success() {
            true => Outcome::success(),
            false => classify_error_at(case.provider, case.status, &case.headers, b"", now),
        };
        for end in 0..body.len() {
            assert_eq!(classify(case, &body[..end]), head, "{} at {end}", case.path.display());
        }
    }
}
