//! A record as one line of JSON, and back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::{Answer, By, Duplicate, Record, Sent, SentOutcome, VERSION};
use crate::payload::delivery::{Delivery, Headers, Name};
use crate::payload::encoding;
use crate::payload::lint::Warning;
use crate::payload::provider::Provider;
use crate::payload::read::Payload;
use crate::payload::signature::Verdict;

/// The line itself. One struct for both ways, so that what is written is what is read.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    r#type: Cow<'a, str>,
    #[serde(default)]
    v: u32,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    id: Cow<'a, str>,
    #[serde(default)]
    direction: Direction,
    at: Cow<'a, str>,
    #[serde(default)]
    remote: Option<Cow<'a, str>>,
    #[serde(default)]
    method: Cow<'a, str>,
    #[serde(default)]
    target: Cow<'a, str>,
    #[serde(default)]
    http: Cow<'a, str>,
    #[serde(default)]
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// How the body is compressed, if it is: `gzip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<Cow<'a, str>>,
    #[serde(default)]
    payload: Option<Summary<'a>>,
    #[serde(default = "unsigned")]
    signature: Cow<'a, Verdict>,
    #[serde(default)]
    duplicate_of: Option<Cow<'a, str>>,
    #[serde(default)]
    warnings: Cow<'a, [Warning]>,
    #[serde(default)]
    answer: Option<Cow<'a, Answer>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sent: Option<SentLine<'a>>,
}

fn unsigned<'a>() -> Cow<'a, Verdict> {
    Cow::Owned(Verdict::Unsigned)
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    #[default]
    Received,
    Sent,
}

#[derive(Serialize, Deserialize)]
struct SentLine<'a> {
    attempt: u32,
    of: u32,
    url: Cow<'a, str>,
    #[serde(default)]
    outcome: Option<SentOutcome>,
    error: Option<Cow<'a, str>>,
}

/// What a payload says, in the record. The body holds the rest.
#[derive(Serialize, Deserialize)]
struct Summary<'a> {
    provider: Cow<'a, str>,
    #[serde(default)]
    variant: Cow<'a, str>,
    #[serde(default)]
    kind: Cow<'a, str>,
    event: Option<Cow<'a, str>>,
    #[serde(default)]
    event_inferred: bool,
    status: Option<Cow<'a, str>>,
    raw_status: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    key: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<Cow<'a, str>>,
    #[serde(flatten)]
    ids: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> From<&'a Payload> for Summary<'a> {
    fn from(payload: &'a Payload) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        Summary {
            provider: payload.provider.name.into(),
            variant: payload.shape.variant.into(),
            kind: payload.shape.kind.name().into(),
            event: payload.event.as_ref().map(|event| Cow::Borrowed(event.name.as_ref())),
            event_inferred: payload.event.as_ref().is_some_and(|event| event.inferred),
            status: payload.status.map(|status| Cow::Borrowed(status.name())),
            raw_status: text(&payload.raw_status),
            id: text(&payload.id),
            key: payload.key().map(Cow::Owned),
            error: text(&payload.error),
            ids: payload.ids.iter().map(|(name, id)| ((*name).into(), id.into())).collect(),
        }
    }
}

impl Record {
    /// The record as one line of JSON with a newline at its end.
    pub fn to_line(&self) -> Vec<u8> {
        let refused = self.answer.as_ref().is_some_and(|answer| answer.by == By::Limit);
        let (body, body_base64) = match std::str::from_utf8(&self.delivery.body) {
            // A body that was not taken in is not an empty one.
            Ok(_) if refused => (None, None),
            Ok(text) => (Some(Cow::Borrowed(text)), None),
            Err(_) => (None, Some(Cow::Owned(STANDARD.encode(&self.delivery.body)))),
        };
        let encodings = encoding::named(&self.delivery.headers);
        let line = Line {
            r#type: TYPE.into(),
            v: VERSION,
            seq: self.seq,
            id: self.id.as_str().into(),
            direction: if self.sent.is_some() { Direction::Sent } else { Direction::Received },
            at: format!("{:.6}", self.at).into(),
            remote: self.remote.as_deref().map(Cow::Borrowed),
            method: self.delivery.method.as_str().into(),
            target: self.delivery.target.as_str().into(),
            http: self.delivery.http.as_str().into(),
            headers: self.delivery.headers.iter().map(|(name, value)| (name.into(), value)).collect(),
            encoding: (!encodings.is_empty()).then(|| encodings.join(", ")),
            body,
            body_base64,
            payload: self.payload.as_ref().map(Summary::from),
            signature: Cow::Borrowed(&self.verdict),
            duplicate_of: self.duplicate.as_ref().map(|duplicate| duplicate.id.as_str().into()),
            warnings: Cow::Borrowed(&self.warnings),
            answer: self.answer.as_ref().map(Cow::Borrowed),
            sent: self.sent.as_ref().map(|sent| SentLine {
                attempt: sent.attempt,
                of: sent.of,
                url: sent.url.as_str().into(),
                outcome: sent.outcome,
                error: sent.error.as_deref().map(Cow::Borrowed),
            }),
        };
        let mut bytes = Vec::with_capacity(self.delivery.body.len() + 1024);
        // Strings, numbers and lists of them into memory: there is nothing here that can fail.
        let _ = serde_json::to_writer(&mut bytes, &line);
        bytes.push(b'\n');
        bytes
    }

    /// Reads a line of a file that is known to be a journal.
    pub fn parse(line: &str) -> Result<Parsed, Damage> {
        let line: Line = match serde_json::from_str(line) {
            Ok(line) => line,
            Err(error) => return other_type(line).ok_or(Damage(error.to_string())),
        };
        if line.r#type != TYPE {
            return Ok(Parsed::Other(line.r#type.into_owned()));
        }
        line.into_record().map(|record| Parsed::Delivery(Box::new(record)))
    }
}

/// The type of a record of a delivery.
pub(super) const TYPE: &str = "delivery";

/// The types of the other objects in a stream.
const OTHER_TYPES: [&str; 4] = ["ready", "attempt", "summary", "drill"];

/// How every line begins that [`Record::to_line`] wrote.
pub const BEGINNING: &[u8] = b"{\"type\":\"delivery\",\"v\":1,\"seq\":";

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
pub struct Damage(pub String);

/// An object of the stream that is no delivery, of a type known or to come.
fn other_type(line: &str) -> Option<Parsed> {
    let marks: Marks<'_> = serde_json::from_str(line).ok()?;
    (marks.r#type != TYPE).then(|| Parsed::Other(marks.r#type.into_owned()))
}

impl Line<'_> {
    fn into_record(self) -> Result<Record, Damage> {
        let body = match (self.body, self.body_base64) {
            (Some(text), _) => Bytes::from(text.into_owned()),
            (None, Some(base64)) => {
                let bytes = STANDARD.decode(base64.as_bytes());
                Bytes::from(bytes.map_err(|error| Damage(format!("body_base64 is not base64: {error}")))?)
            }
            (None, None) => Bytes::new(),
        };
        let headers: Headers = self.headers.iter().filter_map(|(name, value)| header(name, value)).collect();
        let provider = self.payload.as_ref().and_then(|payload| Provider::named(&payload.provider));
        let held = encoding::decode(&headers, &body, encoding::LARGEST).ok();
        let payload = held.and_then(|held| Payload::read(&held, &headers, provider));
        let at = self.at.parse().map_err(|error| Damage(format!("at: {error}")))?;
        Ok(Record {
            seq: self.seq,
            id: self.id.into_owned(),
            at,
            remote: self.remote.map(Cow::into_owned),
            delivery: Delivery {
                method: self.method.into_owned(),
                target: self.target.into_owned(),
                http: self.http.into_owned(),
                headers,
                body,
            },
            payload,
            verdict: self.signature.into_owned(),
            duplicate: self.duplicate_of.map(|id| Duplicate { id: id.into_owned(), seen: None }),
            warnings: self.warnings.into_owned(),
            answer: self.answer.map(Cow::into_owned),
            sent: self.sent.map(|sent| Sent {
                attempt: sent.attempt,
                of: sent.of,
                url: sent.url.into_owned(),
                outcome: sent.outcome,
                error: sent.error.map(Cow::into_owned),
            }),
        })
    }
}

fn header(name: &str, value: &str) -> Option<(Name, HeaderValue)> {
    Some((Name::spelled(name).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use proptest::prelude::*;

    use super::*;
    use crate::payload::lint;
    use crate::payload::record::Deed;

    fn record(body: &[u8]) -> Record {
        let mut headers = Headers::default();
        headers.push(HeaderName::from_static("x-webhook-signature"), HeaderValue::from_static("9f86"));
        let body = Bytes::copy_from_slice(body);
        let payload = Payload::read(&body, &headers, None);
        Record {
            seq: 1,
            id: "0198".into(),
            at: "2026-11-20T21:23:21.724722Z".parse().unwrap(),
            remote: Some("127.0.0.1:53412".into()),
            warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
            payload,
            delivery: Delivery { method: "POST".into(), target: "/hook".into(), http: "1.1".into(), headers, body },
            verdict: Verdict::Verified { scheme: "eachlabs".into(), secret: "main".into() },
            duplicate: None,
            answer: Some(Answer::new(200, By::Script, 0.41)),
            sent: None,
        }
    }

    fn line(record: &Record) -> String {
        String::from_utf8(record.to_line()).unwrap()
    }

    #[test]
    fn a_record_has_the_promised_form() {
        let body = br#"{"id":"abc","status":"success","output":"u","input":{}}"#;
        insta::assert_snapshot!(line(&record(body)), @r#"{"type":"delivery","v":1,"seq":1,"id":"0198","direction":"received","at":"2026-11-20T21:23:21.724722Z","remote":"127.0.0.1:53412","method":"POST","target":"/hook","http":"1.1","headers":[["x-webhook-signature","9f86"]],"body":"{\"id\":\"abc\",\"status\":\"success\",\"output\":\"u\",\"input\":{}}","payload":{"provider":"eachlabs","variant":"A","kind":"prediction","event":"completed","event_inferred":true,"status":"succeeded","raw_status":"success","id":"abc","key":"eachlabs/abc/completed","error":null},"signature":{"verdict":"verified","scheme":"eachlabs","secret":"main"},"duplicate_of":null,"warnings":[],"answer":{"status":200,"by":"script","ms":0.41}}"#);
    }

    #[test]
    fn a_sent_one_says_which_attempt_and_a_binary_body_is_base64() {
        let sent = Sent {
            attempt: 1,
            of: 4,
            url: "http://localhost/".into(),
            outcome: Some(SentOutcome::Unreachable),
            error: Some("refused".into()),
        };
        let record = Record { sent: Some(sent.clone()), answer: None, ..record(&[0xff, 0x00]) };
        let text = line(&record);
        assert!(text.contains(r#""direction":"sent""#) && text.contains(r#""body_base64":"/wA=""#), "{text}");
        assert!(text.contains(r#""payload":null"#), "{text}");
        let Parsed::Delivery(read) = Record::parse(&text).unwrap() else { panic!("a delivery") };
        assert_eq!((read.sent, &read.delivery.body[..]), (Some(sent), &[0xff, 0x00][..]));
    }

    #[test]
    fn an_answer_that_was_none_says_what_was_done() {
        let answer = Answer { status: None, did: Some(Deed::Reset), ..Answer::new(0, By::Script, 0.2) };
        let text = line(&Record { answer: Some(answer.clone()), ..record(b"{}") });
        assert!(text.contains(r#""answer":{"status":null,"by":"script","did":"reset","ms":0.2}"#), "{text}");
        let Parsed::Delivery(read) = Record::parse(&text).unwrap() else { panic!("a delivery") };
        assert_eq!(read.answer, Some(answer));
        let Parsed::Delivery(newer) = Record::parse(&text.replace("reset", "vanish")).unwrap() else { panic!("one") };
        assert_eq!(newer.answer.unwrap().did, Some(Deed::Other));
    }

    #[test]
    fn lines_of_the_future_are_read_and_damaged_ones_named() {
        let newer = r#"{"type":"delivery","v":9,"at":"2026-11-20T21:23:21Z","body":"{}","new":[1],"signature":{"verdict":"invalid","scheme":null,"reason":"moon_phase","hint":"wait"},"payload":{"provider":"nobody","event":null,"status":null,"raw_status":null,"id":null,"key":null}}"#;
        let Parsed::Delivery(read) = Record::parse(newer).unwrap() else { panic!("a delivery") };
        assert!(read.verdict.is_invalid());
        assert_eq!(read.payload.unwrap().provider.name, "generic");
        assert!(matches!(Record::parse(r#"{"type":"summary","n":1}"#), Ok(Parsed::Other(t)) if t == "summary"));
        assert!(Record::parse(r#"{"type":"delivery","at":"2026-11-"#).is_err());
        assert!(matches!(Record::parse(r#"{"type":"of the future"}"#), Ok(Parsed::Other(_))));
        assert!(Record::parse("[]").is_err());
    }

    #[test]
    fn a_payload_with_a_type_is_no_journal() {
        assert!(is_journal_line(&record(b"{}").to_line()));
        assert!(is_journal_line(br#"{"type":"ready","v":1}"#));
        assert!(!is_journal_line(br#"{"type":"summary","id":"o1"}"#));
        assert!(!is_journal_line(br#"{"type":"order.paid","at":"2026-11-20T21:23:21Z","v":1}"#));
        assert!(!is_journal_line(br#"{"type":"delivery","at":"2026-11-20T21:23:21Z"}"#));
        assert!(!is_journal_line(b"[1]") && !is_journal_line(b"") && !is_journal_line(&[0xff]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let written = record(&body).to_line();
            let Parsed::Delivery(read) = Record::parse(std::str::from_utf8(&written).unwrap()).unwrap() else {
                panic!("a delivery")
            };
            prop_assert_eq!(&read.delivery.body[..], &body[..]);
            prop_assert_eq!(read.to_line(), written);
        }

        #[test]
        fn no_line_makes_the_reader_panic(line in "\\PC{0,80}") {
            let _ = Record::parse(&line);
        }
    }
}
