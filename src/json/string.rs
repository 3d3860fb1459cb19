//! The one codec for JSON strings: where a string ends, what its escapes mean, and how text is written as a string.

use std::borrow::Cow;

/// Bytes in one machine word.
const WORD: usize = size_of::<u64>();

/// Words with 0x01, or with 0x80, in every byte.
const ONES: u64 = u64::from_ne_bytes([0x01; WORD]);
const HIGH: u64 = u64::from_ne_bytes([0x80; WORD]);

/// How closely JSON text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Text that may not be JSON: a backslash escapes any character after it, and nothing is an error.
    Lenient,
    /// RFC 8259. Half of a surrogate pair is allowed: Python's `json.dumps` writes `"\ud83c"`.
    Json,
    /// RFC 8259, and every escape is a Unicode character.
    Unicode,
}

/// The digits of `\uXXXX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HexCase {
    Lower,
    Upper,
}

/// The number of bytes before the first that needs an escape or ends the string: up to eight.
fn plain_in_word(bytes: [u8; WORD]) -> usize {
    let word = u64::from_le_bytes(bytes);
    // The highest bit of each byte that is zero, or below 0x20. Bytes after the first hit may be false hits.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is = |byte: u8| zero(word ^ (ONES * u64::from(byte)));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let special = (is(b'"') | is(b'\\') | control) & HIGH;
    special.trailing_zeros() as usize / 8
}

/// The number of bytes before the first that needs an escape or ends the string. The last seven bytes of `text` may be left uncounted.
pub(crate) fn plain(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(word) = text[length..].first_chunk() {
        let plain = plain_in_word(*word);
        length += plain;
        if plain < WORD {
            break;
        }
    }
    length
}

/// The length of a JSON string whose first byte after the opening quotation mark is `text[0]`, up to its closing one;
/// `None` where the string is not closed, or breaks a rule of `strictness`.
pub(crate) fn length(text: &[u8], strictness: Strictness) -> Option<usize> {
    let mut at = plain(text);
    // Keys and ids: no escape, and the closing quotation mark is next.
    if text.get(at) == Some(&b'"') {
        return Some(at);
    }
    loop {
        while let Some(length) = quoted_json(&text[at..]) {
            at += length;
        }
        // Reads at least `MANY` bytes singly before `quoted_json` is tried again.
        let end = at + MANY;
        while at < end {
            at += plain(&text[at..]);
            match text.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += escape_length(&text[at..], strictness)?,
                0..b' ' if strictness != Strictness::Lenient => return None,
                // A control character in a lenient reading, or one of the last seven bytes, which `plain` may not count.
                _ => at += 1,
            }
        }
    }
}

/// The number of bytes of a string that `quoted_json` checks at once.
const MANY: usize = 64;

/// `MANY` or one byte more, if `text` begins with that many bytes that are plain or part of an escaped quotation mark.
fn quoted_json(text: &[u8]) -> Option<usize> {
    let here = text.first_chunk::<MANY>()?;
    let next = text[1..].first_chunk::<MANY>()?;
    let is_usual = |here: u8, next: u8| (here >= b' ') & ((here == b'\\') == (next == b'"'));
    let are_usual = here.iter().zip(next).fold(true, |all, (here, next)| all & is_usual(*here, *next));
    // The last escape may reach one byte further.
    (are_usual && here[0] != b'"').then_some(MANY + usize::from(here[MANY - 1] == b'\\'))
}

/// The length of the escape that `text` begins with.
fn escape_length(text: &[u8], strictness: Strictness) -> Option<usize> {
    match strictness {
        // A backslash at the very end hides nothing, and the string is not closed.
        Strictness::Lenient => text.get(1).map(|_| 2),
        _ => escape(text, strictness).map(|(_, length)| length),
    }
}

/// Whether a byte needs no escape in a JSON string. Without branches, so that the compiler vectorises [`are_plain`].
fn is_plain(byte: u8) -> bool {
    (byte >= b' ') & (byte != b'"') & (byte != b'\\')
}

fn are_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_plain(*byte))
}

/// Decodes a JSON string, given with its quotation marks. Without escapes the result borrows.
pub(crate) fn decode(token: &str, strictness: Strictness) -> Option<Cow<'_, str>> {
    let inner = token.strip_prefix('"')?.strip_suffix('"')?;
    if are_plain(inner.as_bytes()) {
        return Some(Cow::Borrowed(inner));
    }
    let mut decoded = Vec::new();
    unescape(inner.as_bytes(), strictness, &mut decoded)?;
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// Writes the text of a JSON string, given without its quotation marks, over the content of `into`; `None` where the string
/// breaks a rule of `strictness`. Half of a surrogate pair becomes the replacement character. A lenient reading keeps what is
/// no escape as it stands.
pub(crate) fn unescape(text: &[u8], strictness: Strictness, into: &mut Vec<u8>) -> Option<()> {
    // No text is longer without its escapes, and whole words may be written at the end.
    into.resize(text.len() + WORD, 0);
    let (mut from, mut to) = (0, 0);
    while from < text.len() {
        let here = &text[from..];
        let plain = match here.first_chunk::<WORD>() {
            Some(word) => {
                into[to..to + WORD].copy_from_slice(word);
                plain_in_word(*word)
            }
            None => {
                let mut word = [b'"'; WORD];
                word[..here.len()].copy_from_slice(here);
                into[to..to + WORD].copy_from_slice(&word);
                plain_in_word(word).min(here.len())
            }
        };
        (from, to) = (from + plain, to + plain);
        if plain == WORD || from == text.len() {
            continue;
        }
        // Nearly all escapes are of quotation marks.
        if text[from..].starts_with(b"\\\"") {
            into[to] = b'"';
            (from, to) = (from + 2, to + 1);
            continue;
        }
        match escape(&text[from..], strictness) {
            Some((character, length)) => {
                to += character.encode_utf8(&mut into[to..]).len();
                from += length;
            }
            None if strictness == Strictness::Lenient => {
                into[to] = text[from];
                (from, to) = (from + 1, to + 1);
            }
            None => return None,
        }
    }
    into.truncate(to);
    Some(())
}

/// The text as a JSON string, with its quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    write(text, &mut out);
    // Never empty: `write` copies UTF-8 and adds ASCII.
    String::from_utf8(out).unwrap_or_default()
}

/// Writes a JSON string (RFC 8259, section 7). A body is text within text: in a small body every eighth byte is a quotation
/// mark, in a large one next to none, so plain bytes are found and copied many at a time.
pub(crate) fn write(text: &str, out: &mut Vec<u8>) {
    const TOGETHER: usize = 32;
    const SHORT: usize = 128;
    out.reserve(text.len() + text.len() / 8 + WORD + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Ids, names and values of headers: next to none of them needs an escape.
    if rest.len() <= SHORT && are_plain(rest) {
        out.extend_from_slice(rest);
        out.push(b'"');
        return;
    }
    while let Some((word, behind)) = rest.split_first_chunk::<WORD>() {
        let plain = plain_in_word(*word);
        out.extend_from_slice(word);
        if plain < WORD {
            out.truncate(out.len() - (WORD - plain));
            // Nearly all escapes are of quotation marks.
            match word[plain] {
                b'"' => out.extend_from_slice(b"\\\""),
                byte => write_escaped(byte, out),
            }
            rest = &rest[plain + 1..];
            continue;
        }
        rest = behind;
        let many = rest.chunks_exact(TOGETHER).take_while(|bytes| are_plain(bytes));
        let (plain, behind) = rest.split_at(many.count() * TOGETHER);
        out.extend_from_slice(plain);
        rest = behind;
    }
    for byte in rest {
        if is_plain(*byte) {
            out.push(*byte);
        } else {
            write_escaped(*byte, out);
        }
    }
    out.push(b'"');
}

/// Writes the escape of a quotation mark, a backslash or a control character.
fn write_escaped(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0c => out.extend_from_slice(b"\\f"),
        0..=0x1f => out.extend_from_slice(&unit_escape(byte.into(), HexCase::Lower)),
        _ => out.extend_from_slice(&[b'\\', byte]),
    }
}

/// Writes a character as `\uXXXX`. JSON escapes count UTF-16 units: a character above U+FFFF takes two.
pub(crate) fn push_escaped(character: char, case: HexCase, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend(unit_escape(*unit, case).map(char::from));
    }
}

/// The same JSON text in ASCII: characters beyond `~`, which stand within strings only, become escapes as Python writes them.
pub(crate) fn to_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character <= '~' {
            ascii.push(character);
        } else {
            push_escaped(character, HexCase::Lower, &mut ascii);
        }
    }
    ascii
}

fn unit_escape(unit: u16, case: HexCase) -> [u8; 6] {
    let digits = match case {
        HexCase::Lower => b"0123456789abcdef",
        HexCase::Upper => b"0123456789ABCDEF",
    };
    let digit = |shift: u16| digits[usize::from(unit >> shift & 0xf)];
    [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]
}

/// The character of an escape, and the length of the escape.
fn escape(text: &[u8], strictness: Strictness) -> Option<(char, usize)> {
    let simple = match text.strip_prefix(b"\\")?.first()? {
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => return unicode_escape(text, strictness),
        _ => return None,
    };
    Some((simple, 2))
}

/// The character of a `\uXXXX` escape or of a surrogate pair, and the length of the escape or pair.
fn unicode_escape(text: &[u8], strictness: Strictness) -> Option<(char, usize)> {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
        digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    };
    let first = unit(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = unit(&text[6..]).filter(|second| first < 0xdc00 && (0xdc00..0xe000).contains(second));
    match second {
        Some(second) => {
            char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).map(|character| (character, 12))
        }
        None if strictness == Strictness::Unicode => None,
        None => Some((char::REPLACEMENT_CHARACTER, 6)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    proptest! {
        #[test]
        fn text_is_written_as_serde_json_writes_it(text in "(.|[\\x00-\\x20\"\\\\é🌅]){0,99}") {
            let mut written = Vec::new();
            write(&text, &mut written);
            prop_assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn a_string_ends_where_serde_json_ends_it(
            parts in prop::collection::vec(
                "\\PC|\\\\u[dD][89a-fA-F][0-9a-f]{2}|\\\\u[0-9a-e]{4}|[\"\\\\\u{1}\u{7f}é𝄞]|(\\\\[\"\\\\/bfnrtux]){1,99}|[ -~]{1,99}",
                0..9,
            ),
            behind in "[ ,]{0,8}",
        ) {
            let text = format!("\"{}\"{behind}", parts.concat());
            let mut strings = serde_json::Deserializer::from_str(&text).into_iter::<String>();
            let string = strings.next().and_then(Result::ok);
            let end = length(&text.as_bytes()[1..], Strictness::Unicode).map(|length| length + 2);
            prop_assert_eq!(end, string.as_ref().map(|_| strings.byte_offset()));
            if let (Some(end), Some(string)) = (end, string) {
                let mut unescaped = b"what it held".to_vec();
                prop_assert!(unescape(&text.as_bytes()[1..end - 1], Strictness::Unicode, &mut unescaped).is_some());
                prop_assert_eq!(unescaped, string.as_bytes());
                for strictness in [Strictness::Lenient, Strictness::Json, Strictness::Unicode] {
                    prop_assert_eq!(length(&text.as_bytes()[1..], strictness), Some(end - 2));
                    let decoded = decode(&text[..end], strictness);
                    prop_assert_eq!(decoded.as_deref(), Some(string.as_str()));
                }
            }
            let mut values = serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>();
            let end = values.next().and_then(Result::ok).map(|_| values.byte_offset());
            prop_assert_eq!(length(&text.as_bytes()[1..], Strictness::Json).map(|length| length + 2), end);
            if let Some(end) = end {
                prop_assert_eq!(length(&text.as_bytes()[1..], Strictness::Lenient), Some(end - 2));
                prop_assert!(decode(&text[..end], Strictness::Json).is_some());
            }
        }

        #[test]
        fn escapes_are_read_as_the_text_that_was_written(text in "\\PC{0,20}|[\\x00-\\x1f\"\\\\é🌅]{0,20}") {
            for case in [HexCase::Lower, HexCase::Upper] {
                let mut written = String::from("\"");
                text.chars().for_each(|character| push_escaped(character, case, &mut written));
                written.push('"');
                let decoded = decode(&written, Strictness::Unicode);
                prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
                prop_assert_eq!(serde_json::from_str::<String>(&written).ok(), Some(text.clone()));
            }
        }
    }

    #[test]
    fn a_string_may_end_anywhere() {
        for part in ["a", "\\\"", "a\\\"", "\\\\", "\\n", "é"] {
            for repeated in 0..3 * MANY {
                let string = part.repeat(repeated);
                for behind in [String::new(), ",".repeat(9), ":".repeat(3 * MANY)] {
                    let text = format!("{string}\"{behind}");
                    for strictness in [Strictness::Lenient, Strictness::Json, Strictness::Unicode] {
                        assert_eq!(length(text.as_bytes(), strictness), Some(string.len()), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_lenient_reading_keeps_what_is_no_escape() {
        let cases = [
            (r#"no JSON \"#, "no JSON \\"),
            (r"\u12", r"\u12"),
            (r"\é\u00zz\n", "\\é\\u00zz\n"),
            (r#"{"a":"\ud83c"}"#, "{\"a\":\"\u{fffd}\"}"),
        ];
        for (text, expected) in cases {
            let mut unescaped = Vec::new();
            unescape(text.as_bytes(), Strictness::Lenient, &mut unescaped).unwrap();
            assert_eq!(String::from_utf8(unescaped).unwrap(), expected);
        }
        assert_eq!(length(b"a\\x\n\" ", Strictness::Lenient), Some(4));
        for open in ["", "a", "a\\", "a\\\"", "\\\\\\"] {
            assert_eq!(length(open.as_bytes(), Strictness::Lenient), None, "{open}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_json_and_no_text() {
        for half in [r#""\ud83c""#, r#""\udc00""#, r#""\ud83cx""#, r#""\ud83c\u0041""#] {
            assert_eq!(decode(half, Strictness::Unicode), None, "{half}");
            let decoded = decode(half, Strictness::Json).unwrap();
            assert!(decoded.starts_with('\u{fffd}') && decoded.chars().count() < 3, "{half}");
        }
    }
}
