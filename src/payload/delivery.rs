//! One HTTP request as it crossed the wire.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::signature::Secret;

/// What stands in a record in place of a header value that is itself a secret.
pub const REDACTED: &str = "<redacted>";

/// Headers of one connection, and those that every request makes anew.
const HOP_BY_HOP: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request: what was sent, or what arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `POST`; empty for a payload file that was read without its request.
    pub method: String,
    /// Path and query as on the request line; empty for a payload file.
    pub target: String,
    /// `1.1` or `1.0`; empty for a payload file.
    pub http: String,
    /// In the order of their first coming, repeated ones included.
    pub headers: Headers,
    /// The exact bytes.
    pub body: Bytes,
}

impl Delivery {
    /// A body with the headers that are known of it, but without a request line.
    pub fn bare(headers: Headers, body: Bytes) -> Self {
        Delivery { method: String::new(), target: String::new(), http: String::new(), headers, body }
    }

    /// The same delivery as it may be shown and recorded: every header value that is itself a secret blanked out, and
    /// wherever else in headers or target one of `known` turns up. The body stays what it is: its bytes are the record.
    pub fn redacted(mut self, known: &[Secret]) -> Self {
        for (name, value) in &mut self.headers.0 {
            if is_secret(name) || known.iter().any(|secret| secret.is_in(value.as_bytes())) {
                *value = HeaderValue::from_static(REDACTED);
            }
        }
        for secret in known {
            if !secret.is_in(self.target.as_bytes()) {
                continue;
            }
            self.target = self.target.replace(String::from_utf8_lossy(secret.expose()).as_ref(), REDACTED);
        }
        self
    }
}

/// Headers in order; a repeated one that hyper received stands behind its first. Names compare without regard to case, as RFC 9110 section 5.1 has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// Adds one at the end.
    pub fn push(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.push((name, value));
    }

    /// Replaces every header of that name by this one, in the place of the first, or adds it at the end.
    pub fn set(&mut self, name: HeaderName, value: HeaderValue) {
        let place = self.0.iter().position(|(other, _)| *other == name);
        self.0.retain(|(other, _)| *other != name);
        match place {
            Some(place) => self.0.insert(place, (name, value)),
            None => self.push(name, value),
        }
    }

    /// Those that concern the message and not one connection (RFC 9110 section 7.6.1), without the host and the length,
    /// which follow from where it goes next, and without what was blanked out.
    pub fn end_to_end(&self) -> Headers {
        let named = self
            .all("connection")
            .flat_map(|value| value.split(',').map(|name| name.trim().to_lowercase()).collect::<Vec<_>>());
        let named: Vec<String> = named.collect();
        let stays = |name: &str| !HOP_BY_HOP.contains(&name) && !named.iter().any(|other| other == name);
        self.0.iter().filter(|(name, value)| stays(name.as_str()) && value != REDACTED).cloned().collect()
    }

    /// Removes every header of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| !other.as_str().eq_ignore_ascii_case(name));
    }

    /// Gives every header of one of these names another value.
    pub fn replace(&mut self, names: &[&str], with: impl Fn(&HeaderValue) -> HeaderValue) {
        for (_, value) in self.0.iter_mut().filter(|(name, _)| names.contains(&name.as_str())) {
            *value = with(value);
        }
    }

    /// The first value of that name, as text.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.all(name).next()
    }

    /// Every value of that name, as text.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        self.0.iter().filter(move |(other, _)| other.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| text(value))
    }

    /// Whether there is one of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All of them in order: the name in lower case, and the value as text.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Cow<'_, str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), text(value)))
    }

    /// All of them in order, values as bytes.
    pub fn raw(&self) -> impl ExactSizeIterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

/// Whether values of this header are credentials by themselves. A signature is not: it proves one body only.
pub fn is_secret(name: &HeaderName) -> bool {
    const SECRET: [HeaderName; 5] =
        [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE, HeaderName::from_static("x-webhook-secret")];
    SECRET.contains(name)
}

/// A header value as text: UTF-8 where it is that, else byte for character (ISO 8859-1), as HTTP/1.0 had it.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.as_bytes().iter().map(|&byte| char::from(byte)).collect()),
    }
}

impl From<HeaderMap> for Headers {
    fn from(map: HeaderMap) -> Self {
        let mut headers = Vec::with_capacity(map.len());
        let mut last = None;
        for (name, value) in map {
            // A map names a repeated header only the first time.
            if let Some(name) = name.or_else(|| last.clone()) {
                last = Some(name.clone());
                headers.push((name, value));
            }
        }
        Headers(headers)
    }
}

impl FromIterator<(HeaderName, HeaderValue)> for Headers {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(headers: I) -> Self {
        Headers(headers.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> Headers {
        list.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn names_have_no_case_and_repeated_headers_stay() {
        let headers = headers(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3")]);
        assert_eq!(headers.get("X-A").as_deref(), Some("1"));
        assert_eq!(headers.all("x-A").collect::<Vec<_>>(), ["1", "3"]);
        assert!(!headers.has("x-c"));
    }

    #[test]
    fn set_keeps_the_place_of_the_first() {
        let mut headers = headers(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3")]);
        headers.set(HeaderName::from_static("x-a"), HeaderValue::from_static("4"));
        headers.set(HeaderName::from_static("x-c"), HeaderValue::from_static("5"));
        let all: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(all, ["x-a=4", "x-b=2", "x-c=5"]);
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
    fn secrets_are_blanked_and_signatures_are_not() {
        let delivery = Delivery::bare(
            headers(&[("authorization", "Bearer s"), ("x-webhook-secret", "s"), ("x-webhook-signature", "ab")]),
            Bytes::new(),
        );
        let all: Vec<_> = delivery.redacted(&[]).headers.iter().map(|(_, value)| value.into_owned()).collect();
        assert_eq!(all, [REDACTED, REDACTED, "ab"]);
    }

    #[test]
    fn a_known_secret_is_blanked_wherever_it_turns_up() {
        let mut delivery = Delivery::bare(headers(&[("x-api-key", "k=s3cret-enough"), ("x-a", "s")]), Bytes::new());
        delivery.target = "/hook?token=s3cret-enough".into();
        let known = [Secret::new("main", "s3cret-enough"), Secret::new("short", "ok")];
        let shown = delivery.redacted(&known);
        assert_eq!(shown.target, "/hook?token=<redacted>");
        let all: Vec<_> = shown.headers.iter().map(|(_, value)| value.into_owned()).collect();
        assert_eq!(all, [REDACTED, "s"]);
    }

    #[test]
    fn a_value_that_is_not_utf8_is_still_text() {
        let mut headers = Headers::default();
        headers.push(HeaderName::from_static("x-a"), HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert_eq!(headers.get("x-a").as_deref(), Some("café"));
    }
}
