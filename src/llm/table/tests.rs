use super::super::ErrorBody;
use super::super::matching::find;
use super::*;

#[test]
fn a_set_has_its_members_only() {
    let set = Who::of(&[Provider::OpenAi, Provider::Generic]);
    assert!(set.has(Provider::OpenAi) && set.has(Provider::Generic));
    assert!(!set.has(Provider::AzureOpenAi) && !set.has(Provider::Ollama));
    assert!(Who::ANY.has(Provider::OpenAi) && Who::ANY.has(Provider::Generic));
}

#[test]
fn blame_yields_to_a_status_that_says_otherwise() {
    for status in [400, 401, 403, 404, 413, 422, 424, 499] {
        assert!(Blame.is(Some(status)), "{status}");
    }
    for status in [200, 302, 402, 408, 409, 425, 429, 498, 500, 503, 529] {
        assert!(!Blame.is(Some(status)), "{status}");
    }
    assert!(Blame.is(None));
}

/// Names are compared without case, texts with a lower-case message.
#[test]
fn texts_of_the_table_are_lower_case() {
    for signal in TABLE {
        if let Begins(text) | Says(text) | Quota(text) | Hints(text) = signal.what {
            assert_eq!(text, text.to_ascii_lowercase());
        }
    }
}

#[test]
fn a_prompt_that_an_error_repeats_decides_nothing() {
    for signal in TABLE.iter().filter(|it| matches!(it.what, Says(_) | Quota(_))) {
        for status in [400, 404, 422] {
            assert!(!signal.on.is(Some(status)), "{}", signal.reason);
        }
    }
}

/// The reason is all that an outcome keeps of its signal.
#[test]
fn no_reason_is_both_a_credential_and_something_else() {
    for credential in TABLE.iter().filter(|it| it.meaning == Credential) {
        let same = TABLE.iter().filter(|it| it.reason == credential.reason);
        assert!(same.into_iter().all(|it| it.meaning == Credential), "{}", credential.reason);
    }
}

#[test]
fn reasons_are_one_word_each_and_sources_are_given() {
    for signal in TABLE {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(!signal.reason.is_empty() && signal.reason.chars().all(word), "{}", signal.reason);
        assert!(!signal.source.is_empty(), "{}", signal.reason);
    }
}

#[test]
#[cfg_attr(miri, ignore = "a long table, with no thread and no memory of its own")]
fn no_signal_hides_another() {
    for (at, hidden) in TABLE.iter().enumerate() {
        for above in &TABLE[..at] {
            let covers = above.what == hidden.what
                && (above.on == On::Any || above.on == hidden.on)
                && Provider::ALL.into_iter().all(|it| above.who.has(it) || !hidden.who.has(it));
            assert!(!covers, "{} is never reached", hidden.reason);
        }
    }
}

#[test]
fn a_code_decides_before_a_type_and_a_type_before_the_status() {
    let reason = |code: &str, kind: &str| {
        let error = ErrorBody {
            codes: vec![code.to_owned()],
            types: vec![kind.to_owned()],
            ..ErrorBody::default()
        };
        find(Provider::OpenAi, Some(429), &error).unwrap().reason
    };
    assert_eq!(reason("slow_down", "insufficient_quota"), "slow_down");
    assert_eq!(reason("", "INSUFFICIENT_QUOTA"), "insufficient_quota");
    assert_eq!(reason("", "invalid_request_error"), "too_many_requests");
}

fn names(who: Who) -> String {
    let names: Vec<_> =
        Provider::ALL.into_iter().filter(|it| who.has(*it)).map(|it| format!("`{it}`")).collect();
    names.join(", ")
}

fn who(who: Who) -> String {
    match who {
        ANY => "any".to_owned(),
        COMPATIBLE => "compatible".to_owned(),
        _ => names(who),
    }
}

fn on(on: On) -> String {
    match on {
        On::Any => "any".to_owned(),
        On::Blame => "4xx".to_owned(),
        On::Status(from, to) if from == to => from.to_string(),
        On::Status(from, to) => format!("{from}–{to}"),
    }
}

fn what(what: What) -> String {
    match what {
        Begins(text) | Hints(text) => format!("message begins “{text}”"),
        Says(text) => format!("message has “{text}”"),
        Quota(text) => format!("`quotaId` has “{text}”"),
        Name(name) => format!("`{name}`"),
        What::Status => "the status".to_owned(),
    }
}

const fn class(meaning: Meaning) -> &'static str {
    match meaning {
        Throttled => "throttled",
        Exhausted => "exhausted",
        Failed => "failure",
        CallersFault => "success",
        Credential => "success (credential)",
        Neutral => "ignored",
    }
}

fn document() -> String {
    let mut text = format!(
        "# Signals\n\n\
         What an error means, by what it says. The first kind that fits decides: the texts of the first table, a `code`, a \
         `type` (or `status`, or the name of an exception), the HTTP status, the texts of the last table. Within one kind the \
         first row decides. Upper and lower case are the same.\n\n\
         - *success* is a caller's fault: the provider answered, and is well. *Credential* means that whoever shares the key \
         has the same fault.\n\
         - *4xx* is without 402, 408, 409, 425, 429 and 498, and also an error inside of a 200 that repeats no status.\n\
         - *compatible* speaks OpenAI's format: {}.\n\
         - Inside of a 200 the status is the one that the error repeats. An error of which nothing is known is a failure.\n",
        names(COMPATIBLE),
    );
    type Kind = fn(What) -> bool;
    let titles: [(&str, Kind); 4] = [
        ("Texts that decide first", |it| matches!(it, Begins(_) | Says(_) | Quota(_))),
        ("Names", |it| matches!(it, Name(_))),
        ("Statuses", |it| it == What::Status),
        ("Texts inside of a 200, without name or status", |it| matches!(it, Hints(_))),
    ];
    for (title, kind) in titles {
        text += &format!(
            "\n## {title}\n\n| provider | status | signal | class | reason | after |\n|---|---|---|---|---|---|\n"
        );
        for it in TABLE.iter().filter(|it| kind(it.what)) {
            text += &format!(
                "| {} | {} | {} | {} | `{}` | {} |\n",
                who(it.who),
                on(it.on),
                what(it.what),
                class(it.meaning),
                it.reason,
                it.source,
            );
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
        "signals.md is not what the table says; write it anew with: \
         WRITE_SIGNALS=1 cargo test --lib --all-features the_documented_table",
    );
}
