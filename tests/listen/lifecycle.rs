//! What several deliveries of one prediction tell together, as it is recorded, shown and judged.

use serde_json::Value;

use super::SECRET;
use crate::support::listener::Listener;
use crate::support::sign::hmac_hex;

const START: &str = r#"{"id":"c-1","logs":"","metrics":{},"status":"processing"}"#;
const OUTPUT: &str = r#"{"id":"c-1","logs":"a\n","metrics":{},"output":["x"],"status":"processing"}"#;
const END: &str = r#"{"id":"c-1","logs":"a\n","metrics":{},"output":["x"],"status":"succeeded"}"#;

fn codes(record: &Value) -> Vec<&str> {
    record["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[test]
fn warnings_are_in_the_record_as_they_happen() {
    let mut listener = Listener::start(&["--respond", "200,200,503,200"]);
    let failed = r#"{"error":"Worker crashed","id":"c-1","logs":"a\n","metrics":{},"status":"failed"}"#;
    let more = OUTPUT.replace("a\\n", "a\\nb\\n");
    let mut told = Vec::new();
    // In order; the terminal one is retried; a start comes late; then what cannot be.
    for body in [START, OUTPUT, END, END, START, &more, failed, &END.replace("\"x\"", "\"y\"")] {
        listener.post("/", &[], body.as_bytes());
        told.push(codes(&listener.next()).join(" "));
    }
    // The late start repeats the bytes of the first one.
    assert_eq!(told, ["", "", "", "", "", "after_terminal", "after_terminal", "duplicate_differs"]);
}

#[test]
fn what_was_overtaken_is_no_fault_but_a_warning() {
    let mut listener = Listener::start(&[]);
    listener.post("/", &[], END.as_bytes());
    listener.post("/", &[], START.as_bytes());
    listener.next();
    assert_eq!(codes(&listener.next()), ["overtaken"]);
}

#[test]
fn a_forgery_says_nothing_about_a_prediction() {
    let mut listener = Listener::start(&["--secret", SECRET, "--allow-invalid"]);
    let mut told = Vec::new();
    for (body, secret) in [(END, "another"), (START, SECRET), (OUTPUT, SECRET)] {
        listener.post("/", &[("x-webhook-signature", &hmac_hex(secret, body.as_bytes()))], body.as_bytes());
        told.push(codes(&listener.next()).join(" "));
    }
    assert_eq!(told, ["", "", ""]);
}

#[test]
fn an_end_that_does_not_come_is_said_when_the_waiting_ends() {
    let open = "c-1: no_terminal_event: its last was processing in #2";
    for (arguments, code, words) in [
        (&["--timeout", "500ms"][..], 0, format!("warning: {open}")),
        (&["--timeout", "500ms", "--until", "failed"], 3, format!("warning: {open}")),
        (&["--timeout", "500ms", "--strict"], 4, open.replace("c-1:", "failed: c-1: --strict:")),
    ] {
        let listener = Listener::start(arguments);
        listener.post("/", &[], START.as_bytes());
        listener.post("/", &[], OUTPUT.as_bytes());
        let (ended, _, stderr) = listener.wait();
        assert_eq!(ended, Some(code), "{stderr}");
        assert!(stderr.contains(&words), "{stderr}");
    }
    // Whoever has got what was waited for did not wait for the end.
    for arguments in [&["--count", "2", "--strict"][..], &["--until", "output", "--strict"]] {
        let listener = Listener::start(arguments);
        listener.post("/", &[], START.as_bytes());
        listener.post("/", &[], OUTPUT.as_bytes());
        let (ended, _, stderr) = listener.wait();
        assert!(ended == Some(0) && !stderr.contains("no_terminal_event"), "{stderr}");
    }
}

#[test]
fn what_was_overtaken_is_a_warning_and_so_counts_when_strict() {
    let listener = Listener::start(&["--count", "2", "--strict"]);
    for body in [END, START] {
        listener.post("/", &[], body.as_bytes());
    }
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("--strict: overtaken: #1 was further"), "{stderr}");
}
