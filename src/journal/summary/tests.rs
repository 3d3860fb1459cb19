use serde_json::{Value, json};

use super::*;
use crate::journal::record::{Duplicate, Parsed, SentAttempt};
use crate::payload::lint::Warning;
use crate::payload::retry::Statuses;
use crate::payload::{Delivery, Payload};
use crate::signature::Reason;

#[test]
fn a_glance_sees_what_reading_it_all_sees() {
    for (_, fixture) in provider::fixtures() {
        let delivery = Delivery::bare(Default::default(), fixture.body.into());
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        let record = Record { payload, ..Record::bare(Timestamp::UNIX_EPOCH, delivery) };
        let line = String::from_utf8(record.to_line()).unwrap();
        let Parsed::Delivery(read) = Record::parse(&line).unwrap() else { panic!("a delivery") };
        let mut whole = Summary::from(&*read);
        for glance in [FastLine::read(line.trim_end()).map(|ours| ours.glance), Summary::of_any(&line)] {
            let mut glance = glance.unwrap();
            // By name in a summary, in the provider's order in a payload.
            glance.ids.sort();
            whole.ids.sort();
            assert_eq!(format!("{glance:?}"), format!("{whole:?}"), "{}", fixture.name);
        }
    }
}

#[test]
fn nothing_within_a_delivery_is_taken_for_what_is_said_of_it() {
    let forged = r#"","payload":{"provider":"forged"},"id":"x","at":"1970-01-01T00:00:00Z"#;
    let body = format!(r#"{{"id":"a","status":{},"metrics":{{}}}}"#, serde_json::to_string(forged).unwrap());
    let mut delivery = Delivery::bare(Default::default(), body.into());
    delivery.target = format!("/{forged}");
    delivery.headers.push(http::HeaderName::from_static("payload"), http::HeaderValue::from_static("payload"));
    delivery.headers.push(http::HeaderName::from_static("x"), http::HeaderValue::from_str(forged).unwrap());
    let payload = Payload::read(&delivery.body, &delivery.headers, None);
    let record = Record { payload, id: "real".into(), ..Record::bare(Timestamp::MAX, delivery) };
    let line = String::from_utf8(record.to_line()).unwrap();
    let (ours, any) = (FastLine::read(line.trim_end()).unwrap().glance, Summary::of_any(&line).unwrap());
    assert_eq!((ours.record.as_ref(), ours.raw_status.as_deref()), ("real", Some(forged)));
    assert_eq!(format!("{ours:?}"), format!("{any:?}"));
}

/// Lines of a delivery that was received and of one that was sent, in our own form.
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
        let mut delivery = Delivery::bare(Default::default(), body.to_vec().into());
        delivery.headers.push(http::HeaderName::from_static("a"), http::HeaderValue::from_static("b"));
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        let (reason, hint) = (Reason::WrongSecret, "compare".to_owned());
        let record = Record {
            payload,
            verdict: Verdict::Invalid { scheme: Some("github".into()), reason, hint },
            duplicate: Some(Duplicate { id: "b".into(), seen: None }),
            warnings: vec![Warning::new("w", "p", "m".into())],
            answer: Some(Answer::new(200, AnsweredBy::Script, 0.41)),
            sent,
            ..Record::bare(Timestamp::UNIX_EPOCH, delivery)
        };
        String::from_utf8(record.to_line()).unwrap().trim_end().to_owned()
    })
}

fn is_read(line: &str) -> bool {
    matches!(Record::parse(line), Ok(Parsed::Delivery(_)))
}

/// Every value within, as a pointer to it.
fn places(value: &Value, at: &str) -> Vec<String> {
    let within = match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| places(value, &format!("{at}/{name}"))).collect()
        }
        Value::Array(values) => {
            values.iter().enumerate().flat_map(|(n, value)| places(value, &format!("{at}/{n}"))).collect()
        }
        _ => Vec::new(),
    };
    [vec![at.to_owned()], within].concat()
}

#[test]
fn what_is_looked_at_can_be_read_whatever_stands_in_its_place() {
    let others = [json!(null), json!(7), json!(-1), json!("x"), json!([]), json!({}), json!([["a", 1]]), json!(true)];
    for line in lines() {
        let whole: Value = serde_json::from_str(&line).unwrap();
        let mut refused = 0;
        for place in places(&whole, "") {
            for other in &others {
                let mut broken = whole.clone();
                *broken.pointer_mut(&place).unwrap() = other.clone();
                // By their names, and in the order of our own lines.
                let ours = line.replacen(&whole.pointer(&place).unwrap().to_string(), &other.to_string(), 1);
                for broken in [broken.to_string(), ours] {
                    refused += usize::from(Summary::of(&broken).is_none());
                    assert!(Summary::of(&broken).is_none() || is_read(&broken), "{place}: {broken}");
                }
            }
        }
        assert!(refused > 100 && Summary::of(&line).is_some(), "{refused}");
    }
}

#[test]
fn what_is_looked_at_can_be_read_wherever_it_was_torn() {
    for line in lines() {
        assert!(is_read(&line) && Summary::of(&line).is_some(), "{line}");
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
                assert!(Summary::of(&broken).is_none() || is_read(&broken), "{broken}");
                assert!(Summary::of_any(&broken).is_none() || is_read(&broken), "{broken}");
            }
        }
    }
}

#[test]
fn what_tells_less_has_to_be_read_whole() {
    let whole = r#"{"type":"delivery","v":1,"id":"a","at":"2026-11-20T21:23:21Z","payload":null,"signature":{"verdict":"unsigned"}}"#;
    assert!(Summary::of(whole).is_some_and(|glance| glance.provider.is_none()));
    let less = ["\"payload\":null,", "\"v\":1,", "\"id\":\"a\",", ",\"signature\":{\"verdict\":\"unsigned\"}"];
    for part in less {
        assert!(Summary::of(&whole.replace(part, "")).is_none(), "{part}");
    }
    assert!(Summary::of(&whole.replace("delivery", "summary")).is_none());
    assert!(Summary::of(&whole.replace("\"v\":1", "\"v\":2")).is_none());
}
