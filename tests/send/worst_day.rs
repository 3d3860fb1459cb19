//! `--duplicate`, `--shuffle`, `--tamper` and `--drill`: repeats, other orders and forgeries.

use std::collections::BTreeMap;

use serde_json::Value;

use super::send;
use crate::support::program::hookctl;
use crate::support::sign::hmac_hex;
use crate::support::target::{Answer, OK, Request, Target};

const SECRET: &str = "s3cret";

/// Whether the signature is valid by the each::labs documentation.
fn is_signed(request: &Request) -> bool {
    request.header("x-webhook-signature") == Some(&*hmac_hex(SECRET, &request.body))
}

/// A handler that passes every case: it verifies the raw body, remembers bodies, and acknowledges unknown statuses.
fn careful(requests: &[Request]) -> (u16, String) {
    let request = &requests[requests.len() - 1];
    if !is_signed(request) {
        return (401, String::new());
    }
    let Ok(payload) = serde_json::from_slice::<Value>(&request.body) else { return (400, String::new()) };
    let seen = requests[..requests.len() - 1].iter().filter(|other| other.body == request.body && is_signed(other));
    let duplicate = seen.count() > 0;
    (200, serde_json::json!({"received": payload["id"], "duplicate": duplicate}).to_string())
}

/// A handler with the usual mistakes: it verifies the signature over the re-serialised body, counts every delivery, and
/// answers 500 to an unknown status.
fn careless(requests: &[Request]) -> (u16, String) {
    let request = &requests[requests.len() - 1];
    let payload: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let rewritten = serde_json::to_vec(&payload).unwrap();
    let signature = request.header("x-webhook-signature");
    // Another mistake: a missing signature passes.
    if signature.is_some_and(|signature| signature != hmac_hex(SECRET, &rewritten)) {
        return (401, String::new());
    }
    match payload["status"].as_str() {
        Some("success" | "failed") => (200, format!("{{\"processed\":{}}}", requests.len())),
        _ => (500, String::new()),
    }
}

fn drill(handler: fn(&[Request]) -> (u16, String), source: &str, code: i32) -> (BTreeMap<String, String>, Target) {
    let target = Target::start(&[Answer::By(handler)]);
    let run = ["send", source, "--drill", "--json", "--secret", SECRET, "--to", &target.url];
    let stream = hookctl(run).exits(code).stdout;
    let lines = stream.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let cases = lines.filter(|line| line["type"] == "drill");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cases =
        cases.map(|line| (text(&line["case"]), format!("{} {}", text(&line["verdict"]), text(&line["reason"]))));
    (cases.collect(), target)
}

#[test]
fn a_careful_handler_passes_the_drill() {
    let (cases, target) = drill(careful, "success", 0);
    let not_passed: Vec<_> = cases.iter().filter(|(_, verdict)| *verdict != "passed ").collect();
    insta::assert_debug_snapshot!(not_passed, @r#"
    [
        (
            "from the future",
            "skipped eachlabs has no time stamp to check",
        ),
        (
            "out of order",
            "skipped each::labs sends one event per prediction",
        ),
        (
            "stale",
            "skipped eachlabs has no time stamp to check",
        ),
    ]
    "#);
    let requests = target.requests();
    let large = requests.iter().map(|request| request.body.len()).max().unwrap();
    assert!(large > 1024 * 1024, "{large}");
    let ids: Vec<Value> = requests
        .iter()
        .filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok())
        .map(|payload| payload["id"].clone())
        .collect();
    // One, two and five copies; each case has a prediction of its own.
    assert!(ids[0] != ids[1] && ids[1] == ids[2] && ids[2] != ids[3] && ids[3..8].iter().all(|id| *id == ids[3]));
}

#[test]
fn a_careless_handler_fails_the_cases_of_its_mistakes() {
    // The payload is written as serde_json writes it, so that the re-serialised body verifies.
    let folder = tempfile::tempdir().unwrap();
    let payload = folder.path().join("compact.json");
    std::fs::write(&payload, r#"{"id":"abc","input":{},"output":"u","status":"success"}"#).unwrap();
    let (cases, _target) = drill(careless, payload.to_str().unwrap(), 4);
    let failed: Vec<_> = cases.iter().filter(|(_, verdict)| verdict.starts_with("failed")).collect();
    insta::assert_debug_snapshot!(failed, @r#"
    [
        (
            "concurrent duplicates",
            "failed processed more than once: \"processed\" went from 4 to 8",
        ),
        (
            "duplicate",
            "failed processed twice: \"processed\" went from 2 to 3",
        ),
        (
            "missing signature",
            "failed answered 200",
        ),
        (
            "unknown status",
            "failed answered 500",
        ),
    ]
    "#);
}

#[test]
fn a_drill_is_a_table_and_a_report_for_ci() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("drill.xml");
    let target = Target::start(&[Answer::By(|requests| {
        (if requests.len() == 2 { 500 } else { careful(requests).0 }, String::new())
    })]);
    let run = ["success", "--drill", "--secret", SECRET, "--report", &format!("junit={}", report.display())];
    let finished = send(&target, &run).exits(4);
    let table: Vec<&str> = finished.stdout.lines().take(7).map(|line| line.split(" in ").next().unwrap()).collect();
    insta::assert_snapshot!(table.join("\n"), @"
       case                   expected  answered
    ✓  good                   2xx       200
    ✗  duplicate              2xx       500 200
       fault    answered 500
       sent     the same delivery twice
       why      providers deliver at least once: acknowledge the second one, and do not process it again
    ✓  concurrent duplicates  2xx       200 200 200 200 200
    ");
    assert!(finished.stdout.ends_with("12 passed · 1 failed · 3 skipped\n"), "{finished:#?}");
    let xml = std::fs::read_to_string(&report).unwrap();
    assert!(
        xml.contains(r#"<testsuite name="hookctl send --drill" tests="16" skipped="3" errors="0" failures="1""#),
        "{xml}"
    );
    assert!(xml.contains(r#"<failure message="answered 500">"#), "{xml}");
    for part in
        ["sent: the same delivery twice (completed of ", "wanted: 2xx", "came: 500 in ", "why: providers deliver"]
    {
        assert!(xml.contains(part), "no {part:?} in {xml}");
    }
    assert_eq!(
        xml.matches(" time=").count(),
        2 + 13,
        "one each for the suite and the suites, and one per case that was sent: {xml}"
    );
}

#[test]
fn an_acknowledged_repeat_without_evidence_gets_a_note() {
    const OPEN: &str = "acknowledged; the responses do not show whether it was processed twice";
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("drill.xml");
    let form = format!("junit={}", report.display());
    let run = ["--drill", "--secret", SECRET, "--report", &form];
    let notes = |handler: Answer, code: i32| {
        let table = send(&Target::start(&[handler]), &run).exits(code).stdout;
        let xml = std::fs::read_to_string(&report).unwrap();
        (table.matches(OPEN).count(), xml.matches(&format!("<system-out>{OPEN}</system-out>")).count())
    };
    assert_eq!(notes(OK, 4), (2, 2), "for the duplicate, and for the concurrent duplicates");
    assert_eq!(notes(Answer::By(careful), 0), (0, 0));
}

#[test]
fn an_unsignable_case_is_skipped_and_a_cases_header_beats_the_users() {
    // Kie signs a field of the body, and an empty body has no fields.
    let target = Target::start(&[OK]);
    let run = ["send", "kie/success", "--drill", "-s", "k", "--json", "--to", &target.url, "-H", "content-type: a/b"];
    let stream = hookctl(run).exits(4).stdout;
    let of =
        |case: &str| stream.lines().find(|line| line.contains(&format!("\"case\":\"{case}\""))).unwrap().to_owned();
    assert!(of("empty body").contains("\"verdict\":\"skipped\"") && of("empty body").contains("taskId"));
    assert!(of("unknown status").contains("\"verdict\""), "the other cases run");
    let types = target.requests().iter().filter(|request| request.header("content-type") == Some("text/plain")).count();
    assert_eq!(types, 1, "the header of the case beats -H");
}

#[test]
fn flags_without_effect_are_refused() {
    let cases: [(&[&str], &str); 5] = [
        (&["success", "--rate", "5"], "--count"),
        (&["success", "--concurrency", "5"], "--count"),
        (&["success", "--count", "2", "--id", "x"], "each delivery has its own"),
        (&["success", "--drill", "--id", "x"], "each delivery has its own"),
        (&["success", "--duplicate", "100000"], "--duplicate"),
    ];
    for (arguments, cause) in cases {
        hookctl(["send", "--to", "127.0.0.1:1"].into_iter().chain(arguments.iter().copied())).exits(2).says(cause);
    }
}

#[test]
fn a_drill_without_a_handler_fails_with_its_cause() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("drill.xml");
    let form = format!("junit={}", report.display());
    hookctl(["send", "--drill", "--secret", "s", "--to", &closed.to_string(), "--report", &form])
        .exits(6)
        .says("cannot reach the handler: connection refused");
    let xml = std::fs::read_to_string(&report).unwrap();
    assert!(xml.contains(r#"tests="1" skipped="0" failures="1""#) && xml.contains(r#"name="good""#), "{xml}");
    assert!(xml.contains("connection refused"), "{xml}");
}

#[test]
fn every_tampered_delivery_fails_verification_and_expects_4xx() {
    type Check = fn(&Request) -> bool;
    let json: Check = |request| serde_json::from_slice::<Value>(&request.body).is_ok();
    let cases: [(&str, &str, Check); 5] = [
        ("body", "success", json),
        ("signature", "success", |request| request.header("x-webhook-signature").unwrap().len() == 64),
        ("secret", "success", |request| request.header("x-webhook-signature").unwrap().len() == 64),
        ("missing", "success", |request| request.header("x-webhook-signature").is_none()),
        ("malformed", "success", |request| request.header("x-webhook-signature") == Some("not-a-signature")),
    ];
    for (kind, source, looks_right) in cases {
        let target = Target::start(&[Answer::By(careful)]);
        send(&target, &[source, "--secret", SECRET, "--tamper", kind]).exits(0).says("a good handler answers 4xx");
        let request = target.requests().remove(0);
        assert!(!is_signed(&request) && looks_right(&request), "{kind}: {request:?}");
        // A handler that accepts the forgery has failed.
        let target = Target::start(&[OK]);
        send(&target, &[source, "--secret", SECRET, "--tamper", kind]).exits(4).says("the handler did not refuse");
        assert_eq!(target.requests().len(), 1, "no sender retries after 2xx");
    }
}

#[test]
fn stale_and_future_time_stamps_are_outside_the_tolerance() {
    let now = || jiff::Timestamp::now().as_second();
    for (kind, sign) in [("stale", 1), ("future", -1)] {
        let target = Target::start(&[Answer::Status(401, "", "")]);
        send(&target, &["eachlabs/c/succeeded", "--secret", SECRET, "--tamper", kind]).exits(0);
        let request = target.requests().remove(0);
        let at: i64 = request.header("x-webhook-timestamp").unwrap().parse().unwrap();
        let age = (now() - at) * sign;
        assert!((330..400).contains(&age), "{kind}: {age}");
        let signed = [at.to_string().as_bytes(), b".", &request.body].concat();
        let expected = format!("sha256={}", hmac_hex(SECRET, &signed));
        assert_eq!(request.header("x-webhook-signature"), Some(&*expected), "the signature itself is valid");
    }
}

#[test]
fn a_tampering_that_the_scheme_cannot_detect_is_refused() {
    let to = ["--to", "127.0.0.1:1"];
    let cases: [(&[&str], &str); 5] = [
        (&["success", "--tamper", "body"], "it is not signed; sign it with --secret"),
        (&["success", "--tamper", "stale", "-s", "k"], "signed as eachlabs, which has no time stamp to check"),
        (&["success", "--tamper", "body", "-s", "k", "--scheme", "bearer"], "which does not cover the body"),
        (&["success", "--tamper", "future", "-s", "k", "--scheme", "stripe"], "accepts a time stamp in the future"),
        (&["success", "--tamper", "bdy", "-s", "k"], "possible values"),
    ];
    for (arguments, cause) in cases {
        hookctl(["send"].into_iter().chain(to).chain(arguments.iter().copied())).exits(2).says(cause);
    }
}

#[test]
fn a_duplicate_has_the_same_bytes() {
    let target = Target::start(&[OK]);
    send(&target, &["success", "failed", "--secret", SECRET, "--duplicate", "2"]).exits(0);
    let requests = target.requests();
    assert_eq!(requests.len(), 6);
    for copies in requests.chunks(3) {
        assert!(copies.iter().all(|copy| (&copy.headers, &copy.body) == (&copies[0].headers, &copies[0].body)));
    }
    assert_ne!(requests[0].body, requests[3].body);
}

#[test]
fn a_seed_repeats_the_order() {
    let sources = ["success", "failed", "workflow", "eachlabs/b/succeeded", "eachlabs/b/failed", "modelslab/success"];
    let order = |extra: &[&str]| {
        let target = Target::start(&[OK]);
        let finished = send(&target, &[&sources, extra].concat()).exits(0);
        (target.requests().into_iter().map(|request| request.body).collect::<Vec<_>>(), finished.stderr)
    };
    let (plain, _) = order(&[]);
    let (shuffled, stderr) = order(&["--shuffle", "--seed", "7"]);
    assert!(stderr.contains("--seed 7 repeats this order"), "{stderr}");
    assert_eq!(order(&["--shuffle", "--seed", "7"]).0, shuffled);
    assert_ne!(plain, shuffled);
    let sorted = |mut bodies: Vec<Vec<u8>>| {
        bodies.sort();
        bodies
    };
    assert_eq!(sorted(plain), sorted(shuffled));
}

#[test]
fn only_the_events_of_the_filter_are_sent() {
    let target = Target::start(&[OK]);
    let sources = ["cog/coglet/start", "cog/coglet/output", "cog/coglet/succeeded"];
    send(&target, &[&sources[..], &["-e", "output,completed"]].concat()).exits(0);
    assert_eq!(target.requests().len(), 2);
    let target = Target::start(&[OK]);
    send(&target, &["success", "workflow", "-e", "workflow.*"]).exits(0);
    assert_eq!(target.requests().len(), 1, "a star matches anything, as in listen");
    let nothing = ["send", "success", "-e", "start", "--to", "127.0.0.1:1"];
    hookctl(nothing).exits(2).says("there is nothing to send: no delivery has one of the events start");
}
