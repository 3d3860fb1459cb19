//! A record as one line of JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{Answer, Record, SentOutcome, VERSION};
use crate::payload::encoding;
use crate::payload::lint::Warning;
use crate::payload::read::Payload;
use crate::payload::retry::Statuses;
use crate::payload::signature::Verdict;

/// The type of a record of a delivery.
pub(super) const TYPE: &str = "delivery";

/// How every line begins that [`Record::to_line`] wrote.
pub const BEGINNING: &[u8] = b"{\"type\":\"delivery\",\"v\":1,\"seq\":";

/// The line as it is written. It is read more leniently: see [`reading`](super::reading).
#[derive(Serialize)]
struct Line<'a> {
    r#type: Cow<'a, str>,
    v: u32,
    seq: u64,
    id: Cow<'a, str>,
    direction: Direction,
    at: Cow<'a, str>,
    remote: Option<Cow<'a, str>>,
    method: Cow<'a, str>,
    target: Cow<'a, str>,
    http: Cow<'a, str>,
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// How the body is compressed, if it is: `gzip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<Cow<'a, str>>,
    payload: Option<Summary<'a>>,
    signature: &'a Verdict,
    duplicate_of: Option<Cow<'a, str>>,
    warnings: &'a [Warning],
    answer: Option<&'a Answer>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sent: Option<SentLine<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Received,
    Sent,
}

#[derive(Serialize)]
struct SentLine<'a> {
    attempt: u32,
    of: u32,
    url: Cow<'a, str>,
    outcome: Option<SentOutcome>,
    error: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expect_status: Option<String>,
}

/// What a payload says, in the record. The body holds the rest.
#[derive(Serialize)]
struct Summary<'a> {
    provider: Cow<'a, str>,
    variant: Cow<'a, str>,
    kind: Cow<'a, str>,
    event: Option<Cow<'a, str>>,
    event_inferred: bool,
    status: Option<Cow<'a, str>>,
    raw_status: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    key: Option<Cow<'a, str>>,
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
        let (body, body_base64) = match std::str::from_utf8(&self.delivery.body) {
            // A body that was not taken in is not an empty one.
            Ok(_) if !self.was_taken_in() => (None, None),
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
            signature: &self.verdict,
            duplicate_of: self.duplicate.as_ref().map(|duplicate| duplicate.id.as_str().into()),
            warnings: &self.warnings,
            answer: self.answer.as_ref(),
            sent: self.sent.as_ref().map(|sent| SentLine {
                attempt: sent.attempt,
                of: sent.of,
                url: sent.url.as_str().into(),
                outcome: sent.outcome,
                error: sent.error.as_deref().map(Cow::Borrowed),
                case: sent.case.as_deref().map(Cow::Borrowed),
                expect_status: sent.expect_status.as_ref().map(Statuses::to_string),
            }),
        };
        let mut bytes = Vec::with_capacity(self.delivery.body.len() + 1024);
        // Strings, numbers and lists of them into memory: there is nothing here that can fail.
        let _ = serde_json::to_writer(&mut bytes, &line);
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::payload::record::{By, Deed, Parsed, Sent};
    use crate::payload::{Delivery, Headers, lint};

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
            case: Some("stale".into()),
            expect_status: Some(Statuses::client_errors()),
        };
        let record = Record { sent: Some(sent.clone()), answer: None, ..record(&[0xff, 0x00]) };
        let text = line(&record);
        assert!(text.contains(r#""case":"stale","expect_status":"4xx"}"#), "{text}");
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
