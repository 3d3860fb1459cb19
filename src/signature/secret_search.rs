//! Finds a secret in text that others wrote, however that text is encoded.
//!
//! A list of spellings is never complete: JSON writers differ in what they escape, URL writers in what they encode, and
//! encodings are nested. So the text is decoded, up to two times, and the secret is looked for in each result. Decoding
//! starts only where the text has a character that announces an encoding, or a run of digits that is long enough.

use std::ops::Range;

use memchr::{memchr, memmem};
use zeroize::Zeroizing;

/// How many encodings may be nested in each other.
const DEPTH: usize = 2;

/// From this length on a secret is looked for in encoded text. A shorter one is part of many words.
pub(super) const SEARCHED: usize = 8;

/// The longest text that is decoded. Whatever is longer, such as a body, is searched as it is.
const LONGEST: usize = 1 << 20;

/// A way to write bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// `\/`, `\u002B`, `\u{2b}`, `\x2b`: JSON and what programming languages print.
    Escapes,
    /// `%2B` in either case, any byte encoded or not.
    Percent,
    /// The same, and `+` is a space.
    Form,
    /// `&#43;`, `&#x2b;`, `&plus;`
    Entities,
    /// Both alphabets, with or without padding.
    Base64,
    /// RFC 4648 in either case.
    Base32,
    /// Pairs of digits, next to each other or separated.
    Hex,
}

use Encoding::{Base32, Base64, Entities, Escapes, Form, Hex, Percent};

const ENCODINGS: [Encoding; 7] = [Escapes, Percent, Form, Entities, Base64, Base32, Hex];

/// The bytes that reveal one secret.
#[derive(Clone)]
pub(super) struct SecretSearch {
    /// The secret, the part of it that is the key, and the key's bytes: any of them reveals it.
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl SecretSearch {
    /// Prepares the search for a secret and for the keys that it stands for.
    pub(super) fn new(value: &[u8], keys: impl IntoIterator<Item = Zeroizing<Vec<u8>>>) -> Self {
        let mut forms = vec![Zeroizing::new(value.to_vec())];
        for key in keys.into_iter().filter(|key| key.len() >= SEARCHED) {
            if !forms.contains(&key) {
                forms.push(key);
            }
        }
        forms.retain(|form| form.len() >= SEARCHED);
        SecretSearch { forms }
    }

    /// Whether the text reveals the secret.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.holds(text, DEPTH)
    }

    /// The parts of the text that reveal the secret, in any order; they may overlap.
    pub(super) fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        // Most texts hold nothing, and need no spans of what was decoded.
        if self.is_in(text) {
            self.collect(text, DEPTH, &|range| range, &mut places);
        }
        places
    }

    #[cfg(test)]
    pub(super) fn forms(&self) -> &[Zeroizing<Vec<u8>>] {
        &self.forms
    }

    fn shortest(&self) -> usize {
        self.forms.iter().map(|form| form.len()).min().unwrap_or(usize::MAX)
    }

    fn holds(&self, text: &[u8], depth: usize) -> bool {
        if self.forms.iter().any(|form| is_within(form, text)) {
            return true;
        }
        let mut decoded = Zeroizing::new(Vec::new());
        self.segments(text, depth).any(|(encoding, part)| {
            decoded.clear();
            encoding.decode(&text[part.clone()], |byte, _| decoded.push(byte));
            decoded.as_slice() != &text[part] && self.holds(&decoded, depth - 1)
        })
    }

    /// Collects what `holds` finds. `origin` maps a range of `text` to the range of the text that was given first.
    fn collect(
        &self,
        text: &[u8],
        depth: usize,
        origin: &dyn Fn(Range<usize>) -> Range<usize>,
        places: &mut Vec<Range<usize>>,
    ) {
        for form in &self.forms {
            places.extend(memmem::find_iter(text, form.as_slice()).map(|start| origin(start..start + form.len())));
        }
        for (encoding, part) in self.segments(text, depth) {
            let mut decoded = Zeroizing::new(Vec::new());
            let mut spans = Vec::new();
            encoding.decode(&text[part.clone()], |byte, span| {
                decoded.push(byte);
                spans.push(part.start + span.start..part.start + span.end);
            });
            if decoded.as_slice() != &text[part] && self.holds(&decoded, depth - 1) {
                let outer = |range: Range<usize>| origin(spans[range.start].start..spans[range.end - 1].end);
                self.collect(&decoded, depth - 1, &outer, places);
            }
        }
    }

    /// The parts of a text that may be encoded.
    fn segments<'t>(&self, text: &'t [u8], depth: usize) -> impl Iterator<Item = (Encoding, Range<usize>)> + use<'t> {
        let shortest = self.shortest();
        let skips = depth == 0 || text.len() > LONGEST || text.len() < shortest;
        let encodings = if skips { &[][..] } else { &ENCODINGS[..] };
        encodings.iter().flat_map(move |encoding| encoding.segments(text, shortest).map(|part| (*encoding, part)))
    }
}

fn is_within(form: &[u8], text: &[u8]) -> bool {
    // A search is prepared for each text anew, and most texts are too short to be worth that.
    form.len() <= text.len() && memchr(form[0], text).is_some() && memmem::find(text, form).is_some()
}

impl Encoding {
    /// The parts of a text that may hold `shortest` bytes in this encoding. Digits may belong together from any of the
    /// first few on, so a run of them is several parts.
    fn segments(self, text: &[u8], shortest: usize) -> impl Iterator<Item = Range<usize>> + use<'_> {
        let whole = match self {
            Escapes => memchr(b'\\', text),
            Percent => memchr(b'%', text),
            Form => memchr(b'+', text),
            Entities => memchr(b'&', text),
            Base64 | Base32 | Hex => None,
        };
        let (digits, group): (usize, usize) = match self {
            Base64 => ((shortest * 4).div_ceil(3), 4),
            Base32 => ((shortest * 8).div_ceil(5), 8),
            Hex => (shortest * 2, 2),
            Escapes | Percent | Form | Entities => (usize::MAX, 0),
        };
        let parts = runs(text, move |byte| self.is_digit(byte) || self.is_separator(byte), digits);
        let parts = parts.flat_map(move |run| {
            let starts = run.clone().filter(move |at| self.is_digit(text[*at])).take(group);
            starts.map(move |start| start..run.end)
        });
        whole.map(|_| 0..text.len()).into_iter().chain(parts)
    }

    fn is_digit(self, byte: u8) -> bool {
        match self {
            Base64 => base64_digit(byte).is_some(),
            Base32 => base32_digit(byte).is_some(),
            Hex => byte.is_ascii_hexdigit(),
            Escapes | Percent | Form | Entities => false,
        }
    }

    /// Whether a byte may stand between digits.
    fn is_separator(self, byte: u8) -> bool {
        match self {
            Base64 => matches!(byte, b'\r' | b'\n'),
            Hex => matches!(byte, b' ' | b':' | b'-' | b',' | b'x' | b'\n'),
            Base32 | Escapes | Percent | Form | Entities => false,
        }
    }

    /// Decodes a text leniently: what is not encoded stands for itself, or ends a group of digits. `emit` gets each byte
    /// and the part of the text that it is from.
    fn decode(self, text: &[u8], mut emit: impl FnMut(u8, Range<usize>)) {
        match self {
            Escapes => replaced(text, b'\\', escape, emit),
            Percent => replaced(text, b'%', percent, emit),
            Form => {
                for (at, byte) in text.iter().enumerate() {
                    emit(if *byte == b'+' { b' ' } else { *byte }, at..at + 1);
                }
            }
            Entities => replaced(text, b'&', entity, emit),
            Base64 => grouped(text, 6, base64_digit, emit),
            Base32 => grouped(text, 5, base32_digit, emit),
            Hex => {
                // `0x` announces a byte and is none.
                let marker = |at: usize| text[at] == b'0' && text.get(at + 1) == Some(&b'x');
                let mut high = None;
                for (at, byte) in text.iter().enumerate() {
                    let digit = char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                    let Some(digit) = digit.filter(|_| high.is_some() || !marker(at)) else { continue };
                    match high.take() {
                        None => high = Some((at, digit)),
                        Some((start, high)) => emit(high << 4 | digit, start..at + 1),
                    }
                }
            }
        }
    }
}

/// The runs of bytes that `is_digit` takes, of `shortest` bytes at least.
fn runs(text: &[u8], is_digit: impl Fn(u8) -> bool, shortest: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while text.len() - at >= shortest.max(1) {
            let start = at;
            let length = text[start..].iter().position(|byte| !is_digit(*byte)).unwrap_or(text.len() - start);
            at = (start + length + 1).min(text.len());
            if length >= shortest {
                return Some(start..start + length);
            }
        }
        None
    })
}

/// Decodes a text in which `mark` announces a character; `read` gives that character and its length in the text.
fn replaced(
    text: &[u8],
    mark: u8,
    read: impl Fn(&[u8]) -> Option<(u32, usize)>,
    mut emit: impl FnMut(u8, Range<usize>),
) {
    let mut at = 0;
    while at < text.len() {
        let read = if text[at] == mark { read(&text[at..]) } else { None };
        match read {
            // A byte of percent-encoding, or a character.
            Some((code, length)) => {
                let character = if mark == b'%' { None } else { char::from_u32(code).filter(|_| code > 0x7f) };
                match (character, u8::try_from(code)) {
                    (Some(character), _) => {
                        character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| emit(byte, at..at + length));
                    }
                    (None, Ok(byte)) => emit(byte, at..at + length),
                    (None, Err(_)) => {}
                }
                at += length;
            }
            None => {
                emit(text[at], at..at + 1);
                at += 1;
            }
        }
    }
}

/// A hexadecimal number of exactly `digits` digits.
fn hex(text: &[u8], digits: usize) -> Option<u32> {
    let digits = text.get(..digits)?;
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

fn percent(text: &[u8]) -> Option<(u32, usize)> {
    Some((hex(&text[1..], 2)?, 3))
}

fn escape(text: &[u8]) -> Option<(u32, usize)> {
    let (kind, rest) = text[1..].split_first()?;
    match kind {
        b'u' if rest.first() == Some(&b'{') => {
            let length = memchr(b'}', rest).filter(|length| (2..=7).contains(length))?;
            Some((hex(&rest[1..], length - 1)?, length + 3))
        }
        b'u' => {
            let first = hex(rest, 4)?;
            let second = rest.get(4..).and_then(|rest| rest.strip_prefix(b"\\u")).and_then(|rest| hex(rest, 4));
            match (first, second) {
                (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
                    Some((0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00), 12))
                }
                _ => Some((first, 6)),
            }
        }
        b'U' => Some((hex(rest, 8)?, 10)),
        b'x' => Some((hex(rest, 2)?, 4)),
        b'n' => Some((0x0a, 2)),
        b'r' => Some((0x0d, 2)),
        b't' => Some((0x09, 2)),
        b'b' => Some((0x08, 2)),
        b'f' => Some((0x0c, 2)),
        other if other.is_ascii_punctuation() => Some((u32::from(*other), 2)),
        _ => None,
    }
}

/// HTML's names of ASCII characters.
const ENTITIES: [(&str, u8); 40] = [
    ("Tab", b'\t'),
    ("NewLine", b'\n'),
    ("excl", b'!'),
    ("quot", b'"'),
    ("QUOT", b'"'),
    ("num", b'#'),
    ("dollar", b'$'),
    ("percnt", b'%'),
    ("amp", b'&'),
    ("AMP", b'&'),
    ("apos", b'\''),
    ("lpar", b'('),
    ("rpar", b')'),
    ("ast", b'*'),
    ("midast", b'*'),
    ("plus", b'+'),
    ("comma", b','),
    ("period", b'.'),
    ("sol", b'/'),
    ("colon", b':'),
    ("semi", b';'),
    ("lt", b'<'),
    ("LT", b'<'),
    ("equals", b'='),
    ("gt", b'>'),
    ("GT", b'>'),
    ("quest", b'?'),
    ("commat", b'@'),
    ("lsqb", b'['),
    ("lbrack", b'['),
    ("bsol", b'\\'),
    ("rsqb", b']'),
    ("rbrack", b']'),
    ("Hat", b'^'),
    ("lowbar", b'_'),
    ("grave", b'`'),
    ("lcub", b'{'),
    ("verbar", b'|'),
    ("vert", b'|'),
    ("rcub", b'}'),
];

fn entity(text: &[u8]) -> Option<(u32, usize)> {
    const LONGEST: usize = 12;
    let end = memchr(b';', &text[..text.len().min(LONGEST)])?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    let number = name.strip_prefix('#').map(|number| match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    });
    let code = match number {
        Some(number) => number.ok()?,
        None => u32::from(ENTITIES.iter().find(|(known, _)| *known == name)?.1),
    };
    Some((code, end + 1))
}

fn base64_digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

fn base32_digit(byte: u8) -> Option<u32> {
    let value = match byte.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => letter - b'A',
        digit @ b'2'..=b'7' => digit - b'2' + 26,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Decodes digits of so many bits each; other characters, such as line breaks, are passed over.
fn grouped(text: &[u8], bits: u32, digit: impl Fn(u8) -> Option<u32>, mut emit: impl FnMut(u8, Range<usize>)) {
    let (mut held, mut count, mut start) = (0_u32, 0, 0);
    for (at, byte) in text.iter().enumerate() {
        let Some(value) = digit(*byte) else { continue };
        if count == 0 {
            start = at;
        }
        held = (held << bits | value) & 0xffff;
        count += bits;
        if count >= 8 {
            count -= 8;
            emit(u8::try_from(held >> count & 0xff).unwrap_or_default(), start..at + 1);
            start = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    type Encoder = fn(&[u8]) -> Vec<u8>;

    /// Everything that a program may write a text as. The text before and behind it is encoded too where that shifts digits.
    fn encoders() -> Vec<(&'static str, Encoder)> {
        fn each(text: &[u8], write: impl Fn(u8) -> String) -> Vec<u8> {
            text.iter().map(|byte| write(*byte)).collect::<String>().into_bytes()
        }
        fn ascii(byte: u8, is_special: bool, encoded: String) -> String {
            if byte < 0x80 && !is_special { char::from(byte).to_string() } else { encoded }
        }
        fn base32(text: &[u8]) -> String {
            let bits: String = text.iter().fold(String::new(), |mut bits, byte| {
                let _ = write!(bits, "{byte:08b}");
                bits
            });
            let digits = bits.as_bytes().chunks(5).map(|chunk| {
                let padded = format!("{:0<5}", std::str::from_utf8(chunk).unwrap());
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from_str_radix(&padded, 2).unwrap()] as char
            });
            digits.collect()
        }
        vec![
            ("plain", |text| text.to_vec()),
            ("JSON", |text| serde_json::to_string(&String::from_utf8_lossy(text)).unwrap().into_bytes()),
            ("JSON with slashes", |text| {
                serde_json::to_string(&String::from_utf8_lossy(text)).unwrap().replace('/', "\\/").into_bytes()
            }),
            ("JSON, all escaped", |text| each(text, |byte| format!("\\u{:04X}", u32::from(byte)))),
            (".NET", |text| {
                each(text, |byte| ascii(byte, matches!(byte, b'+' | b'<' | b'"' | b'\\'), format!("\\u{byte:04x}")))
            }),
            ("Python's repr", |text| {
                each(text, |byte| ascii(byte, !byte.is_ascii_alphanumeric(), format!("\\x{byte:02x}")))
            }),
            ("percent", |text| each(text, |byte| ascii(byte, !byte.is_ascii_alphanumeric(), format!("%{byte:02x}")))),
            ("percent, only plus", |text| {
                each(text, |byte| ascii(byte, matches!(byte, b'+' | b'%'), format!("%{byte:02X}")))
            }),
            ("percent, every byte", |text| each(text, |byte| format!("%{byte:02X}"))),
            ("entities", |text| each(text, |byte| ascii(byte, !byte.is_ascii_alphanumeric(), format!("&#{byte};")))),
            ("entities, hex", |text| {
                each(text, |byte| ascii(byte, !byte.is_ascii_alphanumeric(), format!("&#x{byte:X};")))
            }),
            ("base64", |text| STANDARD.encode(text).into_bytes()),
            ("base64 behind one", |text| STANDARD.encode([b":", text].concat()).into_bytes()),
            ("base64 behind two", |text| STANDARD.encode([b"u:", text, b"xyz"].concat()).into_bytes()),
            ("base64url", |text| URL_SAFE_NO_PAD.encode(text).into_bytes()),
            ("base64 in a word", |text| [b"xy=ab", STANDARD.encode(text).as_bytes()].concat()),
            ("base32", |text| base32(text).into_bytes()),
            ("base32 behind one", |text| base32(&[b":", text].concat()).to_lowercase().into_bytes()),
            ("hex", |text| each(text, |byte| format!("{byte:02x}"))),
            ("hex, spaced", |text| each(text, |byte| format!("{byte:02X} "))),
            ("hex with colons", |text| each(text, |byte| format!("{byte:02x}:"))),
            ("hex with 0x", |text| each(text, |byte| format!("0x{byte:02x}, "))),
        ]
    }

    fn search(secret: &[u8]) -> SecretSearch {
        SecretSearch::new(secret, [])
    }

    proptest! {
        #[test]
        fn a_secret_is_found_in_any_two_encodings(
            secret in "[a-z0-9A-Z+/=_%& \\\\\"-]{10,40}",
            before in "[a-z:= ]{0,5}",
            first in 0..22_usize,
            second in 0..22_usize,
        ) {
            let encoders = encoders();
            let encoded = encoders[second].1(&encoders[first].1(secret.as_bytes()));
            let text = [before.as_bytes(), &encoded, b" &c=1"].concat();
            let found = search(secret.as_bytes());
            prop_assert!(
                found.is_in(&text),
                "{} of {} of {secret:?}: {}", encoders[second].0, encoders[first].0, String::from_utf8_lossy(&text)
            );
            // With every part that was found taken out, nothing is left that reveals it.
            let mut left = text.clone();
            for _ in 0..text.len() {
                let Some(place) = found.places(&left).into_iter().next() else { break };
                left.splice(place, *b"#");
            }
            prop_assert!(!found.is_in(&left));
        }

        #[test]
        fn what_does_not_hold_it_is_left_alone(text in "[ -~]{0,200}") {
            let found = search(b"not-in-there-0123456789");
            prop_assert!(!found.is_in(text.as_bytes()));
            prop_assert!(found.places(text.as_bytes()).is_empty());
        }

        #[test]
        fn any_bytes_are_searched(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            search(b"\xff\x00binary-secret").is_in(&text);
        }
    }

    #[test]
    fn a_place_is_the_encoded_part_and_no_more() {
        let found = search(b"whsec_C2FVsBQI/rscChlQIMV+b5s");
        for (text, expected) in [
            ("a whsec_C2FVsBQI/rscChlQIMV+b5s b", "whsec_C2FVsBQI/rscChlQIMV+b5s"),
            (r"a whsec_C2FVsBQI\/rscChlQIMV\u002Bb5s b", r"whsec_C2FVsBQI\/rscChlQIMV\u002Bb5s"),
            ("k=whsec_C2FVsBQI%2frscChlQIMV%2Bb5s&x=%20", "whsec_C2FVsBQI%2frscChlQIMV%2Bb5s"),
            ("k=whsec_C2FVsBQI%252frscChlQIMV%252Bb5s&x", "whsec_C2FVsBQI%252frscChlQIMV%252Bb5s"),
            ("whsec_C2FVsBQI&sol;rscChlQIMV&#43;b5s;", "whsec_C2FVsBQI&sol;rscChlQIMV&#43;b5s"),
        ] {
            let places = found.places(text.as_bytes());
            assert!(places.iter().any(|place| &text[place.clone()] == expected), "{text}: {places:?}");
            assert!(places.iter().all(|place| expected.contains(&text[place.clone()])), "{text}: {places:?}");
        }
    }
}
