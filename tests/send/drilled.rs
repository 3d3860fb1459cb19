//! The journal and the report of a drill, and the advice when the handler refuses every delivery.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::send;
use crate::support::program::{Watchdog, command, hookctl};
use crate::support::sign::hmac_hex;
use crate::support::target::{Answer, Request, Target};

const SECRET: &str = "s3cret";

/// A handler that verifies the signature and parses the body, and nothing else.
fn verifies(requests: &[Request]) -> (u16, String) {
    let request = &requests[requests.len() - 1];
    let signature = hmac_hex(SECRET, &request.body);
    let is_signed = request.header("x-webhook-signature") == Some(&*signature);
    let is_json = || serde_json::from_slice::<Value>(&request.body).is_ok();
    (
        if !is_signed {
            401
        } else if is_json() {
            200
        } else {
            400
        },
        String::new(),
    )
}

#[test]
fn the_drills_journal_has_the_case_and_the_expected_statuses() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("drill.jsonl");
    let journal = journal.to_str().unwrap();
    let target = Target::start(&[Answer::By(verifies)]);
    let drill = ["--drill", "--secret", SECRET, "--record", journal];
    let first = send(&target, &drill).exits(0);
    assert!(!first.stderr.contains("already"), "{first:?}");
    let lines = std::fs::read_to_string(journal).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |case: &str| records.iter().filter(|record| record["case"] == case).cloned().collect::<Vec<_>>();
    assert_eq!((of("good").len(), of("duplicate").len(), of("concurrent duplicates").len()), (1, 2, 5));
    assert_eq!(of("tampered body")[0]["expect_status"], "4xx");
    assert!(records.iter().all(|record| record["of"] == 1 && record["case"].is_string()), "{lines}");

    // A refused forgery is the expected result, and not red.
    let table = hookctl(["inspect", journal, "--color", "always"]).exits(0).stdout;
    let row = table.lines().find(|line| line.contains("tampered body")).expect(&table);
    assert!(row.contains("\u{1b}[1;32m401") && !row.contains("\u{1b}[1;31m"), "{row}");
    assert!(row.find("tampered body") < row.find("wrong_secret"), "a narrow terminal cuts the reason first: {row}");
    let shown = hookctl(["inspect", journal, "--show", "18"]).exits(0).stdout;
    assert!(shown.contains("drill    unknown status: a good handler answers 2xx"), "{shown}");
    let timeline = hookctl(["inspect", journal, "--timeline"]).exits(0).stdout;
    assert!(timeline.contains("unknown status") && !timeline.contains("try 1/"), "{timeline}");
    let page = folder.path().join("page.html");
    hookctl(["inspect", journal, "--html", page.to_str().unwrap()]).exits(0);
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("\"expected\":true").count(), records.len(), "{page}");

    send(&target, &drill).exits(0).says("has deliveries already; those of this drill are appended");
}

#[test]
fn refusing_the_good_delivery_too_passes_no_case() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("drill.jsonl");
    let cases = [
        (401, &["--secret", SECRET][..], "refused (401), so this drill proves little: compare --secret and --scheme"),
        (401, &[], "refused (401), so this drill proves little: it was not signed; give the receiver's secret"),
        (404, &["--secret", SECRET], "refused (404), so this drill proves little: check the path of --to"),
    ];
    for (status, secret, advice) in cases {
        let target = Target::start(&[Answer::Status(status, "", "")]);
        let report = folder.path().join("drill.xml");
        let form = format!("junit={}", report.display());
        let run = [&["--drill", "--record", journal.to_str().unwrap(), "--report", &form], secret].concat();
        let finished = send(&target, &run).exits(4);
        let ticked: Vec<_> = finished.stdout.lines().filter(|line| line.starts_with('✓')).collect();
        assert!(ticked.is_empty(), "{ticked:?}");
        assert!(finished.stdout.contains("0 passed · 1 failed · 15 skipped"), "{finished:#?}");
        assert!(finished.stderr.trim_end().lines().last().unwrap().contains(advice), "{finished:#?}");
        let xml = std::fs::read_to_string(&report).unwrap();
        let failure = xml.split("<failure").nth(1).and_then(|rest| rest.split("</failure>").next()).unwrap();
        assert!(failure.contains("advice: even the good delivery was refused"), "{xml}");
    }
}

#[test]
fn after_a_timeout_of_the_good_delivery_all_cases_are_skipped() {
    let target = Target::start(&[Answer::Hang]);
    let finished = send(&target, &["--drill", "--secret", SECRET, "--timeout", "100ms"]).exits(6);
    assert!(finished.stdout.contains("0 passed · 1 failed · 15 skipped"), "{finished:#?}");
    finished.says("even the good delivery was not answered (no answer within 100ms)");
    assert_eq!(target.requests().len(), 1);
}

#[test]
fn the_table_begins_before_the_first_response() {
    let target = Target::start(&[Answer::Hang]);
    let mut command = command();
    command.args(["send", "--drill", "--timeout", "1h", "--to", &target.url]).stdout(Stdio::piped());
    let mut drill = command.stderr(Stdio::null()).spawn().unwrap();
    let _watchdog = Watchdog::over(drill.id());
    let mut head = String::new();
    BufReader::new(drill.stdout.as_mut().unwrap()).read_line(&mut head).unwrap();
    assert!(head.contains("expected  answered"), "{head:?}");
    while target.requests().is_empty() {
        std::thread::yield_now();
    }
    drill.kill().unwrap();
    drill.wait().unwrap();
}

#[test]
fn accepting_a_forgery_fails_though_the_good_delivery_was_refused() {
    // The usual mistake: a request without a signature is accepted.
    let target = Target::start(&[Answer::By(|requests| {
        let is_signed = requests[requests.len() - 1].header("x-webhook-signature").is_some();
        (if is_signed { 401 } else { 200 }, String::new())
    })]);
    let finished = send(&target, &["--drill", "--secret", SECRET]).exits(4);
    assert!(finished.stdout.contains("✗  missing signature"), "{finished:#?}");
}

#[test]
fn an_unsigned_drill_describes_its_requests_as_unsigned() {
    let target = Target::start(&[Answer::Status(200, "", "")]);
    let unsigned = send(&target, &["--drill"]).exits(4).stdout;
    assert!(
        unsigned.contains("a delivery without a body, unsigned") && !unsigned.contains("body, signed"),
        "{unsigned}"
    );
    let signed = send(&target, &["--drill", "--secret", SECRET]).exits(4).stdout;
    assert!(signed.contains("a delivery without a body, signed"), "{signed}");
}

#[test]
fn the_timeline_is_in_the_order_of_sending() {
    // Records are in the order of the responses.
    let line = |at: &str| {
        serde_json::json!({"type": "delivery", "v": 1, "direction": "sent", "at": at, "attempt": 1, "of": 1, "url": "u",
                           "body": r#"{"id":"a","status":"success","output":"u","input":{}}"#})
    };
    let journal = [line("2026-11-20T21:23:21.5Z"), line("2026-11-20T21:23:21.2Z")].map(|line| line.to_string() + "\n");
    let timeline = hookctl(["inspect", "-", "--timeline"]).stdin(journal.concat().as_bytes()).exits(0).stdout;
    let numbers: Vec<_> = timeline.lines().filter_map(|line| line.trim_start().strip_prefix('#')?.get(..1)).collect();
    assert_eq!(numbers, ["2", "1"], "{timeline}");
}
