//! Lines of this and of newer versions, damaged lines, and payloads that are no lines of a journal.

use jiff::Timestamp;

use super::*;
use crate::journal::fast::FastLine;
use crate::journal::record::{Answer, AnsweredBy};
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
