//! Tables and properties; `tests/cog.rs` compares with recordings of the real servers.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CogEvent, Flavor, LastFailure, Planned, Run, RunError, Settings, Simulation};
use crate::payload::provider::cog::is_run;

const FLAVORS: [Flavor; 2] = [Flavor::Python, Flavor::Coglet];

fn run(steps: &str, end: &str, more: &str) -> String {
    format!(r#"{{"provider":"cog","id":"x",{more}"steps":[{steps}],"end":{{"at":"1s",{end}}}}}"#)
}

fn start(text: &str, settings: &Settings) -> Result<Simulation, RunError> {
    Simulation::new(&Run::parse(text)?, settings, "2026-11-20T21:21:23.5Z".parse().unwrap())
}

fn play(text: &str, flavor: Flavor) -> Vec<Planned> {
    start(text, &Settings { flavor, ..Settings::default() }).unwrap().play(Duration::from_millis(3))
}

fn body(planned: &Planned) -> &str {
    std::str::from_utf8(&planned.body).unwrap()
}

fn names(planned: &[Planned]) -> Vec<&'static str> {
    planned.iter().map(|planned| planned.event.name()).collect()
}

const SUCCEEDS: &str = r#""status":"succeeded""#;

#[test]
fn runs_and_payloads_are_distinguished() {
    for (name, run) in crate::payload::provider::cog::RUNS {
        assert!(is_run(run) && Run::parse(run).is_ok(), "{name}");
    }
    for payload in [
        r#"{"id":"x","logs":"","metrics":{},"status":"processing"}"#,
        r#"{"provider":"cog"}"#,
        r#"{"provider":"fal","end":{}}"#,
        r#"{"provider":"cog","end":"#,
        "[]",
        "",
    ] {
        assert!(!is_run(payload), "{payload}");
    }
}

#[test]
fn the_error_of_an_invalid_run_names_the_member_and_the_fix() {
    let end = SUCCEEDS;
    let cases = [
        ("{".to_owned(), "a Cog run must be a JSON object: EOF while parsing an object at line 1 column 1"),
        ("[]".to_owned(), "a Cog run must be a JSON object: it is an array"),
        (
            run(r#"{"at":"2s","log":"a"},{"at":"1s","log":"a"}"#, end, ""),
            "step 2 is at 1s, before step 1 at 2s: sort the steps by time",
        ),
        (
            run(r#"{"at":"2s","log":"a"}"#, end, ""),
            "the end is at 1s, before step 1 at 2s: set a later end, or remove the step",
        ),
        (
            run("", r#""status":"success""#, ""),
            "\"status\" of the end is 'success', which Cog does not know: did you mean 'succeeded'?",
        ),
        (
            run("", r#""status":"cancelled""#, ""),
            "\"status\" of the end is 'cancelled', which Cog does not know: did you mean 'canceled'?",
        ),
        (
            run("", r#""status":"zzz""#, ""),
            "\"status\" of the end is 'zzz', which Cog does not know: write one of succeeded, failed, canceled",
        ),
        (
            run("", r#""status":"failed""#, ""),
            "the end's reason to fail is missing: write \"raises\": \"ValueError: Invalid input dimensions\", or \"error\"",
        ),
        (
            run("", r#""status":"failed","error":"a","raises":"b""#, ""),
            "the end has more than one reason to fail: keep one of \"error\", \"raises\" and \"exit_code\"",
        ),
        (
            run("", r#""status":"canceled","error":"a""#, ""),
            "the end has a reason to fail: only a run with the status \"failed\" has one",
        ),
        (
            run(r#"{"at":"0s","output":1}"#, r#""status":"succeeded","output":1"#, ""),
            "the end has an output beside output steps: an iterator returns nothing; drop \"output\"",
        ),
        (
            run("", r#""status":"failed","error":"a","output":1"#, ""),
            "the end has an output: only a run that succeeded returns one; drop it, or use output steps",
        ),
        (run(r#"{"at":"-1s","log":"a"}"#, end, ""), "\"at\" of step 1 is '-1s': a duration cannot be negative"),
        (run(r#"{"at":"5","log":"a"}"#, end, ""), "\"at\" of step 1 is '5': a duration needs a unit: 5s, 5ms, 5m"),
        (run(r#"{"at":5,"log":"a"}"#, end, ""), "\"at\" of step 1 is a number: make it a duration, such as \"500ms\""),
        (run(r#"{"log":"a"}"#, end, ""), "\"at\" of step 1 is missing: write \"at\": \"500ms\""),
        (run(r#"{"at":"0s","log":7}"#, end, ""), "\"log\" of step 1 is a number: make it a string"),
        (run(r#"{"at":"0s"}"#, end, ""), "step 1 does nothing: give it one of \"log\", \"output\" and \"metrics\""),
        (
            run(r#"{"at":"0s","log":"a","output":1}"#, end, ""),
            "step 1 does several things: give it one of \"log\", \"output\" and \"metrics\"",
        ),
        (run("3", end, ""), "step 1 is a number: make it an object"),
        (run(r#"{"at":"0s","outptu":1}"#, end, ""), "step 1 has a member 'outptu': did you mean 'output'?"),
        (
            run(r#"{"at":"0s","output":1e999}"#, end, ""),
            "Cog cannot send \"output\" of step 1: number out of range at line 1 column 5",
        ),
        (
            run("", end, r#""webhook_events_filter":["Start"],"#),
            "an event of \"webhook_events_filter\" of the run is 'Start', which Cog does not know: did you mean 'start'?",
        ),
        (
            run("", end, r#""webhook_events_filter":"start","#),
            "\"webhook_events_filter\" of the run is a string: make it an array of events",
        ),
        (run("", end, r#""id":7,"#), "\"id\" of the run is a number: make it a string"),
        (
            run("", end, r#""created_at":"soon","#),
            "\"created_at\" of the run is 'soon': a date and time is written 2026-11-20T21:21:23Z",
        ),
        (
            r#"{"provider":"cog","steps":[]}"#.to_owned(),
            "\"end\" of the run is missing: write \"end\": {\"at\": \"1s\", \"status\": \"succeeded\"}",
        ),
    ];
    for (text, expected) in cases {
        // `run` writes an id of its own first; of two equal keys the last one counts.
        let text = if text.contains(r#""id":7"#) { text.replacen(r#""id":"x","#, "", 1) } else { text };
        assert_eq!(Run::parse(&text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn unknown_members_are_ignored() {
    let text = run(r#"{"at":"0s","log":"a","why":1}"#, r#""status":"succeeded","seen":[]"#, r#""$schema":"x","#);
    assert!(Run::parse(&text).is_ok());
}

/// `webhook_events_filter`, as both servers apply it.
#[test]
fn the_filter_selects_events_as_each_server_does() {
    let steps = r#"{"at":"100ms","log":"a\n"},{"at":"700ms","output":1}"#;
    let all = ["start", "output", "completed"];
    let cases: [(&str, &[&str], &[&str]); 6] = [
        ("", &all, &all),
        (r#""webhook_events_filter":[],"#, &all, &[]),
        (r#""webhook_events_filter":["completed","completed"],"#, &["completed"], &["completed"]),
        (r#""webhook_events_filter":["output"],"#, &["output"], &["output"]),
        // An event that is filtered out does not start the throttle's interval.
        (r#""webhook_events_filter":["logs"],"#, &["logs"], &["logs"]),
        (r#""webhook_events_filter":["start","logs"],"#, &["start"], &["start"]),
    ];
    for (filter, python, coglet) in cases {
        let text = run(steps, SUCCEEDS, filter);
        assert_eq!(names(&play(&text, Flavor::Python)), python, "{filter}");
        assert_eq!(names(&play(&text, Flavor::Coglet)), coglet, "{filter}");
    }
    let null = run(steps, SUCCEEDS, r#""webhook_events_filter":null,"#);
    assert_eq!(names(&play(&null, Flavor::Python)), all);
    let refused = start(&null, &Settings::default()).err().unwrap();
    assert_eq!(
        refused.to_string(),
        "\"webhook_events_filter\" is null, which coglet refuses with 422: remove it, or send with --flavor python"
    );
    let overridden = Settings { events: Some(vec![CogEvent::Completed]), ..Settings::default() };
    assert_eq!(names(&start(&null, &overridden).unwrap().play(Duration::ZERO)), ["completed"]);
}

#[test]
fn an_id_is_the_clients_or_the_flavors_default() {
    let text = r#"{"provider":"cog","end":{"at":"0s","status":"canceled"}}"#;
    let python = play(text, Flavor::Python);
    assert!(body(&python[0]).contains(r#"{"input": {}, "output": null, "id": null, "created_at": null,"#));
    let nanos = "2026-11-20T21:21:23.5Z".parse::<Timestamp>().unwrap().as_nanosecond();
    assert!(body(&play(text, Flavor::Coglet)[0]).contains(&format!(r#"{{"id":"pred_{nanos:x}","#)));
    for flavor in FLAVORS {
        let settings = Settings { flavor, id: Some("näm\"e".to_owned()), ..Settings::default() };
        let sent = start(text, &settings).unwrap().play(Duration::ZERO);
        let read: Value = serde_json::from_slice(&sent[0].body).unwrap();
        assert_eq!(read["id"], "näm\"e");
    }
}

#[test]
fn the_input_keeps_its_order_and_its_numbers() {
    let text = r#"{"provider":"cog","input":{"z":1.50,"a":[1e3,12345678901234567890123],"ü":"🦀\/"},
                   "end":{"at":"0s","status":"canceled"}}"#;
    let expected =
        r#"{"input": {"z": 1.50, "a": [1e3, 12345678901234567890123], "\u00fc": "\ud83e\udd80/"}, "output": null"#;
    assert!(body(&play(text, Flavor::Python)[0]).starts_with(expected));
}

/// Whole seconds have no fraction, and the client's offset is kept.
#[test]
fn times_are_formatted_as_isoformat_does() {
    let cases = [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05.5+02:00", "2026-01-02T03:04:05.500000+02:00"),
        ("2026-01-02 03:04:05-03:30", "2026-01-02T03:04:05-03:30"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05"),
    ];
    for (given, sent) in cases {
        let text = run("", SUCCEEDS, &format!(r#""created_at":"{given}","#));
        let bodies = play(&text, Flavor::Python);
        let read: Value = serde_json::from_str(body(bodies.last().unwrap())).unwrap();
        assert_eq!(read["created_at"], sent);
        assert_eq!(read["started_at"], "2026-11-20T21:21:23.500000+00:00");
        assert_eq!(read["completed_at"], "2026-11-20T21:21:24.500000+00:00");
    }
}

#[test]
fn metrics_are_the_models_plus_the_measured_time() {
    let end = |status: &str, metrics: &str| run("", &format!(r#"{status}{metrics}"#), "");
    let failed = r#""status":"failed","error":"no""#;
    let cases = [
        (end(SUCCEEDS, ""), Some(r#"{"predict_time": 1.0}"#), r#"{"predict_time":1.0}"#),
        (
            end(SUCCEEDS, r#","metrics":{"predict_time":0.25,"z":1,"a":1.50}"#),
            Some(r#"{"z": 1, "a": 1.5, "predict_time": 0.25}"#),
            r#"{"a":1.5,"predict_time":0.25,"z":1}"#,
        ),
        (end(failed, ""), None, r#"{"predict_time":1.0}"#),
        (
            end(failed, r#","metrics":{"predict_time":0.25,"n":3}"#),
            Some(r#"{"n": 3}"#),
            r#"{"n":3,"predict_time":0.25}"#,
        ),
    ];
    for (text, python, coglet) in cases {
        let sent = play(&text, Flavor::Python);
        let metrics = body(sent.last().unwrap()).split_once(r#", "metrics": "#);
        assert_eq!(metrics.map(|(_, metrics)| metrics.strip_suffix('}').unwrap()), python, "{text}");
        let sent = play(&text, Flavor::Coglet);
        let (_, metrics) = body(sent.last().unwrap()).split_once(r#""metrics":"#).unwrap();
        assert!(metrics.starts_with(coglet), "{text}: {metrics}");
    }
}

#[test]
fn system_exit_is_a_crash_in_python_only() {
    let text = run("", r#""status":"failed","raises":"SystemExit: 3""#, "");
    let error = |flavor| {
        let sent = play(&text, flavor);
        let read: Value = serde_json::from_str(body(sent.last().unwrap())).unwrap();
        read["error"].as_str().unwrap().to_owned()
    };
    let died = "Prediction failed for an unknown reason. It might have run out of memory? (exitcode 3)";
    assert_eq!(error(Flavor::Python), died);
    assert_eq!(error(Flavor::Coglet), "Prediction failed: Prediction failed: SystemExit: 3");
}

/// coglet's error has the class without its module, Python's only the message.
#[test]
fn an_exception_becomes_each_flavors_error() {
    let text = run("", r#""status":"failed","raises":"json.decoder.JSONDecodeError: Expecting value: line 1""#, "");
    let python = play(&text, Flavor::Python);
    assert!(body(python.last().unwrap()).contains(
        r#"raise json.decoder.JSONDecodeError(\"Expecting value: line 1\")\njson.decoder.JSONDecodeError: Expecting value: line 1\n", "error": "Expecting value: line 1", "status": "failed"}"#
    ));
    let coglet = play(&text, Flavor::Coglet);
    assert!(
        body(coglet.last().unwrap()).starts_with(
            r#"{"error":"Prediction failed: Prediction failed: JSONDecodeError: Expecting value: line 1","#
        )
    );
}

/// The messages of `requests` 2.34 and urllib3 2.8.
#[test]
fn python_reports_an_undeliverable_end_once() {
    let cases = [
        (
            "http://127.0.0.1:39383/hook?a=b%20c",
            LastFailure::Status(500),
            "HTTPConnectionPool(host='127.0.0.1', port=39383): Max retries exceeded with url: /hook?a=b%20c (Caused by ResponseError('too many 500 error responses'))",
        ),
        (
            "http://localhost:54275",
            LastFailure::Refused,
            "HTTPConnectionPool(host='localhost', port=54275): Max retries exceeded with url: / (Caused by NewConnectionError(\"HTTPConnection(host='localhost', port=54275): Failed to establish a new connection: [Errno 111] Connection refused\"))",
        ),
        (
            "https://[::1]/hook",
            LastFailure::Closed,
            "HTTPSConnectionPool(host='::1', port=443): Max retries exceeded with url: /hook (Caused by ProtocolError('Connection aborted.', RemoteDisconnected('Remote end closed connection without response')))",
        ),
        (
            "http://127.0.0.1:1/",
            LastFailure::Reset,
            "HTTPConnectionPool(host='127.0.0.1', port=1): Max retries exceeded with url: / (Caused by ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer')))",
        ),
        (
            "http://nope.invalid/hook",
            LastFailure::Unresolved,
            "HTTPConnectionPool(host='nope.invalid', port=80): Max retries exceeded with url: /hook (Caused by NameResolutionError(\"HTTPConnection(host='nope.invalid', port=80): Failed to resolve 'nope.invalid' ([Errno -2] Name or service not known)\"))",
        ),
    ];
    let text = run("", r#""status":"succeeded","output":"hello""#, "");
    for (url, failure, error) in cases {
        let url = url.parse().unwrap();
        let mut python = start(&text, &Settings { flavor: Flavor::Python, ..Settings::default() }).unwrap();
        while python.due().is_some() {
            python.advance(Duration::ZERO);
        }
        let again = python.give_up(Duration::from_secs(325), &url, failure).unwrap();
        let read: Value = serde_json::from_slice(&again.body).unwrap();
        assert_eq!(read["error"], error);
        assert_eq!(
            (&read["status"], &read["output"], &read["metrics"], &read["completed_at"]),
            (
                &json!("failed"),
                &json!("hello"),
                &json!({"predict_time": 1.0}),
                &json!("2026-11-20T21:26:48.500000+00:00")
            )
        );
        assert!(again.terminal && again.at == Duration::from_secs(325));
        assert_eq!(python.give_up(Duration::from_secs(650), &url, failure), None);
        let mut coglet = start(&text, &Settings::default()).unwrap();
        while coglet.due().is_some() {
            coglet.advance(Duration::ZERO);
        }
        assert_eq!(coglet.give_up(Duration::from_secs(410), &url, failure), None);
    }
}

/// Both servers hold an unfinished line back; coglet loses a line that never ends, unless it is flushed.
#[test]
fn an_unfinished_line_waits_for_its_end() {
    let steps = |flush: &str| {
        format!(r#"{{"at":"100ms","log":"  50%"{flush}}},{{"at":"700ms","log":" more \r\ny\n x"{flush}}}"#)
    };
    let logs = |steps: &str, flavor| {
        let sent = play(&run(steps, SUCCEEDS, ""), flavor);
        let read = |planned: &Planned| serde_json::from_slice::<Value>(&planned.body).unwrap()["logs"].clone();
        sent.iter().map(read).collect::<Vec<_>>()
    };
    for flush in ["", r#","flush":true"#] {
        assert_eq!(logs(&steps(flush), Flavor::Python), ["", "  50%more\n", "  50%more\ny\n x\n"]);
    }
    assert_eq!(logs(&steps(""), Flavor::Coglet), ["", "  50% more \r\ny\n", "  50% more \r\ny\n"]);
    assert_eq!(logs(&steps(r#","flush":true"#), Flavor::Coglet), ["", "  50% more \r\ny\n x", "  50% more \r\ny\n x"]);
}

/// Python waits for every response but the one to `start`; coglet waits for none.
#[test]
fn a_slow_receiver_delays_python_and_not_coglet() {
    let steps = r#"{"at":"20ms","log":"a\n"},{"at":"600ms","log":"b\n"}"#;
    let text = run(steps, r#""status":"succeeded","output":1"#, "");
    let play = |flavor| start(&text, &Settings { flavor, ..Settings::default() }).unwrap().play(Duration::from_secs(2));
    let at = |planned: &[Planned]| {
        planned
            .iter()
            .map(|planned| (planned.event.name(), planned.at.as_millis(), planned.in_line))
            .collect::<Vec<_>>()
    };
    let python = play(Flavor::Python);
    assert_eq!(at(&python), [("start", 0, false), ("logs", 20, true), ("completed", 2020, true)]);
    assert!(body(&python[2]).contains(r#""completed_at": "2026-11-20T21:21:25.520000+00:00""#));
    assert!(body(&python[2]).contains(r#""predict_time": 2.02}"#));
    let coglet = play(Flavor::Coglet);
    let expected = [("start", 0, false), ("logs", 600, false), ("output", 1000, false), ("completed", 1000, false)];
    assert_eq!(at(&coglet), expected);
}

/// Any JSON that fits in a payload.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn any_run() -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        ".{0,20}\n?".prop_map(|log| json!({"log": log})),
        any_json().prop_map(|output| json!({"output": output})),
        (-9..9).prop_map(|n| json!({"metrics": {"n": n}})),
    ];
    let steps = prop::collection::vec((0u64..900, action), 0..12);
    let ends = prop_oneof![
        Just(json!({"status": "succeeded"})),
        Just(json!({"status": "canceled"})),
        ".{0,20}".prop_map(|error| json!({"status": "failed", "error": error})),
        "[A-Z][a-z]{2,9}Error(: .{0,20})?".prop_map(|raised| json!({"status": "failed", "raises": raised})),
        (0..255).prop_map(|code| json!({"status": "failed", "exit_code": code})),
    ];
    (steps, ends, 0u64..1500, any_json()).prop_map(|(steps, mut end, after, input)| {
        let mut now = 0;
        let at = |(gap, mut step): (u64, Value)| {
            now += gap;
            step["at"] = format!("{now}ms").into();
            step
        };
        let steps: Vec<_> = steps.into_iter().map(at).collect();
        end["at"] = format!("{}ms", now + after).into();
        json!({"provider": "cog", "input": {"value": input}, "steps": steps, "end": end})
    })
}

proptest! {
    #[test]
    fn every_run_is_sent_in_order_and_to_its_end(run in any_run(), answer in 0u64..2000, interval in 0u64..1000) {
        let parsed = Run::parse(&run.to_string()).unwrap();
        for flavor in FLAVORS {
            let throttle = Some(Duration::from_millis(interval));
            let settings = Settings { flavor, throttle, ..Settings::default() };
            let simulation = Simulation::new(&parsed, &settings, Timestamp::UNIX_EPOCH).unwrap();
            let sent = simulation.play(Duration::from_millis(answer));
            let mut logs = String::new();
            let mut before = Duration::ZERO;
            for (index, planned) in sent.iter().enumerate() {
                let read: Value = serde_json::from_slice(&planned.body).unwrap();
                let now = read["logs"].as_str().unwrap();
                prop_assert!(now.starts_with(&logs) && planned.at >= before, "{flavor:?} {read}");
                (logs, before) = (now.to_owned(), planned.at);
                let last = index + 1 == sent.len();
                prop_assert_eq!(planned.terminal, last);
                prop_assert_eq!(planned.event == CogEvent::Completed, last);
                let status = if last { run["end"]["status"].as_str() } else { Some("processing") };
                prop_assert_eq!(read["status"].as_str(), status);
                prop_assert!(flavor == Flavor::Coglet || planned.body.is_ascii());
            }
            prop_assert!(!sent.is_empty());
        }
    }

    #[test]
    fn parsing_never_panics(text in ".{0,200}", run in any_run(), cut in 0usize..200) {
        let _ = (is_run(&text), Run::parse(&text));
        let whole = run.to_string();
        let cut: String = whole.chars().take(cut).collect();
        let _ = Run::parse(&cut);
    }
}
