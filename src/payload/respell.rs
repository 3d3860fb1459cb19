//! The same JSON in other spellings: what a serialiser between signing and sending makes of a body.
//!
//! For finding out *why* a signature fails. Nothing here changes a delivery.

use std::borrow::Cow;
use std::fmt::Write;

use super::body::{self, JsonType, Object, items};

/// A JSON value as a tree of the sender's own tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<'a> {
    /// Members: the key decoded, and the value.
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
    /// Elements.
    Array(Vec<Tree<'a>>),
    /// A string, with its token.
    String(&'a str),
    /// A number, `true`, `false` or `null`, as spelled.
    Word(&'a str),
}

/// How deep a body may be nested to be respelled; deeper ones are no webhooks.
const DEPTH: usize = 64;

impl<'a> Tree<'a> {
    /// Reads JSON text; `None` when it is not JSON or nested too deep.
    pub fn parse(text: &'a str) -> Option<Self> {
        Tree::read(text.trim_matches([' ', '\n', '\r', '\t']), DEPTH)
    }

    fn read(text: &'a str, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        match JsonType::of(text) {
            JsonType::Object => {
                let members = Object::parse(text)?.into_members();
                let read = members.into_iter().map(|(key, value)| Some((key, Tree::read(value, depth)?)));
                read.collect::<Option<_>>().map(Tree::Object)
            }
            JsonType::Array => {
                items(text)?.into_iter().map(|item| Tree::read(item, depth)).collect::<Option<_>>().map(Tree::Array)
            }
            JsonType::String => Some(Tree::String(text)),
            JsonType::Number | JsonType::Bool | JsonType::Null => Some(Tree::Word(text)),
        }
    }
}

/// A way to spell JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// White space.
    pub layout: Layout,
    /// Whether members go by their keys.
    pub sorted: bool,
    /// What is escaped in strings.
    pub strings: Strings,
    /// How numbers are written.
    pub numbers: Numbers,
    /// Whether a newline follows.
    pub newline: bool,
}

/// White space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `{"a":1,"b":2}`: JavaScript, Rust, Go.
    Compact,
    /// `{"a": 1, "b": 2}`: Python.
    Spaced,
    /// A member a line, so many spaces in.
    Indented(usize),
    /// A member a line, a tab in.
    Tabbed,
}

/// What is escaped in strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// As sent.
    AsSent,
    /// As little as can be: JavaScript, Rust, Python with `ensure_ascii=False`.
    Raw,
    /// Everything beyond ASCII: Python.
    Ascii,
    /// That and `/`: PHP.
    Php,
    /// `<`, `>` and `&`: Go.
    Go,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// As sent.
    AsSent,
    /// `1.0` stays a float, `1.50` becomes `1.5`: Python.
    Python,
    /// Every number is a float, and a whole one has no point: JavaScript, Go.
    JavaScript,
}

/// Every spelling, the most usual first.
pub fn spellings() -> impl Iterator<Item = Spelling> {
    use Layout::{Compact, Indented, Spaced, Tabbed};
    let layouts = [Compact, Spaced, Indented(2), Indented(4), Tabbed];
    let strings = [Strings::AsSent, Strings::Ascii, Strings::Raw, Strings::Php, Strings::Go];
    let numbers = [Numbers::AsSent, Numbers::Python, Numbers::JavaScript];
    numbers.into_iter().flat_map(move |numbers| {
        [false, true].into_iter().flat_map(move |newline| {
            [false, true].into_iter().flat_map(move |sorted| {
                strings.into_iter().flat_map(move |strings| {
                    layouts.into_iter().map(move |layout| Spelling { layout, sorted, strings, numbers, newline })
                })
            })
        })
    })
}

impl Spelling {
    /// The value in this spelling.
    pub fn write(self, tree: &Tree<'_>) -> String {
        let mut out = String::new();
        self.value(tree, 0, &mut out);
        if self.newline {
            out.push('\n');
        }
        out
    }

    /// A string in this spelling, quoted.
    pub fn quote(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 2);
        self.text(text, &mut out);
        out
    }

    /// What was done, in words: `compact, with sorted keys`.
    pub fn describe(self) -> String {
        let layout = match self.layout {
            Layout::Compact => "compact".to_owned(),
            Layout::Spaced => "spaced as Python writes it".to_owned(),
            Layout::Indented(by) => format!("indented by {by}"),
            Layout::Tabbed => "indented by tabs".to_owned(),
        };
        let strings = match self.strings {
            Strings::AsSent => "",
            Strings::Raw => ", non-ASCII text as raw UTF-8",
            Strings::Ascii => ", non-ASCII text as \\u escapes",
            Strings::Php => ", / and non-ASCII text escaped as PHP does",
            Strings::Go => ", < > & escaped as Go does",
        };
        let numbers = match self.numbers {
            Numbers::AsSent => "",
            Numbers::Python => ", numbers respelled as Python does",
            Numbers::JavaScript => ", numbers respelled as JavaScript does",
        };
        let sorted = if self.sorted { ", with sorted keys" } else { "" };
        let newline = if self.newline { ", with a newline at the end" } else { "" };
        format!("{layout}{sorted}{strings}{numbers}{newline}")
    }

    fn value(self, tree: &Tree<'_>, depth: usize, out: &mut String) {
        match tree {
            Tree::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if self.sorted {
                    members.sort_by(|a, b| a.0.cmp(&b.0));
                }
                self.list('{', '}', &members, depth, out, |(key, value), out| {
                    self.text(key, out);
                    out.push_str(if self.layout == Layout::Compact { ":" } else { ": " });
                    self.value(value, depth + 1, out);
                });
            }
            Tree::Array(items) => {
                let items: Vec<_> = items.iter().collect();
                self.list('[', ']', &items, depth, out, |item, out| self.value(item, depth + 1, out));
            }
            Tree::String(token) => match (self.strings, body::string(token)) {
                (Strings::AsSent, _) | (_, None) => out.push_str(token),
                (_, Some(text)) => self.text(&text, out),
            },
            Tree::Word(word) => out.push_str(&self.number(word)),
        }
    }

    fn list<T>(
        self,
        open: char,
        close: char,
        entries: &[T],
        depth: usize,
        out: &mut String,
        write: impl Fn(&T, &mut String),
    ) {
        out.push(open);
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                out.push_str(if self.layout == Layout::Spaced { ", " } else { "," });
            }
            self.line(depth + 1, out);
            write(entry, out);
        }
        if !entries.is_empty() {
            self.line(depth, out);
        }
        out.push(close);
    }

    fn line(self, depth: usize, out: &mut String) {
        let unit = match self.layout {
            Layout::Compact | Layout::Spaced => return,
            Layout::Indented(by) => " ".repeat(by),
            Layout::Tabbed => "\t".to_owned(),
        };
        out.push('\n');
        out.push_str(&unit.repeat(depth));
    }

    fn text(self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '/' if self.strings == Strings::Php => out.push_str("\\/"),
                c if c < ' ' || self.escapes(c) => escape(c, out),
                c => out.push(c),
            }
        }
        out.push('"');
    }

    fn escapes(self, c: char) -> bool {
        match self.strings {
            Strings::Ascii => !c.is_ascii() || c == '\u{7f}',
            Strings::Php => !c.is_ascii(),
            Strings::Go => matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            Strings::AsSent | Strings::Raw => false,
        }
    }

    fn number<'a>(self, word: &'a str) -> Cow<'a, str> {
        let is_float = word.contains(['.', 'e', 'E']);
        let value = match self.numbers {
            Numbers::AsSent => return Cow::Borrowed(word),
            Numbers::Python if !is_float => return Cow::Borrowed(word),
            Numbers::Python | Numbers::JavaScript => word.parse::<f64>().ok().filter(|value| value.is_finite()),
        };
        let Some(value) = value else { return Cow::Borrowed(word) };
        Cow::Owned(match self.numbers {
            Numbers::Python => python(value),
            Numbers::JavaScript | Numbers::AsSent => javascript(value),
        })
    }
}

/// The shortest digits of a number in scientific notation: `1.5e-7` gives `1.5` and -7.
fn scientific(value: f64) -> (String, i32) {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.to_owned(), exponent.parse().unwrap_or_default())
}

/// As Python's `repr` writes a float: `1.0`, `1e-07`, `1e+16`.
fn python(value: f64) -> String {
    let (digits, exponent) = scientific(value);
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let text = value.to_string();
    if text.contains('.') { text } else { text + ".0" }
}

/// As JavaScript's `JSON.stringify` writes a number: `1`, `1e-7`, `1e+21`.
fn javascript(value: f64) -> String {
    let (digits, exponent) = scientific(value);
    match exponent {
        _ if value == 0.0 => "0".to_owned(),
        21.. => format!("{digits}e+{exponent}"),
        ..-6 => format!("{digits}e{exponent}"),
        _ => value.to_string(),
    }
}

fn escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing into a string does not fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = r#"{"b": [1.0, {"é/": "a<b \u00e9"}], "a": 12.50, "n": null, "e": {}}"#;

    fn spell(layout: Layout, sorted: bool, strings: Strings, numbers: Numbers) -> String {
        Spelling { layout, sorted, strings, numbers, newline: false }.write(&Tree::parse(SENT).unwrap())
    }

    #[test]
    fn each_spelling_is_that_of_its_language() {
        use Layout::{Compact, Indented, Spaced};
        let cases = [
            (
                spell(Compact, false, Strings::Raw, Numbers::JavaScript),
                r#"{"b":[1,{"é/":"a<b é"}],"a":12.5,"n":null,"e":{}}"#,
            ),
            (
                spell(Spaced, true, Strings::Ascii, Numbers::Python),
                r#"{"a": 12.5, "b": [1.0, {"\u00e9/": "a<b \u00e9"}], "e": {}, "n": null}"#,
            ),
            (
                spell(Compact, false, Strings::Php, Numbers::AsSent),
                r#"{"b":[1.0,{"\u00e9\/":"a<b \u00e9"}],"a":12.50,"n":null,"e":{}}"#,
            ),
            (
                spell(Compact, true, Strings::Go, Numbers::AsSent),
                r#"{"a":12.50,"b":[1.0,{"é/":"a\u003cb é"}],"e":{},"n":null}"#,
            ),
            (
                spell(Indented(2), false, Strings::AsSent, Numbers::AsSent),
                "{\n  \"b\": [\n    1.0,\n    {\n      \"é/\": \"a<b \\u00e9\"\n    }\n  ],\n  \"a\": 12.50,\n  \"n\": null,\n  \"e\": {}\n}",
            ),
        ];
        for (spelled, expected) in cases {
            assert_eq!(spelled, expected);
        }
    }

    #[test]
    fn every_spelling_says_the_same() {
        let value: serde_json::Value = serde_json::from_str(SENT).unwrap();
        let tree = Tree::parse(SENT).unwrap();
        for spelling in spellings() {
            let read: serde_json::Value = serde_json::from_str(&spelling.write(&tree)).unwrap();
            let same = match spelling.numbers {
                // A whole float has become an integer.
                Numbers::JavaScript => read["a"] == value["a"] && read["b"][1] == value["b"][1],
                Numbers::AsSent | Numbers::Python => read == value,
            };
            assert!(same, "{}", spelling.describe());
        }
        assert_eq!(spellings().count(), 300);
    }

    #[test]
    fn numbers_are_those_of_the_language() {
        let python_says = [1.0, 12.5, 1e-7, 0.00003, 0.0001, 1e15, 1e16, -0.0, 1.5e300].map(python);
        assert_eq!(
            python_says,
            ["1.0", "12.5", "1e-07", "3e-05", "0.0001", "1000000000000000.0", "1e+16", "-0.0", "1.5e+300"]
        );
        let javascript_says = [1.0, 12.5, 1e-7, 0.000001, 1e20, 1e21, -0.0, 12345678901234567890.0].map(javascript);
        let expected = ["1", "12.5", "1e-7", "0.000001", "100000000000000000000", "1e+21", "0", "12345678901234567000"];
        assert_eq!(javascript_says, expected);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        assert_eq!(Tree::parse(&deep), None);
    }
}
