//! Deliveries recorded from real Cog servers, replayed byte for byte: what came in is what comes out.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hookctl::payload::{Headers, Payload};
use serde_json::{Value, json};

use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::repository;

/// The token of the server whose deliveries are in the `auth_token` file.
const TOKEN: &str = "s3cr3t-token";

/// One recorded delivery.
struct Capture {
    line: Value,
    body: Vec<u8>,
}

impl Capture {
    fn read(line: &str) -> Self {
        let line: Value = serde_json::from_str(line).expect("a capture is JSON");
        let body = STANDARD.decode(line["body_b64"].as_str().expect("a body")).expect("base64");
        Capture { line, body }
    }

    fn text(&self, field: &str) -> &str {
        self.line[field].as_str().expect("text")
    }

    /// In wire order and spelling; only the host is where the request goes now.
    fn headers(&self, host: &str) -> Vec<(String, String)> {
        let pairs = self.line["headers"].as_array().expect("headers");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let pair = |pair: &Value| match text(&pair[0]) {
            name if name.eq_ignore_ascii_case("host") => (name, host.to_owned()),
            name => (name, text(&pair[1])),
        };
        pairs.iter().map(pair).collect()
    }

    /// The request as it crossed the wire.
    fn request(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\n", self.text("method"), self.text("target"), self.text("http_version"));
        for (name, value) in self.headers(host) {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }

    /// What the body says of the event; Cog does not name it.
    fn event(&self, body: &Value) -> &'static str {
        match (body["status"].as_str(), body.get("output"), body["logs"].as_str()) {
            (Some("succeeded" | "failed" | "canceled"), ..) => "completed",
            (_, Some(output), _) if !output.is_null() => "output",
            (_, _, Some(logs)) if !logs.is_empty() => "logs",
            _ => "start",
        }
    }
}

/// Every file with its deliveries.
fn captures() -> Vec<(PathBuf, Vec<Capture>)> {
    let folder = std::fs::read_dir(repository("tests/data/captures")).expect("the captures are there");
    let files: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
    assert!(files.len() >= 14, "captures are missing: {files:?}");
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a capture is text");
    files.iter().map(|path| (path.clone(), read(path).lines().map(Capture::read).collect())).collect()
}

/// Wants the record to be what was sent.
fn check(record: &Value, capture: &Capture, name: &str, host: &str) {
    let body: Value = serde_json::from_slice(&capture.body).expect("a body is JSON");
    let variant = if name.starts_with("cog-0.16") { "python" } else { "coglet" };
    let payload = &record["payload"];
    let expected = [
        ("provider", json!("cog")),
        ("variant", json!(variant)),
        ("kind", json!("prediction")),
        ("status", body["status"].clone()),
        ("raw_status", body["status"].clone()),
        ("id", body["id"].clone()),
        ("event", json!(capture.event(&body))),
        ("event_inferred", json!(true)),
    ];
    for (field, value) in expected {
        assert_eq!(payload[field], value, "{field} in {name}: {record}");
    }
    assert_eq!(record["body"].as_str().expect("text").as_bytes(), capture.body, "{name}");
    assert_eq!((&record["method"], &record["target"]), (&capture.line["method"], &capture.line["target"]));
    assert_eq!(record["warnings"], json!([]), "a real delivery is not suspicious: {name}");
    let shown = |(header, value): (String, String)| match header.to_lowercase() {
        header if header == "authorization" => json!([header, "<redacted>"]),
        header => json!([header, value]),
    };
    let headers: Vec<_> = capture.headers(host).into_iter().map(shown).collect();
    assert_eq!(record["headers"], Value::from(headers), "{name}");
}

#[test]
fn recorded_cog_deliveries_are_journalled_byte_for_byte() {
    for (path, captures) in captures() {
        let name = path.file_name().unwrap().to_string_lossy();
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("hooks.jsonl");
        let journal = journal.to_str().unwrap();
        let mut listener = Listener::start(&["--record", journal, "--scheme", "auto"]);
        let host = listener.url.trim_start_matches("http://").to_owned();
        let mut stream = String::new();
        for capture in &captures {
            let answer = listener.raw(&capture.request(&host));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
            let line = listener.next_line();
            check(&serde_json::from_str(&line).unwrap(), capture, &name, &host);
            stream += &(line + "\n");
        }
        assert_eq!(std::fs::read_to_string(journal).unwrap(), stream, "{name}");
        let inspected = hookctl(["inspect", "--json", journal]).exits(0);
        assert_eq!(inspected.stdout, stream, "{name}");
    }
}

#[test]
fn recorded_cog_bodies_are_detected_without_headers() {
    for (path, captures) in captures() {
        for capture in captures {
            let read = Payload::read(&capture.body.into(), &Headers::default(), None).unwrap();
            assert_eq!(read.provider.name, "cog", "{path:?}: {}", capture.line);
        }
    }
}

#[test]
fn a_retried_delivery_is_a_duplicate_and_progress_is_not() {
    for (path, captures) in captures() {
        let mut listener = Listener::start(&[]);
        let mut seen: Vec<(&[u8], Value)> = Vec::new();
        for capture in &captures {
            listener.raw(&capture.request("x"));
            let record = listener.next();
            let first = seen.iter().find(|(body, _)| *body == capture.body).map(|(_, id)| id);
            assert_eq!(record["duplicate_of"], first.cloned().unwrap_or_default(), "{path:?}: {record}");
            seen.push((&capture.body, record["id"].clone()));
        }
    }
}

#[test]
fn recorded_deliveries_in_reverse_order_get_only_the_overtaken_warning() {
    for (path, captures) in captures() {
        let mut listener = Listener::start(&[]);
        for capture in captures.iter().rev() {
            listener.raw(&capture.request("x"));
            let record = listener.next();
            for warning in record["warnings"].as_array().unwrap() {
                assert_eq!(warning["code"], "overtaken", "{path:?}: {record}");
            }
        }
    }
}

#[test]
fn a_bearer_token_is_verified_and_never_printed() {
    let (_, captures) =
        captures().into_iter().find(|(path, _)| path.ends_with("cog-0.23.1__auth_token.jsonl")).unwrap();
    let cases = [(TOKEN, 200, "authenticated"), ("another", 401, "invalid")];
    for (secret, status, verdict) in cases {
        let journal = tempfile::NamedTempFile::new().unwrap();
        let record = journal.path().to_str().unwrap();
        let mut listener = Listener::start(&["--secret", secret, "--record", record, "--verbose"]);
        let mut said = String::new();
        for capture in &captures {
            assert!(capture.request("x").windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()));
            assert_eq!(crate::listen::status(&listener.raw(&capture.request("x"))), status);
            let line = listener.next_line();
            let parsed: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(parsed["signature"]["verdict"], verdict, "{line}");
            assert_eq!(parsed["signature"]["scheme"], "bearer", "{line}");
            said += &line;
        }
        listener.signal("INT");
        let (_, stdout, stderr) = listener.wait();
        let written = std::fs::read_to_string(record).unwrap();
        for text in [said, stdout, stderr, written] {
            assert!(!text.contains(TOKEN), "the token shows in {text}");
        }
    }
}
