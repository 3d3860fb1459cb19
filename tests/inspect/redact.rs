//! Blanked fields and known secrets appear in no view.

use std::fs;

use serde_json::{Value, json};

use super::captured::{Captured, written_by_hookctl};
use super::inspect;
use crate::support::sign::hmac_hex;

const SECRET: &str = "t0ps3cret-value";

/// A received delivery with something private in each of its fields, and an attempt to send one.
fn private() -> Captured {
    let body = json!({"id": "id-private", "status": "S3CRETSTATUS", "output": "out-private", "input": {"prompt": "prompt-private"}});
    let body = body.to_string();
    let sign = hmac_hex(SECRET, body.as_bytes());
    let warning = json!({"code": "unknown_status", "path": "status", "message": "\"S3CRETSTATUS\" is no status"});
    let record = json!({
        "type": "delivery", "v": 1, "seq": 1, "id": "r1", "direction": "received", "at": "2026-11-20T21:23:21Z",
        "method": "POST", "target": "/hook?token=target-private", "http": "1.1",
        "headers": [["x-webhook-signature", sign], ["x-tok", "tok-private"]],
        "body": body, "payload": {"provider": "eachlabs"}, "warnings": [warning],
        "signature": {"verdict": "unchecked"},
        "answer": {"status": 500, "by": "forward", "ms": 1, "line": "line-private: no S3CRETSTATUS"},
    });
    let mut sent = record.clone();
    for (name, value) in [
        ("direction", json!("sent")),
        ("answer", Value::Null),
        ("attempt", json!(1)),
        ("of", json!(1)),
        ("url", json!("http://localhost:1/hook?token=target-private")),
        ("outcome", json!("unreachable")),
        ("error", json!("error-private: refused by target-private")),
    ] {
        sent[name] = value;
    }
    Captured::of([record, sent].map(|record| written_by_hookctl(&record.to_string())).into())
}

/// The output of every view of a journal.
fn everything(journal: &Captured, arguments: &[&str]) -> Vec<(String, String)> {
    let page = journal.file("page.html");
    let views: [&[&str]; 13] = [
        &[],
        &["-v"],
        &["--json"],
        &["--show", "1", "-v", "--explain"],
        &["--show", "2", "-v", "--explain"],
        &["--timeline"],
        &["--timeline", "--json"],
        &["--stats"],
        &["--diff", "1", "2"],
        &["--diff", "1", "2", "--json"],
        &["--export", "curl"],
        &["--export", "har"],
        &["--html", &page],
    ];
    let said = views.into_iter().map(|view| {
        let run = inspect(&[&[journal.path()], arguments, view].concat()).run();
        assert!(matches!(run.code, Some(0 | 5)), "{run:#?}");
        let written = fs::read_to_string(&page).unwrap_or_default();
        // The next view must not read this page.
        let _ = fs::remove_file(&page);
        (format!("{view:?}"), run.stdout + &run.stderr + &written)
    });
    said.collect()
}

#[test]
fn a_blanked_field_appears_nowhere() {
    let journal = private();
    let cases: [(&[&str], &[&str]); 10] = [
        (&["status"], &["S3CRETSTATUS"]),
        (&["id"], &["id-private"]),
        (&["input"], &["prompt-private"]),
        (&["output", "headers.X-Tok"], &["out-private", "tok-private"]),
        (&["headers.*"], &["tok-private"]),
        (&["headers"], &["tok-private"]),
        (&["body"], &["id-private", "S3CRETSTATUS", "out-private", "prompt-private"]),
        (&["target"], &["target-private"]),
        (&["answer.line"], &["line-private"]),
        (&["error"], &["error-private"]),
    ];
    for (paths, gone) in cases {
        let redact: Vec<&str> = paths.iter().flat_map(|path| ["--redact", path]).collect();
        for secret in [&[][..], &["--secret", SECRET]] {
            for (view, said) in everything(&journal, &[&redact, secret].concat()) {
                for text in gone {
                    assert!(!said.contains(text), "{paths:?} {secret:?} {view}: {text} in {said}");
                }
                let is_one = view.contains("--show");
                assert!(is_one || !said.contains("blanked nothing"), "{paths:?} {view}: {said}");
            }
        }
    }
}

#[test]
fn a_path_without_effect_is_named() {
    let journal = private();
    let redact = ["--redact", "input.prompt", "--redact", "input.promt", "--redact", "headers.x-none"];
    let run = inspect(&[&[journal.path()], &redact[..]].concat()).exits(0);
    assert!(!run.stderr.contains("input.prompt "), "{run:#?}");
    run.says("--redact input.promt blanked nothing").says("--redact headers.x-none blanked nothing");
    inspect(&[journal.path(), "--redact", "input", "--export", "curl"])
        .exits(0)
        .says("2 of the signatures are invalid now");
}

#[test]
fn a_secret_that_is_known_is_never_shown() {
    let mut lines = private().lines;
    for line in &mut lines {
        *line = line.replace("target-private", SECRET).replace("tok-private", SECRET).replace("line-private", SECRET);
        *line = line.replace("error-private", SECRET).replace("is no status", &format!("is {SECRET}"));
    }
    let journal = Captured::of(lines);
    for (view, said) in everything(&journal, &["--secret", SECRET]) {
        assert!(!said.contains(SECRET), "{view}: {said}");
    }
}

#[test]
fn predictions_stay_apart_where_their_ids_are_blanked() {
    let journal = Captured::journal();
    let with = |arguments: &[&str]| {
        let run = inspect(&[&[journal.path(), "--timeline", "--json"], arguments].concat()).exits(0);
        let shape = |timeline: &Value| (timeline["deliveries"].as_array().unwrap().len(), timeline["warnings"].clone());
        run.json().iter().map(shape).collect::<Vec<_>>()
    };
    assert_eq!(with(&["--redact", "id"]), with(&[]));
}
