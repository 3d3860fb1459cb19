use http::HeaderName;
use jiff::Timestamp;

use super::*;
use crate::journal::record::{Answer, AnsweredBy, SentAttempt};
use crate::signature::Reason;

/// The redacted record, and the paths without effect.
fn redacted(mut record: Record, paths: &[&str]) -> (Record, Vec<String>) {
    let paths: Vec<RedactPath> = paths.iter().map(|path| RedactPath::parse(path).unwrap()).collect();
    let mut redactor = Redactor::new(&paths);
    redactor.blank(&mut record);
    (record, redactor.without_effect().map(RedactPath::to_string).collect())
}

fn blanked(body: &str, paths: &[&str]) -> String {
    let delivery = Delivery::bare(Default::default(), Bytes::copy_from_slice(body.as_bytes()));
    let (record, _) = redacted(Record::bare(Timestamp::UNIX_EPOCH, delivery), paths);
    String::from_utf8(record.delivery.body.to_vec()).unwrap()
}

#[test]
fn fields_are_blanked_and_the_rest_stays_as_it_was() {
    let body = "{ \"input\": {\"prompt\":\"a\", \"n\":1.50,\"prompt\":\"b\"},\"o\":[\"x\",{\"p\":1}] }\n";
    let cases: [(&[&str], &str); 9] = [
        (
            &["input.prompt"],
            "{ \"input\": {\"prompt\":\"<redacted>\", \"n\":1.50,\"prompt\":\"<redacted>\"},\"o\":[\"x\",{\"p\":1}] }\n",
        ),
        (&["input", "input.n"], "{ \"input\": \"<redacted>\",\"o\":[\"x\",{\"p\":1}] }\n"),
        (
            &["o.0", "body.o.1.p"],
            "{ \"input\": {\"prompt\":\"a\", \"n\":1.50,\"prompt\":\"b\"},\"o\":[\"<redacted>\",{\"p\":\"<redacted>\"}] }\n",
        ),
        (
            &["o.*"],
            "{ \"input\": {\"prompt\":\"a\", \"n\":1.50,\"prompt\":\"b\"},\"o\":[\"<redacted>\",\"<redacted>\"] }\n",
        ),
        (
            &["input[\"n\"]", "o[1].\"p\""],
            "{ \"input\": {\"prompt\":\"a\", \"n\":\"<redacted>\",\"prompt\":\"b\"},\"o\":[\"x\",{\"p\":\"<redacted>\"}] }\n",
        ),
        (&["input[0]", "\"*\""], body),
        (&["nothing", "input.prompt.x", "o.9"], body),
        (&["headers.x"], body),
        (&["*"], "{ \"input\": \"<redacted>\",\"o\":\"<redacted>\" }\n"),
    ];
    for (paths, expected) in cases {
        assert_eq!(blanked(body, paths), expected, "{paths:?}");
    }
    assert_eq!(blanked("token=s3cret", &["token"]), REDACTED, "a body without fields is blanked whole");
    assert_eq!(blanked("", &["token"]), "");
    assert!(RedactPath::parse("").is_err() && RedactPath::parse("a..b").is_err());
}

#[test]
fn headers_are_blanked_by_name_or_all() {
    let cases = [
        ("headers.X-API-Key", ["<redacted>", "b"]),
        ("headers.*", ["<redacted>", "<redacted>"]),
        ("headers", ["<redacted>", "<redacted>"]),
        ("headers.x", ["k", "b"]),
    ];
    for (path, expected) in cases {
        let mut headers = crate::payload::Headers::default();
        headers.push(HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
        headers.push(HeaderName::from_static("x-b"), HeaderValue::from_static("b"));
        let record = Record::bare(Timestamp::UNIX_EPOCH, Delivery::bare(headers, Bytes::new()));
        let (record, without_effect) = redacted(record, &[path]);
        let values: Vec<String> = record.delivery.headers.iter().map(|(_, value)| value.into_owned()).collect();
        assert_eq!(values, expected, "{path}");
        assert_eq!(without_effect.is_empty(), path != "headers.x", "{path}");
    }
}

#[test]
fn no_text_repeats_a_blanked_value() {
    let delivery = Delivery {
        target: "/hook?token=t0ken".into(),
        ..Delivery::bare(Default::default(), Bytes::from_static(br#"{"id":"a","status":"S3CRET","error":"wrong"}"#))
    };
    let warn = |path: &str, message: &str| Warning::new("w", path, message.into());
    let answer = Answer { line: Some("no such S3CRET".into()), ..Answer::new(500, AnsweredBy::Receiver, 1.0) };
    let error = Some("refused".to_owned());
    let url = "http://localhost:1/hook?token=t0ken".to_owned();
    let record = Record {
        warnings: vec![warn("status", "of another kind"), warn("", "S3CRET is not known"), warn("id", "no real id")],
        verdict: Verdict::Invalid { scheme: None, reason: Reason::Other, hint: "see S3CRET".into() },
        answer: Some(answer),
        sent: Some(SentAttempt { attempt: 1, of: 1, url, outcome: None, error, case: None, expect_status: None }),
        ..Record::bare(Timestamp::UNIX_EPOCH, delivery)
    };
    let (blanked, without_effect) = redacted(record.clone(), &["status", "target", "error", "input.promt"]);
    assert_eq!(without_effect, ["input.promt"]);
    let text = format!("{blanked:?}");
    for gone in ["S3CRET", "t0ken", "wrong", "refused", "of another kind"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    assert_eq!(blanked.warnings[2].message, "no real id");
    assert_eq!(blanked.sent.unwrap().url, "http://localhost:1/<redacted>");
    let (blanked, _) = redacted(record.clone(), &["answer.line"]);
    assert_eq!(blanked.answer.unwrap().line.unwrap(), REDACTED);
    let (blanked, _) = redacted(record, &["body"]);
    assert!(blanked.delivery.body == REDACTED && blanked.payload.is_none());
}
