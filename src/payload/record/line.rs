//! A record as one line of JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;

use super::{Record, Sent, VERSION, escapes};
use crate::payload::encoding;
use crate::payload::read::Payload;

/// The type of a record of a delivery.
pub(super) const TYPE: &str = "delivery";

/// How every line begins that [`Record::to_line`] wrote.
pub const BEGINNING: &[u8] = b"{\"type\":\"delivery\",\"v\":1,\"seq\":";

/// Times are written to the microsecond.
const TIMES: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// A JSON object that is written member by member, each name once and as it stands: none of ours needs an escape.
///
/// Derived, the names alone would be looked through for escapes in every line, and a listener writes a line before every
/// answer.
struct Members<'a>(&'a mut Vec<u8>);

impl<'a> Members<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Members(out)
    }

    fn end(self) {
        self.0.push(b'}');
    }

    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        self.0
    }

    fn value(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        // Strings, numbers and lists of them into memory: there is nothing here that can fail.
        let _ = serde_json::to_writer(self.name(name), value);
    }
}

fn payload(payload: &Payload, out: &mut Vec<u8>) {
    let mut members = Members::begin(out);
    members.value("provider", payload.provider.name);
    members.value("variant", payload.shape.variant);
    members.value("kind", payload.shape.kind.name());
    members.value("event", &payload.event.as_ref().map(|event| event.name.as_ref()));
    members.value("event_inferred", &payload.event.as_ref().is_some_and(|event| event.inferred));
    members.value("status", &payload.status.map(|status| status.name()));
    members.value("raw_status", &payload.raw_status);
    members.value("id", &payload.id);
    members.value("key", &payload.key());
    members.value("error", &payload.error);
    let mut ids: Vec<_> = payload.ids.iter().collect();
    ids.sort_unstable();
    for (name, id) in ids {
        members.value(name, id);
    }
    members.end();
}

fn sent(sent: &Sent, members: &mut Members<'_>) {
    members.value("attempt", &sent.attempt);
    members.value("of", &sent.of);
    members.value("url", &sent.url);
    members.value("outcome", &sent.outcome);
    members.value("error", &sent.error);
    if let Some(case) = &sent.case {
        members.value("case", case);
    }
    if let Some(expected) = &sent.expect_status {
        members.value("expect_status", &expected.to_string());
    }
}

impl Record {
    /// The record as one line of JSON with a newline at its end.
    pub fn to_line(&self) -> Vec<u8> {
        // Quotes within the body take two bytes each.
        let mut line = Vec::with_capacity(self.delivery.body.len() + self.delivery.body.len() / 8 + 1024);
        self.write_line(&mut line);
        line
    }

    /// Writes the same behind what is there.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        let delivery = &self.delivery;
        let mut members = Members::begin(out);
        members.value("type", TYPE);
        members.value("v", &VERSION);
        members.value("seq", &self.seq);
        members.value("id", &self.id);
        members.value("direction", if self.sent.is_some() { "sent" } else { "received" });
        let at = members.name("at");
        at.push(b'"');
        // Into memory, likewise.
        let _ = TIMES.print_timestamp(&self.at, &mut *at);
        at.push(b'"');
        members.value("remote", &self.remote);
        members.value("method", &delivery.method);
        members.value("target", &delivery.target);
        members.value("http", &delivery.http);
        let headers = members.name("headers");
        for (place, header) in delivery.headers.iter().enumerate() {
            headers.push(if place == 0 { b'[' } else { b',' });
            let _ = serde_json::to_writer(&mut *headers, &header);
        }
        headers.extend_from_slice(if delivery.headers.iter().len() == 0 { b"[]" } else { b"]" });
        let encodings = encoding::named(&delivery.headers);
        if !encodings.is_empty() {
            members.value("encoding", &encodings.join(", "));
        }
        match std::str::from_utf8(&delivery.body) {
            // A body that was not taken in is not an empty one.
            Ok(_) if !self.was_taken_in() => {}
            Ok(text) => escapes::write(text, members.name("body")),
            Err(_) => members.value("body_base64", &STANDARD.encode(&delivery.body)),
        }
        match &self.payload {
            Some(read) => payload(read, members.name("payload")),
            None => members.value("payload", &()),
        }
        members.value("signature", &self.verdict);
        members.value("duplicate_of", &self.duplicate.as_ref().map(|duplicate| &duplicate.id));
        members.value("warnings", &self.warnings);
        members.value("answer", &self.answer);
        if let Some(attempt) = &self.sent {
            sent(attempt, &mut members);
        }
        members.end();
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::payload::record::{Answer, By, Deed, Parsed, SentOutcome};
    use crate::payload::retry::Statuses;
    use crate::payload::signature::Verdict;
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
