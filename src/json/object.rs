//! A JSON object as text: its members, and paths into them.

use std::borrow::Cow;

use super::key_filter::KeyFilter;
use super::scan;
use super::string::{self, Strictness};

/// A JSON object: its members in the sender's order, values undecoded, duplicates kept.
#[derive(Debug, Default)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    names: KeyFilter,
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
        let names = members.iter().map(|(key, _)| KeyFilter::of_path(key)).collect();
        Some(Object { members, names })
    }

    /// Members in the sender's order: the decoded key and the value's JSON text.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &'a str)> {
        self.members.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// The members themselves.
    pub(crate) fn into_members(self) -> Vec<(Cow<'a, str>, &'a str)> {
        self.members
    }

    /// The value's JSON text. Of a key that occurs twice it is the last one, as in every common parser.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// Which keys it may have.
    pub(crate) fn names(&self) -> KeyFilter {
        self.names
    }

    /// Follows a dotted path; a segment of digits indexes an array: `execution.status`, `output.0.error`.
    pub(crate) fn at(&self, path: &str) -> Option<&'a str> {
        if !self.names.cover(KeyFilter::of_path(path)) {
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
    string::decode(key, Strictness::Json).unwrap_or_default()
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
        assert!(string::decode(value, Strictness::Json).unwrap().starts_with('x'));
    }
}
