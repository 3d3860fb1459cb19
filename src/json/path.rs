//! The one grammar of paths into JSON, for `--set`, `--unset`, `--redact` and the fields of providers.
//!
//! `input.prompt`, `output[0]`, `metrics."a=b"`, `metrics["a.b"]`, `output.*`. A segment of digits without brackets is a key in
//! an object and an index in an array. A key with one of the grammar's own characters needs double quotes.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;

use super::json_type::JsonType;
use super::scan;
use super::string::{self, Strictness};

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathSegment<'a> {
    /// `prompt`, `"a.b"`, and `0`, which is an index in an array.
    Key(Cow<'a, str>),
    /// `[0]`, which is never a key.
    Index(usize),
    /// `*`: every member or element.
    Any,
}

/// A path into JSON. It displays in the shortest form of the grammar, which reads as the same path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonPath {
    segments: Vec<PathSegment<'static>>,
}

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text has no segment.
    #[error("the path is empty: name a field, as in `input.prompt`")]
    Empty,
    /// The text breaks the grammar.
    #[error("`{path}` is not a path: {reason}")]
    Syntax {
        /// The path as given.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
}

/// A violation of the path grammar.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PathFlaw {
    NoKey,
    NeedsQuotes,
    NotClosed,
    BadQuotes,
    NotAnIndex,
    NoDot,
}

impl<'a> PathSegment<'a> {
    /// The index of an array element; a key of digits is also an index.
    pub(crate) fn index(&self) -> Option<usize> {
        match self {
            PathSegment::Index(index) => Some(*index),
            PathSegment::Key(key) => parse_index(key),
            PathSegment::Any => None,
        }
    }

    /// Whether the segment leads to the member with this key, a JSON string in its quotation marks. No path spells half of a
    /// surrogate pair.
    pub(crate) fn is_key(&self, written: &str) -> bool {
        match self {
            // Most keys have no escape, and are compared without decoding.
            PathSegment::Key(key) if memchr(b'\\', written.as_bytes()).is_none() => {
                written.get(1..written.len() - 1) == Some(key.as_ref())
            }
            PathSegment::Key(key) => string::decode(written, Strictness::Unicode).is_some_and(|read| read == *key),
            PathSegment::Index(_) => false,
            PathSegment::Any => true,
        }
    }

    /// Whether the segment leads to the element at this position of an array.
    pub(crate) fn is_position(&self, position: usize) -> bool {
        *self == PathSegment::Any || self.index() == Some(position)
    }

    fn into_owned(self) -> PathSegment<'static> {
        match self {
            PathSegment::Key(key) => PathSegment::Key(Cow::Owned(key.into_owned())),
            PathSegment::Index(index) => PathSegment::Index(index),
            PathSegment::Any => PathSegment::Any,
        }
    }
}

impl JsonPath {
    /// Reads a path, with or without a dot in front.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        match Self::parse_start(text)? {
            (path, "") => Ok(path),
            // `parse_start` stops at a `=` outside of quotes. A path alone must not contain one.
            (_, rest) => Err(syntax(text, &PathFlaw::NeedsQuotes, rest)),
        }
    }

    /// Reads the path that a text begins with, up to its end or to a `=` outside of quotes, and returns the rest too.
    pub(crate) fn parse_start(text: &str) -> Result<(Self, &str), PathError> {
        let mut reader = PathReader::new(text);
        let mut segments = Vec::new();
        while !reader.rest.starts_with('=')
            && let Some(segment) = reader.next()
        {
            segments.push(segment.map_err(|(flaw, at)| syntax(text, &flaw, at))?.into_owned());
        }
        if segments.is_empty() {
            return Err(PathError::Empty);
        }
        Ok((JsonPath { segments }, reader.rest))
    }

    pub(crate) fn segments(&self) -> &[PathSegment<'static>] {
        &self.segments
    }

    /// The path of the first `length` segments.
    pub(crate) fn prefix(&self, length: usize) -> JsonPath {
        JsonPath { segments: self.segments[..length].to_vec() }
    }

    /// Whether the path may lead to several values.
    pub(crate) fn has_any(&self) -> bool {
        self.segments.contains(&PathSegment::Any)
    }
}

/// The values in `json`, a JSON text without white space around it, that segments lead to: slices of it. A key that occurs
/// twice leads to both values.
pub(crate) fn find_all<'a>(json: &'a str, segments: &[PathSegment<'_>]) -> Vec<&'a str> {
    let mut values = vec![json];
    for segment in segments {
        let mut found = Vec::new();
        values.into_iter().for_each(|value| each_child(value, segment, |child| found.push(child)));
        values = found;
    }
    values
}

/// The value that a segment leads to from a JSON text: of a key that occurs twice the last one, as in every common parser.
pub(crate) fn child<'a>(json: &'a str, segment: &PathSegment<'_>) -> Option<&'a str> {
    let mut last = None;
    each_child(json, segment, |child| last = Some(child));
    last
}

fn each_child<'a>(json: &'a str, segment: &PathSegment<'_>, mut each: impl FnMut(&'a str)) {
    let mut position = 0;
    // A scalar has no members and no elements.
    let _ = match JsonType::of(json) {
        JsonType::Object => scan::members(json, |key, value| {
            if segment.is_key(key) {
                each(value);
            }
        }),
        JsonType::Array => {
            let (is_any, index) = (*segment == PathSegment::Any, segment.index());
            // Any other segment leads to no element.
            if !is_any && index.is_none() {
                return;
            }
            scan::elements(json, |value| {
                if is_any || index == Some(position) {
                    each(value);
                }
                position += 1;
            })
        }
        JsonType::String | JsonType::Number | JsonType::Bool | JsonType::Null => None,
    };
}

/// Reads the segments of a path one by one. Keys without quotation marks are borrowed from the path.
pub(crate) struct PathReader<'a> {
    rest: &'a str,
    is_first: bool,
}

impl<'a> PathReader<'a> {
    pub(crate) fn new(path: &'a str) -> Self {
        PathReader { rest: path.strip_prefix('.').unwrap_or(path), is_first: true }
    }

    /// Skips the dot between two segments. Before the first segment and before a bracket there is no dot.
    fn separator(&mut self) -> Result<(), (PathFlaw, &'a str)> {
        if std::mem::take(&mut self.is_first) || self.rest.starts_with('[') {
            return Ok(());
        }
        self.rest = self.rest.strip_prefix('.').ok_or((PathFlaw::NoDot, self.rest))?;
        Ok(())
    }
}

impl<'a> Iterator for PathReader<'a> {
    /// A segment, or the flaw and the rest of the path from the flaw on.
    type Item = Result<PathSegment<'a>, (PathFlaw, &'a str)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let segment = self.separator().and_then(|()| parse_segment(self.rest));
        Some(segment.map(|(segment, rest)| {
            self.rest = rest;
            segment
        }))
    }
}

type Parsed<'a, T> = Result<(T, &'a str), (PathFlaw, &'a str)>;

fn parse_segment(text: &str) -> Parsed<'_, PathSegment<'_>> {
    match text.as_bytes().first() {
        Some(b'[') => parse_bracket(text),
        Some(b'"') => parse_quoted(text).map(|(key, rest)| (PathSegment::Key(key), rest)),
        _ => parse_word(text),
    }
}

fn parse_bracket(text: &str) -> Parsed<'_, PathSegment<'_>> {
    let inside = &text[1..];
    let (segment, rest) = if inside.starts_with('"') {
        let (key, rest) = parse_quoted(inside)?;
        (PathSegment::Key(key), rest)
    } else {
        let (inner, rest) = inside.split_at(inside.find(']').ok_or((PathFlaw::NotClosed, text))?);
        let index = parse_index(inner).map(PathSegment::Index);
        let segment = index.or((inner == "*").then_some(PathSegment::Any));
        (segment.ok_or((PathFlaw::NotAnIndex, text))?, rest)
    };
    Ok((segment, rest.strip_prefix(']').ok_or((PathFlaw::NotClosed, text))?))
}

fn parse_quoted(text: &str) -> Parsed<'_, Cow<'_, str>> {
    let length = string::length(&text.as_bytes()[1..], Strictness::Unicode).ok_or((PathFlaw::BadQuotes, text))?;
    let (quoted, rest) = text.split_at(length + 2);
    Ok((string::decode(quoted, Strictness::Unicode).ok_or((PathFlaw::BadQuotes, text))?, rest))
}

fn parse_word(text: &str) -> Parsed<'_, PathSegment<'_>> {
    let end = text.bytes().position(|byte| matches!(byte, b'.' | b'[' | b'=')).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() {
        return Err((PathFlaw::NoKey, text));
    }
    // White space in a word is more often a mistake, as in `a = 1`, than a part of the key.
    if word.contains(is_quoted_only) {
        return Err((PathFlaw::NeedsQuotes, text));
    }
    let segment = if word == "*" { PathSegment::Any } else { PathSegment::Key(Cow::Borrowed(word)) };
    Ok((segment, rest))
}

/// Whether a key with this character needs quotation marks. `.`, `[` and `=`, which end a word, are not included.
fn is_quoted_only(character: char) -> bool {
    character.is_whitespace() || character.is_control() || matches!(character, '"' | ']')
}

/// Digits only: `usize` itself would also read `+1`.
fn parse_index(text: &str) -> Option<usize> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

/// The error for a flaw; `at` is the rest of `text` from the flaw on.
fn syntax(text: &str, flaw: &PathFlaw, at: &str) -> PathError {
    let place = text[..text.len() - at.len()].chars().count() + 1;
    let word = || at.split(['.', '[']).next().unwrap_or(at);
    let reason = match flaw {
        PathFlaw::NoKey => format!("a key is missing at character {place}"),
        PathFlaw::NeedsQuotes if at.starts_with('=') => {
            format!("the `=` at character {place} is no part of a path: put double quotes around a key that has one")
        }
        PathFlaw::NeedsQuotes => {
            let word = word().split('=').next().unwrap_or_default();
            format!("the key `{word}` at character {place} needs double quotes around it")
        }
        PathFlaw::NotClosed => format!("the `[` at character {place} is not closed"),
        PathFlaw::BadQuotes => format!("the quoted key at character {place} is not closed, or not a JSON string"),
        PathFlaw::NotAnIndex => {
            let bracket = at.split_inclusive(']').next().unwrap_or(at);
            format!("`{bracket}` at character {place} is not an array index")
        }
        PathFlaw::NoDot => format!("a dot is missing at character {place}"),
    };
    PathError::Syntax { path: text.to_owned(), reason }
}

impl fmt::Display for PathSegment<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathSegment::Key(key) => {
                let is_word = !key.is_empty() && key != "*";
                if is_word && !key.contains(|c| matches!(c, '.' | '[' | '=') || is_quoted_only(c)) {
                    return out.write_str(key);
                }
                out.write_str(&string::quoted(key))
            }
            PathSegment::Index(index) => write!(out, "[{index}]"),
            PathSegment::Any => out.write_str("*"),
        }
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            if position > 0 && !matches!(segment, PathSegment::Index(_)) {
                out.write_str(".")?;
            }
            write!(out, "{segment}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
