use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::journal::record::{ConnectionAction, Duplicate, SentAttempt, SentOutcome};
use crate::journal::{Damage, Parsed, Record};
use crate::payload::lint::Warning;
use crate::payload::retry::Statuses;
use crate::payload::{Delivery, Headers, Payload, provider};
use crate::signature::Reason;

fn record(headers: Headers, body: &[u8]) -> Record {
    let delivery = Delivery::bare(headers, Bytes::copy_from_slice(body));
    Record { payload: delivery.payload(None), ..Record::bare(Timestamp::UNIX_EPOCH, delivery) }
}

fn line_of(record: &Record) -> String {
    String::from_utf8(record.to_line()).unwrap().trim_end().to_owned()
}

#[test]
fn both_paths_give_the_summary_of_the_record() {
    for (_, fixture) in provider::fixtures() {
        let line = line_of(&record(Headers::default(), fixture.body.as_bytes()));
        let Parsed::Delivery(parsed) = Record::parse(&line).unwrap() else { panic!("a delivery") };
        let mut expected = Summary::from(&*parsed);
        for summary in [FastLine::parse(&line).map(|line| line.summary), Summary::parse_any(&line)] {
            let mut summary = summary.unwrap();
            // A line sorts its ids by name, a payload has them in the provider's order.
            summary.ids.sort();
            expected.ids.sort();
            assert_eq!(format!("{summary:?}"), format!("{expected:?}"), "{}", fixture.name);
        }
    }
}

/// Every verdict that a listener records.
fn verdicts() -> impl Strategy<Value = Verdict> {
    let text = "\\PC{0,9}|[\"\\\\\u{1}]{0,3}";
    prop_oneof![
        Just(Verdict::Unsigned),
        Just(Verdict::Unchecked),
        text.prop_map(|secret| Verdict::Verified { scheme: "eachlabs".into(), secret }),
        text.prop_map(|secret| Verdict::Authenticated { scheme: "bearer".into(), secret }),
        (prop::sample::select(Reason::ALL.to_vec()), text, any::<bool>()).prop_map(|(reason, hint, is_known)| {
            Verdict::Invalid { scheme: is_known.then(|| "github".into()), reason, hint }
        }),
    ]
}

/// Every answer that a listener records.
fn answers() -> impl Strategy<Value = Option<Answer>> {
    let by = prop::sample::select(vec![
        AnsweredBy::Script,
        AnsweredBy::Forward,
        AnsweredBy::Limit,
        AnsweredBy::Refused,
        AnsweredBy::Receiver,
    ]);
    let did = prop::sample::select(vec![
        None,
        Some(ConnectionAction::Hang),
        Some(ConnectionAction::Close),
        Some(ConnectionAction::Reset),
        Some(ConnectionAction::Truncate),
    ]);
    let line = prop::option::of("\\PC{1,9}");
    let answer = (prop::option::of(100_u16..600), by, did, 0.0..1e9_f64, line)
        .prop_map(|(status, by, did, ms, line)| Answer { status, did, line, ..Answer::new(0, by, ms) });
    prop::option::of(answer)
}

/// Headers as they come over the wire: any bytes that HTTP allows, in names of every case.
fn headers() -> impl Strategy<Value = Headers> {
    let name = "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,20}";
    let value = prop::collection::vec(prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8], 0..20);
    let header = (name, value).prop_map(|(name, value)| {
        let name = crate::payload::FieldName::spelled(&name).expect("a name");
        (name, HeaderValue::from_bytes(&value).expect("a value"))
    });
    prop::collection::vec(header, 0..6).prop_map(|headers| headers.into_iter().collect())
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let fixture = prop::sample::select(provider::fixtures().map(|(_, fixture)| fixture.body).collect::<Vec<_>>());
    prop_oneof![
        fixture.prop_map(|body| body.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..60),
        "\\PC{0,60}".prop_map(String::into_bytes),
        "\\PC{0,20}".prop_map(|id| json!({"id": id, "status": id, "output": id, "input": {}}).to_string().into_bytes()),
    ]
}

proptest! {
    // A field that `write` gives another place would send every line down the slow path, and no other test would fail.
    #[test]
    fn every_line_that_is_written_for_a_received_delivery_takes_the_fast_path(
        (headers, body, encoding) in (headers(), bodies(), prop::option::of(Just("gzip"))),
        (verdict, answer) in (verdicts(), answers()),
        (seq, id, seconds) in (any::<u64>(), "\\PC{0,9}", -9_000_000_000..9_000_000_000_i64),
        (method, target, remote) in ("[A-Z]{1,9}", "/\\PC{0,9}", prop::option::of("[0-9.:]{1,9}")),
        (duplicate, warnings) in (prop::option::of("\\PC{0,9}"), prop::collection::vec("\\PC{0,9}", 0..3)),
    ) {
        let mut headers = headers;
        if let Some(encoding) = encoding {
            headers.push(HeaderName::from_static("content-encoding"), HeaderValue::from_static(encoding));
        }
        let record = record(headers, &body);
        let record = Record {
            seq: seq / 2,
            id,
            at: Timestamp::from_second(seconds).unwrap(),
            remote,
            delivery: Delivery { method: method.into(), target, http: "1.1".into(), ..record.delivery },
            verdict,
            duplicate: duplicate.map(|id| Duplicate { id, seen: None }),
            warnings: warnings.into_iter().map(|text| Warning::new("code", &text, text.clone())).collect(),
            answer,
            ..record
        };
        let line = line_of(&record);
        let fast = FastLine::parse(&line).map(|line| format!("{:?}", line.summary));
        prop_assert!(fast.is_some(), "{}", line);
        prop_assert_eq!(fast, Summary::parse_any(&line).map(|summary| format!("{summary:?}")));
        prop_assert!(is_parsed(&line));
    }
}

#[test]
fn a_header_that_http_does_not_allow_is_damage_on_every_path() {
    let mut headers = Headers::default();
    headers.push(HeaderName::from_static("x-a"), HeaderValue::from_static("b"));
    let line = line_of(&record(headers, b"{}"));
    let (name, value) = ("a name that HTTP does not allow", "a value that HTTP does not allow");
    let long = format!(r#""{}""#, "x".repeat(70_000));
    let cases = [
        (r#""x-a""#, r#""b""#, None),
        (r#""X-A_b.c!#$%&'*+^`|~9""#, r#""\"a\" \\ \t é \u00e9""#, None),
        (r#""x-a""#, r#""""#, None),
        (r#""x a""#, r#""b""#, Some(name)),
        (r#""""#, r#""b""#, Some(name)),
        (r#""x:a""#, r#""b""#, Some(name)),
        (r#""é""#, r#""b""#, Some(name)),
        (r#""x\na""#, r#""b""#, Some(name)),
        (&long, r#""b""#, Some(name)),
        (r#""x-a""#, r#""b\r\nx-c: d""#, Some(value)),
        (r#""x-a""#, r#""b\u0000""#, Some(value)),
        (r#""x-a""#, "\"b\u{7f}\"", Some(value)),
        (r#""x-a""#, r#""b\u007f""#, Some(value)),
    ];
    for (name, value, damage) in cases {
        let line = line.replace(r#"["x-a","b"]"#, &format!("[{name},{value}]"));
        let parsed = Record::parse(&line).map(|_| ());
        assert_eq!(FastLine::parse(&line).is_some(), damage.is_none(), "{line}");
        assert_eq!(Summary::parse_any(&line).is_some(), damage.is_none(), "{line}");
        match (parsed, damage) {
            (Ok(()), None) => {}
            (Err(Damage(text)), Some(damage)) => assert!(text.contains(damage) && text.len() < 150, "{text}"),
            (parsed, _) => panic!("{parsed:?}: {line}"),
        }
    }
}

#[test]
fn no_text_within_a_delivery_is_taken_for_a_field_of_its_record() {
    let forged = r#"","payload":{"provider":"forged"},"id":"x","at":"1970-01-01T00:00:00Z"#;
    let body = format!(r#"{{"id":"a","status":{},"metrics":{{}}}}"#, serde_json::to_string(forged).unwrap());
    let mut headers = Headers::default();
    headers.push(HeaderName::from_static("payload"), HeaderValue::from_static("payload"));
    headers.push(HeaderName::from_static("x"), HeaderValue::from_str(forged).unwrap());
    let mut record = record(headers, body.as_bytes());
    record.delivery.target = format!("/{forged}");
    let line = line_of(&Record { id: "real".into(), at: Timestamp::MAX, ..record });
    let (fast, any) = (FastLine::parse(&line).unwrap().summary, Summary::parse_any(&line).unwrap());
    assert_eq!((fast.record.as_ref(), fast.raw_status.as_deref()), ("real", Some(forged)));
    assert_eq!(format!("{fast:?}"), format!("{any:?}"));
}

/// The lines of a received and of a sent delivery, as hookctl writes them.
fn lines() -> [String; 2] {
    let sent = SentAttempt {
        attempt: 1,
        of: 2,
        url: "u".into(),
        outcome: Some(SentOutcome::Answered),
        error: None,
        case: Some("good".into()),
        expect_status: Some(Statuses::client_errors()),
    };
    let body = br#"{"id":"abc","status":"success","output":"u","input":{}}"#;
    [None, Some(sent)].map(|sent| {
        let mut headers = Headers::default();
        headers.push(HeaderName::from_static("a"), HeaderValue::from_static("b"));
        let payload = Payload::read(&Bytes::from_static(body), &headers, None);
        let (reason, hint) = (Reason::WrongSecret, "compare".to_owned());
        line_of(&Record {
            payload,
            verdict: Verdict::Invalid { scheme: Some("github".into()), reason, hint },
            duplicate: Some(Duplicate { id: "b".into(), seen: None }),
            warnings: vec![Warning::new("w", "p", "m".into())],
            answer: Some(Answer::new(200, AnsweredBy::Script, 0.41)),
            sent,
            ..record(headers, body)
        })
    })
}

fn is_parsed(line: &str) -> bool {
    matches!(Record::parse(line), Ok(Parsed::Delivery(_)))
}

/// A pointer to every value within a value.
fn pointers(value: &Value, pointer: &str) -> Vec<String> {
    let within = match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| pointers(value, &format!("{pointer}/{name}"))).collect()
        }
        Value::Array(values) => {
            values.iter().enumerate().flat_map(|(n, value)| pointers(value, &format!("{pointer}/{n}"))).collect()
        }
        _ => Vec::new(),
    };
    [vec![pointer.to_owned()], within].concat()
}

#[test]
fn a_line_with_a_summary_parses_whatever_value_a_field_has() {
    let others = [json!(null), json!(7), json!(-1), json!("x"), json!([]), json!({}), json!([["a", 1]]), json!(true)];
    for line in lines() {
        let whole: Value = serde_json::from_str(&line).unwrap();
        let mut refused = 0;
        for pointer in pointers(&whole, "") {
            for other in &others {
                let mut broken = whole.clone();
                *broken.pointer_mut(&pointer).unwrap() = other.clone();
                // By their names, and in the order of our own lines.
                let ordered = line.replacen(&whole.pointer(&pointer).unwrap().to_string(), &other.to_string(), 1);
                for broken in [broken.to_string(), ordered] {
                    refused += usize::from(Summary::parse(&broken).is_none());
                    assert!(Summary::parse(&broken).is_none() || is_parsed(&broken), "{pointer}: {broken}");
                }
            }
        }
        assert!(refused > 100 && Summary::parse(&line).is_some(), "{refused}");
    }
}

#[test]
fn a_line_with_a_summary_parses_wherever_it_was_torn() {
    for line in lines() {
        assert!(is_parsed(&line) && Summary::parse(&line).is_some(), "{line}");
        for from in 0..line.len() {
            let (before, after) = line.split_at(from);
            let broken = [
                format!("{before}{line}"),
                format!("{before}{}", &after[1..]),
                format!("{before}\\q{after}"),
                format!("{before}\\ud800{after}"),
                format!("{before}\u{1}{after}"),
                format!("{before}]{after}"),
                format!("{before}\"{after}"),
                format!("{before},\"provider\":\"x\"{after}"),
                format!("{before},\"body_base64\":\"?\"{after}"),
            ];
            for broken in broken {
                assert!(Summary::parse(&broken).is_none() || is_parsed(&broken), "{broken}");
                assert!(Summary::parse_any(&broken).is_none() || is_parsed(&broken), "{broken}");
            }
        }
    }
}

#[test]
fn a_line_with_fewer_fields_has_no_summary() {
    let whole = r#"{"type":"delivery","v":1,"id":"a","at":"2026-11-20T21:23:21Z","payload":null,"signature":{"verdict":"unsigned"}}"#;
    assert!(Summary::parse(whole).is_some_and(|summary| summary.provider.is_none()));
    let fields = ["\"payload\":null,", "\"v\":1,", "\"id\":\"a\",", ",\"signature\":{\"verdict\":\"unsigned\"}"];
    for field in fields {
        assert!(Summary::parse(&whole.replace(field, "")).is_none(), "{field}");
    }
    assert!(Summary::parse(&whole.replace("delivery", "summary")).is_none());
    assert!(Summary::parse(&whole.replace("\"v\":1", "\"v\":2")).is_none());
}
