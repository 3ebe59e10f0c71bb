//! Every Rust block on a page is the exact text of a snippet in a test or an example.

use std::fs;
use std::path::{Path, PathBuf};

/// Code and its location.
struct Code {
    place: String,
    text: String,
}

/// Returns the files below `dir` with the given extension, sorted by path.
fn files(dir: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a folder of the crate") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    walk(&path, ending, found);
                }
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), ending, &mut found);
    found.sort();
    found
}

fn pages() -> Vec<PathBuf> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    [readme].into_iter().chain(files("docs", "md")).collect()
}

fn place(path: &Path, line: usize) -> String {
    let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path);
    format!("{}:{}", path.display(), line + 1)
}

/// Removes the indentation that the lines share.
fn dedent(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min();
    let cut = |line: &&str| line.get(shared.unwrap_or(0)..).unwrap_or("").to_owned();
    lines.iter().map(cut).collect::<Vec<_>>().join("\n")
}

/// Returns the code between `// guide: NAME` and `// guide: end`.
fn snippets() -> Vec<Code> {
    let mut snippets = Vec::new();
    for path in files("tests", "rs").into_iter().chain(files("examples", "rs")) {
        let text = fs::read_to_string(&path).expect("a readable file");
        let lines: Vec<_> = text.lines().collect();
        let mut begin = None;
        for (at, line) in lines.iter().enumerate() {
            match line.trim().strip_prefix("// guide: ") {
                Some("end") => {
                    let begin: usize = begin.take().expect("`// guide: end` ends a snippet");
                    let text = dedent(&lines[begin + 1..at]);
                    snippets.push(Code { place: place(&path, begin), text });
                }
                Some(_) => {
                    assert!(
                        begin.is_none(),
                        "{}: the previous snippet has no end",
                        place(&path, at)
                    );
                    begin = Some(at);
                }
                None => {}
            }
        }
        assert!(begin.is_none(), "{}: a snippet has no end", path.display());
    }
    snippets
}

/// Returns the programs that must not compile, without their first comment.
fn rejected_programs() -> Vec<String> {
    let ui = files("tests", "rs").into_iter().filter(|path| path.with_extension("stderr").exists());
    ui.map(|path| {
        let text = fs::read_to_string(path).expect("a readable file");
        let lines: Vec<_> = text.lines().skip_while(|line| line.starts_with("//!")).collect();
        lines.join("\n").trim().to_owned()
    })
    .collect()
}

/// Returns the blocks of a page whose fence has exactly this info string.
fn blocks(path: &Path, info: &str) -> Vec<Code> {
    let text = fs::read_to_string(path).expect("a readable page");
    let (mut blocks, mut open) = (Vec::new(), None::<(usize, bool, Vec<&str>)>);
    for (at, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(found)) => open = Some((at, found == info, Vec::new())),
            (Some(_), Some(_)) => {
                if let Some((begin, true, lines)) = open.take() {
                    blocks.push(Code { place: place(path, begin), text: dedent(&lines) });
                }
            }
            (Some((_, _, lines)), None) => lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a fence is not closed", path.display());
    blocks
}

#[test]
fn every_block_of_a_page_is_a_snippet_that_compiles() {
    let snippets = snippets();
    let mut used = vec![false; snippets.len()];
    let mut wrong = Vec::new();
    for block in pages().iter().flat_map(|page| blocks(page, "rust")) {
        match snippets.iter().position(|snippet| snippet.text == block.text) {
            Some(at) => used[at] = true,
            None => wrong.push(format!("{}: no snippet reads\n{}\n", block.place, block.text)),
        }
    }
    let unused = snippets.iter().zip(used).filter(|(_, used)| !used);
    wrong.extend(unused.map(|(code, _)| format!("{}: on no page\n{}\n", code.place, code.text)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_block_that_must_not_compile_is_a_test_of_the_compiler_message() {
    let programs = rejected_programs();
    for block in pages().iter().flat_map(|page| blocks(page, "rust,compile_fail")) {
        assert!(
            programs.contains(&block.text),
            "{}: no such program in a `ui` folder",
            block.place
        );
    }
}

#[test]
fn a_page_shows_no_scaffolding() {
    for page in pages() {
        for info in ["rust", "rust,compile_fail"] {
            for block in blocks(&page, info) {
                let hidden = |line: &str| line.trim() == "#" || line.trim_start().starts_with("# ");
                assert!(!block.text.lines().any(hidden), "{}: a hidden line", block.place);
            }
        }
        let text = fs::read_to_string(&page).expect("a readable page");
        let odd = text.lines().find(|line| line.trim_start().starts_with("```rust,"));
        let known = odd.is_none_or(|line| line.trim() == "```rust,compile_fail");
        assert!(known, "{}: {odd:?} is not compared with a snippet", page.display());
    }
}
