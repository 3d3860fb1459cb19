//! The fast path: parses a line of a received delivery in the form that [`write`](super::write) writes, with all fields
//! in order and no white space. [`parse`](super::parse) parses any other line. Both return the same summary.
//!
//! Measured over 300,000 deliveries: `inspect --stats` takes 257 ms instead of 515 ms, and with `--secret` 670 ms
//! instead of 3,270 ms.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, Error};

use super::header::{is_header_name, is_header_value};
use super::line::{Text, WarningFields};
use super::record::{Answer, AnsweredBy};
use super::summary::{Summary, is_id};
use super::write;
use crate::json::key_filter::KeyFilter;
use crate::json::string::{self, Strictness};
use crate::payload::headers::Lookup;
use crate::payload::provider::Provider;
use crate::signature::Verdict;

/// A line of a received delivery in the form that hookctl writes.
pub(crate) struct FastLine<'a> {
    pub(crate) summary: Summary<'a>,
    pub(crate) request: RawRequest<'a>,
}

/// The request of a line, checked and not decoded: the request is most of the line, and seldom needed.
#[derive(Clone, Copy)]
pub(crate) struct RawRequest<'a> {
    /// From the list of headers on.
    headers: Cursor<'a>,
    /// A body that is text and not compressed, with its escapes.
    body: Option<&'a str>,
}

/// The parts of a request that a signature may cover, borrowed from the line.
pub(crate) struct SignedParts<'a> {
    pub(crate) headers: BorrowedHeaders<'a>,
    body: &'a str,
}

/// Names and values of headers, borrowed from the line.
pub(crate) struct BorrowedHeaders<'a> {
    list: Vec<(&'a str, &'a str)>,
    names: KeyFilter,
}

impl Lookup for BorrowedHeaders<'_> {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let list = if self.names.cover(KeyFilter::of_caseless(name)) { self.list.as_slice() } else { &[] };
        list.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| Cow::Borrowed(*value))
    }
}

impl<'a> Summary<'a> {
    /// Parses a line; `None` for a line that is not a delivery of this version or has fewer fields than hookctl writes:
    /// [`Record::parse`](super::Record::parse) decides about that line. Every line with a summary also parses as a
    /// record.
    pub fn parse(line: &'a str) -> Option<Self> {
        FastLine::parse(line).map(|line| line.summary).or_else(|| Summary::parse_any(line))
    }
}

impl<'a> FastLine<'a> {
    /// Parses a line; `None` for a line in another form. The headers and the body are skipped, but checked: a line that
    /// was torn within them is no delivery.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        if !text.as_bytes().starts_with(write::BEGINNING) {
            return None;
        }
        let mut rest = Cursor(&text[write::BEGINNING.len()..]);
        rest.digits()?;
        rest.literal(",\"id\":")?;
        let record = rest.text()?;
        rest.literal(",\"direction\":\"received\",\"at\":")?;
        let at = rest.text()?.parse().ok()?;
        let request = rest.request()?;
        let mut summary = Summary {
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
        rest.fields_after_request(&mut summary)?;
        Some(FastLine { summary, request })
    }
}

impl<'a> RawRequest<'a> {
    /// The parts that a signature may cover; `None` for a body that is compressed or not text, and for a header value
    /// with an escape.
    pub(crate) fn signed_parts(mut self) -> Option<SignedParts<'a>> {
        let body = self.body?;
        let mut headers = BorrowedHeaders { list: Vec::with_capacity(16), names: KeyFilter::default() };
        self.headers.headers(|name, value| {
            headers.list.push((name, value));
            headers.names = headers.names.and(KeyFilter::of_caseless(name));
            memchr::memchr(b'\\', value.as_bytes()).is_none().then_some(())
        })?;
        Some(SignedParts { headers, body })
    }
}

impl SignedParts<'_> {
    /// Writes the bytes of the body into a buffer, replacing its content.
    pub(crate) fn write_body(&self, buffer: &mut Vec<u8>) -> Option<()> {
        string::unescape(self.body.as_bytes(), Strictness::Unicode, buffer)
    }
}

/// The rest of a line; each method takes one value off its front.
#[derive(Clone, Copy)]
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    /// Inlined, so that the text is compared as the constant that it always is.
    #[inline(always)]
    fn literal(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// The digits of a whole number.
    fn digits(&mut self) -> Option<&'a str> {
        let length = self.0.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at(length);
        // More digits may exceed 64 bits.
        let is_number = (1..=19).contains(&length) && (length == 1 || !digits.starts_with('0'));
        self.0 = rest;
        is_number.then_some(digits)
    }

    /// A string without escapes.
    fn plain(&mut self) -> Option<&'a str> {
        let text = self.0.strip_prefix('"')?;
        // Eight bytes are compared at a time, and the last seven of a line are never a string's.
        let (plain, rest) = text.split_at_checked(string::plain(text.as_bytes()))?;
        self.0 = rest.strip_prefix('"')?;
        Some(plain)
    }

    /// A string, its escapes not decoded.
    fn string(&mut self) -> Option<&'a str> {
        let text = self.0.strip_prefix('"')?;
        let (string, rest) = text.split_at_checked(string::length(text.as_bytes(), Strictness::Unicode)?)?;
        self.0 = rest.strip_prefix('"')?;
        Some(string)
    }

    fn plain_or_null(&mut self) -> Option<Option<&'a str>> {
        if self.literal("null").is_some() { Some(None) } else { self.plain().map(Some) }
    }

    /// A string with its escapes undone.
    fn text(&mut self) -> Option<Cow<'a, str>> {
        match self.plain() {
            Some(plain) => Some(Cow::Borrowed(plain)),
            None => self.value::<Text<'a>>().map(|text| text.0),
        }
    }

    fn text_or_null(&mut self) -> Option<Option<Cow<'a, str>>> {
        if self.literal("null").is_some() { Some(None) } else { self.text().map(Some) }
    }

    /// A value of any type.
    fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter();
        let value = values.next()?.ok()?;
        self.0 = &self.0[values.byte_offset()..];
        Some(value)
    }

    /// The request, checked and not decoded.
    fn request(&mut self) -> Option<RawRequest<'a>> {
        self.literal(",\"remote\":")?;
        if self.literal("null").is_none() {
            self.string()?;
        }
        for name in [",\"method\":", ",\"target\":", ",\"http\":"] {
            self.literal(name)?;
            self.string()?;
        }
        self.literal(",\"headers\":")?;
        let headers = *self;
        self.headers(|name, _| is_header_name(name).then_some(()))?;
        let list = &headers.0.as_bytes()[..headers.0.len() - self.0.len()];
        // HTTP allows every byte that JSON does not escape, except DEL: one search covers all header values.
        if memchr::memchr2(b'\\', 0x7f, list).is_some() {
            let (mut again, mut bytes) = (headers, Vec::new());
            again.headers(|_, value| {
                string::unescape(value.as_bytes(), Strictness::Unicode, &mut bytes)?;
                is_header_value(&bytes).then_some(())
            })?;
        }
        let is_encoded = self.literal(",\"encoding\":").is_some();
        if is_encoded {
            self.string()?;
        }
        let mut body = None;
        if self.literal(",\"body\":").is_some() {
            body = Some(self.string()?).filter(|_| !is_encoded);
        } else if self.literal(",\"body_base64\":").is_some() {
            STANDARD.decode(self.plain()?).ok()?;
        }
        Some(RawRequest { headers, body })
    }

    /// Calls `each` with every header's name and value, their escapes not decoded.
    fn headers(&mut self, mut each: impl FnMut(&'a str, &'a str) -> Option<()>) -> Option<()> {
        self.literal("[")?;
        let mut is_first = true;
        while self.literal("]").is_none() {
            if !is_first {
                self.literal(",")?;
            }
            is_first = false;
            self.literal("[")?;
            let name = self.string()?;
            self.literal(",")?;
            let value = self.string()?;
            self.literal("]")?;
            each(name, value)?;
        }
        Some(())
    }

    /// The fields between the request and the end of the line.
    fn fields_after_request(mut self, summary: &mut Summary<'a>) -> Option<()> {
        self.literal(",\"payload\":")?;
        if self.literal("null").is_none() {
            self.payload(summary)?;
        }
        self.literal(",\"signature\":")?;
        self.signature(summary)?;
        self.literal(",\"duplicate_of\":")?;
        summary.is_repeat = self.text_or_null()?.is_some();
        self.literal(",\"warnings\":")?;
        if self.literal("[]").is_none() {
            let warnings = self.value::<Vec<WarningFields<'a>>>()?.into_iter();
            summary.warnings = warnings.map(|warning| warning.code.map(|code| code.0)).collect::<Option<_>>()?;
        }
        self.literal(",\"answer\":")?;
        summary.answer = self.answer()?;
        // Sent deliveries have further fields here.
        (self.0 == "}").then_some(())
    }

    fn payload(&mut self, summary: &mut Summary<'a>) -> Option<()> {
        self.literal("{\"provider\":")?;
        summary.provider = Some(self.text()?);
        // The fields of an unknown provider are read from the body.
        Provider::named(summary.provider.as_ref()?)?;
        self.literal(",\"variant\":")?;
        self.plain()?;
        self.literal(",\"kind\":")?;
        self.plain()?;
        self.literal(",\"event\":")?;
        summary.event = self.text_or_null()?;
        self.literal(",\"event_inferred\":")?;
        self.literal("true").or_else(|| self.literal("false"))?;
        self.literal(",\"status\":")?;
        summary.status = self.text_or_null()?;
        self.literal(",\"raw_status\":")?;
        summary.raw_status = self.text_or_null()?;
        self.literal(",\"id\":")?;
        summary.ids.extend(self.text_or_null()?);
        self.literal(",\"key\":")?;
        self.text_or_null()?;
        self.literal(",\"error\":")?;
        self.text_or_null()?;
        while self.literal("}").is_none() {
            self.literal(",")?;
            let name = self.plain()?;
            self.literal(":")?;
            let id = self.text()?;
            // Any other name may repeat a field above.
            summary.ids.push(is_id(name).then_some(id)?);
        }
        Some(())
    }

    fn signature(&mut self, summary: &mut Summary<'a>) -> Option<()> {
        self.literal("{\"verdict\":")?;
        let verdict = self.plain()?;
        if !Verdict::NAMES.contains(&verdict) {
            return None;
        }
        summary.verdict = Cow::Borrowed(verdict);
        if self.literal(",\"scheme\":").is_some() {
            self.plain_or_null()?;
        }
        if self.literal(",\"secret\":").is_some() {
            self.text()?;
        }
        if self.literal(",\"reason\":").is_some() {
            summary.reason = Some(self.text()?);
            self.literal(",\"hint\":")?;
            self.text()?;
        }
        self.literal("}")
    }

    fn answer(&mut self) -> Option<Option<Answer>> {
        match self.literal("null") {
            Some(()) => Some(None),
            None => self.usual_answer().map(Some).or_else(|| self.value()),
        }
    }

    /// An answer with a status and no further fields, its time without an exponent.
    fn usual_answer(&mut self) -> Option<Answer> {
        let mut rest = *self;
        rest.literal("{\"status\":")?;
        let status = rest.digits()?.parse().ok()?;
        rest.literal(",\"by\":")?;
        let by = AnsweredBy::deserialize(BorrowedStrDeserializer::<Error>::new(rest.plain()?)).ok()?;
        rest.literal(",\"ms\":")?;
        let whole = rest.digits()?;
        let mut number = whole.len();
        let text = &self.0[self.0.len() - rest.0.len() - whole.len()..];
        if rest.literal(".").is_some() {
            number += 1 + rest.0.bytes().position(|byte| !byte.is_ascii_digit()).filter(|length| *length > 0)?;
        }
        let ms = text[..number].parse().ok()?;
        *self = Cursor(text[number..].strip_prefix('}')?);
        Some(Answer { status: Some(status), by, did: None, ms, line: None })
    }
}

#[cfg(test)]
mod tests;
