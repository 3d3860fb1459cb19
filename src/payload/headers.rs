//! The headers of a request, in wire order and with the spelling of their names.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, COOKIE, InvalidHeaderName, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::json::key_filter::KeyFilter;

/// The placeholder in a record for a header value that is itself a secret.
pub(crate) const REDACTED: &str = "<redacted>";

/// A header's name: compared without regard to case, as RFC 9110 section 5.1 has it, and spelled as it goes over the wire.
#[derive(Clone, Debug)]
pub struct FieldName {
    name: HeaderName,
    /// The spelling on the wire, where it is not lower case.
    spelled: Option<Box<str>>,
}

impl FieldName {
    /// A name with this spelling.
    pub fn spelled(text: &str) -> Result<Self, InvalidHeaderName> {
        let name = HeaderName::from_bytes(text.as_bytes())?;
        let spelled = (name.as_str() != text).then(|| text.into());
        Ok(FieldName { name, spelled })
    }

    /// # Panics
    /// When `text` is not a header name, like [`HeaderName::from_static`].
    pub(crate) fn from_static(text: &'static str) -> Self {
        FieldName::spelled(text).expect("a row holds valid header names")
    }

    /// The name as it goes over the wire.
    pub fn as_str(&self) -> &str {
        self.spelled.as_deref().unwrap_or(self.name.as_str())
    }

    /// The name in lower case, for comparison.
    pub(crate) fn plain(&self) -> &HeaderName {
        &self.name
    }
}

impl From<HeaderName> for FieldName {
    fn from(name: HeaderName) -> Self {
        FieldName { name, spelled: None }
    }
}

impl PartialEq for FieldName {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for FieldName {}

/// Headers that concern one connection and are not forwarded.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Looks up headers by name, ignoring case.
pub(crate) trait Lookup {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>>;

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.all(name).next()
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl Lookup for Headers {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        Headers::all(self, name)
    }

    fn has(&self, name: &str) -> bool {
        Headers::has(self, name)
    }
}

/// Headers in order. From hyper, repeated headers follow the first header of their name.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    list: Vec<(FieldName, HeaderValue)>,
    /// The names in the list; names of removed headers may remain.
    names: KeyFilter,
}

impl Headers {
    /// Adds a header at the end.
    pub fn push(&mut self, name: impl Into<FieldName>, value: HeaderValue) {
        let name = name.into();
        self.names = self.names.and(KeyFilter::of_caseless(name.plain().as_str()));
        self.list.push((name, value));
    }

    /// Replaces all headers of this name with one, at the position of the first, or adds it at the end.
    pub(crate) fn set(&mut self, name: impl Into<FieldName>, value: HeaderValue) {
        let name = name.into();
        let position = self.position(name.plain());
        self.remove(name.plain().as_str());
        self.insert(position, name, value);
    }

    /// Changes the value of the first header of this name, and keeps position and spelling; adds the header at the end if
    /// there is none.
    pub(crate) fn change(&mut self, name: HeaderName, value: HeaderValue) {
        match self.position(&name) {
            Some(position) => self.list[position].1 = value,
            None => self.push(name, value),
        }
    }

    /// Inserts a header before the first header named `other`, or at the end.
    pub(crate) fn insert_before(&mut self, other: &HeaderName, name: HeaderName, value: HeaderValue) {
        self.insert(self.position(other), name.into(), value);
    }

    fn insert(&mut self, position: Option<usize>, name: FieldName, value: HeaderValue) {
        self.names = self.names.and(KeyFilter::of_caseless(name.plain().as_str()));
        self.list.insert(position.unwrap_or(self.list.len()), (name, value));
    }

    /// The headers that concern the message and not one connection (RFC 9110 section 7.6.1), without redacted values. `Host`
    /// and `Content-Length` keep their positions; their values follow from the next target.
    pub(crate) fn end_to_end(&self) -> Headers {
        let named = self
            .all("connection")
            .flat_map(|value| value.split(',').map(|name| name.trim().to_lowercase()).collect::<Vec<_>>());
        let named: Vec<String> = named.collect();
        let stays = |name: &str| !HOP_BY_HOP.contains(&name) && !named.iter().any(|other| other == name);
        self.list.iter().filter(|(name, value)| stays(name.plain().as_str()) && value != REDACTED).cloned().collect()
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.list.retain(|(other, _)| !other.as_str().eq_ignore_ascii_case(name));
    }

    /// Changes the value of every header with one of these names.
    pub(crate) fn replace(&mut self, names: &[&str], with: impl Fn(&HeaderValue) -> HeaderValue) {
        for (_, value) in self.list.iter_mut().filter(|(name, _)| names.contains(&name.plain().as_str())) {
            *value = with(value);
        }
    }

    /// Replaces each value for which `with` returns a replacement.
    pub(crate) fn blank(&mut self, with: impl Fn(&HeaderName, &HeaderValue) -> Option<HeaderValue>) {
        for (name, value) in &mut self.list {
            if let Some(replacement) = with(name.plain(), value) {
                *value = replacement;
            }
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&HeaderName) -> bool) {
        self.list.retain(|(name, _)| keep(name.plain()));
    }

    fn position(&self, name: &HeaderName) -> Option<usize> {
        self.list.iter().position(|(other, _)| other.plain() == name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.all(name).next()
    }

    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let list = if self.names.cover(KeyFilter::of_caseless(name)) { self.list.as_slice() } else { &[] };
        list.iter().filter(move |(other, _)| other.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| text(value))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.cover(KeyFilter::of_caseless(name))
            && self.list.iter().any(|(other, _)| other.as_str().eq_ignore_ascii_case(name))
    }

    /// All headers in order: the name as spelled, and the value as text.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Cow<'_, str>)> {
        self.list.iter().map(|(name, value)| (name.as_str(), text(value)))
    }

    pub(crate) fn raw(&self) -> impl ExactSizeIterator<Item = (&FieldName, &HeaderValue)> {
        self.list.iter().map(|(name, value)| (name, value))
    }
}

/// Whether values of this header are credentials. A signature is not a credential: it covers one body only.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    static SECRET: [HeaderName; 5] =
        [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE, HeaderName::from_static("x-webhook-secret")];
    SECRET.contains(name)
}

/// A header value as text: UTF-8 if valid, else one character per byte (ISO 8859-1), as in HTTP/1.0.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.as_bytes().iter().map(|&byte| char::from(byte)).collect()),
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Eq for Headers {}

impl From<HeaderMap> for Headers {
    fn from(map: HeaderMap) -> Self {
        let mut headers = Headers { list: Vec::with_capacity(map.len()), names: KeyFilter::default() };
        let mut last = None;
        for (name, value) in map {
            // The iterator of a `HeaderMap` names a repeated header only the first time.
            if let Some(name) = name.or_else(|| last.clone()) {
                last = Some(name.clone());
                headers.push(name, value);
            }
        }
        headers
    }
}

impl<N: Into<FieldName>> FromIterator<(N, HeaderValue)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, HeaderValue)>>(headers: I) -> Self {
        let mut all = Headers::default();
        headers.into_iter().for_each(|(name, value)| all.push(name, value));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> Headers {
        list.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn lookup_ignores_case_and_keeps_repeated_headers() {
        let headers = headers(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3")]);
        assert_eq!(headers.get("X-A").as_deref(), Some("1"));
        assert_eq!(headers.all("x-A").collect::<Vec<_>>(), ["1", "3"]);
        assert!(!headers.has("x-c"));
    }

    #[test]
    fn set_keeps_the_position_of_the_first() {
        let mut headers = headers(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3")]);
        headers.set(HeaderName::from_static("x-a"), HeaderValue::from_static("4"));
        headers.set(HeaderName::from_static("x-c"), HeaderValue::from_static("5"));
        let all: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(all, ["x-a=4", "x-b=2", "x-c=5"]);
    }

    #[test]
    fn names_keep_their_spelling_and_are_found_in_any_case() {
        let value = HeaderValue::from_static;
        let mut headers: Headers = [(FieldName::spelled("Content-Type").unwrap(), value("a"))].into_iter().collect();
        headers.push(FieldName::spelled("x-low").unwrap(), value("b"));
        headers.change(http::header::CONTENT_TYPE, value("c"));
        headers.insert_before(&http::header::CONTENT_TYPE, HeaderName::from_static("x-first"), value("d"));
        let all: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(all, ["x-first=d", "Content-Type=c", "x-low=b"]);
        assert_eq!(headers.get("content-TYPE").as_deref(), Some("c"));
        headers.set(FieldName::spelled("X-Low").unwrap(), value("e"));
        assert_eq!(headers.iter().last().unwrap().0, "X-Low");
        headers.remove("Content-Type");
        assert!(!headers.has("content-type"));
        assert!(FieldName::spelled("a b").is_err());
    }

    #[test]
    fn a_map_keeps_repeated_headers() {
        let mut map = HeaderMap::new();
        map.append("x-a", HeaderValue::from_static("1"));
        map.append("x-b", HeaderValue::from_static("2"));
        map.append("x-a", HeaderValue::from_static("3"));
        assert_eq!(Headers::from(map).all("x-a").collect::<Vec<_>>(), ["1", "3"]);
    }

    #[test]
    fn a_value_that_is_not_utf8_is_still_text() {
        let mut headers = Headers::default();
        headers.push(HeaderName::from_static("x-a"), HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert_eq!(headers.get("x-a").as_deref(), Some("café"));
    }
}
