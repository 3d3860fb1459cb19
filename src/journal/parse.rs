//! Parses a line of a journal to a record or a summary, or names the damage of the line.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use super::header::{header, is_header_name, is_header_value};
use super::line::{Line, PayloadFields, SignatureFields, Text, WarningFields};
use super::record::{Duplicate, Record, SentAttempt, VERSION};
use super::summary::Summary;
use super::write::TYPE;
use crate::json::edit::container::span;
use crate::json::string::{self, Strictness};
use crate::payload::delivery::Delivery;
use crate::payload::headers::Headers;
use crate::payload::lint::Warning;
use crate::payload::provider::Provider;
use crate::signature::Verdict;

/// A line of a journal.
#[derive(Debug)]
pub enum Parsed {
    /// A delivery.
    Delivery(Box<Record>),
    /// Another object of the stream, of this type.
    Other(String),
}

/// Why a line is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage(pub(crate) String);

impl Damage {
    /// The error of a value that starts `offset` bytes into the line. A line is its own line 1, so the text names the
    /// column alone.
    fn of(error: &serde_json::Error, offset: usize) -> Self {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        Damage(match text.strip_suffix(&place) {
            Some(reason) => format!("{reason} at column {}", offset + error.column()),
            None => text,
        })
    }
}

/// The text of a line; `None` for a blank line.
pub(crate) fn line_text(line: &[u8]) -> Result<Option<&str>, Damage> {
    let text = std::str::from_utf8(line).map_err(|_| Damage("it is not UTF-8".to_owned()))?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

impl Record {
    /// Parses a line of a file that is known to be a journal.
    ///
    /// # Errors
    /// When the line is not JSON, or lacks a field that every version has, or holds a value of the wrong type.
    pub fn parse(line: &str) -> Result<Parsed, Damage> {
        let fields: Line<'_> = match serde_json::from_str(line) {
            Ok(fields) => fields,
            Err(error) => return explain(line, &error),
        };
        if fields.r#type.0 != TYPE {
            return Ok(Parsed::Other(fields.r#type.into_string()));
        }
        fields.into_record(line).map(|record| Parsed::Delivery(Box::new(record)))
    }
}

impl<'a> Summary<'a> {
    /// Parses a line in any spelling; `None` for a line that is not a delivery of this version or has fewer fields than
    /// hookctl writes: [`Record::parse`] decides about that line. Every line with a summary also parses as a record.
    pub(crate) fn parse_any(line: &'a str) -> Option<Self> {
        // A derived struct would be read from a list of its values, too.
        if !line.trim_start().starts_with('{') {
            return None;
        }
        let fields: Line<'a> = serde_json::from_str(line).ok()?;
        fields.into_summary()
    }
}

/// The types of the other objects in a stream.
const OTHER_TYPES: [&str; 4] = ["ready", "attempt", "summary", "drill"];

/// The two fields that distinguish a line of a journal from a payload.
#[derive(Deserialize)]
struct TypeAndVersion<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    v: Option<u32>,
}

/// Whether this is a line of a journal: it has one of hookctl's types and the version of the form. Payloads have a `type`
/// too (OpenAI's `response.completed`), but not both.
pub fn is_journal_line(line: &[u8]) -> bool {
    let marks = serde_json::from_slice::<TypeAndVersion<'_>>(line);
    marks.is_ok_and(|marks| marks.v.is_some() && (marks.r#type == TYPE || OTHER_TYPES.contains(&marks.r#type.as_ref())))
}

/// Returns an object of the stream that is not a delivery, or the damage of the line.
fn explain(line: &str, error: &serde_json::Error) -> Result<Parsed, Damage> {
    let damage = Damage::of(error, 0);
    match serde_json::from_str::<TypeAndVersion<'_>>(line) {
        Ok(marks) if marks.r#type != TYPE => Ok(Parsed::Other(marks.r#type.into_owned())),
        Ok(TypeAndVersion { v: Some(v), .. }) if v > VERSION => {
            Err(Damage(format!("a newer hookctl wrote it, in version {v} of the form: {}", damage.0)))
        }
        _ => Err(damage),
    }
}

impl<'a> Line<'a> {
    fn is_sent(&self) -> bool {
        self.direction.as_ref().is_some_and(|Text(direction)| direction == "sent") || self.attempt.is_some()
    }

    fn into_record(self, line: &str) -> Result<Record, Damage> {
        let is_sent = self.is_sent();
        let body = match (self.body, self.body_base64) {
            (Some(body), _) => {
                body_bytes(body.get()).map_err(|error| Damage::of(&error, span(line, body.get()).start))?
            }
            (None, Some(Text(base64))) => STANDARD
                .decode(base64.as_bytes())
                .map_err(|error| Damage(format!("body_base64 is not base64: {error}")))?
                .into(),
            (None, None) => Bytes::new(),
        };
        let headers: Result<Headers, _> =
            self.headers.iter().map(|(Text(name), Text(value))| header(name, value)).collect();
        let headers = headers.map_err(Damage)?;
        let provider = self.payload.flatten().and_then(|payload| Provider::named(&payload.provider?));
        let delivery = Delivery {
            method: self.method.into_string().into(),
            target: self.target.into_string(),
            http: self.http.into_string().into(),
            headers,
            body,
        };
        let owned = |text: Option<Text<'_>>| text.map(Text::into_string);
        let warnings = self.warnings.into_iter().map(|WarningFields { code, path, message }| Warning {
            code: owned(code).unwrap_or_default(),
            path: path.into_string(),
            message: message.into_string(),
        });
        let attempt = self.attempt.unwrap_or(1);
        Ok(Record {
            seq: self.seq,
            id: owned(self.id).unwrap_or_default(),
            at: self.at.0.parse().map_err(|error| Damage(format!("at: {error}")))?,
            remote: owned(self.remote),
            payload: delivery.payload(provider),
            delivery,
            verdict: self.signature.map_or(Verdict::Unsigned, Verdict::from),
            duplicate: owned(self.duplicate_of).map(|id| Duplicate { id, seen: None }),
            warnings: warnings.collect(),
            answer: self.answer,
            sent: is_sent.then(|| SentAttempt {
                attempt,
                of: self.of.unwrap_or(attempt),
                url: owned(self.url).unwrap_or_default(),
                outcome: self.outcome,
                error: owned(self.error),
                case: owned(self.case),
                // A newer hookctl may write the statuses in another form.
                expect_status: self.expect_status.and_then(|Text(text)| text.parse().ok()),
            }),
        })
    }

    fn into_summary(self) -> Option<Summary<'a>> {
        if self.r#type.0 != TYPE || self.v?.get().parse() != Ok(VERSION) {
            return None;
        }
        match (self.body, &self.body_base64) {
            (Some(body), _) if !is_string(body.get()) => return None,
            (None, Some(Text(base64))) => drop(STANDARD.decode(base64.as_bytes()).ok()?),
            _ => {}
        }
        let are_valid = |(Text(name), Text(value)): &(Text<'_>, Text<'_>)| {
            is_header_name(name) && is_header_value(value.as_bytes())
        };
        if !self.headers.iter().all(are_valid) {
            return None;
        }
        let is_sent = self.is_sent();
        let PayloadFields { provider, event, status, raw_status, ids } = self.payload?.unwrap_or_default();
        let SignatureFields { verdict: Some(Text(verdict)), reason, .. } = self.signature? else { return None };
        // The fields of an unknown provider are read from the body.
        if provider.as_ref().is_some_and(|name| Provider::named(name).is_none())
            || !Verdict::NAMES.contains(&verdict.as_ref())
        {
            return None;
        }
        let codes = self.warnings.into_iter().map(|warning| warning.code.map(|Text(code)| code));
        Some(Summary {
            record: self.id?.0,
            at: self.at.0.parse::<Timestamp>().ok()?,
            provider,
            event,
            status,
            raw_status,
            ids,
            is_sent,
            verdict,
            reason: reason.map(|Text(reason)| reason),
            answer: self.answer,
            is_repeat: self.duplicate_of.is_some(),
            warnings: codes.collect::<Option<_>>()?,
        })
    }
}

/// Decodes the JSON string of a body into bytes.
fn body_bytes(text: &str) -> Result<Bytes, serde_json::Error> {
    let mut bytes = Vec::new();
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        // Eight bytes at a time: a body is most of a line, and nearly all of its escapes are quotation marks.
        Some(inner) if string::unescape(inner.as_bytes(), Strictness::Unicode, &mut bytes).is_some() => {
            Ok(bytes.into())
        }
        // Not a string, or an invalid escape: serde_json returns the error message.
        _ => serde_json::from_str::<String>(text).map(Bytes::from),
    }
}

/// Whether a JSON value is a string. A raw value was scanned already, but for surrogates in its escapes.
fn is_string(text: &str) -> bool {
    text.starts_with('"') && (memchr::memmem::find(text.as_bytes(), b"\\u").is_none() || body_bytes(text).is_ok())
}

#[cfg(test)]
mod tests;
