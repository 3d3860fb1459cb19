//! A journal of deliveries that real Cog servers sent, some out of order, one twice.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hookctl::journal::Parsed;
use hookctl::journal::Record;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::repository;

/// A journal in a folder of its own.
pub struct Captured {
    pub folder: TempDir,
    pub path: PathBuf,
    pub lines: Vec<String>,
}

impl Captured {
    /// A run of an iterator with a delivery twice and two swapped, a failure, a delivery that was retried,
    /// and a run whose end is missing.
    pub fn journal() -> Self {
        let mut iterator = recorded("cog-0.23.1__iter_success");
        iterator.insert(4, iterator[2].clone());
        iterator.swap(5, 6);
        let mut unfinished = recorded("cog-0.16.12__text_success");
        unfinished.truncate(2);
        let parts =
            [iterator, recorded("cog-0.16.12__text_failure"), recorded("cog-0.23.1__retry_500_500_200"), unfinished];
        let lines = parts.concat().into_iter().enumerate().map(|(index, mut record)| {
            record["seq"] = json!(index + 1);
            record["id"] = json!(format!("record-{}", index + 1));
            written_by_hookctl(&record.to_string())
        });
        Captured::of(lines.collect())
    }

    /// The journal as another program would write it: fewer members, in another order.
    pub fn spelled_by_another_program() -> Self {
        let spelled = |line: &String| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            record.as_object_mut().unwrap().retain(|name, _| !matches!(name.as_str(), "payload" | "warnings"));
            record.to_string()
        };
        Captured::of(Captured::journal().lines.iter().map(spelled).collect())
    }

    pub fn of(lines: Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooks.jsonl");
        fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        Captured { folder, path, lines }
    }

    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The path of a file in the same folder.
    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A line as hookctl writes it.
pub fn written_by_hookctl(line: &str) -> String {
    let Ok(Parsed::Delivery(record)) = Record::parse(line) else { panic!("a delivery: {line}") };
    String::from_utf8(record.to_line()).unwrap().trim_end().to_owned()
}

/// A recording of a Cog server as records of a listener.
fn recorded(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(repository(&format!("tests/data/captures/{name}.jsonl"))).unwrap();
    let seen = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let deliveries = seen.filter(|seen| seen["kind"] == "delivery");
    let record = |seen: Value| {
        let body = STANDARD.decode(seen["body_b64"].as_str().unwrap()).unwrap();
        json!({
            "type": "delivery", "v": 1, "direction": "received",
            "at": seen["received_at"].as_str().unwrap().replace("+00:00", "Z"),
            "method": seen["method"], "target": seen["target"], "http": "1.1", "headers": seen["headers"],
            "body": String::from_utf8(body).unwrap(),
            "answer": {"status": seen["response_status"], "by": "script", "ms": 0.5},
        })
    };
    deliveries.map(record).collect()
}
