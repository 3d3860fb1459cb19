//! What the bytes of a body are. Total: every byte string has an answer, and none of them is an error.
//!
//! JSON is looked at as *text*: an object is its members in the sender's order, each value a slice of the body. Nothing
//! is decoded, rounded, sorted or dropped until somebody asks for one field, because a signature covers the bytes and
//! because what is shown must be what was sent.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::names::Names;

pub mod scan;
mod value;

pub use value::{Json, JsonType, scalar, string, unescaped};

/// What a body is.
#[derive(Debug)]
pub enum Body<'a> {
    /// No bytes at all.
    Empty,
    /// A JSON object, the form of every webhook payload known to us.
    Object(Object<'a>),
    /// JSON, but not an object: an array, a string, a number, `true`, `false` or `null`.
    Value(&'a str),
    /// Text that sets out to be JSON and is not.
    Broken(Flaw),
    /// UTF-8 text of another kind, for instance a form.
    Text(&'a str),
    /// Bytes that are not UTF-8.
    Binary,
}

/// Where and why a body stops being JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The cause, with line and column where the parser knows them: `expected value at line 1 column 9`.
    pub reason: String,
}

impl Flaw {
    fn of(text: &str) -> Self {
        let read = serde_json::from_str::<&RawValue>(text);
        Flaw { reason: read.map_or_else(|error| error.to_string(), |_| "it is no JSON".into()) }
    }
}

impl<'a> Body<'a> {
    /// Looks at the bytes of a body.
    pub fn of(bytes: &'a [u8]) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Body::Binary;
        };
        let trimmed = text.trim_start_matches([' ', '\n', '\r', '\t']);
        match trimmed.chars().next() {
            None if text.is_empty() => Body::Empty,
            None => Body::Text(text),
            Some('\u{feff}') => {
                Body::Broken(Flaw { reason: "it starts with a byte order mark, which JSON does not allow".into() })
            }
            Some('{') => match Object::parse(text) {
                Some(object) => Body::Object(object),
                None => Body::Broken(Flaw::of(text)),
            },
            Some(first) => match serde_json::from_str::<&'a RawValue>(text) {
                Ok(raw) => Body::Value(raw.get()),
                Err(error) if matches!(first, '[' | '"') => Body::Broken(Flaw { reason: error.to_string() }),
                Err(_) => Body::Text(text),
            },
        }
    }

    /// Why the body is not JSON, as the end of a sentence; `None` when it is.
    pub fn why_not_json(self) -> Option<String> {
        match self {
            Body::Object(_) | Body::Value(_) => None,
            Body::Broken(flaw) => Some(flaw.reason),
            Body::Empty => Some("it is empty".into()),
            Body::Text(text) if text.trim().is_empty() => Some("it holds nothing but white space".into()),
            Body::Text(_) => Some("it is text of another kind".into()),
            Body::Binary => Some("it is not UTF-8 text".into()),
        }
    }
}

/// A JSON object: its members in the sender's order, values undecoded, duplicates kept.
#[derive(Debug, Default)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    names: Names,
}

/// The first key of a dotted path, and what follows it.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.bytes().position(|byte| byte == b'.') {
        Some(place) => (&path[..place], Some(&path[place + 1..])),
        None => (path, None),
    }
}

impl<'a> Object<'a> {
    /// Reads JSON text as an object; `None` when it is something else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut members = Vec::with_capacity(12);
        scan::members(text, |key, value| members.push((decoded(key), value)))?;
        let names = members.iter().map(|(key, _)| Names::of_path(key)).collect();
        Some(Object { members, names })
    }

    /// Members in the sender's order: the decoded key and the value's JSON text.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &'a str)> {
        self.members.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// The members themselves.
    pub fn into_members(self) -> Vec<(Cow<'a, str>, &'a str)> {
        self.members
    }

    /// The value's JSON text. Of a key that occurs twice it is the last one, as in every common parser.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// Which keys it may have.
    pub fn names(&self) -> Names {
        self.names
    }

    /// Follows a dotted path; a segment of digits indexes an array: `execution.status`, `output.0.error`.
    pub fn at(&self, path: &str) -> Option<&'a str> {
        if !self.names.cover(Names::of_path(path)) {
            return None;
        }
        let (first, rest) = split(path);
        let value = self.get(first)?;
        rest.map_or(Some(value), |rest| rest.split('.').try_fold(value, step))
    }
}

fn step<'a>(value: &'a str, segment: &str) -> Option<&'a str> {
    match segment.parse::<usize>() {
        Ok(index) => items(value)?.get(index).copied(),
        Err(_) => member(value, segment),
    }
}

/// The last member of that name, where this is an object. Nothing is put together of the others.
fn member<'a>(object: &'a str, wanted: &str) -> Option<&'a str> {
    let mut last = None;
    scan::members(object, |key, value| last = if decoded(key) == wanted { Some(value) } else { last })?;
    last
}

/// A key that was read, given in its quotation marks.
fn decoded(key: &str) -> Cow<'_, str> {
    match key.bytes().any(|byte| byte == b'\\') {
        true => string(key).unwrap_or_default(),
        false => Cow::Borrowed(&key[1..key.len() - 1]),
    }
}

/// The elements' JSON texts, of an array.
pub fn items(text: &str) -> Option<Vec<&str>> {
    let mut items = Vec::new();
    scan::elements(text, |item| items.push(item))?;
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_has_a_kind() {
        let kind = |bytes: &[u8]| match Body::of(bytes) {
            Body::Empty => "empty".to_owned(),
            Body::Object(object) => format!("object of {}", object.members().len()),
            Body::Value(text) => format!("value {text}"),
            Body::Broken(flaw) => format!("broken: {}", flaw.reason),
            Body::Text(_) => "text".into(),
            Body::Binary => "binary".into(),
        };
        assert_eq!(kind(b""), "empty");
        assert_eq!(kind(b" \r\n"), "text");
        assert_eq!(kind(b" {\"a\": 1, \"a\": 2} \n"), "object of 2");
        assert_eq!(kind(b"[1]"), "value [1]");
        assert_eq!(kind(b"null"), "value null");
        assert_eq!(kind(b"token=x&team=y"), "text");
        assert_eq!(kind(b"Hello, World!"), "text");
        assert_eq!(kind(b"{\"a\":"), "broken: EOF while parsing a value at line 1 column 5");
        assert_eq!(kind(b"{\"a\":1}}"), "broken: trailing characters at line 1 column 8");
        assert!(kind("\u{feff}{}".as_bytes()).contains("byte order mark"));
        assert_eq!(kind(&[0xff, 0xfe]), "binary");
    }

    #[test]
    fn the_last_of_two_equal_keys_is_meant_and_paths_reach_inside() {
        let text = r#"{"a":{"b":[10,{"c":"é"}]},"n":1e400,"n":12345678901234567890.10}"#;
        let object = Object::parse(text).unwrap();
        assert_eq!(object.at("a.b.1.c"), Some("\"é\""));
        assert_eq!(object.at("a.b.2"), None);
        assert_eq!(object.at("a.x.y"), None);
        assert_eq!(object.get("n"), Some("12345678901234567890.10"));
    }

    #[test]
    fn a_path_reaches_the_last_of_two_equal_keys_and_nothing_but_members() {
        let object = Object::parse(r#"{"a":{"b":1,"\u0062":[2], "c":{"b":3}},"s":"b","l":["b"]}"#).unwrap();
        let at = |path| object.at(path);
        assert_eq!(
            [at("a.b"), at("a.c.b"), at("a.d"), at("s.b"), at("l.b")],
            [Some("[2]"), Some("3"), None, None, None]
        );
    }

    #[test]
    fn a_lone_surrogate_costs_one_character_and_not_the_body() {
        let text = r#"{"\ud800k":"x\udc00y"}"#;
        let object = Object::parse(text).unwrap();
        let (key, value) = object.members().next().unwrap();
        assert!(key.ends_with('k'));
        assert!(string(value).unwrap().starts_with('x'));
    }

    #[test]
    fn nesting_has_no_limit_that_hurts() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(Body::of(deep.as_bytes()), Body::Object(_)));
    }
}
