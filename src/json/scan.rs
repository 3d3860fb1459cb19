//! JSON text, read where it stands: where its members, elements and values begin and end, and that all of it is JSON (RFC
//! 8259). Why something is none, `serde_json` says.

use super::string::plain;

/// Gives every member of an object in the sender's order, its key in its quotation marks, its value as text; `None` where the
/// text is no object.
pub(crate) fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
    Scan::new(text).whole(b'{', |scan| {
        let key = scan.key()?;
        each(key, scan.value()?);
        Some(())
    })
}

/// Gives every element of an array as text; `None` where the text is none.
pub(crate) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Option<()> {
    Scan::new(text).whole(b'[', |scan| {
        each(scan.value()?);
        Some(())
    })
}

/// What closes what this opens.
fn closing(opening: u8) -> u8 {
    if opening == b'{' { b'}' } else { b']' }
}

/// A text, and how far it is read.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// What is open within the value that is being read, each by what closes it: values are as deep as senders like, so
    /// that no function may call itself for them.
    open: Vec<u8>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Scan { text, at: 0, open: Vec::new() }
    }

    /// Reads all of the text as an object or an array, part by part.
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

    /// A value as text.
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
                        self.name()?;
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            loop {
                let Some(&closing) = self.open.last() else { return self.text.get(start..self.at) };
                self.space();
                match self.next()? {
                    b',' => {
                        self.space();
                        self.name()?;
                        break;
                    }
                    byte if byte == closing => drop(self.open.pop()),
                    _ => return None,
                }
            }
        }
    }

    /// The key that stands before a value, where the innermost of what is open is an object.
    fn name(&mut self) -> Option<()> {
        match self.open.last() {
            Some(b'}') => self.key().map(drop),
            _ => Some(()),
        }
    }

    /// A key, and what parts it from its value.
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
        loop {
            self.at += plain(&self.text.as_bytes()[self.at..]);
            match self.next()? {
                b'"' => return self.text.get(start..self.at),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.next().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    _ => return None,
                },
                0..b' ' => return None,
                // The last ones of the text are looked at one by one.
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        // That is what it may begin with.
        let _ = self.eat(b'-');
        match self.next()? {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.eat(b'.').is_some() {
            self.some_digits()?;
        }
        if self.eat(b'e').or_else(|| self.eat(b'E')).is_some() {
            let _ = self.eat(b'+').or_else(|| self.eat(b'-'));
            self.some_digits()?;
        }
        Some(())
    }

    fn some_digits(&mut self) -> Option<()> {
        self.next().filter(u8::is_ascii_digit)?;
        self.digits();
        Some(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes()[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What another parser says of the same text.
    fn is_json(text: &str, begins: char) -> bool {
        text.trim_start().starts_with(begins) && serde_json::from_str::<&RawValue>(text).is_ok()
    }

    fn agrees(text: &str) {
        let mut count = 0;
        assert_eq!(elements(text, |_| count += 1).is_some(), is_json(text, '['), "{text}");
        assert_eq!(members(text, |_, _| count += 1).is_some(), is_json(text, '{'), "{text}");
    }

    #[test]
    fn what_is_json_is_settled() {
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
                agrees(&text);
                agrees(&format!("{text} x"));
                agrees(&text[..text.len() - 1]);
            }
            agrees(value);
        }
    }

    #[test]
    fn each_part_is_as_it_was_sent() {
        let text = " { \"a\\\"\" : [1, {\"b\":2}] ,\"c\":\" \\u00e9 \" , \"c\" :-1.50e+2 }\n";
        let mut all = Vec::new();
        members(text, |key, value| all.push([key, value])).unwrap();
        assert_eq!(all, [["\"a\\\"\"", "[1, {\"b\":2}]"], ["\"c\"", "\" \\u00e9 \""], ["\"c\"", "-1.50e+2"]]);
        let mut all = Vec::new();
        elements(all_of(text), |value| all.push(value)).unwrap();
        assert_eq!(all, ["1", "{\"b\":2}"]);
    }

    /// The array in that object.
    fn all_of(text: &str) -> &str {
        &text[text.find('[').unwrap()..=text.find(']').unwrap()]
    }

    proptest! {
        #[test]
        fn every_parser_says_the_same(
            parts in prop::collection::vec(
                "[\\[\\]{}:,\" ]|\"[a-zé\u{1}\\\\]{0,12}\"|\\\\(u[0-9a-g]{0,4}|[\"\\\\/bfnrtx])|-?[0-9.eE+-]{1,5}|null|true|\\PC",
                0..12,
            ),
            opening in "[\\[{]",
        ) {
            let inner = parts.concat();
            agrees(&inner);
            agrees(&format!("{opening}{inner}{}", char::from(closing(opening.as_bytes()[0]))));
            agrees(&format!("{{\"k\":{inner}}}"));
            agrees(&format!("[\"{inner}\"]"));
        }
    }
}
