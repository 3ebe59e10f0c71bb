//! The command-line options.

/// The usage.
pub const USAGE: &str = "peers [--json] [--quick] [--filter TEXT]";

/// The options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Prints JSON instead of a table.
    pub json: bool,
    /// Measures with less effort. The run ends within 40 s on two cores.
    pub quick: bool,
    /// Measures only the rows whose crate, configuration or scenario contains this text.
    pub filter: Option<String>,
}

impl Options {
    /// Parses the arguments that follow the program's name.
    ///
    /// # Errors
    ///
    /// Returns a message for the user if an argument is invalid.
    pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { json: false, quick: false, filter: None };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = true,
                "--quick" => options.quick = true,
                "--filter" => {
                    let text = arguments.next();
                    options.filter = Some(text.ok_or(format!("--filter needs a text\n{USAGE}"))?);
                }
                _ => return Err(format!("unknown argument {argument:?}\n{USAGE}")),
            }
        }
        Ok(options)
    }

    /// Returns `true` if a row with these texts is selected.
    pub fn wants(&self, texts: [&str; 3]) -> bool {
        self.filter.as_ref().is_none_or(|filter| texts.iter().any(|text| text.contains(filter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        Options::read(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn options_are_parsed_in_any_order() {
        let nothing = Options { json: false, quick: false, filter: None };
        assert_eq!(read(&[]), Ok(nothing.clone()));
        let all = Options { json: true, quick: true, filter: Some("open".to_owned()) };
        assert_eq!(read(&["--quick", "--filter", "open", "--json"]), Ok(all.clone()));
        assert!(nothing.wants(["a", "b", "c"]));
        assert!(all.wants(["a", "b", "half-open"]));
        assert!(!all.wants(["a", "b", "closed"]));
    }

    #[test]
    fn an_unknown_or_incomplete_option_is_an_error() {
        assert!(read(&["--fast"]).unwrap_err().contains("--fast"));
        assert!(read(&["--filter"]).unwrap_err().contains("needs a text"));
        assert!(read(&["quick"]).unwrap_err().contains(USAGE));
    }
}
