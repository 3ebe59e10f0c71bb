//! Imports go down only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The top-level modules, from the lowest to the highest. A module may import those before it.
const ORDER: [(u8, &str); 22] = [
    (0, "state"),
    (0, "outcome"),
    (0, "error"),
    (0, "sync"),
    (1, "backoff"),
    (1, "window"),
    (2, "probe"),
    (2, "trip"),
    (3, "settings"),
    (3, "machine"),
    (4, "clock"),
    (4, "event"),
    (4, "breaker"),
    (4, "registry"),
    (5, "classify"),
    (5, "llm"),
    (5, "rejection"),
    (5, "circuit_breaker"),
    (5, "fallback"),
    (7, "guide"),
    (7, "retry"),
    (7, "integration"),
];

/// Pairs of modules that never import each other, although the order would allow it.
const STRANGERS: [(&str, &str); 1] = [("fallback", "circuit_breaker")];

/// The level of the leaves, which no other module imports.
const LEAVES: u8 = 7;

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of the crate") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|(_, name)| *name == module)
}

fn level(module: &str) -> u8 {
    ORDER[rank(module).expect("a known module")].0
}

/// Code without its comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The module of each name at the root of the crate.
fn reexports(lib: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for statement in code(lib).split(';') {
        let Some(at) = statement.find("pub use ") else { continue };
        let path = statement[at + 8..].trim();
        let (module, rest) = path.split_once("::").expect("a path");
        let rest = rest.trim();
        let listed = rest.rsplit_once("::").map_or(rest, |(_, listed)| listed);
        for name in listed.trim_matches(['{', '}']).split(',').map(str::trim) {
            if !name.is_empty() {
                names.insert(name.to_owned(), module.to_owned());
            }
        }
    }
    names
}

fn ident(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// The first name after every `crate::` of a file. A group in braces yields each of its names.
fn imports(text: &str) -> Vec<String> {
    let text = code(text);
    let mut found = Vec::new();
    for (at, prefix) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => found.push(ident(rest).to_owned()),
            Some(group) => {
                let mut depth = 1;
                let mut start = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => start = true,
                        c if start && (c.is_alphanumeric() || c == '_') => {
                            found.push(ident(&group[at..]).to_owned());
                            start = false;
                        }
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    found
}

#[test]
fn imports_go_down_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let root = reexports(&fs::read_to_string(src.join("lib.rs")).expect("lib.rs"));
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files {
        let inside = file.strip_prefix(&src).expect("inside src");
        let first = inside.iter().next().expect("a name").to_string_lossy();
        let module = first.trim_end_matches(".rs");
        let is_test = inside.iter().any(|name| name.to_string_lossy().contains("tests"));
        if module == "lib" || is_test {
            continue;
        }
        let Some(mine) = rank(module) else {
            wrong
                .push(format!("{}: module `{module}` has no place in the order", inside.display()));
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source file");
        let text = text.split("#[cfg(test)]\nmod tests {").next().expect("a first part");
        for name in imports(text) {
            let target = root.get(&name).cloned().unwrap_or(name);
            let Some(theirs) = rank(&target) else {
                wrong.push(format!(
                    "{}: `crate::{target}` has no place in the order",
                    inside.display()
                ));
                continue;
            };
            seen += 1;
            let strangers = STRANGERS
                .iter()
                .any(|(a, b)| (*a == module && *b == target) || (*b == module && *a == target));
            let leaf = level(&target) >= LEAVES && target != module;
            if theirs > mine || strangers || leaf {
                wrong.push(format!("{}: imports `{target}`", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not go down:\n{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} imports were found: is the reader broken?");
}

/// The integrations: the folder or file, its features, and the foreign crates that only it names.
const INTEGRATIONS: [(&str, &[&str], &[&str]); 6] = [
    ("integration/with_axum", &["axum"], &["axum", "axum_core"]),
    ("integration/with_reqwest", &["reqwest"], &["reqwest"]),
    (
        "integration/with_reqwest_middleware",
        &["reqwest-middleware"],
        &["reqwest", "reqwest_middleware", "anyhow", "async_trait"],
    ),
    ("integration/with_tonic", &["tonic"], &["tonic"]),
    ("integration/with_tower_http", &["tower-http"], &["tower_http"]),
    ("retry", &["retry"], &["tower"]),
];

/// The only file below the integrations that names foreign error types, each behind the feature of its crate.
const FOREIGN_ERRORS: &str = "classify/foreign.rs";

/// Returns the marks that a file outside the integrations must not have: foreign crates, and features of integrations.
fn marks(text: &str) -> Vec<String> {
    let text = code(text);
    let mut found = Vec::new();
    for (_, features, crates) in INTEGRATIONS {
        for name in crates {
            let path = format!("{name}::");
            let names = text.match_indices(&path).any(|(at, _)| {
                !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if names {
                found.push(path);
            }
        }
        for feature in features {
            let cfg = format!("feature = \"{feature}\"");
            if text.contains(&cfg) {
                found.push(cfg);
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn integrations_leave_no_marks_in_the_modules_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    let mut read = 0;
    for file in files {
        let inside = file.strip_prefix(&src).expect("inside src");
        let is_test = inside.iter().any(|name| name.to_string_lossy().contains("tests"));
        let in_integration = INTEGRATIONS.iter().any(|(folder, ..)| inside.starts_with(folder));
        let lists_them = inside == Path::new("lib.rs") || inside == Path::new("integration/mod.rs");
        if is_test || in_integration || lists_them || inside == Path::new(FOREIGN_ERRORS) {
            continue;
        }
        read += 1;
        let text = fs::read_to_string(&file).expect("a source file");
        let text = text.split("#[cfg(test)]\nmod tests {").next().expect("a first part");
        wrong.extend(marks(text).into_iter().map(|mark| format!("{}: {mark}", inside.display())));
    }
    assert!(wrong.is_empty(), "marks of integrations:\n{}", wrong.join("\n"));
    assert!(read > 100, "only {read} files were read: is the reader broken?");
}

#[test]
fn every_kind_of_mark_is_found() {
    assert_eq!(
        marks("use tower_service::Service; // reqwest::Client\nlet x = crate::tonic::y;"),
        [""; 0]
    );
    assert_eq!(marks("fn f(e: &reqwest::Error) {}"), ["reqwest::"]);
    assert_eq!(marks("use tower::Service;"), ["tower::"]);
    assert_eq!(marks("#[cfg(feature = \"axum\")]\nmod x;"), ["feature = \"axum\""]);
}

/// The vocabulary of the rules, which the reference shares with the machine.
const VOCABULARY: [&str; 3] = ["outcome", "state", "error"];

/// Returns the imports that a file of the reference must not have: everything of the crate except the vocabulary, and the
/// modules beside the reference. `root` marks its first file, whose parent is outside the reference.
fn beyond_vocabulary(text: &str, root: bool) -> Vec<String> {
    let mut wrong = imports(text);
    wrong.retain(|name| !VOCABULARY.contains(&name.as_str()));
    let outside = if root { "super::" } else { "super::super" };
    if code(text).contains(outside) {
        wrong.push(outside.to_owned());
    }
    wrong
}

#[test]
fn the_reference_of_the_machine_imports_the_vocabulary_only() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/machine/model_tests/reference");
    let mut files = Vec::new();
    rust_files(&reference, &mut files);
    assert!(files.len() > 5, "only {} files: has the reference moved?", files.len());
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let root = file == reference.join("mod.rs");
        assert_eq!(beyond_vocabulary(&text, root), [""; 0], "{}", file.display());
    }
}

#[test]
fn a_reference_that_imports_more_than_the_vocabulary_is_found() {
    let ours = "use crate::state::{Cause, Mode};\nuse crate::outcome::Class;\nuse std::fmt;";
    assert_eq!(beyond_vocabulary(ours, true), [""; 0]);
    assert_eq!(beyond_vocabulary("use super::{Phase, Reference};", false), [""; 0]);
    for (text, found) in [
        ("use crate::backoff::Random;", "backoff"),
        ("use crate::{state::State, machine::Machine};", "machine"),
        ("fn wait() -> crate::window::Window {}", "window"),
        ("use crate::Trip;", "Trip"),
        ("use super::super::adapter::Real;", "super::super"),
    ] {
        assert_eq!(beyond_vocabulary(text, false), [found]);
    }
    assert_eq!(beyond_vocabulary("use super::ops::Op;", true), ["super::"]);
}

#[test]
fn the_reader_sees_every_form_of_import() {
    let text = "use crate::a::B;\nuse crate::{c::{D, E}, f, g::H};\nlet x = crate::i::j(); // crate::k\n$crate::l";
    assert_eq!(imports(text), ["a", "c", "f", "g", "i"]);
    let lib = "pub use a::{B, C};\n#[cfg(x)]\npub use d::E;";
    let names: Vec<_> = reexports(lib).into_iter().collect();
    let owned = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(names, [owned("B", "a"), owned("C", "a"), owned("E", "d")]);
}
