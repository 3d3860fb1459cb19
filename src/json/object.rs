//! A JSON object as text: its members, and paths into it.

use std::borrow::Cow;

use super::key_filter::KeyFilter;
use super::path::{self, PathReader, PathSegment};
use super::scan;
use super::string::{self, Strictness};

/// A JSON object: its members in the sender's order, values undecoded, duplicates kept.
#[derive(Debug, Default)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    names: KeyFilter,
}

impl<'a> Object<'a> {
    /// Reads JSON text as an object; `None` for any other text.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut members = Vec::with_capacity(12);
        scan::members(text, |key, value| members.push((decoded(key), value)))?;
        let names = members.iter().map(|(key, _)| KeyFilter::of_path(key)).collect();
        Some(Object { members, names })
    }

    /// Members in the sender's order: the decoded key and the value's JSON text.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &'a str)> {
        self.members.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    pub(crate) fn into_members(self) -> Vec<(Cow<'a, str>, &'a str)> {
        self.members
    }

    /// The value's JSON text: of a key that occurs twice the last one, as in every common parser.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// The filter that covers every key.
    pub(crate) fn names(&self) -> KeyFilter {
        self.names
    }

    /// The value at a path as `--set` reads paths: `execution.status`, `output.0.error`. `None` for an invalid path.
    pub(crate) fn at(&self, path: &str) -> Option<&'a str> {
        if !self.names.cover(KeyFilter::of_path(path)) {
            return None;
        }
        if is_plain(path) { self.at_plain(path) } else { self.at_parsed(path) }
    }

    /// Reads a path of words and dots without the parser. Every delivery looks up some thirty paths of this form.
    fn at_plain(&self, path: &str) -> Option<&'a str> {
        let (first, rest) = split(path);
        let child = |value, word| path::child(value, &PathSegment::Key(Cow::Borrowed(word)));
        let value = self.get(first)?;
        rest.map_or(Some(value), |rest| rest.split('.').try_fold(value, child))
    }

    fn at_parsed(&self, path: &str) -> Option<&'a str> {
        let mut segments = PathReader::new(path);
        let PathSegment::Key(first) = segments.next()?.ok()? else { return None };
        segments.try_fold(self.get(&first)?, |value, segment| path::child(value, &segment.ok()?))
    }
}

/// Whether a path has nothing but letters, digits, `_` and dots between them.
fn is_plain(path: &str) -> bool {
    let mut before = b'.';
    let is_plain = path.bytes().all(|byte| {
        let fits = byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b'.' && before != b'.');
        before = byte;
        fits
    });
    is_plain && before != b'.'
}

/// The first word of a path, and the path after its dot.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.bytes().position(|byte| byte == b'.') {
        Some(place) => (&path[..place], Some(&path[place + 1..])),
        None => (path, None),
    }
}

/// A key, given in its quotation marks.
fn decoded(key: &str) -> Cow<'_, str> {
    string::decode(key, Strictness::Json).unwrap_or_default()
}

/// The JSON texts of an array's elements; `None` for any other text.
pub fn items(text: &str) -> Option<Vec<&str>> {
    let mut items = Vec::new();
    scan::elements(text, |item| items.push(item))?;
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_plain_path_means_what_the_parser_reads(path in "[ab_0.]{0,7}|[ab.0=* \\[\"]{0,5}") {
            let object = Object::parse(r#"{"a":{"b":[1,{"a":2}],"0":3,"_":{"a":4}},"b":[[5]],"_":6}"#).unwrap();
            if is_plain(&path) {
                proptest::prop_assert_eq!(object.at_plain(&path), object.at_parsed(&path), "{}", path);
            }
            proptest::prop_assert_eq!(object.at(&path), object.at_parsed(&path), "{}", path);
        }
    }

    #[test]
    fn a_path_reaches_inside_and_takes_the_last_of_two_equal_keys() {
        let text = r#"{"a":{"b":[10,{"c":"é"}]},"n":1e400,"n":12345678901234567890.10}"#;
        let object = Object::parse(text).unwrap();
        assert_eq!(object.at("a.b.1.c"), Some("\"é\""));
        assert_eq!(object.at("a.b.2"), None);
        assert_eq!(object.at("a.x.y"), None);
        assert_eq!(object.get("n"), Some("12345678901234567890.10"));
    }

    #[test]
    fn a_path_finds_members_and_elements_only() {
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
        assert!(string::decode(value, Strictness::Json).unwrap().starts_with('x'));
    }
}
