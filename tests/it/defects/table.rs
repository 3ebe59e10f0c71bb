//! `TABLE.md` has a row for every defect, and every test that it names exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("TABLE.md");

/// The number of rows of each kind.
const NUMBERED: [(&str, u32); 16] = [
    ("TR", 13),
    ("TRF", 1),
    ("SB", 7),
    ("BR", 7),
    ("FS", 7),
    ("RC", 6),
    ("LK", 2),
    ("CR", 4),
    ("CB", 3),
    ("NL", 3),
    ("TC", 2),
    ("LL", 1),
    ("M", 23),
    ("C", 12),
    ("F", 28),
    ("P", 34),
];

struct Row {
    id: &'static str,
    tests: Vec<&'static str>,
    /// Why there is no test, or why the tests do not cover the whole defect.
    reason: Option<&'static str>,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ID "));
    lines.map(row).collect()
}

fn row(line: &'static str) -> Row {
    let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [id, what, proof] = cells[..] else { panic!("not three cells: {line}") };
    assert!(!what.is_empty(), "{id}: no description");
    let quoted = proof.split('`').skip(1).step_by(2);
    Row {
        id,
        tests: quoted.filter(|text| text.contains("::")).collect(),
        reason: ["later: ", "none: "].iter().find_map(|mark| proof.strip_prefix(mark)),
    }
}

/// Returns whether `path`, which has no extension, is a module.
fn is_module(path: &Path) -> bool {
    path.is_dir() || path.with_extension("rs").is_file()
}

/// Returns the source file that a test path names, and the name of the function.
fn source(test: &str) -> (PathBuf, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut parts: Vec<_> = test.split("::").collect();
    let name = parts.pop().expect("a name").to_owned();
    let subject = |binary: &str| root.join("tests").join(binary).join(parts[0]);
    let mut file = match parts[0] {
        "lib" => root.join("src"),
        _ if is_module(&subject("it")) => subject("it"),
        _ => subject("integrations"),
    };
    file.extend(&parts[1..]);
    // The path may end with a module inside the file.
    while !file.with_extension("rs").is_file() && file.pop() {}
    (file.with_extension("rs"), name)
}

/// Returns whether `text` has a test of that name.
fn is_test(text: &str, name: &str) -> bool {
    let start = format!("fn {name}(");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let is_it = line.strip_prefix("async ").unwrap_or(line).starts_with(&start);
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        is_it && attributes.into_iter().any(|attribute| attribute.contains("test"))
    })
}

#[test]
fn every_defect_has_one_row() {
    let mut seen = BTreeMap::new();
    for row in rows() {
        *seen.entry(row.id.to_owned()).or_insert(0) += 1;
    }
    let mut expected: Vec<_> = NUMBERED
        .iter()
        .flat_map(|(kind, last)| (1..=*last).map(move |number| format!("{kind}{number:02}")))
        .chain(["TR07b".to_owned()])
        .collect();
    expected.sort();
    assert_eq!(seen.keys().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    assert!(seen.values().all(|times| *times == 1), "duplicate rows: {seen:?}");
}

#[test]
fn every_row_has_a_test_or_a_reason_and_every_test_exists() {
    let mut wrong = Vec::new();
    for Row { id, tests, reason } in rows() {
        if tests.is_empty() && reason.is_none_or(str::is_empty) {
            wrong.push(format!("{id}: neither a test nor a reason"));
        }
        for test in tests {
            let (file, name) = source(test);
            let text = fs::read_to_string(&file).unwrap_or_default();
            if !is_test(&text, &name) {
                wrong.push(format!("{id}: no test `{name}` in {}", file.display()));
            }
            if test.starts_with("defects::") && reason.is_none() && !mentions(&text, &name, id) {
                wrong.push(format!("{id}: the comment of `{name}` does not name it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns whether the comment above a test names the row.
fn mentions(text: &str, name: &str, id: &str) -> bool {
    let Some((before, _)) = text.split_once(&format!("fn {name}(")) else { return false };
    let comment = before.lines().rev().skip(1).skip_while(|line| !line.contains("///"));
    let mut comment = comment.take_while(|line| line.contains("///"));
    comment.any(|line| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == id))
}

/// Checks that the table names each test of this folder, because a test that it does not name concerns no defect.
#[test]
fn every_test_of_this_folder_is_in_the_table() {
    let named: Vec<_> = rows().into_iter().flat_map(|row| row.tests).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/defects");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the folder") {
        let file = entry.expect("a file").path();
        let module = file.file_stem().expect("a name").to_string_lossy().into_owned();
        if module == "table" || module == "TABLE" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        for line in text.lines().map(str::trim) {
            let line = line.strip_prefix("async ").unwrap_or(line);
            let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('('))
            else {
                continue;
            };
            if is_test(&text, name) {
                seen += 1;
                let is_named = |path: &&&str| path.starts_with(&format!("defects::{module}::"));
                let is_it = |path: &&str| path.ends_with(&format!("::{name}"));
                assert!(named.iter().filter(is_named).any(is_it), "{module}::{name}");
            }
        }
    }
    assert!(seen > 15, "only {seen} tests were found");
}
