//! The members of the input that a filter uses, found by its tokens alone.

use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};

use super::comparison::{COMPARISONS, TIGHT};

/// Members of a value, by name; without members, the whole value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members(Vec<(String, Members)>);

impl Members {
    /// The members that a filter uses; `None` where it may use any.
    ///
    /// The part before the first `|` runs on the input. A part made of paths that begin with a name, of constants and of
    /// operators never has the input itself as its value, so the part after the `|` does not see the input. Parentheses and
    /// brackets start with the same input again.
    pub(crate) fn of(filter: &str) -> Option<Self> {
        let mut paths = Vec::new();
        collect_paths(&Lexer::new(filter).lex().ok()?, &mut paths)?;
        // A path sorts before the longer paths that begin with it, and includes them.
        paths.sort();
        let mut all = Members::default();
        let mut last: Option<Vec<&str>> = None;
        for path in paths {
            if !last.as_ref().is_some_and(|last| path.starts_with(last)) {
                path.iter().fold(&mut all, |members, name| members.entry(name));
                last = Some(path);
            }
        }
        Some(all)
    }

    /// Adds the members that another filter uses.
    pub(crate) fn and(&mut self, other: &Members) {
        for (name, members) in &other.0 {
            let is_new = self.get(name).is_none();
            let own = self.entry(name);
            if members.is_whole() {
                *own = Members::default();
            } else if is_new || !own.is_whole() {
                own.and(members);
            }
        }
    }

    /// The members used of the member with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Members> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, members)| members)
    }

    /// Whether the whole value is used.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    fn entry(&mut self, name: &str) -> &mut Members {
        let index = self.0.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), Members::default()));
            self.0.len() - 1
        });
        &mut self.0[index].1
    }
}

/// Collects the paths in these tokens; `None` where a token may use the whole input.
fn collect_paths<'a>(tokens: &[Token<&'a str>], paths: &mut Vec<Vec<&'a str>>) -> Option<()> {
    /// Symbols beside those that compare and calculate. The closing bracket of a block is the block's last token.
    const OTHERS: [&str; 5] = ["//", ",", ":", ")", "]"];
    /// Words that do not use their input, or only whether it is true.
    const WORDS: [&str; 6] = ["and", "or", "not", "true", "false", "null"];
    let is_bar = |Token(text, token): &Token<&str>| matches!(token, Tok::Sym) && *text == "|";
    let mut follows_path = false;
    for Token(text, token) in tokens.iter().take_while(|token| !is_bar(token)) {
        let continues_path = std::mem::take(&mut follows_path);
        match token {
            Tok::Sym if COMPARISONS.contains(text) || TIGHT.contains(text) || OTHERS.contains(text) => {}
            Tok::Sym => {
                let name = text.strip_prefix('.').filter(|name| !name.is_empty() && !name.contains('.'))?;
                match paths.last_mut().filter(|_| continues_path) {
                    Some(path) => path.push(name),
                    None => paths.push(vec![name]),
                }
                follows_path = true;
            }
            Tok::Word if WORDS.contains(text) => {}
            Tok::Num => {}
            Tok::Str(parts) if !parts.iter().any(|part| matches!(part, StrPart::Term(_))) => {}
            // Within braces a key is a word, and `{seq}` uses the input.
            Tok::Block(inner) if !text.starts_with('{') => collect_paths(inner, paths)?,
            Tok::Word | Tok::Var | Tok::Fmt | Tok::Str(_) | Tok::Block(_) => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_that_a_filter_uses_are_found_by_its_tokens() {
        let cases = [
            (".answer.ms > 20 or .payload.status == \"failed\"", Some("answer{ms} payload{status}")),
            ("(.warnings | length) > 0 and (.seq % 2 == 0 | not)", Some("seq warnings")),
            (".payload.error // \"\" | test(\"full\")", Some("payload{error}")),
            ("[.headers[][0]] == [\"a\", 1]", Some("headers")),
            (".payload[.seq:]?", Some("payload seq")),
            ("1 == 1", Some("")),
            (".payload.id == .payload.key and .answer.ms > 1", Some("answer{ms} payload{id key}")),
            (".payload.id == 1 or .payload", Some("payload")),
            (".payload?.id", Some("id payload")),
            (".", None),
            ("..", None),
            (". == 1", None),
            ("(.).seq", None),
            (".\"seq\" == 1", None),
            (".[\"seq\"] == 1", None),
            ("keys | length > 3", None),
            ("length > 3", None),
            ("select(.seq == 1) | .payload", None),
            ("has(\"payload\")", None),
            (".seq as $s | .payload", None),
            ("\"\\(.)\" == \"1\"", None),
            (".seq = 1 | .payload", None),
            ("{seq} | .seq == 1", None),
            ("if .seq == 1 then .payload else . end", None),
            ("$__loc__ == 1", None),
        ];
        for (filter, names) in cases {
            assert_eq!(Members::of(filter).map(|members| shown(&members)).as_deref(), names, "{filter}");
        }
    }

    fn shown(members: &Members) -> String {
        let one = |(name, members): &(String, Members)| {
            if members.is_whole() { name.clone() } else { format!("{name}{{{}}}", shown(members)) }
        };
        members.0.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn two_filters_use_the_members_of_either() {
        let cases = [
            (".a.b", ".a.c", "a{b c}"),
            (".a", ".a.c", "a"),
            (".a.c", ".a", "a"),
            (".a.b.c", ".d", "a{b{c}} d"),
            ("1 == 1", ".a.b", "a{b}"),
        ];
        for (one, other, both) in cases {
            let mut members = Members::of(one).unwrap();
            members.and(&Members::of(other).unwrap());
            assert_eq!(shown(&members), both, "{one} {other}");
        }
    }
}
