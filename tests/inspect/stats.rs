//! Counts over a journal, as people and as programs see them.

use serde_json::{Value, json};

use super::captured::Captured;
use super::inspect;
use super::views::screen;
use crate::support::program::Finished;

#[test]
fn bars_fit_a_narrow_terminal() {
    let text = screen(&Captured::journal(), &["--stats"], 60);
    assert!(text.lines().all(|line| line.chars().count() <= 60) && !text.contains('…'), "{text}");
    assert!(text.contains("· max\n            0.50 ms\n"), "{text}");
}

#[test]
fn round_trips_are_measured_apart_from_answers() {
    let mut lines = Captured::journal().lines;
    lines.truncate(2);
    let mut sent: Value = serde_json::from_str(&lines[0]).unwrap();
    let attempt = json!({"direction": "sent", "attempt": 1, "of": 1, "url": "http://localhost/", "error": null});
    sent.as_object_mut().unwrap().extend(attempt.as_object().unwrap().clone());
    sent["answer"]["ms"] = json!(2000.5);
    lines.push(sent.to_string());
    let journal = Captured::of(lines);
    let stats = inspect(&[journal.path(), "--stats", "--json"]).exits(0).json().remove(0);
    assert_eq!((&stats["latency_ms"]["count"], &stats["latency_ms"]["max"]), (&json!(2), &json!(0.5)));
    assert_eq!(stats["round_trip_ms"]["histogram"], json!([{"up_to": 5000.0, "count": 1}]));
    assert_eq!((&stats["round_trip_ms"]["p50"], &stats["round_trip_ms"]["max"]), (&json!(2000.5), &json!(2000.5)));
    inspect(&[journal.path(), "--stats"]).exits(0).prints("round trip  p50 2.00 s");
}

#[test]
fn counts_without_deliveries_are_data() {
    let journal = Captured::journal();
    let finished = inspect(&[journal.path(), "--stats", "--json", "--id", "nosuch"]).exits(0);
    assert_eq!(finished.json()[0]["deliveries"], 0);
    finished.says("none of 19 deliveries matches");
    let text = inspect(&[journal.path(), "--stats", "--id", "nosuch"]).exits(0);
    assert_eq!(text.stdout, "");
}

#[test]
fn counts_are_bars() {
    let journal = Captured::journal();
    insta::assert_snapshot!(screen(&journal, &["--stats", "--id", "pretry-500-500-200"], 80), @"
    3 deliveries · 2026-11-20 21:22:24 to 2026-11-20 21:22:25, 0.6 s

    provider    Cog                            3  ██████████████████████████████

    status      succeeded                      3  ██████████████████████████████

    signature   unsigned                       3  ██████████████████████████████

    answer      500                            2  ██████████████████████████████
                200                            1  ███████████████

    latency     p50 0.50 ms · p90 0.50 ms · p99 0.50 ms · max 0.50 ms
                up to 0.50 ms                  3  ██████████████████████████████

    over time   11-20 21:22:24                 1  ███████████████
                11-20 21:22:25                 2  ██████████████████████████████
                one row per 1 s
    ");
}

#[test]
fn counts_are_data_with_json() {
    let journal = Captured::journal();
    let stats = inspect(&[journal.path(), "--stats", "--json"]).exits(0).json().remove(0);
    assert_eq!(stats["deliveries"], 19);
    assert_eq!(stats["statuses"], json!({"failed": 1, "processing": 14, "succeeded": 4}));
    assert_eq!(stats["answers"], json!({"200": 17, "500": 2}));
    assert_eq!(stats["latency_ms"]["histogram"], json!([{"up_to": 0.5, "count": 19}]));
    let parts = stats["over_time"].as_array().unwrap();
    assert_eq!(parts.iter().map(|part| part["count"].as_u64().unwrap()).sum::<u64>(), 19);
    // The same whether a glance is enough or all has to be read.
    for filter in [&["--last", "99"][..], &["--search", "{"], &["--where", "."]] {
        assert_eq!(inspect(&[&[journal.path(), "--stats", "--json"], filter].concat()).exits(0).json()[0], stats);
    }
}

/// Lines with damage in different fields of the request.
fn broken() -> Captured {
    let mut lines = Captured::journal().lines;
    let torn = &lines[2][..lines[2].find("\"remote\":").unwrap() + 9];
    lines[2] = format!("{torn}\"127{}", lines[3]);
    lines[5] = lines[5].replacen(r#""body":"{"#, r#""body":"{\q"#, 1);
    lines[8] = lines[8].replacen(r#""body":"{"#, "\"body\":\"{\u{1}", 1);
    lines[18] = lines[18].replacen("]],", "],", 1);
    Captured::of(lines)
}

#[test]
fn a_line_that_is_damaged_within_its_request_is_not_counted() {
    let journal = broken();
    let counted = inspect(&[journal.path(), "--stats", "--json"]).exits(0);
    let damaged = |finished: Finished| {
        assert_eq!(finished.stderr.matches("is damaged").count(), 4, "{finished:#?}");
        [3, 6, 9, 19].into_iter().fold(finished, |finished, line| finished.says(&format!("line {line} is damaged")))
    };
    assert_eq!(damaged(counted).json()[0]["deliveries"], 15);
    for filter in [&["--last", "99"][..], &["--search", "{"], &["--where", "."], &["--where", ".seq > 0"]] {
        let counted = damaged(inspect(&[&[journal.path(), "--stats", "--json"], filter].concat()).exits(0));
        assert_eq!(counted.json()[0]["deliveries"], 15, "{filter:?}");
    }
}

#[test]
fn a_line_that_is_damaged_within_its_request_has_no_number() {
    let journal = broken();
    let last = inspect(&[journal.path(), "--last", "3", "--json"]).exits(0).says("line 19 is damaged");
    let expected: Vec<&String> = journal.lines[15..18].iter().collect();
    assert_eq!(last.stdout.lines().collect::<Vec<_>>(), expected);
    let shown = inspect(&[journal.path(), "--show", "15", "--json"]).exits(0);
    assert_eq!(shown.stdout.trim_end(), journal.lines[17]);
}
