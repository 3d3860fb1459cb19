//! Finds filters that are one comparison, by their tokens.

use jaq_core::load;
use jaq_core::load::lex::{Lexer, Tok, Token};

/// Symbols that compare.
pub(crate) const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// Symbols that bind tighter than a comparison, beside paths, which begin with a dot.
pub(crate) const TIGHT: [&str; 6] = ["?", "+", "-", "*", "/", "%"];

/// Keywords: a filter with a keyword is not a single comparison.
const LOOSE: [&str; 13] =
    ["and", "as", "catch", "def", "elif", "else", "foreach", "if", "import", "include", "label", "or", "reduce"];

/// The left side of a filter that is one comparison of two simple sides.
pub(crate) fn left_side(text: &str) -> Option<&str> {
    let tokens = Lexer::new(text).lex().ok()?;
    let is_comparison = |Token(text, token): &&Token<&str>| matches!(token, Tok::Sym) && COMPARISONS.contains(text);
    let is_simple = |Token(text, token): &Token<&str>| match token {
        Tok::Sym => text.starts_with('.') || TIGHT.contains(text),
        Tok::Word => !LOOSE.contains(text),
        Tok::Var | Tok::Fmt | Tok::Num | Tok::Str(_) | Tok::Block(_) => true,
    };
    let mut comparisons = tokens.iter().filter(is_comparison);
    let (Some(Token(comparison, _)), None) = (comparisons.next(), comparisons.next()) else { return None };
    let rest_is_simple = tokens.iter().filter(|token| !is_comparison(token)).all(is_simple);
    rest_is_simple.then(|| &text[..load::span(text, comparison).start])
}
