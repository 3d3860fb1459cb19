//! Cog runs against what real Cog servers sent of them.

use std::time::Duration;

use hookctl::send::cog::{Flavor, Planned, Run, Settings, Simulation};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::repository;

/// A body with all that differs from one run to the next made alike: times, what was measured, and where the files of a
/// traceback are.
fn alike(body: &str) -> String {
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
    let spelled = |logs: &str| match body.contains("\": ") {
        true => python(&json!(logs).to_string()),
        false => json!(logs).to_string(),
    };
    let logs = logs.as_str().unwrap();
    text.replace(&spelled(logs), &spelled(&placeless(logs)))
}

/// As Python escapes a string.
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

/// Logs without the folders and the model's own frames of a traceback.
fn placeless(logs: &str) -> String {
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
            // The exception ends the model's part.
            None if in_model && !raised(line) => {}
            None => {
                in_model = false;
                kept += line;
            }
        }
    }
    kept
}

fn raised(line: &str) -> bool {
    let class = line.trim_end().split(": ").next().unwrap();
    ["Error", "Exception", "Exit", "Empty"].iter().any(|end| class.ends_with(end)) && !class.contains(' ')
}

/// What is sent of a run.
fn simulated(run: &Value, flavor: Flavor, answers_after: Duration) -> Vec<Planned> {
    let run = Run::parse(&run.to_string()).unwrap();
    let settings = Settings { flavor, ..Settings::default() };
    let started_at: Timestamp = "2026-11-20T21:21:23.336925Z".parse().unwrap();
    Simulation::new(&run, &settings, started_at).unwrap().play(answers_after)
}

#[test]
fn dev_compare() {
    let Ok(path) = std::env::var("COG_RECORDINGS") else { return };
    let mut bad = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = line["text"].as_str().unwrap();
        let run = &line["run"];
        let delay = run["receiver"]["delay"].as_f64().unwrap_or(0.003);
        for (flavor, name) in [(Flavor::Python, "python"), (Flavor::Coglet, "coglet")] {
            let Some(recorded) = line[name].as_array() else { continue };
            let parsed = Run::parse(text).unwrap();
            let throttle = run["env"]["COG_THROTTLE_RESPONSE_INTERVAL"].as_str().map(|t| Duration::from_secs_f64(t.parse().unwrap()));
            let settings = Settings { flavor, throttle, ..Settings::default() };
            let sim = match Simulation::new(&parsed, &settings, "2026-11-20T21:21:23.336925Z".parse().unwrap()) {
                Ok(sim) => sim, Err(e) => { println!("{}: {e}", line["name"]); continue }
            };
            let planned = sim.play(Duration::from_secs_f64(delay));
            let a: Vec<String> = planned.iter().map(|p| alike(std::str::from_utf8(&p.body).unwrap())).collect();
            let b: Vec<String> = recorded.iter().map(|d| alike(d["body"].as_str().unwrap())).collect();
            let late = planned.iter().zip(recorded).any(|(p, d)| (p.at.as_secs_f64() - d["t"].as_f64().unwrap()).abs() > 0.06);
            if a != b || late {
                bad += 1;
                println!("== {} {name} late={late}", line["name"]);
                for (p, x) in planned.iter().zip(&a) { println!("  sim  {:?} {x}", p.at); }
                for (d, x) in recorded.iter().zip(&b) { println!("  real {} {x}", d["t"]); }
            }
        }
    }
    println!("bad: {bad}");
}
