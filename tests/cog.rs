//! Simulated Cog runs, compared with recordings of the real servers.

use std::time::Duration;

use hookctl::payload::provider::cog::RUNS;
use hookctl::send::cog::{CogEvent, Flavor, Planned, Run, Settings, Simulation};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::support::repository;

/// A body without the parts that differ between runs: times, measurements, and the paths in a traceback.
pub fn normalized(body: &str) -> String {
    let mut value: Value = serde_json::from_str(body).unwrap();
    let mut known = Vec::new();
    let mut hide = |pointer: &str| {
        if let Some(found) = value.pointer(pointer).filter(|found| !found.is_null()) {
            known.push(found.to_string());
        }
    };
    ["/started_at", "/completed_at", "/metrics/predict_time"].into_iter().for_each(&mut hide);
    let mut text = body.to_owned();
    for member in ["\"started_at\": ", "\"completed_at\": ", "\"predict_time\": ", "\"predict_time\":"] {
        for found in &known {
            text = text.replace(&format!("{member}{found}"), &format!("{member}…"));
        }
    }
    let logs = value["logs"].take();
    let spelled = |logs: &str| {
        let json = json!(logs).to_string();
        if body.contains("\": ") { python(&json) } else { json }
    };
    let logs = logs.as_str().unwrap();
    text.replace(&spelled(logs), &spelled(&without_paths(logs)))
}

/// A JSON string with Python's escapes.
fn python(quoted: &str) -> String {
    let mut escaped = String::new();
    for c in quoted.chars() {
        match c {
            ..='~' => escaped.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped += &format!("\\u{unit:04x}")),
        }
    }
    escaped
}

/// Logs without folders, and without the model's own frames of a traceback.
fn without_paths(logs: &str) -> String {
    let mut in_model = false;
    let mut kept = String::new();
    for line in logs.split_inclusive('\n') {
        let file = line.trim_start().strip_prefix("File \"").and_then(|path| path.split_once('"'));
        match file {
            Some((path, _)) if path.ends_with("/predict.py") || path.starts_with('<') => in_model = true,
            Some((path, rest)) => {
                in_model = false;
                let indent = &line[..line.len() - line.trim_start().len()];
                kept += &format!("{indent}File \"{}\"{rest}", path.rsplit('/').next().unwrap());
            }
            // The exception's line ends the model's frames.
            None if in_model && !is_exception(line) => {}
            None => {
                in_model = false;
                kept += line;
            }
        }
    }
    kept
}

fn is_exception(line: &str) -> bool {
    let class = line.trim_end().split(": ").next().unwrap();
    ["Error", "Exception", "Exit", "Empty"].iter().any(|end| class.ends_with(end)) && !class.contains(' ')
}

/// The deliveries of a run.
pub fn simulated(run: &str, flavor: Flavor, answers_after: Duration) -> Vec<Planned> {
    let settings = Settings { flavor, ..Settings::default() };
    Simulation::new(&Run::parse(run).unwrap(), &settings, started_at()).unwrap().play(answers_after)
}

fn started_at() -> Timestamp {
    "2026-11-20T21:21:23.336925Z".parse().unwrap()
}

/// A delivery: the seconds since the request for the prediction, and the normalized body.
pub type Seen = (f64, String);

/// Asserts that the simulated deliveries equal the recorded ones, but for races of microseconds.
pub fn assert_same(name: &str, flavor: Flavor, planned: &[Planned], mut recorded: Vec<Seen>, late: f64) {
    let has_start = planned.first().is_some_and(|planned| planned.event == CogEvent::Start);
    let text = |planned: &Planned| normalized(std::str::from_utf8(&planned.body).unwrap());
    let mut planned: Vec<Seen> = planned.iter().map(|planned| (planned.at.as_secs_f64(), text(planned))).collect();
    match flavor {
        // The body of `start` may include events of the first milliseconds, and these events may overtake `start`.
        Flavor::Python if has_start => {
            let (_, start) = planned.remove(0);
            let early = || recorded.iter().enumerate().filter(|(_, (at, _))| *at < 0.05);
            let exact = early().find(|(_, (_, body))| *body == start);
            let other = || early().find(|(_, (_, body))| planned.first().is_none_or(|(_, next)| next != body));
            let found = exact.or_else(other).or_else(|| early().next());
            let (index, _) = found.unwrap_or_else(|| panic!("{name}: no start in {recorded:#?}"));
            recorded.remove(index);
        }
        Flavor::Python => {}
        // Each delivery has a task of its own, so they can overtake each other.
        Flavor::Coglet => {
            planned.sort_by_key(|(_, body)| body.len());
            recorded.sort_by_key(|(_, body)| body.len());
        }
    }
    let bodies = |seen: &[Seen]| seen.iter().map(|(_, body)| body.clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&planned), bodies(&recorded), "{name} by {}", flavor.variant());
    for ((planned, body), (recorded, _)) in planned.iter().zip(&recorded) {
        assert!((planned - recorded).abs() < late, "{name}: {planned} s instead of {recorded} s: {body}");
    }
}

/// The tolerance in seconds.
const LATE: f64 = 0.06;

/// The response time of a receiver that responds immediately.
pub const AT_ONCE: Duration = Duration::from_millis(3);

/// `tests/data/cog-runs.jsonl`: run files, and the deliveries of cog 0.16.12 and 0.23.1 for a model that does what the file
/// says (`tests/interop/cog/record.py`). Only the folders in tracebacks are not the recorded ones.
#[test]
fn simulated_runs_match_the_real_servers() {
    let recordings = std::fs::read_to_string(repository("tests/data/cog-runs.jsonl")).unwrap();
    let mut compared = 0;
    for line in recordings.lines() {
        let recording: Recording<'_> = serde_json::from_str(line).unwrap();
        let answers_after = recording.answers_after_ms.map_or(AT_ONCE, Duration::from_millis);
        for (flavor, seen) in [(Flavor::Python, recording.python), (Flavor::Coglet, recording.coglet)] {
            let Some(seen) = seen else { continue };
            let seen = seen.into_iter().map(|(at, body)| (at, normalized(&body))).collect();
            let planned = simulated(recording.run.get(), flavor, answers_after);
            assert_same(recording.name, flavor, &planned, seen, LATE);
            compared += 1;
        }
    }
    assert!(compared > 150, "{compared}");
}

/// A line of the file. A flavor is missing where the server refused the run, or where its threads raced in an unusual order.
#[derive(Deserialize)]
struct Recording<'a> {
    name: &'a str,
    /// As text, to keep order and spelling.
    #[serde(borrow)]
    run: &'a RawValue,
    answers_after_ms: Option<u64>,
    python: Option<Vec<Seen>>,
    coglet: Option<Vec<Seen>>,
}

/// The runs of `tests/data/captures`, their event filters, and the servers whose threads raced in the usual order.
const CAPTURED: [(&str, &str, &[CogEvent], &[Flavor]); 5] = [
    ("text_success", "cog/succeeded", &CogEvent::ALL, &[Flavor::Coglet]),
    ("text_failure", "cog/failed", &CogEvent::ALL, &[Flavor::Python, Flavor::Coglet]),
    ("text_canceled", "cog/canceled", &CogEvent::ALL, &[Flavor::Python]),
    ("iter_success", "cog/stream", &CogEvent::ALL, &[Flavor::Coglet]),
    (
        "filter_start_completed",
        "cog/succeeded",
        &[CogEvent::Start, CogEvent::Completed],
        &[Flavor::Python, Flavor::Coglet],
    ),
];

#[test]
fn the_built_in_runs_match_the_captures() {
    for (capture, run, events, usual) in CAPTURED {
        let (_, run) = RUNS.into_iter().find(|(name, _)| *name == run).unwrap();
        for (flavor, version) in [(Flavor::Python, "0.16.12"), (Flavor::Coglet, "0.23.1")] {
            let file = format!("tests/data/captures/cog-{version}__{capture}.jsonl");
            let file = std::fs::read_to_string(repository(&file)).unwrap();
            let lines = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let seen = |line: Value| (line["t"].as_f64().unwrap(), normalized(line["body_text"].as_str().unwrap()));
            let recorded: Vec<Seen> = lines.map(seen).collect();
            let body: Value = serde_json::from_str(&recorded[0].1.replace('…', "0")).unwrap();
            let settings = Settings {
                flavor,
                events: Some(events.to_vec()),
                id: body["id"].as_str().map(str::to_owned),
                throttle: None,
            };
            let planned = Simulation::new(&Run::parse(run).unwrap(), &settings, started_at()).unwrap().play(AT_ONCE);
            let terminal = normalized(std::str::from_utf8(&planned.last().unwrap().body).unwrap());
            assert_eq!(terminal, recorded.last().unwrap().1, "{capture} {version}");
            if usual.contains(&flavor) {
                assert_same(capture, flavor, &planned, recorded, LATE);
            }
        }
    }
}
