//! JSON text as tokens. The iterator knows no grammar: it never fails, and every byte of the text is in one token.

use std::ops::Range;

use super::string::{self, Strictness};

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `{` or `[`
    Open,
    /// `}` or `]`
    Close,
    Comma,
    Colon,
    /// With its quotation marks. In a lenient reading, an unclosed string extends to the end of the text.
    String,
    /// In a lenient reading, any word that starts with `-` or a digit.
    Number,
    /// `true`, `false` or `null`.
    Literal,
    /// White space, as JSON has it.
    Space,
    /// Text that is not a JSON token, up to the next white space, bracket, comma, colon or quotation mark.
    Other,
}

/// A token and its byte range in the text. In UTF-8 text the range never splits a character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: Range<usize>,
}

/// The tokens of a text.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    strictness: Strictness,
}

/// The tokens of a text. A strict reading returns [`TokenKind::Other`] for text that is not a JSON token.
pub(crate) fn tokens(text: &[u8], strictness: Strictness) -> Tokens<'_> {
    Tokens { text, at: 0, strictness }
}

impl Tokens<'_> {
    /// Sets the byte offset of the next token.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The kind and length of the string that the rest begins with.
    fn string(&self, rest: &[u8]) -> (TokenKind, usize) {
        match string::length(&rest[1..], self.strictness) {
            Some(length) => (TokenKind::String, length + 2),
            None if self.strictness == Strictness::Lenient => (TokenKind::String, rest.len()),
            None => (TokenKind::Other, rest.len()),
        }
    }

    /// The kind and length of the unquoted token that `rest` begins with.
    fn word(&self, rest: &[u8]) -> (TokenKind, usize) {
        let length = rest.iter().position(|byte| ends_word(*byte)).unwrap_or(rest.len());
        let word = &rest[..length];
        let kind = match word {
            b"true" | b"false" | b"null" => TokenKind::Literal,
            [b'-' | b'0'..=b'9', ..] if self.strictness == Strictness::Lenient => TokenKind::Number,
            _ if number_length(word) == Some(length) => TokenKind::Number,
            _ => TokenKind::Other,
        };
        (kind, length)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = &self.text[self.at..];
        let (kind, length) = match rest.first()? {
            b'{' | b'[' => (TokenKind::Open, 1),
            b'}' | b']' => (TokenKind::Close, 1),
            b',' => (TokenKind::Comma, 1),
            b':' => (TokenKind::Colon, 1),
            b'"' => self.string(rest),
            byte if is_space(*byte) => (TokenKind::Space, space_length(rest)),
            _ => self.word(rest),
        };
        let range = self.at..self.at + length;
        self.at = range.end;
        Some(Token { kind, range })
    }
}

fn ends_word(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// How many bytes of white space a text begins with.
pub(crate) fn space_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_space(**byte)).count()
}

/// The length of the number that a text begins with (RFC 8259, section 6).
pub(crate) fn number_length(text: &[u8]) -> Option<usize> {
    let mut at = usize::from(text.first() == Some(&b'-'));
    match text.get(at)? {
        b'0' => at += 1,
        b'1'..=b'9' => at += digits(&text[at..])?,
        _ => return None,
    }
    if text.get(at) == Some(&b'.') {
        at += 1;
        at += digits(&text[at..])?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
        at += digits(&text[at..])?;
    }
    Some(at)
}

/// How many digits a text begins with; `None` for none.
fn digits(text: &[u8]) -> Option<usize> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn kinds(text: &str, strictness: Strictness) -> Vec<(TokenKind, &str)> {
        tokens(text.as_bytes(), strictness).map(|token| (token.kind, &text[token.range])).collect()
    }

    #[test]
    fn each_token_is_as_it_was_sent() {
        use TokenKind::*;
        let text = "{\"a\\\"\" :[-1.5e3,\"é\", null ]}\n";
        let expected = [
            (Open, "{"),
            (String, "\"a\\\"\""),
            (Space, " "),
            (Colon, ":"),
            (Open, "["),
            (Number, "-1.5e3"),
            (Comma, ","),
            (String, "\"é\""),
            (Comma, ","),
            (Space, " "),
            (Literal, "null"),
            (Space, " "),
            (Close, "]"),
            (Close, "}"),
            (Space, "\n"),
        ];
        for strictness in [Strictness::Lenient, Strictness::Json, Strictness::Unicode] {
            assert_eq!(kinds(text, strictness), expected);
        }
    }

    #[test]
    fn what_is_no_token_is_kept_by_a_lenient_reading_and_marked_by_a_strict_one() {
        use TokenKind::*;
        let cases = [
            ("\"a\\x\"", String, Other),
            ("\"open", String, Other),
            ("\"\t\"", String, Other),
            ("\"\\ud800\"", String, String),
            ("1.", Number, Other),
            ("01", Number, Other),
            ("-", Number, Other),
            ("nulla", Other, Other),
            ("é\u{a0}", Other, Other),
            ("#", Other, Other),
        ];
        for (text, lenient, strict) in cases {
            assert_eq!(kinds(text, Strictness::Lenient), [(lenient, text)]);
            assert_eq!(kinds(text, Strictness::Json), [(strict, text)]);
        }
        assert_eq!(kinds("\"\\ud800\"", Strictness::Unicode), [(Other, "\"\\ud800\"")]);
    }

    #[test]
    fn the_iterator_goes_on_where_it_is_told_to() {
        let mut tokens = tokens(b"[1, 2]", Strictness::Json);
        tokens.go_to(5);
        assert_eq!(tokens.next(), Some(Token { kind: TokenKind::Close, range: 5..6 }));
        assert_eq!(tokens.next(), None);
    }

    proptest! {
        #[test]
        fn every_byte_is_in_one_token(text in "([\\[\\]{}:,\"\\\\ \n]|[a-z0-9é🌅.-]|\\PC){0,40}") {
            for strictness in [Strictness::Lenient, Strictness::Json, Strictness::Unicode] {
                let all: String = kinds(&text, strictness).into_iter().map(|(_, part)| part).collect();
                prop_assert_eq!(&all, &text);
            }
        }

        #[test]
        fn a_scalar_is_one_token_where_serde_json_reads_one(
            text in "\"[a-zé\u{1}\\\\]{0,12}\"|\"\\\\(u[0-9a-g]{0,4}|[\"\\\\/bfnrtx])\"|-?[0-9.eE+-]{1,6}|null|true|fals?e|\\PC{1,3}",
        ) {
            let is_scalar = serde_json::from_str::<&RawValue>(&text).is_ok_and(|raw| raw.get() == text);
            let found = kinds(&text, Strictness::Json);
            let is_token = matches!(
                found[..],
                [(TokenKind::String | TokenKind::Number | TokenKind::Literal, _)]
            );
            prop_assert_eq!(is_token, is_scalar, "{:?}", found);
        }
    }
}
