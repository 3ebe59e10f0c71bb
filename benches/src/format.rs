//! Rows as a Markdown table and as JSON.

use std::fmt::Write;

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name in JSON.
    pub key: &'static str,
    /// The heading in the table.
    pub title: &'static str,
    /// Whether the column is aligned to the right.
    pub number: bool,
}

/// A cell.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A text of this repository. It contains nothing that needs escaping.
    Text(&'a str),
    /// An optional text.
    OptionalText(Option<String>),
    /// An optional number, with the number of its decimals in the table.
    Number(Option<f64>, usize),
}

impl Value<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::OptionalText(text) => text.clone().unwrap_or_default(),
            Self::Number(number, digits) => {
                number.map_or_else(String::new, |number| format!("{number:.digits$}"))
            }
        }
    }

    fn json(&self) -> String {
        let text = |text: &str| format!("\"{text}\"");
        match self {
            Self::Text(value) => text(value),
            Self::OptionalText(value) => value.as_deref().map_or("null".to_owned(), text),
            Self::Number(number, _) => {
                number.map_or("null".to_owned(), |number| format!("{number:.3}"))
            }
        }
    }
}

/// Formats the rows as a Markdown table.
pub fn markdown(columns: &[Column], rows: &[Vec<Value<'_>>]) -> String {
    let mut table = String::new();
    let mut line = |cells: Vec<String>| {
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    };
    line(columns.iter().map(|column| column.title.to_owned()).collect());
    line(columns.iter().map(|column| if column.number { "---:" } else { "---" }.into()).collect());
    rows.iter().for_each(|row| line(row.iter().map(Value::shown).collect()));
    table
}

/// Formats the rows as `{"rows":[…]}`.
pub fn json(columns: &[Column], rows: &[Vec<Value<'_>>]) -> String {
    let object = |row: &Vec<Value<'_>>| {
        let pairs = columns.iter().zip(row);
        let pairs: Vec<_> =
            pairs.map(|(column, value)| format!("\"{}\":{}", column.key, value.json())).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let rows: Vec<_> = rows.iter().map(object).collect();
    format!("{{\"rows\":[\n{}\n]}}", rows.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_table_and_json() {
        let columns = [("crate", "", false), ("ns", "ns", true), ("left", "left", false)];
        let columns = columns.map(|(key, title, number)| Column { key, title, number });
        let row =
            |number| vec![Value::Text("a"), Value::Number(number, 1), Value::OptionalText(None)];
        let rows = [row(Some(1.25)), row(None)];
        let table = "|  | ns | left |\n| --- | ---: | --- |\n| a | 1.2 |  |\n| a |  |  |\n";
        assert_eq!(markdown(&columns, &rows), table);
        let text = "{\"rows\":[\n{\"crate\":\"a\",\"ns\":1.250,\"left\":null},\n\
                    {\"crate\":\"a\",\"ns\":null,\"left\":null}\n]}";
        assert_eq!(json(&columns, &rows), text);
    }
}
