//! Settings files. Settings that are accepted are valid, survive a round trip through every format, and make a breaker
//! that works.

use std::fmt::Debug;

use tower_breaker::Settings;

use crate::breaker::exercise;
use crate::input::Input;

/// A file format.
struct Format {
    read: fn(&str) -> Option<Settings>,
    write: fn(&Settings) -> String,
}

const YAML: Format = Format {
    read: |text| ok(serde_norway::from_str(text)),
    write: |settings| serde_norway::to_string(settings).expect("valid settings can be written"),
};

const JSON: Format = Format {
    read: |text| ok(serde_json::from_str(text)),
    write: |settings| serde_json::to_string(settings).expect("valid settings can be written"),
};

const TOML: Format = Format {
    read: |text| ok(toml::from_str(text)),
    write: |settings| toml::to_string(settings).expect("valid settings can be written"),
};

/// Returns the settings, and checks that an error has a message.
fn ok<E: std::error::Error + Debug>(read: Result<Settings, E>) -> Option<Settings> {
    if let Err(error) = &read {
        assert!(!error.to_string().is_empty(), "{error:?}");
    }
    read.ok()
}

pub(crate) fn yaml(data: &[u8]) -> bool {
    check(&YAML, data)
}

pub(crate) fn json(data: &[u8]) -> bool {
    check(&JSON, data)
}

pub(crate) fn toml(data: &[u8]) -> bool {
    check(&TOML, data)
}

/// Checks a file. The bytes after the first zero byte are the steps of the breaker.
fn check(format: &Format, data: &[u8]) -> bool {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (file, rest) = data.split_at(end);
    let Ok(text) = std::str::from_utf8(file) else { return false };
    let Some(settings) = (format.read)(text) else { return false };
    assert_eq!(settings.to_builder().build().as_ref(), Ok(&settings));
    for format in [YAML, JSON, TOML] {
        let written = (format.write)(&settings);
        assert_eq!((format.read)(&written).as_ref(), Some(&settings), "{written}");
    }
    exercise(&settings, &mut Input::new(rest));
    true
}
