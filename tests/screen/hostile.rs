//! Text from outside that a terminal would obey: none of it is printed as it came.

mod planted;

use serde_json::{Value, json};

use super::{Screen, fixture};
use crate::support::program::{Finished, hookctl};
use crate::support::repository;
use crate::support::target::{Answer, Target};

/// Clears the screen, links, rings, recolours by C1, turns the direction of writing, hides. No sequence in it is one of
/// those that colours are made of, so that these can be taken away before looking.
const EVIL: &str = "<\u{1b}[2J\u{1b}]8;;http://evil/\u{1b}\\link\u{7}\u{8}\u{9b}31m\u{9d}\u{202e}\u{2066}\u{200f}\u{200b}\u{feff}\u{7f}\u{ad}\u{2028}\u{e0041}\r\n>";

/// What of it HTTP lets through in a header or a path.
const EVIL_HEADER: &str = "<\u{9b}31m\u{9d}\u{202e}\u{2066}\u{200b}\u{feff}\u{85}>";

/// The first character that must not be printed.
fn hazard(text: &str) -> Option<char> {
    let is_hazard = |c: char| {
        let hides = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        c != '\n' && (c.is_control() || hides)
    };
    text.chars().find(|c| is_hazard(*c))
}

/// Text without the sequences that set colours: ESC, `[`, digits and `;`, `m`.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('m') {
            Some((code, rest)) if code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') => plain += rest,
            _ => plain = plain + "\x1b[" + part,
        }
    }
    plain
}

#[track_caller]
fn clean(run: &Finished) {
    for (place, text) in [("stdout", plain(&run.stdout)), ("stderr", plain(&run.stderr))] {
        if let Some(found) = hazard(&text) {
            let line = text.lines().find(|line| line.contains(found)).unwrap_or_default();
            panic!("{found:?} on {place}: {line:?}");
        }
    }
}

/// Every string of a payload with the evil at its end; without `words`, those that hookctl must know stay.
fn poison(value: &Value, words: bool) -> Value {
    let known = ["status", "state", "provider", "type"];
    match value {
        Value::String(text) => json!(format!("{text}{EVIL}")),
        Value::Array(items) => items.iter().map(|item| poison(item, words)).collect(),
        Value::Object(members) => {
            let keep = |key: &str| !words && known.contains(&key);
            let poisoned = |(key, value): (&String, &Value)| {
                let value = if keep(key) { value.clone() } else { poison(value, words) };
                (key.clone(), value)
            };
            let mut object: serde_json::Map<_, _> = members.iter().map(poisoned).collect();
            object.insert(format!("more{EVIL}"), json!(EVIL));
            Value::Object(object)
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => value.clone(),
    }
}

/// Every built-in payload, poisoned, and bodies that are no JSON.
fn bodies() -> Vec<Vec<u8>> {
    let mut folders = vec![repository("fixtures")];
    let mut bodies = vec![EVIL.into(), format!("{{\"id\":\"{EVIL}").into_bytes(), vec![0x9b, 0x1b, 0xff]];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let payload: Value = serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON");
            // The members at the top are the sender's own names: one more would make it a stranger's.
            let mut kept = poison(&payload, false);
            kept.as_object_mut().expect("an object").remove(&format!("more{EVIL}"));
            bodies.extend([poison(&payload, true), kept].map(|body| body.to_string().into_bytes()));
        }
    }
    assert!(bodies.len() > 40, "fixtures are missing");
    bodies
}

#[test]
fn listen_escapes_control_characters_in_deliveries() {
    let bodies = bodies();
    let count = bodies.len().to_string();
    let path = format!("/hook{EVIL_HEADER}").replace(['<', '>'], "");
    let headers =
        format!("x-evil: {EVIL_HEADER}\r\nx-webhook-signature: {EVIL_HEADER}\r\nuser-agent: {EVIL_HEADER}\r\n");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    for arguments in [
        &[][..],
        &["-v"],
        &["-v", "--color", "always"],
        &["--secret", "s", "-v"],
        &["--json"],
        &["--format", "compact", "--save-outputs", &out],
    ] {
        let screen = Screen::start(&[&["--count", &count], arguments].concat());
        for body in &bodies {
            let answer = screen.post(&path, &headers, body);
            assert!(answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.1 401 "), "{answer}");
        }
        let run = screen.wait();
        assert_eq!(run.code, Some(0), "{run:#?}");
        clean(&run);
    }
}

#[test]
fn inspect_escapes_control_characters_in_payloads() {
    let dir = tempfile::tempdir().unwrap();
    for (number, body) in bodies().iter().enumerate() {
        let path = dir.path().join(format!("{number}.json"));
        std::fs::write(&path, body).unwrap();
        let path = path.to_str().unwrap();
        let evil = format!("x-webhook-signature: {EVIL_HEADER}");
        for arguments in [&[][..], &["-v", "--color", "always"], &["-s", "s", "-H", &evil, "-v"]] {
            clean(&hookctl([&["inspect", path], arguments].concat()).run());
        }
    }
}

#[test]
fn inspect_escapes_control_characters_in_journals() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    // A journal is a file like any other: whoever made it chose every word in it.
    let mut lines = Vec::new();
    for (number, body) in bodies().iter().enumerate() {
        let mut record = json!({
            "type": "delivery", "v": 1, "seq": number, "id": format!("r{number}{EVIL}"), "direction": "received",
            "at": "2026-11-20T21:23:21.724722Z", "remote": EVIL, "method": EVIL, "target": EVIL, "http": EVIL,
            "headers": [["x-evil", EVIL_HEADER]],
            "body": String::from_utf8_lossy(body),
            "payload": {"provider": EVIL, "status": EVIL, "raw_status": EVIL, "id": EVIL, "key": EVIL, "event": EVIL},
            "signature": {"verdict": "invalid", "scheme": EVIL, "reason": "wrong_secret", "hint": EVIL},
            "duplicate_of": EVIL,
            "warnings": [{"code": EVIL, "path": EVIL, "message": EVIL}],
            "answer": {"status": 200, "by": "receiver", "ms": 0.4, "line": EVIL},
        });
        if number % 2 == 1 {
            record["signature"] = json!({"verdict": "verified", "scheme": EVIL, "secret": EVIL});
            let sent =
                json!({"direction": "sent", "attempt": 1, "of": 2, "url": EVIL, "error": EVIL, "outcome": "unknown"});
            record.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
        }
        lines.push(record.to_string());
    }
    let count = lines.len();
    lines.push(format!("{{\"type\":\"delivery\",\"at\":\"{EVIL}\"}}"));
    lines.push(json!({"type": "delivery", "at": EVIL}).to_string());
    lines.push(json!({"type": "delivery", "at": "2026-11-20T21:23:21Z", "headers": [[EVIL, EVIL]]}).to_string());
    std::fs::write(&journal, lines.join("\n")).unwrap();
    let journal = journal.to_str().unwrap();
    clean(&hookctl(["inspect", journal]).exits(0));
    clean(&hookctl(["inspect", journal, "--color", "always", "-v"]).exits(0));
    clean(&hookctl(["inspect", journal, "--id", EVIL]).run());
    for view in [
        &["--json"][..],
        &["--timeline", "--color=always"],
        &["--timeline", "--json"],
        &["--stats", "--color=always"],
        &["--stats", "--json"],
        &["--diff", "1", "2", "-v"],
        &["--diff", "1", "2", "--json"],
        &["--export", "curl"],
        &["--secret", "s", "--show", "3", "--explain"],
        &["--last", "3", "--where", ".payload.status"],
    ] {
        clean(&hookctl([&["inspect", journal], view].concat()).run());
    }
    for number in 1..=count {
        for verbosity in ["-v", "--color=always"] {
            clean(&hookctl(["inspect", journal, "--show", &number.to_string(), verbosity]).exits(0));
        }
    }
}

#[test]
fn send_escapes_control_characters_in_payloads_and_responses() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::start(&[Answer::Status(200, "x-evil: \u{9b}\r\n", EVIL), Answer::Status(500, "", EVIL)]);
    for (number, body) in bodies().iter().enumerate().skip(3) {
        let path = dir.path().join(format!("{number}.json"));
        std::fs::write(&path, body).unwrap();
        let evil = format!("x-evil: {EVIL_HEADER}");
        for arguments in [&[][..], &["-v", "--color=always"], &["--dry-run"], &["--curl"], &["--json"]] {
            let send = ["send", path.to_str().unwrap(), "--to", &target.url, "--retry", "none", "-H", &evil];
            clean(&hookctl([&send, arguments].concat()).run());
        }
    }
    let shown = hookctl(["send", "success", "--to", &target.url, "--retry", "none"]).exits(6);
    assert!(shown.stdout.contains(r"\u{1b}[2J"), "shown as visible escapes: {}", shown.stdout);
}

#[test]
fn errors_escape_control_characters_in_names() {
    let success = fixture("success.json");
    let (at, under) = (format!("@{EVIL}"), format!("/nowhere/{EVIL}"));
    let env = format!("env:{EVIL}");
    let cases: [(&[&str], i32); 9] = [
        (&["send", EVIL, "--to", "1"], 2),
        (&["send", "success", "--to", "1", "--unset", EVIL, "--dry-run"], 2),
        (&["inspect", EVIL], 1),
        (&["inspect", &success, "--show", EVIL], 2),
        (&["listen", "-p0", "--record", &under], 1),
        (&["listen", "-p0", "--secret", &at], 1),
        (&["listen", "-p0", "--secret", &env], 2),
        (&["listen", "-p0", "--host", EVIL], 1),
        (&["listen", "-p0", "--", EVIL], 1),
    ];
    for (arguments, code) in cases {
        clean(&hookctl(arguments).exits(code));
    }
}
