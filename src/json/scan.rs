//! Reads JSON text without copying: where members, elements and values begin and end, and whether the whole text is JSON
//! (RFC 8259). `serde_json` names the cause where a text is not JSON.
//!
//! The scanner does not go through the token iterator: it knows which token may come next, and so compares one byte where
//! the iterator distinguishes nine kinds. Strings, numbers and white space are read by the same functions.

use super::string::{self, Strictness};
use super::tokens::{number_length, space_length};

/// Calls `each` with every member of an object in the sender's order: the key in its quotation marks, and the value's text.
/// `None` where the text is no object; some members may have been passed by then.
pub(crate) fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
    Scanner::new(text).whole(b'{', |scanner| {
        let key = scanner.key()?;
        each(key, scanner.value()?);
        Some(())
    })
}

/// Calls `each` with every element of an array as text; `None` where the text is no array.
pub(crate) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Option<()> {
    Scanner::new(text).whole(b'[', |scanner| {
        each(scanner.value()?);
        Some(())
    })
}

fn closing(opening: u8) -> u8 {
    if opening == b'{' { b'}' } else { b']' }
}

struct Scanner<'a> {
    text: &'a str,
    /// The next byte.
    at: usize,
    /// The closing brackets that `value` still expects, the innermost last. A sender may nest values to any depth,
    /// so `value` must not be recursive.
    open: Vec<u8>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Scanner { text, at: 0, open: Vec::new() }
    }

    /// Reads all of the text as an object or an array, calling `part` for each member or element.
    fn whole(mut self, opening: u8, mut part: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.space();
        self.eat(opening)?;
        self.space();
        if self.eat(closing(opening)).is_none() {
            loop {
                part(&mut self)?;
                self.space();
                match self.next()? {
                    b',' => self.space(),
                    byte if byte == closing(opening) => break,
                    _ => return None,
                }
            }
        }
        self.space();
        (self.at == self.text.len()).then_some(())
    }

    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                opening @ (b'{' | b'[') => {
                    self.at += 1;
                    self.space();
                    if self.eat(closing(opening)).is_none() {
                        self.open.push(closing(opening));
                        self.key_if_in_object()?;
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.at += number_length(self.rest())?,
            }
            loop {
                let Some(&closing) = self.open.last() else { return self.text.get(start..self.at) };
                self.space();
                match self.next()? {
                    b',' => {
                        self.space();
                        self.key_if_in_object()?;
                        break;
                    }
                    byte if byte == closing => drop(self.open.pop()),
                    _ => return None,
                }
            }
        }
    }

    /// The key before a value, where the innermost open bracket is an object's.
    fn key_if_in_object(&mut self) -> Option<()> {
        match self.open.last() {
            Some(b'}') => self.key().map(drop),
            _ => Some(()),
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Option<&'a str> {
        let key = self.string()?;
        self.space();
        self.eat(b':')?;
        self.space();
        Some(key)
    }

    /// A string in its quotation marks.
    fn string(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.eat(b'"')?;
        self.at += string::length(self.rest(), Strictness::Json)? + 1;
        self.text.get(start..self.at)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest().starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn space(&mut self) {
        self.at += space_length(self.rest());
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn next(&mut self) -> Option<u8> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::json::tokens::{TokenKind, tokens};

    fn is_json(text: &str, begins: char) -> bool {
        text.trim_start().starts_with(begins) && serde_json::from_str::<&RawValue>(text).is_ok()
    }

    fn assert_as_serde_json(text: &str) {
        let is_array = elements(text, |_| {}).is_some();
        let is_object = members(text, |_, _| {}).is_some();
        assert_eq!((is_array, is_object), (is_json(text, '['), is_json(text, '{')), "{text}");
        // The token iterator reads the same text.
        let are_tokens = tokens(text.as_bytes(), Strictness::Json).all(|token| token.kind != TokenKind::Other);
        assert!(are_tokens || !(is_array || is_object), "{text}");
    }

    #[test]
    fn json_is_what_serde_json_reads() {
        let values = [
            "null",
            "true",
            "false",
            "nul",
            "nullx",
            "truefalse",
            "0",
            "-0",
            "-",
            "01",
            "1.",
            ".5",
            "1.5e",
            "1e+",
            "1E-07",
            "+1",
            "1e400",
            "NaN",
            "\"\"",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\t\"",
            "\"\u{7f}é\"",
            "[]",
            "[ ]",
            "[,]",
            "[1,]",
            "[1 2]",
            "{}",
            "{ }",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{1:2}",
            "{\"a\":[}]",
            "[{]}",
            "[[[]]]",
            "[[[]]",
            "\u{a0}1",
            "1\u{0}",
            "'a'",
            "",
        ];
        for value in values {
            for text in [
                format!("[{value}]"),
                format!(" [\n{value}\t,\r{value} ] "),
                format!("{{\"k\":{value}}}"),
                format!("{{{value}:1}}"),
            ] {
                assert_as_serde_json(&text);
                assert_as_serde_json(&format!("{text} x"));
                assert_as_serde_json(&text[..text.len() - 1]);
            }
            assert_as_serde_json(value);
        }
    }

    #[test]
    fn members_and_elements_are_as_they_were_sent() {
        let text = " { \"a\\\"\" : [1, {\"b\":2}] ,\"c\":\" \\u00e9 \" , \"c\" :-1.50e+2 }\n";
        let mut all = Vec::new();
        members(text, |key, value| all.push([key, value])).unwrap();
        assert_eq!(all, [["\"a\\\"\"", "[1, {\"b\":2}]"], ["\"c\"", "\" \\u00e9 \""], ["\"c\"", "-1.50e+2"]]);
        let mut all = Vec::new();
        elements(array_in(text), |value| all.push(value)).unwrap();
        assert_eq!(all, ["1", "{\"b\":2}"]);
    }

    fn array_in(text: &str) -> &str {
        &text[text.find('[').unwrap()..=text.find(']').unwrap()]
    }

    proptest! {
        #[test]
        fn serde_json_reads_the_same(
            parts in prop::collection::vec(
                "[\\[\\]{}:,\" ]|\"[a-zé\u{1}\\\\]{0,12}\"|\\\\(u[0-9a-g]{0,4}|[\"\\\\/bfnrtx])|-?[0-9.eE+-]{1,5}|null|true|\\PC",
                0..12,
            ),
            opening in "[\\[{]",
        ) {
            let inner = parts.concat();
            assert_as_serde_json(&inner);
            assert_as_serde_json(&format!("{opening}{inner}{}", char::from(closing(opening.as_bytes()[0]))));
            assert_as_serde_json(&format!("{{\"k\":{inner}}}"));
            assert_as_serde_json(&format!("[\"{inner}\"]"));
        }
    }
}
