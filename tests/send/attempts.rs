//! Attempts: which responses are retried, at which times, with which bytes, and the exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::send;
use crate::support::program::{command, hookctl};
use crate::support::sign::hmac_hex;
use crate::support::target::{Answer, OK, Request, Target};

const ERROR: Answer = Answer::Status(500, "", "boom");

fn status(status: u16) -> Answer {
    Answer::Status(status, "", "")
}

/// The waits between requests.
fn gaps(requests: &[Request]) -> Vec<Duration> {
    requests.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

#[test]
fn eachlabs_makes_four_attempts_with_the_same_bytes() {
    let target = Target::start(&[ERROR]);
    send(&target, &["failed", "--secret", "s3cret", "--speed", "1000"]).exits(6).prints("4/4");
    let requests = target.requests();
    assert_eq!(requests.len(), 4);
    for (gap, expected) in gaps(&requests).iter().zip([30, 120, 600]) {
        let expected = Duration::from_millis(expected);
        // The upper limit leaves room for a busy machine; a wait that ignores --speed would be far longer.
        assert!(*gap >= expected && *gap < expected * 3 + Duration::from_secs(1), "{gap:?} instead of {expected:?}");
    }
    let first = &requests[0];
    assert_eq!(first.header("x-webhook-signature"), Some(&*hmac_hex("s3cret", &first.body)));
    for request in &requests {
        assert_eq!((&request.line, &request.headers, &request.body), (&first.line, &first.headers, &first.body));
    }
}

#[test]
fn an_acknowledgement_ends_the_retries() {
    let target = Target::start(&[ERROR, OK]);
    send(&target, &["failed", "--speed", "100000"]).exits(0).says("retry 1 of 3");
    assert_eq!(target.requests().len(), 2);
}

#[test]
fn a_profile_decides_what_is_retried() {
    let wait = Answer::Status(413, "retry-after: 1\r\n", "");
    let cases: [(&[&str], &[Answer], usize, i32); 21] = [
        (&["success"], &[status(400)], 4, 6),
        (&["success"], &[status(301)], 4, 6),
        (&["success"], &[status(204)], 1, 0),
        (&["success"], &[Answer::Close], 4, 6),
        (&["eachlabs/b/succeeded"], &[status(404)], 3, 6),
        (&["modelslab/success"], &[ERROR], 1, 6),
        (&["workflow"], &[ERROR], 4, 6),
        // Cog retries the terminal delivery only, and only after some statuses.
        (&["cog/coglet/start"], &[ERROR], 1, 6),
        (&["cog/python/output"], &[ERROR], 1, 6),
        (&["cog/coglet/succeeded"], &[status(400)], 1, 6),
        (&["cog/coglet/succeeded"], &[status(429), OK], 2, 0),
        (&["cog/coglet/canceled"], &[ERROR], 13, 6),
        (&["cog/python/failed"], &[status(503)], 13, 6),
        (&["cog/coglet/succeeded"], &[wait.clone(), OK], 1, 6),
        (&["cog/python/succeeded"], &[wait, OK], 2, 0),
        // --retry
        (&["success", "--retry", "none"], &[ERROR], 1, 6),
        (&["success", "--retry", "1ms,1ms"], &[ERROR], 3, 6),
        (&["success", "--retry", "cog"], &[status(400)], 1, 6),
        (&["success", "--retry", "cog-python"], &[ERROR], 13, 6),
        (&["success", "--retry", "eachlabs-b"], &[ERROR], 3, 6),
        (&["modelslab/success", "--retry", "modelslab-workflow"], &[ERROR], 4, 6),
    ];
    for (arguments, answers, requests, code) in cases {
        let target = Target::start(answers);
        send(&target, &[arguments, &["--speed", "1000000"]].concat()).exits(code);
        assert_eq!(target.requests().len(), requests, "{arguments:?} {answers:?}");
    }
}

#[test]
fn python_obeys_retry_after_and_coglet_does_not() {
    for (source, waits) in [("cog/python/succeeded", 7_000.0), ("cog/coglet/succeeded", 200.0)] {
        let target = Target::start(&[Answer::Status(503, "retry-after: 7\r\n", ""), OK]);
        let lines = send(&target, &[source, "--speed", "1000", "--json"]).exits(0).json();
        assert_eq!(lines[1]["provider_waits_ms"], waits, "{source}");
    }
}

#[test]
fn cog_follows_a_redirect_and_the_others_do_not() {
    let moved = Answer::Status(307, "location: /elsewhere\r\n", "");
    let lines = |source: &str| {
        let target = Target::start(&[moved.clone(), OK]);
        send(&target, &[source, "--speed", "1000000"]).exits(0);
        target.requests().into_iter().map(|request| request.line).collect::<Vec<_>>()
    };
    assert_eq!(lines("cog/coglet/start"), ["POST /hook HTTP/1.1", "POST /elsewhere HTTP/1.1"]);
    assert_eq!(lines("success"), ["POST /hook HTTP/1.1"; 2]);
}

#[test]
fn a_delivery_that_loses_its_body_in_a_redirect_is_reported() {
    let target = Target::start(&[Answer::Status(302, "location: /page\r\n", ""), OK]);
    send(&target, &["cog/coglet/start"]).exits(0).prints("gets no body: this delivery was lost");
    assert!(target.requests()[1].line.starts_with("GET /page"));
}

#[test]
fn all_hops_share_one_timeout() {
    let target = Target::start(&[Answer::Status(307, "location: /next\r\n", ""), Answer::Hang]);
    send(&target, &["cog/coglet/start", "--timeout", "300ms"]).exits(6).prints("no answer within 300ms");
}

/// A delivery and its retry 1.1 s later: the time stamp in seconds changes. Returns each header of both requests.
fn attempt_and_retry(scheme: &str, secret: &str, names: &[&str]) -> Vec<[Option<String>; 2]> {
    let target = Target::start(&[ERROR, OK]);
    let retry = ["--retry", "1100ms", "--speed", "1"];
    send(&target, &[&["success", "--scheme", scheme, "--secret", secret], &retry[..]].concat()).exits(0);
    let requests = target.requests();
    assert_eq!(requests[0].body, requests[1].body);
    let pair = |name: &&str| [0, 1].map(|index: usize| requests[index].header(name).map(str::to_owned));
    names.iter().map(pair).collect()
}

#[test]
fn standard_webhooks_signs_a_retry_anew_under_the_same_id() {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let [id, timestamp, signature] = attempt_and_retry("standard-webhooks", "c2VjcmV0", &names).try_into().unwrap();
    assert!(id[0].is_some() && id[0] == id[1], "{id:?}");
    let [first, second] = timestamp.map(|timestamp| timestamp.unwrap().parse::<u64>().unwrap());
    assert!(second > first, "{first} and {second}");
    assert_ne!(signature[0], signature[1]);
}

#[test]
fn eachlabs_retries_with_the_first_signature() {
    let headers = attempt_and_retry("eachlabs-timestamped", "s", &["x-webhook-timestamp", "x-webhook-signature"]);
    assert!(headers.iter().all(|[first, second]| first.is_some() && first == second), "{headers:?}");
}

#[test]
fn expect_status_decides_the_exit_code() {
    let cases: [(&[&str], u16, i32, &str); 8] = [
        (&[], 200, 0, ""),
        (&[], 500, 6, ""),
        (&["--expect-status", "4xx"], 404, 0, "0 acknowledged, 1 answered as expected"),
        (&["--expect-status", "4xx"], 200, 4, ""),
        (&["--expect-status", "200,202"], 202, 0, ""),
        (&["--expect-status", "200,202"], 204, 4, ""),
        (&["--expect-status", "2xx"], 500, 4, ""),
        (&["--expect-status", "5xx"], 500, 0, ""),
    ];
    for (arguments, answer, code, note) in cases {
        let target = Target::start(&[status(answer)]);
        send(&target, &[&["success", "--retry", "1ms"], arguments].concat()).exits(code).says(note);
        let requests = if code == 6 || answer == 500 && code != 0 { 2 } else { 1 };
        assert_eq!(target.requests().len(), requests, "{arguments:?} {answer}");
    }
}

#[test]
fn a_closed_port_is_unreachable() {
    // The client's port of an open connection: no other process can bind the port, and nothing listens on it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let url = format!("http://{}/hook", taken.local_addr().unwrap());
    let finished = hookctl(["send", "success", "--to", &url, "--speed", "1000000", "--json"]).exits(6);
    let deliveries = finished.deliveries();
    assert_eq!(deliveries.len(), 4, "each::labs retries");
    for delivery in deliveries {
        assert_eq!((&delivery["outcome"], &delivery["answer"]), (&Value::from("unreachable"), &Value::Null));
        assert!(delivery["error"].as_str().is_some_and(|error| error.contains("refused")), "{delivery}");
    }
    hookctl(["send", "success", "--to", &url, "--retry", "none"]).exits(6).prints("unreachable");
}

#[test]
fn a_missing_response_is_unknown() {
    let cases: [(Answer, &[&str], &str); 2] =
        [(Answer::Close, &[], "closed"), (Answer::Hang, &["--timeout", "200ms"], "no answer within 200ms")];
    for (answer, arguments, why) in cases {
        let target = Target::start(&[answer]);
        let base = ["success", "--retry", "none"];
        let finished = send(&target, &[&base, arguments, &["--json"]].concat()).exits(6);
        let delivery = &finished.deliveries()[0];
        assert_eq!((&delivery["outcome"], &delivery["answer"]), (&Value::from("unknown"), &Value::Null));
        assert!(delivery["error"].as_str().is_some_and(|error| error.contains(why)), "{delivery}");
        send(&target, &[&base, arguments].concat()).exits(6).prints("unknown").prints("may have been processed");
    }
}

#[test]
fn a_missing_response_on_a_reused_connection_is_not_resent_silently() {
    let target = Target::start(&[OK, Answer::Close]);
    let finished = send(&target, &["success", "failed", "--retry", "none", "--json"]).exits(6);
    let outcomes: Vec<_> = finished.deliveries().iter().map(|delivery| delivery["outcome"].clone()).collect();
    assert_eq!(outcomes, ["answered", "unknown"]);
    assert_eq!(target.requests().len(), 2);
}

#[test]
fn a_failed_delivery_does_not_stop_the_next() {
    let target = Target::start(&[ERROR, OK]);
    let finished = send(&target, &["success", "failed", "--retry", "none", "--json"]).exits(6);
    let summary = finished.json().pop().unwrap();
    let counts = ["deliveries", "acknowledged", "attempts"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 2], "{summary}");
}

/// Interrupts a sender that waits for its first retry. Returns the exit code and standard error.
fn interrupted(signal: &str, retries: &str) -> (Option<i32>, String) {
    let target = Target::start(&[ERROR]);
    let mut child = command()
        .args(["send", "success", "--retry", retries, "--speed", "1", "--json", "--to", &target.url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let waiting = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    assert!(waiting.into_iter().any(|line| line["type"] == "attempt"), "the sender waits for its retry");
    let kill = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(target.requests().len(), 1);
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn a_signal_ends_the_wait_and_reports_the_retries_left() {
    for (signal, code, retries, warning) in [
        ("INT", 130, "1h,1h,1h", "3 retries of abc123-def456-ghi789 were not made"),
        ("TERM", 143, "1h", "1 retry of abc123-def456-ghi789 was not made"),
    ] {
        let (ended, stderr) = interrupted(signal, retries);
        assert_eq!(ended, Some(code), "{stderr}");
        assert!(stderr.contains(warning), "{stderr}");
    }
}

#[test]
fn an_unwritable_journal_stops_send_before_the_first_request() {
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = silent.local_addr().unwrap().to_string();
    let journal = folder.path().join("no/such/folder.jsonl");
    let run = hookctl(["send", "success", "--to", &url, "--record", journal.to_str().unwrap()]);
    run.exits(1).says("cannot write the journal");
    silent.set_nonblocking(true).unwrap();
    assert!(silent.accept().is_err(), "something was sent");
    assert!(!fs::exists(&journal).unwrap());
}

#[test]
fn every_profile_keeps_its_waits_at_speed_100() {
    // The seconds between attempts; only profiles whose waits stand out from the delays of a busy machine.
    let profiles: [(&str, &[f64]); 6] = [
        ("success", &[30.0, 120.0, 600.0]),
        ("eachlabs/c/succeeded", &[10.0, 10.0]),
        ("bfl/ready", &[1.0, 5.0, 30.0]),
        ("runpod/completed", &[10.0, 10.0]),
        ("assemblyai/completed", &[10.0; 9]),
        ("cog/coglet/succeeded", &[0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 102.4, 102.4]),
    ];
    for (source, waits) in profiles {
        let target = Target::start(&[ERROR]);
        send(&target, &[source]).exits(6);
        let gaps = gaps(&target.requests());
        assert_eq!(gaps.len(), waits.len(), "{source}");
        for (gap, wait) in gaps.iter().zip(waits) {
            let (gap, wanted) = (gap.as_secs_f64(), wait / 100.0);
            // 15 %, and 250 ms for the request on a busy machine.
            assert!(gap >= wanted * 0.85 && gap <= wanted * 1.15 + 0.25, "{source}: {gap} s instead of {wanted} s");
        }
    }
}

#[test]
fn advice_about_the_signature_follows_if_every_response_is_401() {
    const ADVICE: &str = "401 means a missing or invalid signature: ";
    let stderr = |answers: &[Answer], arguments: &[&str], code: i32| {
        let target = Target::start(answers);
        send(&target, &[&["failed", "success", "--retry", "none"], arguments].concat()).exits(code).stderr
    };
    let wrong = stderr(&[status(401)], &["--secret", "wrong"], 6);
    assert!(wrong.contains(&format!("{ADVICE}compare --secret and --scheme")), "{wrong}");
    let unsigned = stderr(&[status(401)], &[], 6);
    assert!(unsigned.contains(&format!("{ADVICE}give the receiver's secret")), "{unsigned}");
    assert!(!stderr(&[status(401), OK], &["--secret", "right"], 6).contains(ADVICE), "one delivery was accepted");
    assert!(
        !stderr(&[status(401)], &["--secret", "k", "--tamper", "body"], 0).contains(ADVICE),
        "the refusal is expected"
    );
}
