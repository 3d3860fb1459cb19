//! Lays JSON out for reading, changing nothing but its white space.
//!
//! A webhook's signature covers the text as sent. A round trip through parsed values would hide the common causes of a
//! mismatch: duplicate keys, their order, the spelling of numbers and of escapes. So the layout works on the tokens of the
//! text.

use std::iter;

use super::escape;
use super::fold::folded_token;
use super::paint::Paint;
use crate::json::string::Strictness;
use crate::json::tokens::{TokenKind, tokens};

#[cfg(test)]
mod tests;

const INDENT: &str = "  ";

/// Deeper levels are not indented further, or hostile nesting would take quadratic space.
const MAX_INDENT_LEVELS: usize = 40;

/// JSON `text` laid out with one member or element a line, without a final line break.
///
/// With `fold`, string values for which `folded` has a summary are shown as the summary. The result
/// is safe for a terminal whatever `text` is. Text that is not JSON is passed through; several values in a row go on a line
/// each.
pub fn json(text: &str, paint: Paint, fold: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth: usize = 0;
    let mut previous = None;
    let mut tokens =
        tokens(text.as_bytes(), Strictness::Lenient).filter(|token| token.kind != TokenKind::Space).peekable();
    while let Some(token) = tokens.next() {
        if token.kind == TokenKind::Close {
            depth = depth.saturating_sub(1);
        }
        match Gap::between(previous, token.kind) {
            Gap::None => {}
            Gap::Space => out.push(' '),
            Gap::Line => push_new_line(&mut out, depth),
        }
        let is_key = tokens.peek().is_some_and(|next| next.kind == TokenKind::Colon);
        out.push_str(&show(&text[token.range], token.kind, is_key, paint, fold));
        if token.kind == TokenKind::Open {
            depth = depth.saturating_add(1);
        }
        previous = Some(token.kind);
    }
    out
}

/// The white space between two tokens.
enum Gap {
    None,
    Space,
    Line,
}

impl Gap {
    fn between(previous: Option<TokenKind>, next: TokenKind) -> Self {
        match (previous, next) {
            (None, _) | (_, TokenKind::Comma | TokenKind::Colon) => Self::None,
            (Some(TokenKind::Open), TokenKind::Close) => Self::None,
            (Some(TokenKind::Colon), next) if next != TokenKind::Close => Self::Space,
            _ => Self::Line,
        }
    }
}

fn show(token: &str, kind: TokenKind, is_key: bool, paint: Paint, fold: bool) -> String {
    let shown = escape::json_token(token);
    match kind {
        TokenKind::String if is_key => paint.name(shown),
        TokenKind::String if fold => paint.string(folded_token(token).unwrap_or_else(|| shown.into_owned())),
        TokenKind::String => paint.string(shown),
        TokenKind::Literal => paint.word(shown),
        TokenKind::Number => paint.number(shown),
        TokenKind::Open
        | TokenKind::Close
        | TokenKind::Comma
        | TokenKind::Colon
        | TokenKind::Space
        | TokenKind::Other => shown.into_owned(),
    }
}

fn push_new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(iter::repeat_n(INDENT, depth.min(MAX_INDENT_LEVELS)));
}
