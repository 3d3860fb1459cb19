//! What the bytes of a body are. Total: every byte string has an answer, and none of them is an error.
//!
//! JSON is looked at as *text*: an object is its members in the sender's order, each value a slice of the body. Nothing
//! is decoded, rounded, sorted or dropped until somebody asks for one field, because a signature covers the bytes and
//! because what is shown must be what was sent.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

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
            Some('{') => match serde_json::from_str::<Object<'a>>(text) {
                Ok(object) => Body::Object(object),
                Err(error) => Body::Broken(Flaw { reason: error.to_string() }),
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
    keys: Keys,
}

/// Which keys there may be: all shapes of all providers ask for theirs, and most are not there. A bit stands for a
/// sixty-fourth of all keys, so that what it says is missing is missing, and what it does not, may be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys(u64);

impl Keys {
    fn of(key: &str) -> Self {
        let bytes = key.as_bytes();
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return Keys(1) };
        // So that those that providers ask for fall apart.
        let mixed = usize::from(*first) + 5 * usize::from(*last) + 11 * bytes.len();
        Keys(1 << (mixed % 64))
    }

    /// The first key of a dotted path.
    pub fn of_path(path: &str) -> Self {
        Keys::of(split(path).0)
    }

    /// Whether all of those keys may be there.
    pub fn cover(self, keys: Keys) -> bool {
        self.0 & keys.0 == keys.0
    }
}

impl FromIterator<Keys> for Keys {
    fn from_iter<I: IntoIterator<Item = Keys>>(all: I) -> Self {
        all.into_iter().fold(Keys::default(), |all, keys| Keys(all.0 | keys.0))
    }
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
        serde_json::from_str(text).ok()
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
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// Follows a dotted path; a segment of digits indexes an array: `execution.status`, `output.0.error`.
    pub fn at(&self, path: &str) -> Option<&'a str> {
        let (first, rest) = split(path);
        if !self.keys.cover(Keys::of(first)) {
            return None;
        }
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
fn member<'a>(value: &'a str, wanted: &str) -> Option<&'a str> {
    struct Last<'w>(&'w str);
    impl<'de> Visitor<'de> for Last<'_> {
        type Value = Option<&'de str>;
        fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
            out.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut last = None;
            while let Some(Text(key)) = map.next_key()? {
                let value: &'de RawValue = map.next_value()?;
                last = if key == self.0 { Some(value.get()) } else { last };
            }
            Ok(last)
        }
    }
    serde_json::Deserializer::from_str(value).deserialize_map(Last(wanted)).ok()?
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members: Vec<(Cow<'_, str>, &str)> = Vec::with_capacity(12);
                while let Some(Text(key)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    members.push((key, value.get()));
                }
                let keys = members.iter().map(|(key, _)| Keys::of(key)).collect();
                Ok(Object { members, keys })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The elements' JSON texts, of an array.
pub fn items(text: &str) -> Option<Vec<&str>> {
    serde_json::from_str::<Items<'_>>(text).ok().map(|items| items.0)
}

/// The elements of an array, undecoded.
struct Items<'a>(Vec<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Items<'de>;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(value) = seq.next_element::<&'de RawValue>()? {
                    items.push(value.get());
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

/// A decoded JSON string. Python's `json.dumps` writes lone surrogates (`"\ud83c"`), which are no Unicode text: they
/// become the replacement character instead of making the whole body unreadable.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lenient;
        impl<'de> Visitor<'de> for Lenient {
            type Value = Text<'de>;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("a string")
            }
            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)))
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(String::from_utf8_lossy(bytes).into_owned())))
            }
        }
        deserializer.deserialize_bytes(Lenient)
    }
}

/// What kind of value a JSON text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

impl JsonType {
    /// The kind of a valid JSON text, told from its first character.
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    fn of_bytes(text: &[u8]) -> Self {
        match text.first() {
            Some(b'{') => JsonType::Object,
            Some(b'[') => JsonType::Array,
            Some(b'"') => JsonType::String,
            Some(b't' | b'f') => JsonType::Bool,
            Some(b'n') => JsonType::Null,
            _ => JsonType::Number,
        }
    }

    /// The word for it, with its article: `an object`.
    pub fn noun(self) -> &'static str {
        match self {
            JsonType::Object => "an object",
            JsonType::Array => "an array",
            JsonType::String => "a string",
            JsonType::Number => "a number",
            JsonType::Bool => "a boolean",
            JsonType::Null => "null",
        }
    }
}

/// Decodes a JSON string; `None` for any other value.
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?;
    // Most stand for themselves, and need no parser.
    let stands_for_itself = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
    if let Some(inner) = inner.strip_suffix('"')
        && inner.bytes().fold(true, |all, byte| all & stands_for_itself(byte))
    {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<Text<'_>>(text).ok().map(|Text(decoded)| decoded)
}

/// JSON text with the escapes in its strings written out, as people would search it: `caf\\u00e9` becomes `café`.
pub fn unescaped(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('\\') else { return Cow::Borrowed(text) };
    let mut plain = text[..first].to_owned();
    let mut rest = &text[first..];
    while !rest.is_empty() {
        // Those that stand together are read together: a character may take two.
        let run = escapes(rest);
        let decoded = string(&format!("\"{}\"", &rest[..run])).map_or(rest[..run].to_owned(), Cow::into_owned);
        plain.push_str(&decoded);
        let next = rest[run..].find('\\').map_or(rest.len(), |next| run + next);
        plain.push_str(&rest[run..next]);
        rest = &rest[next..];
    }
    Cow::Owned(plain)
}

/// How far the escapes reach that a text begins with.
fn escapes(text: &str) -> usize {
    let mut end = 0;
    while text[end..].starts_with('\\') {
        let length = if text[end + 1..].starts_with('u') { 6 } else { 2 };
        match text.get(end..end + length) {
            Some(_) => end += length,
            // No JSON: it stands for itself.
            None => return text.len(),
        }
    }
    end
}

/// A scalar as a person would write it: strings decoded, numbers and booleans as spelled. `None` for `null`, arrays and
/// objects. ModelsLab's ids are strings on one page and integers on another, so ids are read through this.
pub fn scalar(text: &str) -> Option<Cow<'_, str>> {
    match JsonType::of(text) {
        JsonType::String => string(text),
        JsonType::Number | JsonType::Bool => Some(Cow::Borrowed(text)),
        JsonType::Null | JsonType::Array | JsonType::Object => None,
    }
}

/// A JSON value kept as the sender's text. Shares the body's memory: cloning it copies nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Bytes);

impl Json {
    /// The value `text`, which must be a slice of `body`.
    pub fn within(body: &Bytes, text: &str) -> Self {
        Json(body.slice_ref(text.as_bytes()))
    }

    /// The bytes of the JSON text, as sent.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The JSON text, as sent.
    pub fn text(&self) -> &str {
        // Made from a `str` in `within`, so this never takes the other branch.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What kind of value it is.
    pub fn kind(&self) -> JsonType {
        JsonType::of_bytes(&self.0)
    }

    /// The decoded text of a string.
    pub fn string(&self) -> Option<Cow<'_, str>> {
        string(self.text())
    }

    /// The elements' JSON texts, of an array.
    pub fn items(&self) -> Option<Vec<&str>> {
        items(self.text())
    }

    /// The members, of an object.
    pub fn object(&self) -> Option<Object<'_>> {
        Object::parse(self.text())
    }

    /// Whether the value says nothing: `null`, `""`, `[]` or `{}`.
    pub fn is_blank(&self) -> bool {
        match self.kind() {
            JsonType::Null => true,
            JsonType::String => self.0 == "\"\"",
            // Valid JSON: between the brackets there is white space or something.
            JsonType::Array | JsonType::Object => self.0[1..self.0.len() - 1].trim_ascii().is_empty(),
            JsonType::Number | JsonType::Bool => false,
        }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(self.text())
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
    fn a_string_is_decoded_where_it_is_one() {
        for text in ["", "a", "é🌅\u{7f}", "a\"b", "\\", "\n", "\u{1b}[31m"] {
            assert_eq!(string(&serde_json::to_string(text).unwrap()).as_deref(), Some(text));
        }
        for text in ["", "\"", "1", "null", "{}", "\"a", "a\"", "\"a\"b\"", "\"a\\\""] {
            assert_eq!(string(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_written_out_to_be_searched() {
        let cases = [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#"{"a":"caf\u00e9 \ud83c\udf05\n\"say\" C:\\x"}"#, "{\"a\":\"café 🌅\n\"say\" C:\\x\"}"),
            (r"a lone \ud83c!", "a lone \u{fffd}\u{fffd}\u{fffd}!"),
            (r"no JSON \", r"no JSON \"),
            (r"no JSON \u12", r"no JSON \u12"),
            (r"no JSON \é\u00zz", r"no JSON \é\u00zz"),
        ];
        for (text, expected) in cases {
            assert_eq!(unescaped(text), expected);
        }
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

    #[test]
    fn values_share_the_memory_of_the_body() {
        let body = Bytes::from_static(br#"{"output":["x"],"none":{}}"#);
        let Body::Object(object) = Body::of(&body) else { panic!("an object") };
        let output = Json::within(&body, object.get("output").unwrap());
        assert_eq!(output.text(), "[\"x\"]");
        assert!(!output.is_blank());
        assert!(Json::within(&body, object.get("none").unwrap()).is_blank());
    }
}
