//! Writes a record as one line of JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;

use super::record::Record;
use super::record::SentAttempt;
use crate::json::string;
use crate::payload::encoding;
use crate::payload::read::Payload;
use crate::signature::Verdict;

/// The `type` of a line that is a delivery.
pub(crate) const TYPE: &str = "delivery";

/// The beginning of every line that [`Record::to_line`] writes.
pub(crate) const BEGINNING: &[u8] = b"{\"type\":\"delivery\",\"v\":1,\"seq\":";

/// Times are written to the microsecond.
const TIMES: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// The comma, the quoted name and the colon before a member's value. The name needs no escape.
macro_rules! name {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

/// Writes a member, its name as [`name!`] or at the beginning of an object.
///
/// A derived serializer would search the names for escapes in every line, and a listener writes a line before every
/// answer.
fn member(out: &mut Vec<u8>, name: &'static str, value: &(impl Serialize + ?Sized)) {
    out.extend_from_slice(name.as_bytes());
    // Strings, numbers and lists of them, written into memory, cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// Writes a member whose value needs no escape.
fn word(out: &mut Vec<u8>, name: &'static str, word: &str) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// Writes a member with any text.
fn text(out: &mut Vec<u8>, name: &'static str, value: Option<&str>) {
    out.extend_from_slice(name.as_bytes());
    match value {
        Some(value) => string::write(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn payload(payload: &Payload, out: &mut Vec<u8>) {
    word(out, "{\"provider\":", payload.provider.name);
    word(out, name!("variant"), payload.shape.variant);
    word(out, name!("kind"), payload.shape.kind.name());
    text(out, name!("event"), payload.event.as_ref().map(|event| event.name.as_ref()));
    member(out, name!("event_inferred"), &payload.event.as_ref().is_some_and(|event| event.inferred));
    match payload.status {
        Some(status) => word(out, name!("status"), status.name()),
        None => text(out, name!("status"), None),
    }
    text(out, name!("raw_status"), payload.raw_status.as_deref());
    text(out, name!("id"), payload.id.as_deref());
    text(out, name!("key"), payload.key().as_deref());
    text(out, name!("error"), payload.error.as_deref());
    let mut ids: Vec<_> = payload.ids.iter().collect();
    ids.sort_unstable();
    for (name, id) in ids {
        word(out, ",", name);
        text(out, ":", Some(id));
    }
    out.push(b'}');
}

fn verdict(verdict: &Verdict, out: &mut Vec<u8>) {
    match verdict {
        Verdict::Verified { scheme, secret } | Verdict::Authenticated { scheme, secret } => {
            word(out, "{\"verdict\":", verdict.name());
            text(out, name!("scheme"), Some(scheme));
            text(out, name!("secret"), Some(secret));
            out.push(b'}');
        }
        Verdict::Invalid { .. } | Verdict::Unsigned | Verdict::Unchecked => {
            // Writing into memory cannot fail.
            let _ = serde_json::to_writer(out, verdict);
        }
    }
}

fn sent(sent: &SentAttempt, out: &mut Vec<u8>) {
    member(out, name!("attempt"), &sent.attempt);
    member(out, name!("of"), &sent.of);
    text(out, name!("url"), Some(&sent.url));
    member(out, name!("outcome"), &sent.outcome);
    text(out, name!("error"), sent.error.as_deref());
    if let Some(case) = &sent.case {
        text(out, name!("case"), Some(case));
    }
    if let Some(expected) = &sent.expect_status {
        text(out, name!("expect_status"), Some(&expected.to_string()));
    }
}

impl Record {
    /// The record as one line of JSON with a newline at its end.
    pub fn to_line(&self) -> Vec<u8> {
        // Each quotation mark within the body takes two bytes.
        let mut line = Vec::with_capacity(self.delivery.body.len() + self.delivery.body.len() / 8 + 1024);
        self.write_line(&mut line);
        line
    }

    /// Appends the line to a buffer.
    pub(crate) fn write_line(&self, out: &mut Vec<u8>) {
        let delivery = &self.delivery;
        out.extend_from_slice(BEGINNING);
        // Writing into memory cannot fail, here and below.
        let _ = serde_json::to_writer(&mut *out, &self.seq);
        text(out, name!("id"), Some(&self.id));
        word(out, name!("direction"), if self.sent.is_some() { "sent" } else { "received" });
        out.extend_from_slice(name!("at").as_bytes());
        out.push(b'"');
        let _ = TIMES.print_timestamp(&self.at, &mut *out);
        out.push(b'"');
        text(out, name!("remote"), self.remote.as_deref());
        text(out, name!("method"), Some(&delivery.method));
        text(out, name!("target"), Some(&delivery.target));
        text(out, name!("http"), Some(&delivery.http));
        out.extend_from_slice(name!("headers").as_bytes());
        out.push(b'[');
        for (index, (name, value)) in delivery.headers.iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"[" } else { b",[" });
            // No character of a name (RFC 9110, section 5.6.2) needs an escape.
            word(out, "", name);
            text(out, ",", Some(&value));
            out.push(b']');
        }
        out.push(b']');
        let encodings = encoding::named(&delivery.headers);
        if !encodings.is_empty() {
            text(out, name!("encoding"), Some(&encodings.join(", ")));
        }
        match std::str::from_utf8(&delivery.body) {
            // A body that was not read is not an empty body.
            Ok(_) if !self.body_was_read() => {}
            Ok(body) => text(out, name!("body"), Some(body)),
            Err(_) => text(out, name!("body_base64"), Some(&STANDARD.encode(&delivery.body))),
        }
        out.extend_from_slice(name!("payload").as_bytes());
        match &self.payload {
            Some(read) => payload(read, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(name!("signature").as_bytes());
        verdict(&self.verdict, out);
        text(out, name!("duplicate_of"), self.duplicate.as_ref().map(|duplicate| duplicate.id.as_str()));
        member(out, name!("warnings"), &self.warnings);
        member(out, name!("answer"), &self.answer);
        if let Some(attempt) = &self.sent {
            sent(attempt, out);
        }
        out.extend_from_slice(b"}\n");
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::journal::Parsed;
    use crate::journal::record::{Answer, AnsweredBy, ConnectionAction, SentOutcome, VERSION};
    use crate::payload::retry::Statuses;
    use crate::payload::{Delivery, Headers, lint};
    use crate::signature::Verdict;

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
            answer: Some(Answer::new(200, AnsweredBy::Script, 0.41)),
            sent: None,
        }
    }

    fn line(record: &Record) -> String {
        String::from_utf8(record.to_line()).unwrap()
    }

    #[test]
    fn a_line_begins_with_its_type_and_version() {
        let beginning = format!(r#"{{"type":"{TYPE}","v":{VERSION},"seq":"#);
        assert_eq!(std::str::from_utf8(BEGINNING), Ok(beginning.as_str()));
    }

    #[test]
    fn a_record_has_the_documented_form() {
        let body = br#"{"id":"abc","status":"success","output":"u","input":{}}"#;
        insta::assert_snapshot!(line(&record(body)), @r#"{"type":"delivery","v":1,"seq":1,"id":"0198","direction":"received","at":"2026-11-20T21:23:21.724722Z","remote":"127.0.0.1:53412","method":"POST","target":"/hook","http":"1.1","headers":[["x-webhook-signature","9f86"]],"body":"{\"id\":\"abc\",\"status\":\"success\",\"output\":\"u\",\"input\":{}}","payload":{"provider":"eachlabs","variant":"A","kind":"prediction","event":"completed","event_inferred":true,"status":"succeeded","raw_status":"success","id":"abc","key":"eachlabs/abc/completed","error":null},"signature":{"verdict":"verified","scheme":"eachlabs","secret":"main"},"duplicate_of":null,"warnings":[],"answer":{"status":200,"by":"script","ms":0.41}}"#);
    }

    #[test]
    fn a_sent_record_has_its_attempt_and_a_binary_body_is_base64() {
        let sent = SentAttempt {
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
    fn an_action_in_place_of_an_answer_is_written() {
        let answer =
            Answer { status: None, did: Some(ConnectionAction::Reset), ..Answer::new(0, AnsweredBy::Script, 0.2) };
        let text = line(&Record { answer: Some(answer.clone()), ..record(b"{}") });
        assert!(text.contains(r#""answer":{"status":null,"by":"script","did":"reset","ms":0.2}"#), "{text}");
        let Parsed::Delivery(read) = Record::parse(&text).unwrap() else { panic!("a delivery") };
        assert_eq!(read.answer, Some(answer));
        let Parsed::Delivery(newer) = Record::parse(&text.replace("reset", "vanish")).unwrap() else { panic!("one") };
        assert_eq!(newer.answer.unwrap().did, Some(ConnectionAction::Other));
    }

    proptest! {
        #[test]
        fn a_written_line_parses_to_the_same_record(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let written = record(&body).to_line();
            let Parsed::Delivery(read) = Record::parse(std::str::from_utf8(&written).unwrap()).unwrap() else {
                panic!("a delivery")
            };
            prop_assert_eq!(&read.delivery.body[..], &body[..]);
            prop_assert_eq!(read.to_line(), written);
        }

        #[test]
        fn no_line_makes_the_parser_panic(line in "\\PC{0,80}") {
            let _ = Record::parse(&line);
        }
    }
}
