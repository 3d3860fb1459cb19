//! A line as hookctl writes those that were received: every field in its place, without white space. What is read here,
//! reading it as any JSON gives too; a line that is spelled otherwise is left to that.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, Error};

use super::record::{Answer, AnsweredBy, Summary};
use super::summary::{BorrowedText, WarningCode, is_id};
use super::write;
use crate::json::key_filter::KeyFilter;
use crate::json::string;
use crate::payload::delivery::Lookup;
use crate::payload::provider::Provider;
use crate::signature::Verdict;

/// A line in this form.
pub(crate) struct FastLine<'a> {
    /// It at a glance.
    pub(crate) glance: Summary<'a>,
    /// Its request.
    pub(crate) request: RawRequest<'a>,
}

/// What stands of the request in a line, passed over: most of it, and seldom wanted.
#[derive(Clone, Copy)]
pub(crate) struct RawRequest<'a> {
    /// From the list of headers on.
    headers: Cursor<'a>,
    /// A body that is text and not compressed, with its escapes.
    body: Option<&'a str>,
}

/// What a signature may cover, where it stands in a line.
pub(crate) struct SignedParts<'a> {
    /// The headers.
    pub(crate) headers: BorrowedHeaders<'a>,
    body: &'a str,
}

/// Names and values of headers, as they stand in a line.
pub(crate) struct BorrowedHeaders<'a> {
    list: Vec<(&'a str, &'a str)>,
    names: KeyFilter,
}

impl Lookup for BorrowedHeaders<'_> {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let list = if self.names.cover(KeyFilter::of_header(name)) { self.list.as_slice() } else { &[] };
        list.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| Cow::Borrowed(*value))
    }
}

impl<'a> FastLine<'a> {
    /// Reads a line; `None` for one in another form, or in none. Its headers and its body, which are most of it, are passed
    /// over, but not blindly: a line that was torn within them is no delivery.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        if !text.as_bytes().starts_with(write::BEGINNING) {
            return None;
        }
        let mut rest = Cursor(&text[write::BEGINNING.len()..]);
        rest.digits()?;
        rest.word(",\"id\":")?;
        let record = rest.text()?;
        rest.word(",\"direction\":\"received\",\"at\":")?;
        let at = rest.text()?.parse().ok()?;
        let request = rest.request()?;
        let mut glance = Summary {
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
        rest.tell(&mut glance)?;
        Some(FastLine { glance, request })
    }
}

impl<'a> RawRequest<'a> {
    /// What a signature may cover; `None` where the request is not as plain as most are: a body that is compressed or no
    /// text, a header with an escape.
    pub(crate) fn sealed(mut self) -> Option<SignedParts<'a>> {
        let body = self.body?;
        let mut headers = BorrowedHeaders { list: Vec::with_capacity(16), names: KeyFilter::default() };
        self.headers.headers(|name, value| {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            let is_named = !name.is_empty() && name.bytes().all(is_name);
            headers.list.push((name, value));
            headers.names = headers.names.and(KeyFilter::of_header(name));
            // No header's value can hold the latter, though a JSON string can.
            (is_named && memchr::memchr2(b'\\', 0x7f, value.as_bytes()).is_none()).then_some(())
        })?;
        Some(SignedParts { headers, body })
    }
}

impl SignedParts<'_> {
    /// Writes the bytes of the body into a buffer, in place of what it held.
    pub(crate) fn body(&self, into: &mut Vec<u8>) -> Option<()> {
        string::undo(self.body.as_bytes(), into)
    }
}

/// What is left of a line, from which one thing after the other is taken off.
#[derive(Clone, Copy)]
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
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
        // Near the end there is less than is looked at together; there nothing is read but the last brackets.
        let (plain, rest) = text.split_at_checked(string::plain(text.as_bytes()))?;
        self.0 = rest.strip_prefix('"')?;
        Some(plain)
    }

    /// A string as it stands, with its escapes.
    fn string(&mut self) -> Option<&'a str> {
        match self.plain() {
            Some(plain) => Some(plain),
            None => {
                let text = self.0.strip_prefix('"')?;
                let (string, rest) = text.split_at_checked(string::length(text.as_bytes())?)?;
                self.0 = rest.strip_prefix('"')?;
                Some(string)
            }
        }
    }

    fn plain_or_null(&mut self) -> Option<Option<&'a str>> {
        if self.word("null").is_some() { Some(None) } else { self.plain().map(Some) }
    }

    /// A string, whatever escapes it has.
    fn text(&mut self) -> Option<Cow<'a, str>> {
        match self.plain() {
            Some(plain) => Some(Cow::Borrowed(plain)),
            None => self.value::<BorrowedText<'a>>().map(|text| text.0),
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

    /// The request, of which nothing is looked at but whether it is one.
    fn request(&mut self) -> Option<RawRequest<'a>> {
        self.word(",\"remote\":")?;
        if self.word("null").is_none() {
            self.string()?;
        }
        for name in [",\"method\":", ",\"target\":", ",\"http\":"] {
            self.word(name)?;
            self.string()?;
        }
        self.word(",\"headers\":")?;
        let headers = *self;
        self.headers(|_, _| Some(()))?;
        let is_encoded = self.word(",\"encoding\":").is_some();
        if is_encoded {
            self.string()?;
        }
        let mut body = None;
        if self.word(",\"body\":").is_some() {
            body = Some(self.string()?).filter(|_| !is_encoded);
        } else if self.word(",\"body_base64\":").is_some() {
            STANDARD.decode(self.plain()?).ok()?;
        }
        Some(RawRequest { headers, body })
    }

    /// Names and values of headers, as they stand, with their escapes.
    fn headers(&mut self, mut each: impl FnMut(&'a str, &'a str) -> Option<()>) -> Option<()> {
        self.word("[")?;
        let mut is_first = true;
        while self.word("]").is_none() {
            if !is_first {
                self.word(",")?;
            }
            is_first = false;
            self.word("[")?;
            let name = self.string()?;
            self.word(",")?;
            let value = self.string()?;
            self.word("]")?;
            each(name, value)?;
        }
        Some(())
    }

    /// What stands behind the request, to the end of the line.
    fn tell(mut self, glance: &mut Summary<'a>) -> Option<()> {
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
            glance.warnings = self.value::<Vec<WarningCode<'a>>>()?.into_iter().map(|warning| warning.code).collect();
        }
        self.word(",\"answer\":")?;
        glance.answer = self.answer()?;
        // Those that were sent go on.
        (self.0 == "}").then_some(())
    }

    fn payload(&mut self, glance: &mut Summary<'a>) -> Option<()> {
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
            // What else there is may be one of those above again.
            glance.ids.push(is_id(name).then_some(id)?);
        }
        Some(())
    }

    fn signature(&mut self, glance: &mut Summary<'a>) -> Option<()> {
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
        let by = AnsweredBy::deserialize(BorrowedStrDeserializer::<Error>::new(rest.plain()?)).ok()?;
        rest.word(",\"ms\":")?;
        let whole = rest.digits()?;
        let mut number = whole.len();
        let text = &self.0[self.0.len() - rest.0.len() - whole.len()..];
        if rest.word(".").is_some() {
            number += 1 + rest.0.bytes().position(|byte| !byte.is_ascii_digit()).filter(|length| *length > 0)?;
        }
        let ms = text[..number].parse().ok()?;
        *self = Cursor(text[number..].strip_prefix('}')?);
        Some(Answer { status: Some(status), by, did: None, ms, line: None })
    }
}
