//! JSON text taken apart into the sender's own tokens, read once from front to back.

use std::borrow::Cow;
use std::str::FromStr;

use super::value;

/// A JSON value as a tree of the sender's own tokens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree<'a> {
    /// Members: the key and the value.
    Object(Vec<(StringToken<'a>, Tree<'a>)>),
    /// Elements.
    Array(Vec<Tree<'a>>),
    /// A string.
    String(StringToken<'a>),
    /// A number, `true`, `false` or `null`, as spelled.
    Word(&'a str),
}

/// A string as it was sent, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StringToken<'a> {
    /// With its quotes and escapes.
    pub(crate) token: &'a str,
    /// Decoded; `None` where it stands for no Unicode text, as a lone surrogate does, and can only be sent as it is.
    pub(crate) decoded: Option<Cow<'a, str>>,
}

impl StringToken<'_> {
    /// What to know it by as a key.
    pub(crate) fn key(&self) -> &str {
        self.decoded.as_deref().unwrap_or(self.token)
    }
}

/// How deep a body may be nested to be respelled; deeper ones are no webhooks.
const DEPTH: usize = 64;

impl<'a> Tree<'a> {
    /// Takes JSON text apart; `None` when it is nested too deep. What is no JSON gives `None` or a tree of no use.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        let tree = reader.value(DEPTH)?;
        reader.skip_space();
        reader.rest.is_empty().then_some(tree)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Whether this character comes next; then it is passed.
    fn passes(&mut self, character: char) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Tree<'a>> {
        let depth = depth.checked_sub(1)?;
        if self.passes('{') {
            return self
                .list('}', |reader| {
                    let key = reader.text()?;
                    reader.passes(':').then(|| reader.value(depth)).flatten().map(|value| (key, value))
                })
                .map(Tree::Object);
        }
        if self.passes('[') {
            return self.list(']', |reader| reader.value(depth)).map(Tree::Array);
        }
        if self.rest.starts_with('"') {
            return self.text().map(Tree::String);
        }
        let end = self.rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(self.rest.len());
        (end > 0).then(|| Tree::Word(self.take(end)))
    }

    fn list<T>(&mut self, close: char, mut entry: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut entries = Vec::new();
        if self.passes(close) {
            return Some(entries);
        }
        loop {
            entries.push(entry(self)?);
            if self.passes(close) {
                return Some(entries);
            }
            self.passes(',').then_some(())?;
        }
    }

    fn text(&mut self) -> Option<StringToken<'a>> {
        self.skip_space();
        let inner = self.rest.strip_prefix('"')?;
        let mut escaped = false;
        let end = inner.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        let token = self.take(end + 2);
        let plain = &token[1..=end];
        let decoded = if plain.contains('\\') { decode(token) } else { Some(Cow::Borrowed(plain)) };
        Some(StringToken { token, decoded })
    }
}

/// A token's text, unless a part of it is none: a lone surrogate would come back as another character.
fn decode(token: &str) -> Option<Cow<'_, str>> {
    serde_json::Value::from_str(token).ok()?;
    value::string(token)
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
        for text in ["", "{", "[1", "{\"a\"}", "{\"a\":}", "[,]", "[1 2]", "\"a", "{} {}", "{a:1}", "]"] {
            assert_eq!(Tree::parse(text), None, "{text}");
        }
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        assert_eq!(Tree::parse(&deep), None);
    }
}
