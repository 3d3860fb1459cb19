//! `send JOURNAL`: recorded deliveries sent again.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::send;
use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::sign::hmac_hex;
use crate::support::target::{OK, Target};

/// Well-formed, but not valid.
const SIGNATURE: &str = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=";

fn journal(lines: &[String]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.jsonl");
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    (folder, path)
}

fn record(at: &str, headers: &[(&str, &str)], body: &str) -> String {
    json!({"type": "delivery", "v": 1, "at": at, "method": "POST", "target": "/hook", "http": "1.1",
           "headers": headers, "body": body})
    .to_string()
}

#[test]
fn recorded_bodies_and_end_to_end_headers_are_sent_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.jsonl");
    let bodies = [r#"{"id":"a","status":"success","output":"é","input":{}}"#, "not JSON \u{1F980}"];
    let mut listener = Listener::start(&["--record", path.to_str().unwrap()]);
    for body in bodies {
        listener.post("/deep?x=1", &[("x-webhook-signature", "abc"), ("connection", "keep-alive")], body.as_bytes());
        listener.next();
    }
    drop(listener);
    let target = Target::start(&[OK]);
    send(&target, &[path.to_str().unwrap()]).exits(0).says("2 acknowledged");
    let requests = target.requests();
    for (request, body) in requests.iter().zip(bodies) {
        assert_eq!(request.body, body.as_bytes());
        assert_eq!(request.line, "POST /hook HTTP/1.1", "the path is from --to");
        assert_eq!(request.header("x-webhook-signature"), Some("abc"));
        assert_eq!(request.header("connection"), None, "a header of one connection");
        assert_eq!(request.header("host"), Some(target.url["http://".len()..].trim_end_matches("/hook")));
    }
    assert_eq!(requests.len(), 2);
}

#[test]
fn signing_a_recorded_forgery_anew_warns() {
    let forged = record("2026-11-20T21:23:10Z", &[("x-webhook-signature", "00")], "{}");
    let verdict = r#"{"verdict":"invalid","scheme":"eachlabs","reason":"wrong_secret","hint":"h"},"type""#;
    let forged = forged.replacen("\"type\"", &format!("\"signature\":{verdict}"), 1);
    let (_folder, path) = journal(&[forged, record("2026-11-20T21:23:10Z", &[], "{}")]);
    let path = path.to_str().unwrap();
    let target = Target::start(&[OK]);
    const WARNING: &str = "1 of the deliveries failed verification when they were recorded";
    assert!(!send(&target, &[path]).exits(0).stderr.contains(WARNING));
    let stderr = send(&target, &[path, "--secret", "s"]).exits(0).stderr;
    let advice = format!("hookctl inspect {path} --verdict verified --json | hookctl send -");
    assert!(stderr.contains(WARNING) && stderr.contains(&advice), "{stderr}");
}

#[test]
fn speed_divides_the_recorded_gaps() {
    let lines = ["10", "11", "13"].map(|second| record(&format!("2026-11-20T21:23:{second}Z"), &[], "{}"));
    let (_folder, path) = journal(&lines);
    let target = Target::start(&[OK]);
    let begun = Instant::now();
    send(&target, &[path.to_str().unwrap(), "--speed", "10"]).exits(0);
    let arrived: Vec<_> = target.requests().iter().map(|request| (request.at - begun).as_millis()).collect();
    assert_eq!(arrived.len(), 3);
    // The due times count from the start. A busy machine may be late, but without --speed they would be far later.
    assert!(arrived[1] >= 100 && arrived[2] >= 300 && arrived[2] < 3000, "{arrived:?}");
}

#[test]
fn a_secret_replaces_the_recorded_signature() {
    let old =
        [("content-type", "application/json"), ("x-webhook-timestamp", "1"), ("x-webhook-signature", "sha256=00")];
    let (_folder, path) = journal(&[record("2026-11-20T21:23:10Z", &old, r#"{"status":"success"}"#)]);
    let target = Target::start(&[OK]);
    send(&target, &[path.to_str().unwrap(), "--secret", "k"]).exits(0);
    let request = target.requests().remove(0);
    let at = request.header("x-webhook-timestamp").unwrap();
    assert_ne!(at, "1");
    let signed = [at.as_bytes(), b".", &request.body].concat();
    let expected = format!("sha256={}", hmac_hex("k", &signed));
    let signatures: Vec<_> =
        request.headers.iter().filter(|(name, _)| name == "x-webhook-signature").map(|(_, value)| value).collect();
    assert_eq!(signatures, [&expected], "it replaces the recorded one");
}

#[test]
fn notes_name_old_time_stamps_damaged_lines_and_redacted_headers() {
    let headers = [("webhook-id", "msg_1"), ("webhook-timestamp", "1700000000"), ("webhook-signature", SIGNATURE)];
    let blanked = [("authorization", "<redacted>"), ("x-kept", "1")];
    let (_folder, path) = journal(&[
        record("2026-11-20T21:23:10Z", &headers, "{}"),
        "{\"type\":\"delivery\",\"v\":1,\"at\":\"2026".to_owned(),
        record("2026-11-20T21:23:10Z", &blanked, "{}"),
    ]);
    let target = Target::start(&[OK]);
    send(&target, &[path.to_str().unwrap()])
        .exits(0)
        .says("1 recorded time stamp is outside the tolerance by now")
        .says("line 2 is damaged and left out")
        .says("1 of the deliveries are sent without the header values that were redacted");
    let requests = target.requests();
    assert_eq!(requests[0].header("webhook-id"), Some("msg_1"));
    assert_eq!((requests[1].header("authorization"), requests[1].header("x-kept")), (None, Some("1")));
}

#[test]
fn sent_and_rejected_records_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sent.jsonl");
    let target = Target::start(&[OK]);
    send(&target, &["success", "--record", path.to_str().unwrap()]).exits(0);
    let arguments = ["send", path.to_str().unwrap(), "--to", "127.0.0.1:1"];
    hookctl(arguments).exits(2).says("there is nothing to send: the journal has no received delivery");
}

#[test]
fn the_json_output_of_listen_is_a_source() {
    let ready = json!({"type": "ready", "v": 1, "url": "http://127.0.0.1:1"}).to_string();
    let stream = [ready, record("2026-11-20T21:23:10Z", &[("x-a", "1"), ("x-a", "2")], "{}")].join("\n");
    let target = Target::start(&[OK]);
    hookctl(["send", "-", "--json", "--to", &target.url]).stdin(stream).exits(0);
    let request = target.requests().remove(0);
    let repeated = request.headers.iter().filter(|(name, _)| name == "x-a").map(|(_, value)| value.as_str());
    assert_eq!(repeated.collect::<Vec<_>>(), ["1", "2"]);
    let _: Value = serde_json::from_slice(&request.body).unwrap();
}

#[test]
fn the_recorded_method_and_header_order_are_kept() {
    let headers = [("host", "example.com"), ("content-length", "99"), ("x-a", "1"), ("connection", "close")];
    let (_folder, path) = journal(&[record("2026-11-20T21:23:10Z", &headers, "{}").replace("POST", "PUT")]);
    let target = Target::start(&[OK]);
    let finished = send(&target, &[path.to_str().unwrap(), "--json"]).exits(0);
    assert_eq!(finished.deliveries()[0]["method"], "PUT");
    let request = target.requests().remove(0);
    assert_eq!(request.line, "PUT /hook HTTP/1.1");
    let host = target.url["http://".len()..].trim_end_matches("/hook");
    let expected = [("host", host), ("content-length", "2"), ("x-a", "1")];
    let found: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
    let shown = send(&target, &[path.to_str().unwrap(), "--curl"]).exits(0).stdout;
    assert!(shown.contains("--request PUT"), "{shown}");
}

#[test]
fn a_note_counts_the_unsigned_deliveries() {
    let signed = || record("2026-11-20T21:23:10Z", &[("x-webhook-signature", "00")], "{}");
    let bare = || record("2026-11-20T21:23:10Z", &[], "{}");
    let stderr = |lines: &[String]| {
        let (_folder, path) = journal(lines);
        send(&Target::start(&[OK]), &[path.to_str().unwrap()]).exits(0).stderr
    };
    let some = stderr(&[signed(), bare(), signed()]);
    assert!(some.contains("1 of 3 recorded deliveries are sent unsigned, as they were received"), "{some}");
    assert!(!stderr(&[signed(), signed()]).contains("unsigned"));
}

#[test]
fn gaps_before_and_between_deliveries_that_are_left_out_are_not_waited_for() {
    let at = |time: &str, status: &str| {
        record(
            &format!("2026-11-20T{time}Z"),
            &[],
            &json!({"id": "a", "status": status, "output": 1, "input": {}}).to_string(),
        )
    };
    let (_folder, path) =
        journal(&[at("08:00:00", "processing"), at("21:00:00", "success"), at("21:00:01", "success")]);
    let target = Target::start(&[OK]);
    // An hour's wait would be ended by the watchdog.
    send(&target, &[path.to_str().unwrap(), "--events", "completed"]).exits(0).says("2 acknowledged");
    let requests = target.requests();
    assert!((requests[1].at - requests[0].at).as_millis() >= 900, "the gap between the two is kept");
}

#[test]
fn a_compressed_delivery_is_recognised_when_it_is_sent_again() {
    let body = br#"{"id":"p-1","status":"success","output":"u","input":{}}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, body).unwrap();
    let compressed = encoder.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.jsonl");
    let path = path.to_str().unwrap();
    let mut listener = Listener::start(&["--record", path]);
    listener.post("/", &[("content-encoding", "gzip"), ("x-webhook-signature", "abc")], &compressed);
    listener.next();
    drop(listener);
    let target = Target::start(&[OK]);
    for further in [&[][..], &["--events", "completed"], &["--count", "1"]] {
        let finished = send(&target, &[&[path, "--json"], further].concat()).exits(0);
        let payload = &finished.deliveries()[0]["payload"];
        let expected = [&json!("eachlabs"), &json!("p-1"), &json!("completed")];
        assert_eq!([&payload["provider"], &payload["id"], &payload["event"]], expected, "{further:?}: {finished:?}");
    }
    assert!(
        target.requests().iter().all(|request| request.body == compressed),
        "the bytes are those that were recorded"
    );
}

#[test]
fn a_header_that_http_does_not_allow_is_damage_to_send_and_to_inspect() {
    let good = record("2026-11-20T21:23:10Z", &[], "{}");
    let name = record("2026-11-20T21:23:10Z", &[("x a", "b")], "{}");
    let value = record("2026-11-20T21:23:10Z", &[("x-a", "b\r\nx-c: d")], "{}");
    let (_folder, path) = journal(&[name, good, value]);
    let path = path.to_str().unwrap();
    let target = Target::start(&[OK]);
    let (first, third) = (
        "line 1 is damaged and left out: the header \"x a\" has a name that HTTP does not allow",
        "line 3 is damaged and left out: the header \"x-a\" has a value that HTTP does not allow",
    );
    send(&target, &[path]).exits(0).says(first).says(third);
    assert_eq!(target.requests().len(), 1);
    for view in ["--stats", "--timeline", "--json"] {
        hookctl(["inspect", path, view]).exits(0).says(first).says(third);
    }
}

#[test]
fn several_journals_go_out_in_order_and_as_often_as_asked() {
    let bodies = |ids: &[&str]| {
        let lines: Vec<String> =
            ids.iter().map(|id| record("2026-11-20T21:23:10Z", &[], &json!({"id": id}).to_string())).collect();
        journal(&lines)
    };
    let (first, second) = (bodies(&["a", "b"]), bodies(&["c"]));
    let paths = [first.1.to_str().unwrap(), second.1.to_str().unwrap()];
    let target = Target::start(&[OK]);
    send(&target, &[&paths[..], &["--duplicate", "1"]].concat()).exits(0).says("6 acknowledged");
    let ids: Vec<Value> = target
        .requests()
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["id"].take())
        .collect();
    assert_eq!(ids, ["a", "a", "b", "b", "c", "c"]);
    let count = |flag: &str| send(&target, &[&paths[..], &[flag]].concat()).exits(0).stdout;
    assert_eq!(count("--curl").matches("curl --http1.1").count(), 3);
    assert_eq!(count("--dry-run").matches("POST /hook").count(), 3);
}

/// Lines that are appended while a journal is sent are not part of the run: `send J --record J` would never end.
#[test]
fn a_journal_may_be_recorded_to_while_it_is_sent() {
    let lines = ["10", "11", "12"].map(|second| record(&format!("2026-11-20T21:23:{second}Z"), &[], "{}"));
    let (_folder, path) = journal(&lines);
    let path = path.to_str().unwrap();
    let target = Target::start(&[OK]);
    send(&target, &[path, "--record", path, "--speed", "10"]).exits(0).says("3 acknowledged");
    assert_eq!((target.requests().len(), fs::read_to_string(path).unwrap().lines().count()), (3, 6));
}

#[cfg(target_os = "linux")]
#[test]
fn a_journal_larger_than_the_memory_limit_is_sent() {
    use crate::support::program::{Watchdog, command};
    use crate::support::target::Answer;
    // 64 MiB, of which one batch is in memory. The whole journal took 128 MiB and more.
    const LINES: usize = 512;
    const LIMIT: u64 = 40 * 1024;
    let body = json!({"id": "a", "status": "success", "output": "x".repeat(128 * 1024), "input": {}}).to_string();
    let lines = vec![record("2026-11-20T21:23:10Z", &[], &body); LINES];
    let (_folder, path) = journal(&lines);
    // The last delivery is not answered, so that the process is there to be measured.
    let answers: Vec<Answer> = std::iter::repeat_n(OK, LINES - 1).chain([Answer::Hang]).collect();
    let target = Target::start(&answers);
    let arguments = ["send", path.to_str().unwrap(), "--quiet", "--to", &target.url];
    let mut child = command().args(arguments).spawn().unwrap();
    let _watchdog = Watchdog::over(child.id());
    while target.count() < LINES {
        assert_eq!(child.try_wait().unwrap(), None, "it ended after {} requests", target.count());
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < LIMIT, "it took {peak} kB");
}
