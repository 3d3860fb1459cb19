//! Long runs of `listen`: nothing grows, nothing leaks, and the counts add up. Ten seconds of it on every change; an hour
//! with `cargo test --release soak -- --ignored`, or as long and as fast as SOAK_SECONDS and SOAK_RATE say.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::SECRET;
use crate::support::connection::Connection;
use crate::support::listener::Listener;
use crate::support::sign::hmac_hex;

const SENDERS: u64 = 8;

/// How many deliveries go over one connection: enough of them come and go that one left open would show.
const PER_CONNECTION: u64 = 50;

/// How much more memory it may be at the end of ten seconds than at half time. Without a leak it was 0.1 to 0.7 MiB; a
/// kilobyte that is lost with each delivery is 5 MiB.
const SLACK: u64 = 2 * 1024 * 1024;

/// The same for an hour, in which all that is remembered is forgotten and put in its place again: 5 bytes a delivery.
const LONG_SLACK: u64 = 8 * 1024 * 1024;

/// One of a mix: new predictions, their repeats, progress, forgeries, and what nobody knows.
fn delivery(number: u64) -> (Vec<u8>, u16) {
    let body = match number % 8 {
        0 => json!({"id": format!("p-{}", number - number % 16), "status": "success", "output": "u", "input": {}}),
        1 => {
            json!({"id": format!("c-{number}"), "status": "processing", "output": [number], "logs": "", "metrics": {}})
        }
        2 => json!({"whatever": number}),
        _ => json!({"id": format!("n-{number}"), "status": "success", "output": "u", "input": {"n": number}}),
    };
    (body.to_string().into_bytes(), if number % 8 == 3 { 401 } else { 200 })
}

/// Memory in bytes and descriptors of a process, where the system tells.
pub fn taken(id: u32) -> Option<(u64, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?;
    let descriptors = std::fs::read_dir(format!("/proc/{id}/fd")).ok()?.count();
    Some((kilobytes.parse::<u64>().ok()? * 1024, descriptors))
}

fn soak(seconds: u64, rate: u64, slack: u64) {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("hooks.jsonl");
    let mut listener = Listener::start(&["--record", journal.to_str().unwrap(), "--secret", SECRET]);
    listener.may_take_long();
    let told = listener.drain();
    assert_eq!(Connection::open(listener.port).unwrap().post(b"{}").unwrap(), 401);
    let before = taken(listener.id());
    let (next, all) = (AtomicU64::new(0), seconds * rate);
    let started = Instant::now();
    let mut warm = None;
    std::thread::scope(|scope| {
        let senders: Vec<_> =
            (0..SENDERS).map(|_| scope.spawn(|| send(&next, all, rate, started, listener.port))).collect();
        let mut half = Some(started + Duration::from_secs(seconds) / 2);
        while senders.iter().any(|sender| !sender.is_finished()) {
            std::thread::park_timeout(Duration::from_millis(100));
            if half.is_some_and(|half| Instant::now() >= half) {
                (half, warm) = (None, taken(listener.id()));
            }
        }
    });
    let id = listener.id();
    if let (Some((_, at_first)), Some((warm, _))) = (before, warm) {
        let (memory, _) = taken(id).unwrap();
        assert!(memory < warm + slack, "it took {warm} bytes at half time and {memory} at the end");
        // The last connections are closed as soon as it comes to that.
        let closed = (0..1000).any(|_| {
            std::thread::park_timeout(Duration::from_millis(10));
            taken(id).unwrap().1 <= at_first
        });
        assert!(closed, "{at_first} descriptors before, {:?} after", taken(id));
    }
    listener.signal("INT");
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(0), "{stderr}");
    let (shown, summary) = told.join().unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let recorded = BufReader::new(File::open(&journal).unwrap()).split(b'\n').count() as u64;
    // With the one before them.
    assert_eq!((shown, recorded, &summary["deliveries"]), (all + 1, all + 1, &json!(all + 1)));
}

/// Sends every delivery that nobody else has taken, each at its time, and wants its answer.
fn send(next: &AtomicU64, all: u64, rate: u64, started: Instant, port: u16) {
    let mut connection = Connection::open(port).unwrap();
    for sent in 1.. {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= all {
            return;
        }
        let early = (started + Duration::from_secs(number) / u32::try_from(rate).unwrap()) - Instant::now();
        if !early.is_zero() {
            std::thread::park_timeout(early);
        }
        // From an eighth on what was there comes again: all that is remembered has its place by then.
        let (body, status) = delivery(number % (all / 8));
        let signature = hmac_hex(if status == 401 { "another" } else { SECRET }, &body);
        assert_eq!(connection.post_with(&[("x-webhook-signature", &signature)], &body).unwrap(), status);
        if sent % PER_CONNECTION == 0 {
            connection = Connection::open(port).unwrap();
        }
    }
}

#[test]
fn ten_seconds_of_load_add_up_and_leave_nothing_behind() {
    soak(10, 1000, SLACK);
}

#[test]
#[ignore = "takes an hour"]
fn an_hour_of_load_adds_up_and_leaves_nothing_behind() {
    let parameter = |name, usual| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    soak(parameter("SOAK_SECONDS", 3600), parameter("SOAK_RATE", 1000), LONG_SLACK);
}
