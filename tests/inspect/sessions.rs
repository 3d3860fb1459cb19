//! State across deliveries: files, filters, forgeries and attempts.

use serde_json::{Value, json};

use super::captured::{Captured, written_by_hookctl};
use super::inspect;
use crate::support::sign::hmac_hex;

const SECRET: &str = "s3cret";

/// A line of a journal: a body with this status, signed with this secret, `second` seconds after the hour.
fn line(second: usize, status: &str, output: &str, secret: &str) -> Value {
    let body = json!({"id": "p", "status": status, "output": output, "input": {}}).to_string();
    json!({
        "type": "delivery", "v": 1, "seq": 1, "id": format!("r{second}"), "direction": "received",
        "at": format!("2026-11-20T21:00:{second:02}Z"), "method": "POST", "target": "/", "http": "1.1",
        "headers": [["x-webhook-signature", hmac_hex(secret, body.as_bytes())]],
        "body": body, "payload": {"provider": "eachlabs"}, "signature": {"verdict": "unchecked"},
        "answer": {"status": 200, "by": "script", "ms": 1},
    })
}

fn journal(lines: &[Value]) -> Captured {
    Captured::of(lines.iter().map(|line| written_by_hookctl(&line.to_string())).collect())
}

/// The number of each delivery of a timeline, the number that it repeats, and the codes of its warnings.
fn deliveries(timeline: &Value) -> Vec<(u64, Value, Vec<String>)> {
    let codes = |warnings: &Value| {
        let codes = warnings.as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap().to_owned());
        codes.collect()
    };
    let deliveries = timeline["deliveries"].as_array().unwrap().iter();
    let told = deliveries
        .map(|one| (one["number"].as_u64().unwrap(), one["repeat"]["answered"].clone(), codes(&one["warnings"])));
    told.collect()
}

fn timeline(arguments: &[&str], code: i32) -> Vec<(u64, Value, Vec<String>)> {
    deliveries(&inspect(&[arguments, &["--timeline", "--json"]].concat()).exits(code).json()[0])
}

#[test]
fn a_forgery_is_not_part_of_a_checked_timeline() {
    let journal = journal(&[
        line(1, "success", "evil", "forged"),
        line(2, "processing", "", SECRET),
        line(3, "success", "u", SECRET),
    ]);
    let codes = |arguments: &[&str], code| {
        let told = timeline(&[&[journal.path()], arguments].concat(), code);
        told.into_iter().map(|(_, repeat, codes)| (repeat.is_null(), codes)).collect::<Vec<_>>()
    };
    assert!(codes(&[], 0).iter().any(|(_, codes)| !codes.is_empty()), "unchecked, it is believed");
    assert_eq!(codes(&["--secret", SECRET], 5), vec![(true, Vec::<String>::new()); 3]);
}

#[test]
fn a_filter_hides_no_part_of_a_timeline() {
    let journal = journal(&[
        line(1, "processing", "", SECRET),
        line(2, "success", "u", SECRET),
        line(3, "processing", "v", SECRET),
    ]);
    let after = timeline(&[journal.path(), "--status", "processing"], 0);
    assert_eq!(after[1], (3, Value::Null, vec!["overtaken".to_owned()]));
    let whole = inspect(&[journal.path(), "--timeline", "--json", "--status", "processing"]).exits(0);
    assert_eq!(whole.json()[0]["warnings"], json!([]), "its end came");
}

#[test]
fn a_duplicate_comes_after_the_last_attempt() {
    let attempt = |second, attempt, status| {
        let mut line = line(second, "success", "u", SECRET);
        line["direction"] = json!("sent");
        (line["attempt"], line["of"], line["url"]) = (json!(attempt), json!(3), json!("http://localhost/"));
        line["answer"]["status"] = json!(status);
        line
    };
    let journal = journal(&[attempt(1, 1, 503), attempt(2, 2, 200), attempt(3, 1, 200)]);
    assert_eq!(timeline(&[journal.path()], 0)[2].1, 200);
}

#[test]
fn recorded_warnings_do_not_use_the_numbers_of_the_table() {
    let mut after = line(3, "processing", "v", SECRET);
    let message = "the status is processing, but the prediction ended as succeeded in #1";
    after["warnings"] = json!([
        {"code": "after_terminal", "path": "status", "message": message},
        {"code": "late_answer", "path": "", "message": "the answer was late"},
    ]);
    after["duplicate_of"] = json!("nobody");
    let journal = journal(&[after]);
    assert_eq!(timeline(&[journal.path()], 0), [(1, Value::Null, vec!["late_answer".to_owned()])]);
    inspect(&[journal.path(), "--show", "1"])
        .exits(0)
        .prints("succeeded in #1 (by the numbers of its own run)")
        .prints("the answer was late");
}

#[test]
fn a_repeat_names_the_last_delivery_and_its_answer() {
    let answered = |second, output, status| {
        let mut line = line(second, "success", output, SECRET);
        line["answer"]["status"] = json!(status);
        line
    };
    let journal = journal(&[answered(1, "a", 503), answered(2, "b", 500), answered(3, "b", 200)]);
    inspect(&[journal.path(), "--timeline"])
        .exits(0)
        .prints("sent again after #1 was answered 503, with another body")
        .prints("sent again after #2 was answered 500\n");
}

#[test]
fn files_are_read_in_the_order_of_their_first_deliveries() {
    let (old, new) = (journal(&[line(1, "processing", "", SECRET)]), journal(&[line(5, "success", "u", SECRET)]));
    let turned = [new.path(), old.path()];
    let last = inspect(&[&turned[..], &["--last", "1", "--json"]].concat()).exits(0);
    assert_eq!((last.json()[0]["id"].as_str(), last.stderr.as_str()), (Some("r5"), ""));
    assert!(timeline(&turned, 0).iter().all(|(_, _, codes)| codes.is_empty()));
    // Where one does not end before the other begins, that is said.
    let long = journal(&[line(2, "processing", "", SECRET), line(7, "success", "u", SECRET)]);
    inspect(&[long.path(), new.path()]).exits(0).says("begins before the deliveries read so far end");
}
