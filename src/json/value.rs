//! Single JSON values, kept as the sender's text: their type, and the text of strings.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::json_type::JsonType;
use super::object::{Object, items};
use super::string::{self, Strictness};

/// Decodes a JSON string; `None` for any other value. Python's `json.dumps` writes lone surrogates (`"\ud83c"`), which are no
/// Unicode text: they become the replacement character instead of making the whole body unreadable.
pub(crate) fn string(text: &str) -> Option<Cow<'_, str>> {
    string::decode(text, Strictness::Json)
}

/// JSON text with the escapes in its strings decoded, for a search: `caf\\u00e9` becomes `café`.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::new();
    let read = string::unescape(text.as_bytes(), Strictness::Lenient, &mut plain);
    let plain = read.and_then(|()| String::from_utf8(plain).ok());
    plain.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text of a scalar: strings decoded, numbers and booleans as spelled. `None` for `null`, arrays and objects. ModelsLab's ids
/// are strings on one page and integers on another, so ids are read by this function.
pub(crate) fn scalar(text: &str) -> Option<Cow<'_, str>> {
    match JsonType::of(text) {
        JsonType::String => string(text),
        JsonType::Number | JsonType::Bool => Some(Cow::Borrowed(text)),
        JsonType::Null | JsonType::Array | JsonType::Object => None,
    }
}

/// A JSON value kept as the sender's text. Shares the body's memory: cloning it copies nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Json(Bytes);

impl Json {
    /// The value `text`, which must be a slice of `body`.
    pub(crate) fn within(body: &Bytes, text: &str) -> Self {
        Json(body.slice_ref(text.as_bytes()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn text(&self) -> &str {
        // `within` takes a `str`, so the bytes are always UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> JsonType {
        JsonType::of_bytes(&self.0)
    }

    /// The decoded text of a string.
    pub(crate) fn string(&self) -> Option<Cow<'_, str>> {
        string(self.text())
    }

    /// The elements' JSON texts, of an array.
    pub(crate) fn items(&self) -> Option<Vec<&str>> {
        items(self.text())
    }

    /// The members, of an object.
    pub(crate) fn object(&self) -> Option<Object<'_>> {
        Object::parse(self.text())
    }

    /// Whether the value is `null`, `""`, `[]` or `{}`.
    pub(crate) fn is_blank(&self) -> bool {
        match self.kind() {
            JsonType::Null => true,
            JsonType::String => self.0 == "\"\"",
            // Valid JSON has its two brackets.
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
    fn only_a_string_is_decoded_as_one() {
        for text in ["", "a", "é🌅\u{7f}", "a\"b", "\\", "\n", "\u{1b}[31m"] {
            assert_eq!(string(&serde_json::to_string(text).unwrap()).as_deref(), Some(text));
        }
        for text in ["", "\"", "1", "null", "{}", "\"a", "a\"", "\"a\"b\"", "\"a\\\""] {
            assert_eq!(string(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_decoded_for_a_search() {
        let cases = [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#"{"a":"caf\u00e9 \ud83c\udf05\n\"say\" C:\\x"}"#, "{\"a\":\"café 🌅\n\"say\" C:\\x\"}"),
            (r"a lone \ud83c!", "a lone \u{fffd}!"),
            (r"no JSON \", r"no JSON \"),
            (r"no JSON \u12", r"no JSON \u12"),
            (r"no JSON \é\u00zz", r"no JSON \é\u00zz"),
        ];
        for (text, expected) in cases {
            assert_eq!(unescaped(text), expected);
        }
    }

    #[test]
    fn values_share_the_memory_of_the_body() {
        let body = Bytes::from_static(br#"{"output":["x"],"none":{}}"#);
        let object = Object::parse(std::str::from_utf8(&body).unwrap()).unwrap();
        let output = Json::within(&body, object.get("output").unwrap());
        assert_eq!(output.text(), "[\"x\"]");
        assert!(!output.is_blank());
        assert!(Json::within(&body, object.get("none").unwrap()).is_blank());
    }
}
