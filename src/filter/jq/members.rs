//! Which members of its input a filter looks at, as far as its text alone tells.

use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};

use super::comparison::{COMPARISONS, TIGHT};

/// Members of a value, by name; none of them stands for the value as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members(Vec<(String, Members)>);

impl Members {
    /// What a filter looks at; `None` where it may be anything.
    ///
    /// What stands before the first `|` runs on the input. Where that is made of paths that begin with a name, of constants
    /// and of what goes between two values, nothing of it can give the input itself: what stands behind the `|` does not
    /// see it. Parentheses and brackets begin on the same input again.
    pub(crate) fn of(filter: &str) -> Option<Self> {
        let mut paths = Vec::new();
        note(&Lexer::new(filter).lex().ok()?, &mut paths)?;
        // Of two where one begins with the other the shorter first: it stands for all of it.
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

    /// What one filter looks at, or the other.
    pub(crate) fn and(&mut self, other: &Members) {
        for (name, members) in &other.0 {
            let is_new = self.get(name).is_none();
            let own = self.entry(name);
            match members.0.is_empty() {
                true => *own = Members::default(),
                false if is_new || !own.0.is_empty() => own.and(members),
                false => {}
            }
        }
    }

    /// What is looked at of the member of that name, if anything is.
    pub(crate) fn get(&self, name: &str) -> Option<&Members> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, members)| members)
    }

    /// Whether the value is looked at as it is.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    fn entry(&mut self, name: &str) -> &mut Members {
        let place = self.0.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), Members::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }
}

fn note<'a>(tokens: &[Token<&'a str>], paths: &mut Vec<Vec<&'a str>>) -> Option<()> {
    /// Symbols beside those that compare and calculate; a block has its end within.
    const OTHERS: [&str; 5] = ["//", ",", ":", ")", "]"];
    /// Words that do not look at what they are given, or only whether it is there.
    const WORDS: [&str; 6] = ["and", "or", "not", "true", "false", "null"];
    let is_bar = |Token(text, token): &Token<&str>| matches!(token, Tok::Sym) && *text == "|";
    let mut is_within = false;
    for Token(text, token) in tokens.iter().take_while(|token| !is_bar(token)) {
        let was_within = std::mem::take(&mut is_within);
        match token {
            Tok::Sym if COMPARISONS.contains(text) || TIGHT.contains(text) || OTHERS.contains(text) => {}
            Tok::Sym => {
                let name = text.strip_prefix('.').filter(|name| !name.is_empty() && !name.contains('.'))?;
                match paths.last_mut().filter(|_| was_within) {
                    Some(path) => path.push(name),
                    None => paths.push(vec![name]),
                }
                is_within = true;
            }
            Tok::Word if WORDS.contains(text) => {}
            Tok::Num => {}
            Tok::Str(parts) if !parts.iter().any(|part| matches!(part, StrPart::Term(_))) => {}
            // The names of what is made within braces are words.
            Tok::Block(inner) if !text.starts_with('{') => note(inner, paths)?,
            Tok::Word | Tok::Var | Tok::Fmt | Tok::Str(_) | Tok::Block(_) => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_filter_looks_at_is_told_where_it_can_be() {
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
            assert_eq!(Members::of(filter).map(|members| told(&members)).as_deref(), names, "{filter}");
        }
    }

    fn told(members: &Members) -> String {
        let one = |(name, members): &(String, Members)| match members.is_whole() {
            true => name.clone(),
            false => format!("{name}{{{}}}", told(members)),
        };
        members.0.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_two_filters_look_at_is_what_either_does() {
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
            assert_eq!(told(&members), both, "{one} {other}");
        }
    }
}
