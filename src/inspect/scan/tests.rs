use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::inspect::check::check_again;
use crate::inspect::query::Query;
use crate::inspect::view::View;
use crate::journal::record::{Answer, AnsweredBy};
use crate::payload::provider::fixtures;
use crate::payload::{Delivery, Headers, lint};
use crate::signature;
use crate::signature::{Choice, Policy};
use crate::signature::{Scheme, Secret, Verdict};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn config(choice: Choice, secrets: &[&str]) -> Config {
    let secrets = secrets.iter().map(|secret| Secret::new("main", *secret)).collect();
    Config {
        sources: Vec::new(),
        headers: Vec::new(),
        signature: None,
        provider: None,
        policy: Policy { scheme: choice, secrets, tolerance: None },
        now: None,
        explain: false,
        query: Query::default(),
        view: View::Stats,
        redact: Vec::new(),
        follow: false,
        zone: TimeZone::UTC,
    }
}

/// The line of a delivery that was signed by this scheme, some seconds before it came.
fn line(body: &[u8], scheme: &Scheme, secret: &str, late: i64) -> String {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let mut headers = Headers::default();
    headers.push(HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"));
    let signed = scheme.sign(body, &Secret::new("main", secret), at.as_second() - late, "msg_1").unwrap_or_default();
    signed.into_iter().for_each(|(name, value)| headers.push(name, value));
    headers.push(HeaderName::from_static("user-agent"), HeaderValue::from_static("a/1 (\"b\")"));
    let delivery = Delivery { method: "POST".into(), ..Delivery::bare(headers, Bytes::copy_from_slice(body)) };
    let payload = delivery.payload(None);
    let warnings = payload.as_ref().map(lint::warnings).unwrap_or_default();
    let answer = Some(Answer::new(200, AnsweredBy::Script, 0.41));
    let record = Record { id: "0198".into(), payload, warnings, answer, ..Record::bare(at, delivery) };
    line_without_quotes(&record)
}

/// A header with a quotation mark takes the slow path; every second line has one.
fn line_without_quotes(record: &Record) -> String {
    let line = String::from_utf8(record.to_line()).unwrap();
    let is_odd = record.delivery.body.len() % 2 == 1;
    if is_odd { line } else { line.replace(r#"(\"b\")"#, "b") }
}

/// The verdict of the whole record, or the damage of the line.
fn verdict_of_record(line: &str, config: &Config) -> Result<Option<Verdict>, String> {
    match Record::parse(line.trim_end_matches('\n')) {
        Ok(Parsed::Delivery(record)) => Ok(Some(check_again(&record, &config.policy, config.now))),
        Ok(Parsed::Other(_)) => Ok(None),
        Err(damage) => Err(damage.0),
    }
}

/// The verdict or the damage that a scanner finds, and whether it took the fast path.
fn verdict_of_scanner(line: &str, config: &Config) -> (Result<Option<String>, String>, bool) {
    let mut scanner = LineScanner::new(config);
    let batch = LineBatch { bytes: line.as_bytes().to_vec(), is_too_long: false };
    scanner.scan(&batch, ScanTask { config, keeps_back: false, before: 0 });
    let counted = scanner.statistics.end().verdicts.into_keys().next();
    let found = scanner.scanned.found.into_iter().next().map(|found| match found.result {
        LineResult::Damaged(damage) => Err(damage),
        LineResult::Selected(row) => Ok(Some(row.record.verdict.name().to_owned())),
        LineResult::Unparsed(_) | LineResult::Undecided(_) | LineResult::InSession(..) => {
            panic!("no delivery is kept back, undecided or in a session")
        }
    });
    let is_fast = counted.is_some();
    (found.unwrap_or(Ok(counted)), is_fast)
}

/// Wants the same of both; returns whether the scanner took the fast path.
fn agree(line: &str, config: &Config) -> bool {
    let (scanned, is_fast) = verdict_of_scanner(line, config);
    let expected = verdict_of_record(line, config).map(|verdict| verdict.map(|verdict| verdict.name().to_owned()));
    assert_eq!(scanned, expected, "{line}");
    is_fast
}

/// The counts of a scanner over one line without a signature check, or the damage of the line.
fn counted_by_scanner(line: &str) -> Result<String, String> {
    let config = config(Choice::Auto, &[]);
    let mut scanner = LineScanner::new(&config);
    let batch = LineBatch { bytes: line.as_bytes().to_vec(), is_too_long: false };
    scanner.scan(&batch, ScanTask { config: &config, keeps_back: false, before: 0 });
    let stats = scanner.statistics.end();
    assert_eq!(scanner.scanned.deliveries as u64, stats.deliveries, "{line}");
    match scanner.scanned.found.into_iter().next().map(|found| found.result) {
        Some(LineResult::Damaged(damage)) => Err(damage),
        Some(_) => panic!("it is counted: {line}"),
        None => Ok(format!("{stats:?}")),
    }
}

/// The counts of the whole record. Where the fields of a summary were broken and still parse, they count.
fn counted_by_record(line: &str, is_broken: bool) -> Result<String, String> {
    let mut statistics = Statistics::new(TimeZone::UTC);
    match Record::parse(line.trim_end_matches('\n')) {
        Ok(Parsed::Delivery(record)) => {
            let summary = is_broken.then(|| Summary::parse_any(line)).flatten();
            statistics.add(&summary.unwrap_or_else(|| Summary::from(&*record)));
        }
        Ok(Parsed::Other(_)) => {}
        Err(damage) => return Err(damage.0),
    }
    Ok(format!("{:?}", statistics.end()))
}

#[test]
fn both_paths_give_one_verdict_for_every_fixture_and_scheme() {
    let mut fast = 0;
    for (_, fixture) in fixtures() {
        for scheme in signature::ALL.iter() {
            for (secret, late) in [(SECRET, 0), (SECRET, 400), ("another", 0)] {
                let line = line(fixture.body.as_bytes(), scheme, secret, late);
                assert_eq!(counted_by_scanner(&line), counted_by_record(&line, false), "{line}");
                for choice in [Choice::Named(scheme), Choice::Auto] {
                    fast += usize::from(agree(&line, &config(choice, &["old", SECRET])));
                }
            }
        }
    }
    assert!(fast > 100, "few lines took the fast path: {fast}");
}

#[test]
fn a_line_that_is_broken_anywhere_is_damaged_on_both_paths() {
    let eachlabs = Scheme::named("eachlabs").unwrap();
    let config = config(Choice::Named(eachlabs), &[SECRET]);
    let line = line(br#"{"id":"abc","status":"success","output":"a\"b","input":{}}"#, eachlabs, SECRET, 0);
    assert!(line.is_ascii() && agree(&line, &config), "{line}");
    for from in 0..line.len() - 1 {
        for new in ["\"", "\\", ",", "1", "\u{1}", "\u{7f}", "é"] {
            agree(&format!("{}{new}{}", &line[..from], &line[from..]), &config);
        }
        agree(&format!("{}{}", &line[..from], &line[from + 1..]), &config);
    }
}

#[test]
fn a_line_that_is_broken_anywhere_is_counted_as_its_record() {
    let scheme = Scheme::named("eachlabs").unwrap();
    // With a quotation mark in a header, without it, and as base64.
    let bodies =
        [&br#"{"id":"a\u00e9","status":"success","output":"a\"b","input":{}}"#[..], b"plain text ", b"\xff\xfe\0"];
    for body in bodies {
        let line = line(body, scheme, SECRET, 0);
        assert!(FastLine::parse(&line).is_some(), "{line}");
        let places = (0..line.len() - 1).filter(|from| line.is_char_boundary(*from));
        for from in places {
            let (before, after) = line.split_at(from);
            let broken = ["\"", "\\", "\\q", "\\ud800", "]", ",", "1", "\u{1}", "\u{7f}", "é", &line]
                .map(|new| format!("{before}{}{after}", new.trim_end()));
            let torn = format!("{before}{line}");
            let shorter = format!("{before}{}", after.chars().skip(1).collect::<String>());
            for line in broken.into_iter().chain([torn, shorter]) {
                assert_eq!(counted_by_scanner(&line), counted_by_record(&line, true), "{line}");
            }
        }
    }
}

proptest! {
    #[test]
    fn both_paths_give_one_verdict_for_broken_lines(
        which in 0..signature::ALL.len(), text in "\\PC{0,12}|[\"\\\\/\n\t\u{1}\u{7f}é𝄞]{0,9}",
        place: prop::sample::Index, byte in "[ -~]|[\"\\\\,}\u{1}é]", how in 0..4,
    ) {
        let body = serde_json::json!({"id": "abc", "status": "success", "output": text, "input": {}}).to_string();
        let scheme = &signature::ALL[which];
        let mut line = line(body.as_bytes(), scheme, SECRET, 0);
        let from = (0..=place.index(line.len())).rev().find(|from| line.is_char_boundary(*from)).unwrap_or_default();
        match how {
            0 => line.truncate(from),
            1 => line.insert_str(from, &byte),
            2 => drop(line.remove(from)),
            _ => {}
        }
        if !line.trim_start().is_empty() && !line.trim_end().contains('\n') {
            agree(&line, &config(Choice::Named(scheme), &[SECRET]));
            agree(&line, &config(Choice::Auto, &[SECRET]));
            prop_assert_eq!(counted_by_scanner(&line), counted_by_record(&line, true));
        }
    }
}
