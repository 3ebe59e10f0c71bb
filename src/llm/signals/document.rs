//! `signals.md`, which is generated from the tables.

use super::*;
use crate::llm::signal::StatusRange;

/// Every table, before all tables that decide after it for some provider.
pub(super) fn tables() -> Vec<&'static Signals> {
    let mut pending: Vec<_> = profiles().map(|profile| profile.signals.to_vec()).collect();
    let mut tables: Vec<&'static Signals> = Vec::new();
    while pending.iter().any(|list| !list.is_empty()) {
        let is_later = |table: &Signals| {
            pending.iter().any(|list| list.iter().skip(1).any(|it| std::ptr::eq(*it, table)))
        };
        let next = pending.iter().filter_map(|list| list.first()).find(|table| !is_later(table));
        let next: &'static Signals = next.expect("two providers disagree on the order of tables");
        pending.iter_mut().for_each(|list| list.retain(|it| !std::ptr::eq(*it, next)));
        tables.push(next);
    }
    tables
}

/// The providers that use a table.
pub(super) fn users(table: &Signals) -> Vec<Provider> {
    let uses =
        |provider: &&Provider| provider.profile().signals.iter().any(|it| std::ptr::eq(*it, table));
    Provider::ALL.iter().filter(uses).copied().collect()
}

fn names(providers: &[Provider]) -> String {
    let names: Vec<_> = providers.iter().map(|provider| format!("`{provider}`")).collect();
    names.join(", ")
}

fn statuses(statuses: StatusRange) -> String {
    match statuses {
        StatusRange::Any => "any".to_owned(),
        StatusRange::Blame => "4xx".to_owned(),
        StatusRange::Between(from, to) if from == to => from.to_string(),
        StatusRange::Between(from, to) => format!("{from}–{to}"),
    }
}

fn matcher(matcher: Matcher) -> String {
    match matcher {
        Matcher::MessageStart(text) | Matcher::BareMessageStart(text) => {
            format!("message begins “{text}”")
        }
        Matcher::MessagePart(text) => format!("message contains “{text}”"),
        Matcher::QuotaPart(text) => format!("`quotaId` contains “{text}”"),
        Matcher::Name(name) => format!("`{name}`"),
        Matcher::Status => "the status".to_owned(),
    }
}

const fn class(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Throttled => "throttled",
        Meaning::Exhausted => "exhausted",
        Meaning::Failed => "failure",
        Meaning::CallersFault => "success",
        Meaning::Credential => "success (credential)",
        Meaning::Neutral => "ignored",
    }
}

fn document() -> String {
    let tables = tables();
    let is_compatible =
        |table: &&&Signals| table.quotas.iter().any(|it| it.reason == "insufficient_quota");
    let compatible = users(tables.iter().find(is_compatible).unwrap());
    let users_of = |table: &Signals| match users(table) {
        all if all.len() == Provider::ALL.len() => "any".to_owned(),
        some if some == compatible => "compatible".to_owned(),
        some => names(&some),
    };
    let mut text = format!(
        "# Signals\n\n\
         The classes of errors. The first match decides, in this order: the texts of the first table, a `code`, a `type` \
         (or `status`, or the name of an exception), the HTTP status, the texts of the last table. Among the rows of one \
         step, the first match decides. Case is ignored.\n\n\
         - *success* is a caller's fault: the provider responded, so it is healthy. *credential* marks a refused \
         credential, which affects every caller who shares it.\n\
         - *4xx* excludes 402, 408, 409, 425, 429 and 498, and includes an error inside a 200 that repeats no status.\n\
         - *compatible* providers use OpenAI's error format: {}.\n\
         - Inside a 200, the status is the one that the error repeats. An error without any signal is a failure.\n",
        names(&compatible),
    );
    let titles: [(&str, std::ops::Range<usize>); 4] = [
        ("Texts that decide first", 0..1),
        ("Names", 1..7),
        ("Statuses", 7..8),
        ("Texts inside a 200, without a name or a status", 8..9),
    ];
    for (title, groups) in titles {
        text += &format!(
            "\n## {title}\n\n| provider | status | signal | class | reason | source |\n|---|---|---|---|---|---|\n"
        );
        for group in groups {
            for table in &tables {
                for it in table.groups()[group] {
                    text += &format!(
                        "| {} | {} | {} | {} | `{}` | {} |\n",
                        users_of(table),
                        statuses(it.statuses),
                        matcher(it.matcher),
                        class(it.meaning),
                        it.reason,
                        it.source,
                    );
                }
            }
        }
    }
    text
}

#[test]
#[cfg_attr(miri, ignore = "reads a file")]
fn the_documented_table_is_the_real_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/llm/signals.md");
    if std::env::var_os("WRITE_SIGNALS").is_some() {
        std::fs::write(path, document()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == document(),
        "signals.md differs from the tables; regenerate it with: \
         WRITE_SIGNALS=1 cargo test --lib --all-features the_documented_table",
    );
}
