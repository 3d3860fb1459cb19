//! A line as hookctl writes those that were received: every field in its place, without white space. What is read here,
//! reading it as any JSON gives too; a line that is spelled otherwise is left to that.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, Error};

use super::glance::{Code, Key, is_id};
use super::{Answer, By, Glance, line};
use crate::payload::delivery::Lookup;
use crate::payload::provider::Provider;
use crate::payload::signature::Verdict;

/// A line in this form.
pub struct Ours<'a> {
    /// It at a glance.
    pub glance: Glance<'a>,
    /// Its request, unread.
    pub request: Request<'a>,
}

/// What stands of the request in a line: most of it, and seldom wanted.
#[derive(Clone, Copy)]
pub struct Request<'a>(Rest<'a>);

/// What a signature may cover, where it stands in a line.
pub struct Sealed<'a> {
    /// The headers.
    pub headers: Listed<'a>,
    body: &'a str,
}

/// Names and values of headers, as they stand in a line.
pub struct Listed<'a>(Vec<(&'a str, &'a str)>);

impl Lookup for Listed<'_> {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        self.0.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| Cow::Borrowed(*value))
    }
}

impl<'a> Ours<'a> {
    /// Reads a line; `None` for one in another form. Its headers and its body, which are most of it, are not even passed
    /// over: that `,"payload":` is found behind them cannot be their doing, as they are texts, in which every quotation
    /// mark has a backslash before it.
    pub fn read(text: &'a str) -> Option<Self> {
        static PAYLOAD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(",\"payload\":"));
        let text = text.strip_suffix('\n').unwrap_or(text);
        if !text.as_bytes().starts_with(line::BEGINNING) {
            return None;
        }
        let mut head = Rest(&text[line::BEGINNING.len()..]);
        head.digits()?;
        head.word(",\"id\":")?;
        let record = head.text()?;
        head.word(",\"direction\":\"received\",\"at\":")?;
        let at = head.text()?.parse().ok()?;
        let length = PAYLOAD.find(head.0.as_bytes())?;
        let (request, told) = head.0.split_at_checked(length)?;
        let mut glance = Glance {
            record,
            at,
            provider: None,
            event: None,
            status: None,
            raw_status: None,
            ids: Vec::new(),
            is_sent: false,
            verdict: Cow::Borrowed(""),
            reason: None,
            answer: None,
            is_repeat: false,
            warnings: Vec::new(),
        };
        Rest(told).tell(&mut glance)?;
        Some(Ours { glance, request: Request(Rest(request)) })
    }
}

impl<'a> Request<'a> {
    /// What a signature may cover; `None` where the request is not as plain as most are: a body that is compressed or no
    /// text, a header with an escape.
    pub fn sealed(self) -> Option<Sealed<'a>> {
        let mut rest = self.0;
        rest.word(",\"remote\":")?;
        rest.plain_or_null()?;
        for name in [",\"method\":", ",\"target\":", ",\"http\":"] {
            rest.word(name)?;
            rest.plain()?;
        }
        rest.word(",\"headers\":[")?;
        let listed = rest.0;
        let mut headers = Vec::with_capacity(16);
        while rest.word("]").is_none() {
            if !headers.is_empty() {
                rest.word(",")?;
            }
            rest.word("[")?;
            let name = rest.plain()?;
            rest.word(",")?;
            headers.push((name, rest.plain()?));
            rest.word("]")?;
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if name.is_empty() || !name.bytes().all(is_name) {
                return None;
            }
        }
        // No header's value can hold it, though a JSON string can.
        if memchr::memchr(0x7f, &listed.as_bytes()[..listed.len() - rest.0.len()]).is_some() {
            return None;
        }
        rest.word(",\"body\":\"")?;
        Some(Sealed { headers: Listed(headers), body: rest.0.strip_suffix('"')? })
    }
}

impl Sealed<'_> {
    /// Writes the bytes of the body into a buffer, in place of what it held; `None` where they are no JSON string.
    pub fn body(&self, into: &mut Vec<u8>) -> Option<()> {
        unescape(self.body.as_bytes(), into)
    }
}

/// What is left of a line, from which one thing after the other is taken off.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Exactly this. Inlined, so that it is compared as the constant that it always is.
    #[inline(always)]
    fn word(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// A whole number, as JSON has it, of which the value does not matter.
    fn digits(&mut self) -> Option<&'a str> {
        let length = self.0.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at(length);
        // What more digits give may be more than there is room for.
        let is_number = (1..=19).contains(&length) && (length == 1 || !digits.starts_with('0'));
        self.0 = rest;
        is_number.then_some(digits)
    }

    /// A string without escapes.
    fn plain(&mut self) -> Option<&'a str> {
        let text = self.0.strip_prefix('"')?;
        let mut length = 0;
        while let Some(word) = text.as_bytes()[length..].first_chunk() {
            let plain = stand_for_themselves(*word);
            length += plain;
            if plain < WORD {
                break;
            }
        }
        // Near the end there is less than a word; there nothing is read but the last brackets.
        let (plain, rest) = text.split_at_checked(length)?;
        self.0 = rest.strip_prefix('"')?;
        Some(plain)
    }

    fn plain_or_null(&mut self) -> Option<Option<&'a str>> {
        if self.word("null").is_some() { Some(None) } else { self.plain().map(Some) }
    }

    /// A string, whatever escapes it has.
    fn text(&mut self) -> Option<Cow<'a, str>> {
        match self.plain() {
            Some(plain) => Some(Cow::Borrowed(plain)),
            None => self.value::<Key<'a>>().map(|text| text.0),
        }
    }

    fn text_or_null(&mut self) -> Option<Option<Cow<'a, str>>> {
        if self.word("null").is_some() { Some(None) } else { self.text().map(Some) }
    }

    /// A value of any kind.
    fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter();
        let value = values.next()?.ok()?;
        self.0 = &self.0[values.byte_offset()..];
        Some(value)
    }

    /// What stands behind the request, to the end of the line.
    fn tell(mut self, glance: &mut Glance<'a>) -> Option<()> {
        self.word(",\"payload\":")?;
        if self.word("null").is_none() {
            self.payload(glance)?;
        }
        self.word(",\"signature\":")?;
        self.signature(glance)?;
        self.word(",\"duplicate_of\":")?;
        glance.is_repeat = self.text_or_null()?.is_some();
        self.word(",\"warnings\":")?;
        if self.word("[]").is_none() {
            glance.warnings = self.value::<Vec<Code<'a>>>()?.into_iter().map(|warning| warning.code).collect();
        }
        self.word(",\"answer\":")?;
        glance.answer = self.answer()?;
        // Those that were sent go on.
        (self.0 == "}").then_some(())
    }

    fn payload(&mut self, glance: &mut Glance<'a>) -> Option<()> {
        self.word("{\"provider\":")?;
        glance.provider = Some(self.text()?);
        // What is not known here is read out of the body.
        Provider::named(glance.provider.as_ref()?)?;
        self.word(",\"variant\":")?;
        self.plain()?;
        self.word(",\"kind\":")?;
        self.plain()?;
        self.word(",\"event\":")?;
        glance.event = self.text_or_null()?;
        self.word(",\"event_inferred\":")?;
        self.word("true").or_else(|| self.word("false"))?;
        self.word(",\"status\":")?;
        glance.status = self.text_or_null()?;
        self.word(",\"raw_status\":")?;
        glance.raw_status = self.text_or_null()?;
        self.word(",\"id\":")?;
        glance.ids.extend(self.text_or_null()?);
        self.word(",\"key\":")?;
        self.text_or_null()?;
        self.word(",\"error\":")?;
        self.text_or_null()?;
        while self.word("}").is_none() {
            self.word(",")?;
            let name = self.plain()?;
            self.word(":")?;
            let id = self.text()?;
            glance.ids.extend(is_id(name).then_some(id));
        }
        Some(())
    }

    fn signature(&mut self, glance: &mut Glance<'a>) -> Option<()> {
        self.word("{\"verdict\":")?;
        let verdict = self.plain()?;
        if !Verdict::NAMES.contains(&verdict) {
            return None;
        }
        glance.verdict = Cow::Borrowed(verdict);
        if self.word(",\"scheme\":").is_some() {
            self.plain_or_null()?;
        }
        if self.word(",\"secret\":").is_some() {
            self.text()?;
        }
        if self.word(",\"reason\":").is_some() {
            glance.reason = Some(self.text()?);
            self.word(",\"hint\":")?;
            self.text()?;
        }
        self.word("}")
    }

    fn answer(&mut self) -> Option<Option<Answer>> {
        match self.word("null") {
            Some(()) => Some(None),
            None => self.usual_answer().map(Some).or_else(|| self.value()),
        }
    }

    /// One with a status that was sent whole, in some time that is written without an exponent.
    fn usual_answer(&mut self) -> Option<Answer> {
        let mut rest = *self;
        rest.word("{\"status\":")?;
        let status = rest.digits()?.parse().ok()?;
        rest.word(",\"by\":")?;
        let by = By::deserialize(BorrowedStrDeserializer::<Error>::new(rest.plain()?)).ok()?;
        rest.word(",\"ms\":")?;
        let whole = rest.digits()?;
        let mut number = whole.len();
        let text = &self.0[self.0.len() - rest.0.len() - whole.len()..];
        if rest.word(".").is_some() {
            number += 1 + rest.0.bytes().position(|byte| !byte.is_ascii_digit()).filter(|length| *length > 0)?;
        }
        let ms = text[..number].parse().ok()?;
        *self = Rest(text[number..].strip_prefix('}')?);
        Some(Answer { status: Some(status), by, did: None, ms, line: None })
    }
}

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

/// Undoes the escapes of a JSON string, given without its quotation marks.
fn unescape(text: &[u8], into: &mut Vec<u8>) -> Option<()> {
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
        if text[from] != b'\\' {
            return None;
        }
        let simple = match text.get(from + 1)? {
            byte @ (b'"' | b'\\' | b'/') => *byte,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'u' => {
                let (character, length) = unicode(&text[from..])?;
                to += character.encode_utf8(&mut into[to..]).len();
                from += length;
                continue;
            }
            _ => return None,
        };
        into[to] = simple;
        (from, to) = (from + 2, to + 1);
    }
    into.truncate(to);
    Some(())
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
