//! JSON strings as they stand in a text: how they are written, how long they are, and what their escapes stand for.

/// How many bytes are looked at together.
const WORD: usize = size_of::<u64>();

/// Each of these in every byte.
const ONES: u64 = u64::from_ne_bytes([0x01; WORD]);
const HIGH: u64 = u64::from_ne_bytes([0x80; WORD]);

/// How many of eight bytes stand for themselves in a JSON string, before the first that does not.
fn stand_for_themselves(bytes: [u8; WORD]) -> usize {
    let word = u64::from_le_bytes(bytes);
    // The highest bit of each byte that is zero, or below 0x20. Behind the first such one others may be wrong.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is = |byte: u8| zero(word ^ (ONES * u64::from(byte)));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let special = (is(b'"') | is(b'\\') | control) & HIGH;
    special.trailing_zeros() as usize / 8
}

/// How many bytes of a JSON string stand for themselves, up to the first that does not, or near the end.
pub(crate) fn plain(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(word) = text[length..].first_chunk() {
        let plain = stand_for_themselves(*word);
        length += plain;
        if plain < WORD {
            break;
        }
    }
    length
}

/// How long a JSON string is that begins here, behind its quotation mark, up to the one that ends it; `None` for what is
/// none, or has next to nothing behind it.
pub(crate) fn length(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        while let Some(length) = usual(&text[at..]) {
            at += length;
        }
        // One by one, as far as it is not all that usual.
        let end = at + MANY;
        while at < end {
            at += plain(&text[at..]);
            match text.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += escape(&text[at..])?.1,
                _ => return None,
            }
        }
    }
}

/// How many bytes are looked at together where they are what bodies within a string are made of.
const MANY: usize = 64;

/// The length of many bytes, where all of them stand for themselves or are quotation marks, each with a backslash before it.
fn usual(text: &[u8]) -> Option<usize> {
    let here = text.first_chunk::<MANY>()?;
    let next = text[1..].first_chunk::<MANY>()?;
    let is_usual = |here: u8, next: u8| (here >= b' ') & ((here == b'\\') == (next == b'"'));
    let are_usual = here.iter().zip(next).fold(true, |all, (here, next)| all & is_usual(*here, *next));
    // An escape may go beyond the last.
    (are_usual && here[0] != b'"').then_some(MANY + usize::from(here[MANY - 1] == b'\\'))
}

/// Undoes the escapes of a JSON string, given without its quotation marks; `None` where it is none.
pub(crate) fn undo(text: &[u8], into: &mut Vec<u8>) -> Option<()> {
    // Nothing is longer unescaped, and whole words may be written at the end.
    into.resize(text.len() + WORD, 0);
    let (mut from, mut to) = (0, 0);
    while from < text.len() {
        let here = &text[from..];
        let plain = match here.first_chunk::<WORD>() {
            Some(word) => {
                into[to..to + WORD].copy_from_slice(word);
                stand_for_themselves(*word)
            }
            None => {
                let mut word = [b'"'; WORD];
                word[..here.len()].copy_from_slice(here);
                into[to..to + WORD].copy_from_slice(&word);
                stand_for_themselves(word).min(here.len())
            }
        };
        (from, to) = (from + plain, to + plain);
        if plain == WORD || from == text.len() {
            continue;
        }
        // Nearly all of them.
        if text[from..].starts_with(b"\\\"") {
            into[to] = b'"';
            (from, to) = (from + 2, to + 1);
            continue;
        }
        let (character, length) = escape(&text[from..])?;
        to += character.encode_utf8(&mut into[to..]).len();
        from += length;
    }
    into.truncate(to);
    Some(())
}

/// Writes a JSON string (RFC 8259, section 7). A body is text within text: of a small one every eighth byte is a quote, of a
/// large one next to none, so what needs no escape is told and copied many bytes at a time.
pub(crate) fn write(text: &str, out: &mut Vec<u8>) {
    const TOGETHER: usize = 32;
    const SHORT: usize = 128;
    let is_plain = |byte: &u8| (*byte >= b' ') & (*byte != b'"') & (*byte != b'\\');
    let are_plain = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is_plain(byte));
    out.reserve(text.len() + text.len() / 8 + WORD + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Ids, names and values of headers: next to none of them needs any.
    if rest.len() <= SHORT && are_plain(rest) {
        out.extend_from_slice(rest);
        out.push(b'"');
        return;
    }
    while let Some((word, behind)) = rest.split_first_chunk::<WORD>() {
        let plain = stand_for_themselves(*word);
        out.extend_from_slice(word);
        if plain < WORD {
            out.truncate(out.len() - (WORD - plain));
            // Nearly all of them.
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
        match is_plain(byte) {
            true => out.push(*byte),
            false => write_escaped(*byte, out),
        }
    }
    out.push(b'"');
}

/// Writes what does not stand for itself.
fn write_escaped(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0c => out.extend_from_slice(b"\\f"),
        0..=0x1f => out.extend(format!("\\u{byte:04x}").bytes()),
        _ => out.extend_from_slice(&[b'\\', byte]),
    }
}

/// The character that an escape stands for, and how long that is.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let simple = match text.strip_prefix(b"\\")?.first()? {
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((simple, 2))
}

/// The character that is written `\uXXXX`, or as two of these, and how long that is.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
        digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    };
    let first = unit(text)?;
    match char::from_u32(first) {
        Some(character) => Some((character, 6)),
        None => {
            let second = unit(&text[6..]).filter(|second| first < 0xdc00 && (0xdc00..0xe000).contains(second))?;
            char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).map(|character| (character, 12))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_is_spelled_as_every_serializer_spells_it(text in "(.|[\\x00-\\x20\"\\\\é🌅]){0,99}") {
            let mut spelled = Vec::new();
            write(&text, &mut spelled);
            prop_assert_eq!(String::from_utf8(spelled).unwrap(), serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn a_string_is_as_long_as_every_parser_says(
            parts in prop::collection::vec(
                "\\PC|\\\\u[dD][89a-fA-F][0-9a-f]{2}|\\\\u[0-9a-e]{4}|[\"\\\\\u{1}\u{7f}é𝄞]|(\\\\[\"\\\\/bfnrtux]){1,99}|[ -~]{1,99}",
                0..9,
            ),
        ) {
            let text = format!("\"{}\"        ", parts.concat());
            let mut strings = serde_json::Deserializer::from_str(&text).into_iter::<String>();
            let string = strings.next().and_then(Result::ok);
            let end = length(&text.as_bytes()[1..]).map(|length| length + 1);
            prop_assert_eq!(end, string.as_ref().map(|_| strings.byte_offset() - 1));
            if let (Some(end), Some(string)) = (end, string) {
                let mut undone = b"what it held".to_vec();
                prop_assert!(undo(&text.as_bytes()[1..end], &mut undone).is_some());
                prop_assert_eq!(undone, string.into_bytes());
            }
        }
    }

    #[test]
    fn a_string_may_end_anywhere() {
        for usual in ["a", "\\\"", "a\\\"", "\\\\", "\\n", "é"] {
            for repeated in 0..3 * MANY {
                let string = usual.repeat(repeated);
                for behind in [",".repeat(9), ":".repeat(3 * MANY)] {
                    let text = format!("{string}\"{behind}");
                    assert_eq!(length(text.as_bytes()), Some(string.len()), "{text}");
                }
            }
        }
    }
}
