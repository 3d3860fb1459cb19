//! Lays JSON out for reading, changing nothing but its white space.
//!
//! A webhook's signature covers the text as it was sent. A round trip through parsed values would
//! hide what often explains a mismatch: duplicate keys, their order, the spelling of numbers and
//! of string escapes. So this works on the tokens of the text.

use std::iter;

use super::escape;
use super::fold::folded_token;
use super::paint::Paint;

#[cfg(test)]
mod tests;

const INDENT: &str = "  ";

/// Deeper levels are not indented further, or hostile nesting would take quadratic space.
const MAX_INDENT_LEVELS: usize = 40;

/// JSON `text` laid out with one member or element a line, without a final line break.
///
/// With `fold`, string values for which [`folded`](super::fold::folded) has a summary are shown as
/// that. The result is safe for a terminal whatever `text` is. What is not JSON is passed through;
/// several values in a row go on a line each.
pub fn json(text: &str, paint: Paint, fold: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth: usize = 0;
    let mut previous = None;
    for token in (Tokens { rest: text }) {
        if token.kind == Kind::Close {
            depth = depth.saturating_sub(1);
        }
        match Gap::between(previous, token.kind) {
            Gap::None => {}
            Gap::Space => out.push(' '),
            Gap::Line => push_new_line(&mut out, depth),
        }
        out.push_str(&token.show(paint, fold));
        if token.kind == Kind::Open {
            depth = depth.saturating_add(1);
        }
        previous = Some(token.kind);
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Comma,
    Colon,
    Name,
    String,
    /// A number, `true`, `false`, `null`, or something that is not JSON.
    Bare,
}

/// The white space between two tokens.
enum Gap {
    None,
    Space,
    Line,
}

impl Gap {
    fn between(previous: Option<Kind>, next: Kind) -> Self {
        match (previous, next) {
            (None, _) | (_, Kind::Comma | Kind::Colon) => Self::None,
            (Some(Kind::Open), Kind::Close) => Self::None,
            (Some(Kind::Colon), next) if next != Kind::Close => Self::Space,
            _ => Self::Line,
        }
    }
}

struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

impl Token<'_> {
    fn show(&self, paint: Paint, fold: bool) -> String {
        let shown = escape::json_token(self.text);
        match self.kind {
            Kind::Name => paint.name(shown),
            Kind::String if fold => paint.string(folded_token(self.text).unwrap_or_else(|| shown.into_owned())),
            Kind::String => paint.string(shown),
            Kind::Bare => show_bare(&shown, paint),
            Kind::Open | Kind::Close | Kind::Comma | Kind::Colon => shown.into_owned(),
        }
    }
}

fn show_bare(text: &str, paint: Paint) -> String {
    match text {
        "true" | "false" | "null" => paint.word(text),
        _ if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => paint.number(text),
        _ => text.to_owned(),
    }
}

fn push_new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(iter::repeat_n(INDENT, depth.min(MAX_INDENT_LEVELS)));
}

/// The tokens of a JSON text. On anything else it still takes in every character but white space.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.rest.trim_start_matches(is_json_space);
        let (kind, len) = match text.chars().next()? {
            '{' | '[' => (Kind::Open, 1),
            '}' | ']' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            ':' => (Kind::Colon, 1),
            '"' => string_token(text),
            _ => (Kind::Bare, text.find(ends_bare).unwrap_or(text.len())),
        };
        let (text, rest) = text.split_at(len);
        self.rest = rest;
        Some(Token { kind, text })
    }
}

fn is_json_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t')
}

fn ends_bare(c: char) -> bool {
    is_json_space(c) || matches!(c, '{' | '}' | '[' | ']' | ',' | ':' | '"')
}

/// The kind and length of the string that `text` starts with.
fn string_token(text: &str) -> (Kind, usize) {
    let len = string_len(text);
    let rest = text[len..].trim_start_matches(is_json_space);
    if rest.starts_with(':') { (Kind::Name, len) } else { (Kind::String, len) }
}

/// The length of the string that `text` starts with, quotes included; all of `text` if the closing
/// quote is missing.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
