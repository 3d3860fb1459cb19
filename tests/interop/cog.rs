//! Real Cog servers with a model that does what a run file says send the deliveries of the run's simulation.

use std::process::{Command, Stdio};

use hookctl::send::cog::Flavor;
use serde_json::Value;

use crate::cog::{AT_ONCE, assert_same, normalized, simulated};
use crate::support::repository;

/// Runs without races of microseconds: no two steps at the same time, none at the start, and none exactly one throttle
/// interval after another.
const RUNS: [(&str, &str); 8] = [
    (
        "a plain return",
        r#""steps":[{"at":"200ms","log":"Grüße 🦀\n  indented\n"},{"at":"900ms","log":"half "},{"at":"1100ms","log":"a line\n"}],
           "end":{"at":"1300ms","status":"succeeded","output":{"z":1.0,"ä":[1e20,null,"<é>"],"a":123456789012345678901}}"#,
    ),
    (
        "a stream",
        r#""steps":[{"at":"200ms","output":"one"},{"at":"400ms","log":"a\n"},{"at":"900ms","output":{"b":1,"a":2}},
                    {"at":"1700ms","output":null}],
           "end":{"at":"1900ms","status":"succeeded"}"#,
    ),
    (
        "a failure",
        r#""steps":[{"at":"200ms","log":"a\n"}],
           "end":{"at":"900ms","status":"failed","raises":"ValueError: Größe falsch\n  und mehr"}"#,
    ),
    (
        "a failing stream",
        r#""steps":[{"at":"200ms","output":"one"}],
           "end":{"at":"400ms","status":"failed","raises":"RuntimeError: CUDA out of memory"}"#,
    ),
    (
        "a cancelation",
        r#""steps":[{"at":"200ms","output":"one"},{"at":"900ms","log":"a\n"}],"end":{"at":"1100ms","status":"canceled"}"#,
    ),
    (
        "a filter",
        r#""webhook_events_filter":["output","completed"],"steps":[{"at":"200ms","log":"a\n"}],
                    "end":{"at":"400ms","status":"succeeded","output":["a","b"]}"#,
    ),
    ("an empty filter", r#""webhook_events_filter":[],"end":{"at":"200ms","status":"succeeded","output":""}"#),
    // Last, as the server does not survive the run.
    ("a crash", r#""steps":[{"at":"200ms","log":"a\n"}],"end":{"at":"900ms","status":"failed","exit_code":137}"#),
];

#[test]
#[ignore = "needs both Cog servers: tests/interop/cog/install.sh"]
fn the_real_servers_send_the_simulated_deliveries() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, rest: &str| {
        let id = name.replace(' ', "-");
        let run = format!(r#"{{"provider":"cog","id":"{id}","input":{{"prompt":"onion","n":4}},{rest}}}"#);
        let path = dir.path().join(id);
        std::fs::write(&path, &run).unwrap();
        (path, run)
    };
    let runs: Vec<_> = RUNS.into_iter().map(|(name, rest)| run(name, rest)).collect();
    let record = |flavor: Flavor| {
        let python = repository("target/cog").join(flavor.variant()).join("bin/python");
        let mut command = Command::new(python);
        command.arg(repository("tests/interop/cog/record.py")).args(runs.iter().map(|(path, _)| path));
        let spawned = command.env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped()).spawn();
        spawned.unwrap_or_else(|error| panic!("{error}: install Cog with tests/interop/cog/install.sh"))
    };
    for flavor in [Flavor::Python, Flavor::Coglet] {
        let recorded = record(flavor).wait_with_output().unwrap();
        assert!(recorded.status.success());
        let recorded = String::from_utf8(recorded.stdout).unwrap();
        assert_eq!(recorded.lines().count(), RUNS.len(), "{recorded}");
        for (line, ((name, _), (_, run))) in recorded.lines().zip(RUNS.into_iter().zip(&runs)) {
            let line: Value = serde_json::from_str(line).unwrap();
            let seen = |seen: &Value| (seen["t"].as_f64().unwrap(), normalized(seen["body"].as_str().unwrap()));
            let seen = line["deliveries"].as_array().unwrap().iter().map(seen).collect();
            assert_same(name, flavor, &simulated(run, flavor, AT_ONCE), seen, 0.3);
        }
    }
}
