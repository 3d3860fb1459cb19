//! A record read from its line, leniently: fields that are not known are passed over, and of those that are, a newer
//! hookctl may know other words.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use serde::Deserialize;

use super::Record;
use super::record::{Answer, Duplicate, SentAttempt, SentOutcome, VERSION};
use super::write::TYPE;
use crate::payload::delivery::{Delivery, FieldName, Headers};
use crate::payload::lint::Warning;
use crate::payload::provider::Provider;
use crate::signature::{Reason, Verdict};

/// The line as it is read.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    id: String,
    #[serde(default)]
    direction: Option<String>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(default)]
    remote: Option<String>,
    #[serde(default)]
    method: String,
    #[serde(default)]
    target: String,
    #[serde(default)]
    http: String,
    #[serde(default, borrow)]
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default, borrow)]
    body_base64: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    payload: Option<ProviderField<'a>>,
    #[serde(default)]
    signature: Option<Signature>,
    #[serde(default)]
    duplicate_of: Option<String>,
    #[serde(default)]
    warnings: Vec<Warning>,
    #[serde(default)]
    answer: Option<Answer>,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default)]
    of: Option<u32>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    outcome: Option<SentOutcome>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    case: Option<String>,
    #[serde(default)]
    expect_status: Option<String>,
}

/// What of a payload's summary is not found in the body again.
#[derive(Deserialize)]
struct ProviderField<'a> {
    #[serde(default, borrow)]
    provider: Option<Cow<'a, str>>,
}

/// A verdict in any version's words.
#[derive(Deserialize)]
struct Signature {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    scheme: Option<String>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    hint: Option<String>,
}

impl From<Signature> for Verdict {
    fn from(Signature { verdict, scheme, secret, reason, hint }: Signature) -> Self {
        let (by, secret) = (scheme.clone().unwrap_or_default(), secret.unwrap_or_default());
        match verdict.as_str() {
            "verified" => Verdict::Verified { scheme: by.into(), secret },
            "authenticated" => Verdict::Authenticated { scheme: by.into(), secret },
            "invalid" => {
                Verdict::Invalid { scheme, reason: reason.unwrap_or(Reason::Other), hint: hint.unwrap_or_default() }
            }
            "unsigned" => Verdict::Unsigned,
            // A word that is not known vouches for nothing.
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
    /// Every line is its own first one, so only the column is told.
    fn of(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        Damage(match text.strip_suffix(&place) {
            Some(reason) => format!("{reason} at column {}", error.column()),
            None => text,
        })
    }
}

impl Record {
    /// Reads a line of a file that is known to be a journal.
    pub fn parse(line: &str) -> Result<Parsed, Damage> {
        let line: Line = match serde_json::from_str(line) {
            Ok(line) => line,
            Err(error) => return not_read(line, &error),
        };
        if line.r#type != TYPE {
            return Ok(Parsed::Other(line.r#type.into_owned()));
        }
        line.into_record().map(|record| Parsed::Delivery(Box::new(record)))
    }
}

/// The types of the other objects in a stream.
const OTHER_TYPES: [&str; 4] = ["ready", "attempt", "summary", "drill"];

/// The two fields by which a line of a journal is told from a payload.
#[derive(Deserialize)]
struct Marks<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    v: Option<u32>,
}

/// Whether this is a line of a journal: one of our types, with the version of the form. Payloads have a `type` too
/// (OpenAI's `response.completed`), but not both.
pub fn is_journal_line(line: &[u8]) -> bool {
    let marks = serde_json::from_slice::<Marks<'_>>(line);
    marks.is_ok_and(|marks| marks.v.is_some() && (marks.r#type == TYPE || OTHER_TYPES.contains(&marks.r#type.as_ref())))
}

/// An object of the stream that is no delivery, of a type known or to come; else why it is not read.
fn not_read(line: &str, error: &serde_json::Error) -> Result<Parsed, Damage> {
    let damage = Damage::of(error);
    match serde_json::from_str::<Marks<'_>>(line) {
        Ok(marks) if marks.r#type != TYPE => Ok(Parsed::Other(marks.r#type.into_owned())),
        Ok(Marks { v: Some(v), .. }) if v > VERSION => {
            Err(Damage(format!("a newer hookctl wrote it, in version {v} of the form: {}", damage.0)))
        }
        _ => Err(damage),
    }
}

impl Line<'_> {
    fn into_record(self) -> Result<Record, Damage> {
        let body = match (self.body, self.body_base64) {
            (Some(text), _) => Bytes::from(text),
            (None, Some(base64)) => {
                let bytes = STANDARD.decode(base64.as_bytes());
                Bytes::from(bytes.map_err(|error| Damage(format!("body_base64 is not base64: {error}")))?)
            }
            (None, None) => Bytes::new(),
        };
        let headers: Headers = self.headers.iter().filter_map(|(name, value)| header(name, value)).collect();
        let provider = self.payload.and_then(|payload| Provider::named(&payload.provider?));
        let delivery =
            Delivery { method: self.method.into(), target: self.target, http: self.http.into(), headers, body };
        let is_sent = self.direction.as_deref() == Some("sent") || self.attempt.is_some();
        let attempt = self.attempt.unwrap_or(1);
        Ok(Record {
            seq: self.seq,
            id: self.id,
            at: self.at.parse().map_err(|error| Damage(format!("at: {error}")))?,
            remote: self.remote,
            payload: delivery.payload(provider),
            delivery,
            verdict: self.signature.map_or(Verdict::Unsigned, Verdict::from),
            duplicate: self.duplicate_of.map(|id| Duplicate { id, seen: None }),
            warnings: self.warnings,
            answer: self.answer,
            sent: is_sent.then(|| SentAttempt {
                attempt,
                of: self.of.unwrap_or(attempt),
                url: self.url.unwrap_or_default(),
                outcome: self.outcome,
                error: self.error,
                case: self.case,
                // What a newer hookctl may expect otherwise is not known here.
                expect_status: self.expect_status.and_then(|text| text.parse().ok()),
            }),
        })
    }
}

fn header(name: &str, value: &str) -> Option<(FieldName, HeaderValue)> {
    Some((FieldName::spelled(name).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::journal::record::{AnsweredBy, FastLine, Summary};
    use crate::payload::Payload;

    fn read(line: &str) -> Record {
        let Ok(Parsed::Delivery(record)) = Record::parse(line) else { panic!("a delivery: {line}") };
        *record
    }

    /// Of a delivery that was sent.
    fn own_line() -> String {
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
    fn what_a_newer_hookctl_may_write_is_read_the_same_at_a_glance_and_whole() {
        let (own, received) = (own_line(), line_of(None));
        let cases = [
            ("", "", ""),
            (r#""error":null},"signature""#, r#""error":null,"cost":0.1},"signature""#, "a number in the summary"),
            (r#""error":null},"signature""#, r#""error":null,"trace_id":null},"signature""#, "nothing in it"),
            (r#""error":null},"signature""#, r#""error":null,"region":"eu"},"signature""#, "a word that is no id"),
            (r#""verdict":"verified""#, r#""verdict":"moonlit""#, "a verdict"),
            (r#","scheme":"eachlabs","secret":"main""#, "", "a verdict without its scheme"),
            (r#""by":"script","#, "", "an answer by nobody"),
            (r#","ms":0.41"#, "", "an answer without its time"),
            (r#""path":"p","#, "", "a warning without its path"),
            (r#""provider":"eachlabs""#, r#""provider":"newcomer""#, "a provider"),
        ];
        let cases_of_sent = [
            (r#""attempt":1,"of":2,"url":"u","outcome":null,"#, "", "a sent one without its attempt"),
            (r#""outcome":null"#, r#""outcome":"teleported""#, "an outcome"),
            (r#""direction":"sent""#, r#""direction":"relayed""#, "a direction"),
        ];
        assert!(FastLine::read(&received).is_some(), "{received}");
        let sent = cases.iter().chain(&cases_of_sent).map(|case| (&own, case, true));
        for (own, (known, newer, what), is_sent) in sent.chain(cases.iter().map(|case| (&received, case, false))) {
            assert!(own.contains(known), "{what}");
            let line = own.replacen(known, newer, 1);
            let record = read(&line);
            let whole = format!("{:?}", Summary::from(&record));
            let glance = Summary::of(&line).map_or_else(|| whole.clone(), |glance| format!("{glance:?}"));
            assert_eq!(glance, whole, "{what}");
            assert_eq!(record.sent.is_some(), is_sent, "{what}");
        }
        assert_eq!(read(&own.replace("verified", "moonlit")).verdict, Verdict::Unchecked);
    }

    #[test]
    fn lines_of_the_future_are_read_and_damaged_ones_named() {
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
    }

    #[test]
    fn a_payload_with_a_type_is_no_journal() {
        assert!(is_journal_line(own_line().as_bytes()));
        assert!(is_journal_line(br#"{"type":"ready","v":1}"#));
        assert!(!is_journal_line(br#"{"type":"summary","id":"o1"}"#));
        assert!(!is_journal_line(br#"{"type":"order.paid","at":"2026-11-20T21:23:21Z","v":1}"#));
        assert!(!is_journal_line(br#"{"type":"delivery","at":"2026-11-20T21:23:21Z"}"#));
        assert!(!is_journal_line(b"[1]") && !is_journal_line(b"") && !is_journal_line(&[0xff]));
    }
}
