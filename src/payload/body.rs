//! The kind of a body. Total: every byte string has a kind, and no kind is an error.
//!
//! JSON stays *text*: an object is its members in the sender's order, each value a slice of the body. Nothing is decoded,
//! rounded, sorted or dropped before a field is read: a signature covers the bytes, and hookctl must show the bytes that
//! were sent.

use serde_json::value::RawValue;

use crate::json::Object;

/// The kind of a body.
#[derive(Debug)]
pub enum Body<'a> {
    /// No bytes.
    Empty,
    /// A JSON object, the form of every known webhook payload.
    Object(Object<'a>),
    /// JSON, but not an object: an array, a string, a number, `true`, `false` or `null`.
    Value(&'a str),
    /// Text that starts like JSON and is not valid JSON.
    Broken(Flaw),
    /// Any other UTF-8 text, for instance a form.
    Text(&'a str),
    /// Bytes that are not UTF-8.
    Binary,
}

/// Where and why a body is not valid JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The cause, with line and column where the parser knows them: `expected value at line 1 column 9`.
    pub(crate) reason: String,
}

impl Flaw {
    fn of(text: &str) -> Self {
        let parsed = serde_json::from_str::<&RawValue>(text);
        Flaw { reason: parsed.map_or_else(|error| error.to_string(), |_| "it is not JSON".into()) }
    }
}

impl<'a> Body<'a> {
    /// Classifies the bytes of a body.
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
    pub(crate) fn why_not_json(self) -> Option<String> {
        match self {
            Body::Object(_) | Body::Value(_) => None,
            Body::Broken(flaw) => Some(flaw.reason),
            Body::Empty => Some("it is empty".into()),
            Body::Text(text) if text.trim().is_empty() => Some("it is only white space".into()),
            Body::Text(_) => Some("it is plain text".into()),
            Body::Binary => Some("it is not UTF-8 text".into()),
        }
    }
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
    fn deep_nesting_is_still_an_object() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(Body::of(deep.as_bytes()), Body::Object(_)));
    }
}
