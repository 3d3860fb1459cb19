//! Makes text from outside safe to show.
//!
//! The sender of a webhook chooses payloads, headers, paths and file names. Printed raw, such text could move the cursor,
//! recolour the screen, or appear in another order than its bytes.

use std::borrow::Cow;

use crate::json::string::{HexCase, push_escaped};
pub use crate::payload::unsafe_chars::is_unsafe;

/// Escapes every unsafe character in `text`, line breaks and tabs included, for one line of a screen.
///
/// Not reversible: a backslash in `text` stays unescaped, so a sent `\n` and an escaped line break look the same.
pub fn line(text: &str) -> Cow<'_, str> {
    replace(text, is_unsafe, |out, c| out.extend(c.escape_default()))
}

/// Escapes the unsafe characters in JSON text. The value of the JSON text stays the same.
///
/// JSON white space stays, so a lone carriage return between tokens still reaches the terminal.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let unwanted = |c| is_unsafe(c) && !matches!(c, '\n' | '\r' | '\t');
    replace(text, unwanted, push_json_escape)
}

/// Escapes every unsafe character in a single token of JSON text.
///
/// A token of valid JSON holds no raw line break or tab, so the result is the same as [`json`]'s. A line break in a malformed
/// token must not break the layout.
pub(crate) fn json_token(token: &str) -> Cow<'_, str> {
    replace(token, is_unsafe, push_json_escape)
}

fn replace(text: &str, unwanted: impl Fn(char) -> bool, push_escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(&unwanted) else {
        return Cow::Borrowed(text);
    };
    let (clean, rest) = text.split_at(first);
    let mut out = String::from(clean);
    for c in rest.chars() {
        if unwanted(c) {
            push_escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a text is printable ASCII, as most text is. Checked 64 bytes at a time.
fn is_plain(text: &str) -> bool {
    const MANY: usize = 64;
    let plain = |bytes: &[u8]| bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    text.as_bytes().chunks(MANY).all(plain)
}

fn push_json_escape(out: &mut String, c: char) {
    push_escaped(c, HexCase::Lower, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payload::unsafe_chars::tests::{SAFE, UNSAFE};

    fn hazard() -> impl Strategy<Value = char> {
        proptest::sample::select(UNSAFE.chars().collect::<Vec<_>>())
    }

    fn text() -> impl Strategy<Value = String> {
        let c = prop_oneof![any::<char>(), hazard(), proptest::char::range(' ', '~')];
        proptest::collection::vec(c, 0..60).prop_map(String::from_iter)
    }

    #[test]
    fn line_shows_hazards_as_escapes() {
        let cases = [
            ("", ""),
            ("plain é 🦀 \\n", "plain é 🦀 \\n"),
            ("a\r\n\tb", r"a\r\n\tb"),
            ("\u{1b}[2J", r"\u{1b}[2J"),
            ("\0\u{7f}\u{9b}", r"\u{0}\u{7f}\u{9b}"),
            ("a\u{202e}gpj.exe", r"a\u{202e}gpj.exe"),
            ("tag\u{e0041}", r"tag\u{e0041}"),
            ("👩\u{200d}🔬", r"👩\u{200d}🔬"),
        ];
        for (text, shown) in cases {
            assert_eq!(line(text), shown);
        }
    }

    #[test]
    fn json_shows_hazards_as_json_escapes() {
        let cases = [
            ("", ""),
            ("{\r\n\t\"a\": 1}", "{\r\n\t\"a\": 1}"),
            ("\"\u{7f}\u{9b}31m\"", r#""\u007f\u009b31m""#),
            ("\"\u{2028}\u{feff}\"", r#""\u2028\ufeff""#),
            ("\"\u{e0041}\"", r#""\udb40\udc41""#),
        ];
        for (text, shown) in cases {
            assert_eq!(json(text), shown);
        }
    }

    #[test]
    fn json_token_leaves_no_white_space_hazard() {
        assert_eq!(json_token("\"a\r\n\tb \u{1b}"), r#""a\u000d\u000a\u0009b \u001b"#);
    }

    #[test]
    fn clean_text_is_borrowed() {
        assert!(matches!(line(SAFE), Cow::Borrowed(_)));
        assert!(matches!(json("{\n\t\"a\": 1\r\n}"), Cow::Borrowed(_)));
        assert!(matches!(json_token(SAFE), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn line_leaves_no_hazard(text in text()) {
            prop_assert!(!line(&text).contains(is_unsafe));
        }

        #[test]
        fn json_leaves_no_hazard_but_white_space(text in text()) {
            let shown = json(&text).replace(['\n', '\r', '\t'], "");
            prop_assert!(!shown.contains(is_unsafe), "{shown:?}");
        }

        #[test]
        fn escaping_twice_changes_nothing(text in text()) {
            let once = json(&text);
            prop_assert_eq!(&json(&once), &once);
        }

        #[test]
        fn json_keeps_the_value(name in text(), value in text()) {
            let value = serde_json::json!({ name: [value] });
            let sent = serde_json::to_string_pretty(&value).unwrap();
            let shown: serde_json::Value = serde_json::from_str(&json(&sent)).unwrap();
            prop_assert_eq!(shown, value);
        }
    }
}
