//! JSON text as a tree of the sender's own tokens.

use std::borrow::Cow;

use super::string::{self, Strictness};
use super::tokens::{Token, TokenKind, Tokens, tokens};

/// A JSON value as a tree of the sender's own tokens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree<'a> {
    /// Keys and values, in the sender's order, duplicates kept.
    Object(Vec<(StringToken<'a>, Tree<'a>)>),
    Array(Vec<Tree<'a>>),
    String(StringToken<'a>),
    /// A number, `true`, `false` or `null`, as spelled.
    Word(&'a str),
}

/// A string as sent, and its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StringToken<'a> {
    /// With its quotation marks and escapes.
    pub(crate) token: &'a str,
    /// `None` where an escape is not Unicode text, such as half of a surrogate pair: the string can then only be written
    /// as `token`.
    pub(crate) decoded: Option<Cow<'a, str>>,
}

impl StringToken<'_> {
    /// The text by which two keys are compared.
    pub(crate) fn key(&self) -> &str {
        self.decoded.as_deref().unwrap_or(self.token)
    }
}

/// The deepest nesting that is parsed into a tree. Webhook bodies are not nested deeper.
const DEPTH: usize = 64;

impl<'a> Tree<'a> {
    /// Reads JSON text; `None` where the text is not JSON, or nested too deep.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, tokens: tokens(text.as_bytes(), Strictness::Json) };
        let first = reader.next()?;
        let tree = reader.value(first, DEPTH)?;
        reader.next().is_none().then_some(tree)
    }
}

struct Reader<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Token> {
        self.tokens.find(|token| token.kind != TokenKind::Space)
    }

    /// The value that begins with this token.
    fn value(&mut self, token: Token, depth: usize) -> Option<Tree<'a>> {
        let depth = depth.checked_sub(1)?;
        let text = &self.text[token.range];
        match token.kind {
            TokenKind::Open if text == "{" => self
                .list("}", |reader, key| {
                    let key = reader.string(key)?;
                    reader.next().filter(|token| token.kind == TokenKind::Colon)?;
                    let first = reader.next()?;
                    Some((key, reader.value(first, depth)?))
                })
                .map(Tree::Object),
            TokenKind::Open => self.list("]", |reader, first| reader.value(first, depth)).map(Tree::Array),
            TokenKind::String => Some(Tree::String(string_token(text))),
            TokenKind::Number | TokenKind::Literal => Some(Tree::Word(text)),
            TokenKind::Close | TokenKind::Comma | TokenKind::Colon | TokenKind::Space | TokenKind::Other => None,
        }
    }

    /// The entries up to the closing bracket. `entry` reads an entry, given the entry's first token.
    fn list<T>(&mut self, close: &str, entry: impl Fn(&mut Self, Token) -> Option<T>) -> Option<Vec<T>> {
        let mut entries = Vec::new();
        let mut token = self.next()?;
        if &self.text[token.range.clone()] == close {
            return Some(entries);
        }
        loop {
            entries.push(entry(self, token)?);
            let behind = self.next()?;
            match behind.kind {
                TokenKind::Comma => token = self.next()?,
                _ => return (&self.text[behind.range] == close).then_some(entries),
            }
        }
    }

    fn string(&self, token: Token) -> Option<StringToken<'a>> {
        (token.kind == TokenKind::String).then(|| string_token(&self.text[token.range]))
    }
}

fn string_token(token: &str) -> StringToken<'_> {
    StringToken { token, decoded: string::decode(token, Strictness::Unicode) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stay_as_they_were_sent() {
        let Some(Tree::Object(members)) = Tree::parse(" { \"\\u00e9\\\"\" : [ 1.50 , \"a\\\\\" ] , \"b\":{} }\n")
        else {
            panic!("it is an object")
        };
        assert_eq!(members[0].0, StringToken { token: r#""\u00e9\"""#, decoded: Some("é\"".into()) });
        let text = Tree::String(StringToken { token: r#""a\\""#, decoded: Some("a\\".into()) });
        assert_eq!(members[0].1, Tree::Array(vec![Tree::Word("1.50"), text]));
        assert_eq!(members[1].1, Tree::Object(Vec::new()));
    }

    #[test]
    fn half_a_character_cannot_be_decoded() {
        let Some(Tree::String(text)) = Tree::parse(r#""\ud83c""#) else { panic!("it is a string") };
        assert_eq!(text.decoded, None);
    }

    #[test]
    fn what_is_no_json_gives_none() {
        for text in
            ["", "{", "[1", "{\"a\"}", "{\"a\":}", "[,]", "[1 2]", "\"a", "{} {}", "{a:1}", "]", "[}", "[1,]", "nul"]
        {
            assert_eq!(Tree::parse(text), None, "{text}");
        }
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        assert_eq!(Tree::parse(&deep), None);
    }
}
