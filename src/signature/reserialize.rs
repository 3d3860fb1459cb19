//! The same JSON as other serialisers write it, for the case that a body was parsed and written again between signing and
//! sending.
//!
//! Used to find out why a signature fails. Nothing here changes a delivery.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(crate) mod numbers;

use crate::json::string::{self, HexCase, push_escaped};
pub(crate) use crate::json::tree::{StringToken, Tree};
pub(crate) use numbers::NumberStyle;

/// A way to spell JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) layout: Layout,
    pub(crate) order: MemberOrder,
    pub(crate) strings: StringEscapes,
    pub(crate) numbers: NumberStyle,
    pub(crate) empty: EmptyObject,
    pub(crate) ends: Surroundings,
}

/// White space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `{"a":1,"b":2}`: JavaScript, Rust, Go.
    Compact,
    /// `{"a": 1, "b": 2}`: Python.
    Spaced,
    /// A member a line, indented by this many spaces a level.
    Indented(usize),
    /// A member a line, indented by a tab a level.
    Tabbed,
}

/// The order of members. A serialiser that reorders members has parsed them, and keeps the last of a repeated key only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberOrder {
    AsSent,
    /// By key: Go's maps, Python with `sort_keys`.
    Sorted,
    /// As sent, a repeated key once: Python's dictionaries, PHP's arrays.
    Once,
    /// Keys that are whole numbers first, by size: JavaScript.
    JavaScript,
    /// The shorter keys first: PostgreSQL's jsonb.
    Postgres,
}

/// The characters that are escaped in strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StringEscapes {
    AsSent,
    /// Everything beyond ASCII: Python.
    Ascii,
    /// Only quotation marks, backslashes and control characters: JavaScript, Rust, Python with `ensure_ascii=False`.
    Raw,
    /// Everything beyond ASCII, and `/`: PHP.
    Php,
    /// `<`, `>` and `&`: Go, Rails.
    Go,
    /// `/`: PHP with `JSON_UNESCAPED_UNICODE`.
    Slashes,
    /// Everything beyond ASCII, in upper-case hex: many a Java and C library.
    AsciiUpper,
    /// `<`, `>`, `&`, `=` and `'`: Gson.
    Gson,
    /// Everything beyond ASCII and all that HTML knows, in upper-case hex: .NET's `System.Text.Json`.
    DotNet,
}

/// An object without members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyObject {
    AsSent,
    /// `[]`: PHP, whose arrays are both.
    Array,
}

/// The bytes around the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surroundings {
    Bare,
    /// A newline at the end.
    Newline,
    /// A byte order mark at the start.
    Mark,
}

const LAYOUTS: &[Layout] = &[Layout::Compact, Layout::Spaced, Layout::Indented(2), Layout::Indented(4), Layout::Tabbed];
const ORDERS: &[MemberOrder] =
    &[MemberOrder::AsSent, MemberOrder::Sorted, MemberOrder::Once, MemberOrder::JavaScript, MemberOrder::Postgres];
const STRINGS: &[StringEscapes] = &[
    StringEscapes::AsSent,
    StringEscapes::Ascii,
    StringEscapes::Raw,
    StringEscapes::Php,
    StringEscapes::Go,
    StringEscapes::Slashes,
    StringEscapes::AsciiUpper,
    StringEscapes::Gson,
    StringEscapes::DotNet,
];
const NUMBERS: &[NumberStyle] = &[NumberStyle::AsSent, NumberStyle::Python, NumberStyle::JavaScript, NumberStyle::Php];
const EMPTIES: &[EmptyObject] = &[EmptyObject::AsSent, EmptyObject::Array];
const ENDS: &[Surroundings] = &[Surroundings::Bare, Surroundings::Newline, Surroundings::Mark];

/// The spelling with the first choice of every list.
const PLAIN: Spelling = Spelling {
    layout: LAYOUTS[0],
    order: ORDERS[0],
    strings: STRINGS[0],
    numbers: NUMBERS[0],
    empty: EMPTIES[0],
    ends: ENDS[0],
};

/// Every spelling with a different text, the most likely first: fewest changes first, and common changes
/// before rare changes.
pub(crate) fn spellings<'t>(tree: &'t Tree<'t>) -> impl Iterator<Item = (Spelling, String)> + 't {
    // A choice that changes nothing by itself changes nothing together with others, so most bodies have few spellings.
    let ordered = distinct(ORDERS, |order| order.of(tree));
    let layouts = distinct(LAYOUTS, |layout| Spelling { layout, ..PLAIN }.write(tree));
    let strings = distinct(STRINGS, |strings| Spelling { strings, ..PLAIN }.write(tree));
    let numbers = distinct(NUMBERS, |numbers| Spelling { numbers, ..PLAIN }.write(tree));
    let empties = distinct(EMPTIES, |empty| Spelling { empty, ..PLAIN }.write(tree));
    let mut all = vec![(0, PLAIN)];
    all = times(&all, ENDS, |spelling, ends| Spelling { ends, ..spelling });
    all = times(&all, &firsts(&empties), |spelling, empty| Spelling { empty, ..spelling });
    all = times(&all, &firsts(&numbers), |spelling, numbers| Spelling { numbers, ..spelling });
    all = times(&all, &firsts(&ordered), |spelling, order| Spelling { order, ..spelling });
    all = times(&all, &firsts(&strings), |spelling, strings| Spelling { strings, ..spelling });
    all = times(&all, &firsts(&layouts), |spelling, layout| Spelling { layout, ..spelling });
    all.sort_by_key(|(rank, _)| *rank);
    all.into_iter().map(move |(_, spelling)| {
        let own = ordered.iter().find(|(order, _)| *order == spelling.order);
        (spelling, spelling.write(own.map_or(tree, |(_, ordered)| ordered)))
    })
}

/// The choices with different results, each with its result; of choices with equal results the first.
fn distinct<T: Copy, M: PartialEq>(choices: &[T], make: impl Fn(T) -> M) -> Vec<(T, M)> {
    let mut found: Vec<(T, M)> = Vec::new();
    for &choice in choices {
        let made = make(choice);
        if found.iter().all(|(_, other)| *other != made) {
            found.push((choice, made));
        }
    }
    found
}

fn firsts<T: Copy, M>(found: &[(T, M)]) -> Vec<T> {
    found.iter().map(|(choice, _)| *choice).collect()
}

/// Every spelling with every choice; a later choice ranks lower.
fn times<T: Copy>(
    all: &[(usize, Spelling)],
    choices: &[T],
    with: impl Fn(Spelling, T) -> Spelling,
) -> Vec<(usize, Spelling)> {
    let mut product = Vec::with_capacity(all.len() * choices.len());
    for (rank, spelling) in all {
        let ranked = choices.iter().enumerate();
        product.extend(ranked.map(|(index, choice)| (rank + index, with(*spelling, *choice))));
    }
    product
}

impl Spelling {
    /// The value in this spelling, with its members in the order of the tree.
    fn write(self, tree: &Tree<'_>) -> String {
        let mut out = String::new();
        if self.ends == Surroundings::Mark {
            out.push('\u{feff}');
        }
        self.value(tree, 0, &mut out);
        if self.ends == Surroundings::Newline {
            out.push('\n');
        }
        out
    }

    /// The value in this spelling.
    pub(crate) fn spell(self, tree: &Tree<'_>) -> String {
        self.write(&self.order.of(tree))
    }

    /// A string in this spelling, quoted.
    pub(crate) fn quote(self, text: &str) -> String {
        let token = string::quoted(text);
        let mut out = String::with_capacity(token.len());
        self.text(&StringToken { token: &token, decoded: Some(Cow::Borrowed(text)) }, &mut out);
        out
    }

    /// The spelling in words: `compact, with sorted keys`.
    pub(crate) fn describe(self) -> String {
        let layout = match self.layout {
            Layout::Compact => "compact".to_owned(),
            Layout::Spaced => "spaced as Python writes it".to_owned(),
            Layout::Indented(by) => format!("indented by {by}"),
            Layout::Tabbed => "indented by tabs".to_owned(),
        };
        let order = match self.order {
            MemberOrder::AsSent => "",
            MemberOrder::Sorted => ", with sorted keys",
            MemberOrder::Once => ", with repeated keys only once",
            MemberOrder::JavaScript => ", with numeric keys first as JavaScript has them",
            MemberOrder::Postgres => ", with short keys first as PostgreSQL's jsonb has them",
        };
        let strings = match self.strings {
            StringEscapes::AsSent => "",
            StringEscapes::Raw => ", text without escapes as JavaScript writes it",
            StringEscapes::Ascii => ", non-ASCII text as \\u escapes",
            StringEscapes::AsciiUpper => ", non-ASCII text as \\u escapes in upper case",
            StringEscapes::Php => ", / and non-ASCII text escaped as PHP does",
            StringEscapes::Slashes => ", / escaped as PHP does",
            StringEscapes::Go => ", < > & escaped as Go does",
            StringEscapes::Gson => ", < > & = ' escaped as Gson does",
            StringEscapes::DotNet => ", text escaped as .NET does",
        };
        let numbers = match self.numbers {
            NumberStyle::AsSent => "",
            NumberStyle::Python => ", numbers respelled as Python does",
            NumberStyle::JavaScript => ", numbers respelled as JavaScript does",
            NumberStyle::Php => ", numbers respelled as PHP does",
        };
        let empty = match self.empty {
            EmptyObject::AsSent => "",
            EmptyObject::Array => ", {} turned into [] as PHP does",
        };
        let ends = match self.ends {
            Surroundings::Bare => "",
            Surroundings::Newline => ", with a newline at the end",
            Surroundings::Mark => ", with a byte order mark in front",
        };
        format!("{layout}{order}{strings}{numbers}{empty}{ends}")
    }

    fn value(self, tree: &Tree<'_>, depth: usize, out: &mut String) {
        match tree {
            Tree::Object(members) if members.is_empty() && self.empty == EmptyObject::Array => out.push_str("[]"),
            Tree::Object(members) => {
                self.list('{', '}', members, depth, out, |(key, value), out| {
                    self.text(key, out);
                    out.push_str(if self.layout == Layout::Compact { ":" } else { ": " });
                    self.value(value, depth + 1, out);
                });
            }
            Tree::Array(items) => {
                self.list('[', ']', items, depth, out, |item, out| self.value(item, depth + 1, out));
            }
            Tree::String(text) => self.text(text, out),
            Tree::Word(word) => out.push_str(&self.numbers.write(word)),
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
        let (unit, width) = match self.layout {
            Layout::Compact | Layout::Spaced => return,
            Layout::Indented(by) => (' ', by),
            Layout::Tabbed => ('\t', 1),
        };
        out.push('\n');
        out.extend(std::iter::repeat_n(unit, width * depth));
    }

    fn text(self, text: &StringToken<'_>, out: &mut String) {
        let decoded = match (&text.decoded, self.strings) {
            (_, StringEscapes::AsSent) | (None, _) => return out.push_str(text.token),
            (Some(decoded), _) => decoded,
        };
        out.push('"');
        let mut rest: &str = decoded;
        // Most text needs no escape, and is copied in stretches.
        while let Some(at) = rest.find(|c| self.strings.changes(c)) {
            out.push_str(&rest[..at]);
            let mut chars = rest[at..].chars();
            if let Some(c) = chars.next() {
                self.strings.write(c, out);
            }
            rest = chars.as_str();
        }
        out.push_str(rest);
        out.push('"');
    }
}

impl MemberOrder {
    /// The value with its members in this order.
    fn of<'t>(self, tree: &Tree<'t>) -> Tree<'t> {
        match tree {
            Tree::Object(members) if self == MemberOrder::AsSent => Tree::Object(members.clone()),
            Tree::Object(members) => {
                let mut members = last_of_each(members);
                members.iter_mut().for_each(|(_, value)| *value = self.of(value));
                self.sort(&mut members);
                Tree::Object(members)
            }
            Tree::Array(items) => Tree::Array(items.iter().map(|item| self.of(item)).collect()),
            Tree::String(_) | Tree::Word(_) => tree.clone(),
        }
    }

    fn sort(self, members: &mut [(StringToken<'_>, Tree<'_>)]) {
        match self {
            MemberOrder::AsSent | MemberOrder::Once => {}
            MemberOrder::Sorted => members.sort_by(|(a, _), (b, _)| a.key().cmp(b.key())),
            // The sort is stable: keys that are not array indices follow in the sender's order.
            MemberOrder::JavaScript => members.sort_by_key(|(key, _)| index(key.key()).map_or(u64::MAX, u64::from)),
            MemberOrder::Postgres => members.sort_by(|(a, _), (b, _)| {
                let (a, b) = (a.key(), b.key());
                a.len().cmp(&b.len()).then_with(|| a.cmp(b))
            }),
        }
    }
}

/// Members as a parser keeps them: each key where it was first, with its last value.
fn last_of_each<'a>(members: &[(StringToken<'a>, Tree<'a>)]) -> Vec<(StringToken<'a>, Tree<'a>)> {
    let mut indices: HashMap<&str, usize> = HashMap::new();
    let mut kept: Vec<(StringToken<'a>, Tree<'a>)> = Vec::with_capacity(members.len());
    for (key, value) in members {
        match indices.entry(key.key()) {
            Entry::Occupied(index) => kept[*index.get()].1 = value.clone(),
            Entry::Vacant(vacant) => {
                vacant.insert(kept.len());
                kept.push((key.clone(), value.clone()));
            }
        }
    }
    kept
}

/// A key that JavaScript takes for an array index: a whole number below 2³² − 1, in its shortest spelling.
fn index(key: &str) -> Option<u32> {
    key.parse::<u32>().ok().filter(|number| *number < u32::MAX && number.to_string() == key)
}

impl StringEscapes {
    /// Whether a character is written as `\uXXXX`, unless it has a short escape such as `\n`.
    fn escapes(self, c: char) -> bool {
        match self {
            StringEscapes::AsSent | StringEscapes::Raw => false,
            StringEscapes::Slashes => c == '/',
            StringEscapes::Php => c == '/' || !c.is_ascii(),
            StringEscapes::Ascii | StringEscapes::AsciiUpper => !c.is_ascii() || c == '\u{7f}',
            StringEscapes::Go => matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            StringEscapes::Gson => matches!(c, '<' | '>' | '&' | '=' | '\'' | '\u{2028}' | '\u{2029}'),
            StringEscapes::DotNet => !c.is_ascii() || matches!(c, '"' | '\'' | '<' | '>' | '&' | '+' | '`' | '\u{7f}'),
        }
    }

    /// Whether a character is escaped in any way.
    fn changes(self, c: char) -> bool {
        c < ' ' || matches!(c, '"' | '\\') || self.escapes(c)
    }

    fn write(self, c: char, out: &mut String) {
        match c {
            '/' => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '"' if !self.escapes(c) => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c => {
                let upper = matches!(self, StringEscapes::AsciiUpper | StringEscapes::DotNet);
                push_escaped(c, if upper { HexCase::Upper } else { HexCase::Lower }, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
