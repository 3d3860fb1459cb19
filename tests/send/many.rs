//! `--count`: many deliveries, each with its own id and signature, and their measurements.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

use super::send;
use crate::support::program::hookctl;
use crate::support::sign::hmac_hex;
use crate::support::target::{Answer, OK, Target};

#[test]
fn each_delivery_has_its_own_id_and_signature() {
    let target = Target::start(&[OK]);
    let run = ["success", "--count", "200", "--concurrency", "8", "--secret", "k"];
    let finished = send(&target, &run).exits(0);
    finished.prints("200 deliveries").prints("200 of 200 as expected").prints("200 × 200").prints("p99");
    let requests = target.requests();
    let mut ids = HashSet::new();
    for request in &requests {
        let payload: Value = serde_json::from_slice(&request.body).unwrap();
        assert!(ids.insert(payload["id"].as_str().unwrap().to_owned()), "{payload}");
        assert_eq!(request.header("x-webhook-signature"), Some(&*hmac_hex("k", &request.body)));
    }
    assert_eq!(requests.len(), 200);
}

#[test]
fn failures_are_shown_and_counted() {
    let target = Target::start(&[OK, Answer::Status(500, "", "boom"), OK]);
    let run = ["success", "--count", "20", "--concurrency", "1", "--json"];
    let stream = send(&target, &run).exits(6).stdout;
    let lines: Vec<Value> = stream.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, deliveries) = lines.split_last().unwrap();
    assert_eq!(deliveries.len(), 20, "JSON output skips nothing");
    assert_eq!((&summary["deliveries"], &summary["expected"]), (&20.into(), &19.into()));
    assert_eq!(summary["statuses"], serde_json::json!({"200": 19, "500": 1}));
    assert!(summary["latency_ms"]["p50"].as_f64().unwrap() > 0.0);

    let target = Target::start(&[OK, Answer::Status(500, "", "boom"), OK]);
    let finished = send(&target, &["success", "--count", "20", "--concurrency", "1"]).exits(6);
    assert_eq!(finished.stdout.matches("boom").count(), 1, "{finished:#?}");
    assert_eq!(finished.stdout.matches("✗").count(), 1, "only failed attempts are shown");
}

#[test]
fn refused_connections_are_counted_by_their_error() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    hookctl(["send", "success", "--count", "5", "--to", &closed])
        .exits(6)
        .prints("0 of 5 as expected")
        .prints("5 × connection refused");
}

#[test]
fn a_rate_spaces_the_deliveries() {
    let target = Target::start(&[OK]);
    let stream = send(&target, &["success", "--count", "20", "--rate", "100", "--json"]).exits(0).stdout;
    let summary: Value = serde_json::from_str(stream.lines().last().unwrap()).unwrap();
    // The last one is due at 190 ms; without --rate all 20 take a few milliseconds.
    assert!(summary["elapsed_ms"].as_u64().unwrap() >= 190, "{summary}");
}

#[test]
fn latency_includes_the_wait_for_a_slow_response_before() {
    // One connection, and the first response takes 300 ms: at 100 per second the other 19 deliveries start late.
    fn slow(requests: &[crate::support::target::Request]) -> (u16, String) {
        if requests.len() == 1 {
            let (_never, wait) = std::sync::mpsc::channel::<()>();
            let _ = wait.recv_timeout(Duration::from_millis(300));
        }
        (200, String::new())
    }
    let target = Target::start(&[Answer::By(slow)]);
    let run = ["success", "--count", "20", "--rate", "100", "--concurrency", "1", "--json"];
    let stream = send(&target, &run).exits(0).stdout;
    let summary: Value = serde_json::from_str(stream.lines().last().unwrap()).unwrap();
    let p50 = summary["latency_ms"]["p50"].as_f64().unwrap();
    assert!(p50 > 100.0, "latency counts from the due time: {p50}");
}

#[test]
fn latency_ends_with_the_head_of_the_response() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut piece = [0; 4096];
        let _ = stream.read(&mut piece).unwrap();
        // A body without an end.
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        while stream.read(&mut piece).is_ok_and(|read| read > 0) {}
    });
    let stream = hookctl(["send", "success", "--count", "1", "--json", "--to", &to]).exits(0).stdout;
    let summary: Value = serde_json::from_str(stream.lines().last().unwrap()).unwrap();
    let (latency, elapsed) = (&summary["latency_ms"]["max"], &summary["elapsed_ms"]);
    assert!(latency.as_f64().unwrap() < 900.0 && elapsed.as_f64().unwrap() >= 1000.0, "{summary}");
}
