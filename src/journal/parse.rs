//! A line read leniently: unknown fields are skipped, and known fields may hold the words of a newer hookctl.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::de::value::{BorrowedStrDeserializer, Error as ValueError};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::record::{Answer, Duplicate, Record, SentAttempt, SentOutcome, VERSION};
use super::summary::{Summary, is_id};
use super::write::TYPE;
use crate::json::string::{self, Strictness};
use crate::json::value;
use crate::payload::delivery::Delivery;
use crate::payload::headers::{FieldName, Headers};
use crate::payload::lint::Warning;
use crate::payload::provider::Provider;
use crate::signature::{Reason, Verdict};

/// The fields of a line, from which both a [`Record`] and a [`Summary`] are made. The body stays as it stands in the
/// line: a summary only checks that it is a string.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    /// Read from every line that is a record, whatever its form: only a summary needs a known version.
    #[serde(default, borrow)]
    v: Option<&'a RawValue>,
    #[serde(default)]
    seq: u64,
    #[serde(default, borrow, deserialize_with = "present")]
    id: Option<Text<'a>>,
    #[serde(default, borrow)]
    direction: Option<Text<'a>>,
    #[serde(borrow)]
    at: Text<'a>,
    #[serde(default, borrow)]
    remote: Option<Text<'a>>,
    #[serde(default, borrow)]
    method: Text<'a>,
    #[serde(default, borrow)]
    target: Text<'a>,
    #[serde(default, borrow)]
    http: Text<'a>,
    #[serde(default, borrow)]
    headers: Vec<(Text<'a>, Text<'a>)>,
    #[serde(default, borrow)]
    body: Option<&'a RawValue>,
    #[serde(default, borrow)]
    body_base64: Option<Text<'a>>,
    /// `Some(None)` for `null`, and `None` where the line has no such field.
    #[serde(default, borrow, deserialize_with = "present")]
    payload: Option<Option<PayloadFields<'a>>>,
    #[serde(default, borrow)]
    signature: Option<SignatureFields<'a>>,
    #[serde(default, borrow)]
    duplicate_of: Option<Text<'a>>,
    #[serde(default, borrow)]
    warnings: Vec<WarningFields<'a>>,
    #[serde(default)]
    answer: Option<Answer>,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default)]
    of: Option<u32>,
    #[serde(default, borrow)]
    url: Option<Text<'a>>,
    #[serde(default)]
    outcome: Option<SentOutcome>,
    #[serde(default, borrow)]
    error: Option<Text<'a>>,
    #[serde(default, borrow)]
    case: Option<Text<'a>>,
    #[serde(default, borrow)]
    expect_status: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct SignatureFields<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    verdict: Option<Text<'a>>,
    #[serde(default, borrow)]
    scheme: Option<Text<'a>>,
    #[serde(default, borrow)]
    secret: Option<Text<'a>>,
    #[serde(default, borrow)]
    reason: Option<Text<'a>>,
    #[serde(default, borrow)]
    hint: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct WarningFields<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) code: Option<Text<'a>>,
    #[serde(default, borrow)]
    path: Text<'a>,
    #[serde(default, borrow)]
    message: Text<'a>,
}

/// A string, borrowed from the line where it has no escapes: serde borrows a `Cow` only where it is a field of its own.
#[derive(Default, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    fn into_string(self) -> String {
        self.0.into_owned()
    }
}

/// Tells a field with a value, `null` included, from a field that is not in the line.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The members of `payload`. A record needs the provider alone: all others are read from the body again.
#[derive(Default)]
struct PayloadFields<'a> {
    provider: Option<Cow<'a, str>>,
    event: Option<Cow<'a, str>>,
    status: Option<Cow<'a, str>>,
    raw_status: Option<Cow<'a, str>>,
    ids: Vec<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for PayloadFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PayloadFieldsVisitor<'a>(PhantomData<&'a str>);

        impl<'de: 'a, 'a> Visitor<'de> for PayloadFieldsVisitor<'a> {
            type Value = PayloadFields<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the members of a payload")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut fields = PayloadFields::default();
                let mut has_provider = false;
                while let Some(Text(name)) = members.next_key()? {
                    let field = match name.as_ref() {
                        "provider" if has_provider => return Err(Error::duplicate_field("provider")),
                        "provider" => {
                            has_provider = true;
                            fields.provider = members.next_value::<Option<Text<'a>>>()?.map(|Text(name)| name);
                            continue;
                        }
                        "event" => &mut fields.event,
                        "status" => &mut fields.status,
                        "raw_status" => &mut fields.raw_status,
                        name if is_id(name) => {
                            fields.ids.extend(value::string(members.next_value::<&'a RawValue>()?.get()));
                            continue;
                        }
                        _ => {
                            members.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    *field = value::string(members.next_value::<&'a RawValue>()?.get());
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(PayloadFieldsVisitor(PhantomData))
    }
}

impl From<SignatureFields<'_>> for Verdict {
    fn from(SignatureFields { verdict, scheme, secret, reason, hint }: SignatureFields<'_>) -> Self {
        let owned = |text: Option<Text<'_>>| text.map(Text::into_string);
        let reason = reason
            .and_then(|Text(reason)| Reason::deserialize(BorrowedStrDeserializer::<ValueError>::new(&reason)).ok());
        let (scheme, secret) = (owned(scheme), owned(secret).unwrap_or_default());
        match verdict.unwrap_or_default().0.as_ref() {
            "verified" => Verdict::Verified { scheme: scheme.unwrap_or_default().into(), secret },
            "authenticated" => Verdict::Authenticated { scheme: scheme.unwrap_or_default().into(), secret },
            "invalid" => Verdict::Invalid {
                scheme,
                reason: reason.unwrap_or(Reason::Other),
                hint: owned(hint).unwrap_or_default(),
            },
            "unsigned" => Verdict::Unsigned,
            // An unknown verdict is read as `Unchecked`.
            _ => Verdict::Unchecked,
        }
    }
}

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
            (Some(body), _) => body_bytes(body.get()).map_err(|error| {
                // A slice of the line, so its address tells its column.
                Damage::of(&error, body.get().as_ptr().addr() - line.as_ptr().addr())
            })?,
            (None, Some(Text(base64))) => STANDARD
                .decode(base64.as_bytes())
                .map_err(|error| Damage(format!("body_base64 is not base64: {error}")))?
                .into(),
            (None, None) => Bytes::new(),
        };
        let headers: Headers =
            self.headers.iter().map(|(Text(name), Text(value))| header(name, value)).collect::<Result<_, _>>()?;
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

/// The bytes of a body that stands in a line as this JSON string.
fn body_bytes(text: &str) -> Result<Bytes, serde_json::Error> {
    let mut bytes = Vec::new();
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        // Eight bytes at a time: a body is most of a line, and nearly all of its escapes are quotation marks.
        Some(inner) if string::unescape(inner.as_bytes(), Strictness::Unicode, &mut bytes).is_some() => {
            Ok(bytes.into())
        }
        // Not a string, or an escape that is no character: serde has the words for the reason.
        _ => serde_json::from_str::<String>(text).map(Bytes::from),
    }
}

/// Whether a JSON value is a string. A raw value was scanned already, but for surrogates in its escapes.
fn is_string(text: &str) -> bool {
    text.starts_with('"') && (memchr::memmem::find(text.as_bytes(), b"\\u").is_none() || body_bytes(text).is_ok())
}

fn header(name: &str, value: &str) -> Result<(FieldName, HeaderValue), Damage> {
    // Long enough for every name that is meant to be one.
    const LONGEST: usize = 60;
    let damaged = |what: &str| {
        let shown: String = name.chars().take(LONGEST).collect();
        Damage(format!("the header {shown:?} has {what}"))
    };
    let field = FieldName::spelled(name).map_err(|_| damaged("a name that HTTP does not allow"))?;
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| damaged("a value that HTTP does not allow"))?;
    Ok((field, value))
}

/// Whether HTTP allows this name. Checked byte by byte for nearly all names, as every line has a dozen of them.
pub(super) fn is_header_name(name: &str) -> bool {
    const USUAL: [bool; 256] = {
        let mut usual = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            usual[byte] = (byte as u8).is_ascii_alphanumeric() || byte == b'-' as usize || byte == b'_' as usize;
            byte += 1;
        }
        usual
    };
    let are_usual = name.bytes().fold(true, |all, byte| all & USUAL[usize::from(byte)]);
    (are_usual && (1..=64).contains(&name.len())) || HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Whether HTTP allows this value.
pub(super) fn is_header_value(value: &[u8]) -> bool {
    value.iter().fold(true, |all, byte| all & ((*byte >= b' ' && *byte != 0x7f) || *byte == b'\t'))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::journal::fast::FastLine;
    use crate::journal::record::AnsweredBy;
    use crate::payload::Payload;

    fn read(line: &str) -> Record {
        let Ok(Parsed::Delivery(record)) = Record::parse(line) else { panic!("a delivery: {line}") };
        *record
    }

    /// The line of a sent delivery.
    fn sent_line() -> String {
        line_of(Some(SentAttempt {
            attempt: 1,
            of: 2,
            url: "u".into(),
            outcome: None,
            error: None,
            case: None,
            expect_status: None,
        }))
    }

    fn line_of(sent: Option<SentAttempt>) -> String {
        let body = br#"{"id":"abc","status":"success","output":"u","input":{}}"#;
        let delivery = Delivery::bare(Headers::default(), Bytes::from_static(body));
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        let record = Record {
            id: "0198".into(),
            payload,
            verdict: Verdict::Verified { scheme: "eachlabs".into(), secret: "main".into() },
            warnings: vec![Warning::new("w", "p", "m".into())],
            answer: Some(Answer::new(200, AnsweredBy::Script, 0.41)),
            sent,
            ..Record::bare(Timestamp::UNIX_EPOCH, delivery)
        };
        String::from_utf8(record.to_line()).unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_summary_of_what_a_newer_hookctl_may_write_is_that_of_the_record() {
        let (own, received) = (sent_line(), line_of(None));
        let cases = [
            ("", "", ""),
            (r#""error":null},"signature""#, r#""error":null,"cost":0.1},"signature""#, "a number in the summary"),
            (r#""error":null},"signature""#, r#""error":null,"trace_id":null},"signature""#, "null in the summary"),
            (r#""error":null},"signature""#, r#""error":null,"region":"eu"},"signature""#, "a name that is not an id"),
            (r#""verdict":"verified""#, r#""verdict":"moonlit""#, "a verdict"),
            (r#","scheme":"eachlabs","secret":"main""#, "", "a verdict without its scheme"),
            (r#""by":"script","#, "", "an answer without its source"),
            (r#","ms":0.41"#, "", "an answer without its time"),
            (r#""path":"p","#, "", "a warning without its path"),
            (r#""provider":"eachlabs""#, r#""provider":"newcomer""#, "a provider"),
        ];
        let cases_of_sent = [
            (r#""attempt":1,"of":2,"url":"u","outcome":null,"#, "", "a sent delivery without its attempt"),
            (r#""outcome":null"#, r#""outcome":"teleported""#, "an outcome"),
            (r#""direction":"sent""#, r#""direction":"relayed""#, "a direction"),
        ];
        assert!(FastLine::parse(&received).is_some(), "{received}");
        let sent = cases.iter().chain(&cases_of_sent).map(|case| (&own, case, true));
        for (own, (known, newer, what), is_sent) in sent.chain(cases.iter().map(|case| (&received, case, false))) {
            assert!(own.contains(known), "{what}");
            let line = own.replacen(known, newer, 1);
            let record = read(&line);
            let expected = format!("{:?}", Summary::from(&record));
            let summary = Summary::parse(&line).map_or_else(|| expected.clone(), |summary| format!("{summary:?}"));
            assert_eq!(summary, expected, "{what}");
            assert_eq!(record.sent.is_some(), is_sent, "{what}");
        }
        assert_eq!(read(&own.replace("verified", "moonlit")).verdict, Verdict::Unchecked);
    }

    #[test]
    fn lines_of_a_newer_version_are_parsed_and_damaged_lines_explained() {
        let newer = r#"{"type":"delivery","v":9,"at":"2026-11-20T21:23:21Z","body":"{}","new":[1],"signature":{"verdict":"invalid","scheme":null,"reason":"moon_phase","hint":"wait"},"payload":{"provider":"nobody","event":null,"status":null,"raw_status":null,"id":null,"key":null}}"#;
        let read = read(newer);
        assert!(read.verdict.is_invalid());
        assert_eq!(read.payload.unwrap().provider.name, "generic");
        assert!(matches!(Record::parse(r#"{"type":"summary","n":1}"#), Ok(Parsed::Other(t)) if t == "summary"));
        assert!(matches!(Record::parse(r#"{"type":"of the future"}"#), Ok(Parsed::Other(_))));
        let damage = |line: &str| Record::parse(line).unwrap_err().0;
        assert_eq!(damage(r#"{"type":"delivery","at":"2026-11"#), "EOF while parsing a string at column 32");
        assert_eq!(damage(r#"{"type":"delivery","v":1}"#), "missing field `at` at column 25");
        assert_eq!(
            damage(r#"{"type":"delivery","v":9}"#),
            "a newer hookctl wrote it, in version 9 of the form: missing field `at` at column 25"
        );
        assert!(Record::parse("[]").is_err());
        let at = r#"{"type":"delivery","at":"2026-11-20T21:23:21Z","body":"#;
        assert_eq!(damage(&format!("{at}7}}")), "invalid type: integer `7`, expected a string at column 55");
        assert_eq!(damage(&format!(r#"{at}"a\ud800"}}"#)), "unexpected end of hex escape at column 63");
    }

    #[test]
    fn a_payload_with_a_type_is_not_a_journal_line() {
        assert!(is_journal_line(sent_line().as_bytes()));
        assert!(is_journal_line(br#"{"type":"ready","v":1}"#));
        assert!(!is_journal_line(br#"{"type":"summary","id":"o1"}"#));
        assert!(!is_journal_line(br#"{"type":"order.paid","at":"2026-11-20T21:23:21Z","v":1}"#));
        assert!(!is_journal_line(br#"{"type":"delivery","at":"2026-11-20T21:23:21Z"}"#));
        assert!(!is_journal_line(b"[1]") && !is_journal_line(b"") && !is_journal_line(&[0xff]));
    }
}
