//! `hookctl inspect` of a journal: the table, the filters, one delivery, and damaged lines.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::inspect;
use crate::support::listener::Listener;
use crate::support::program::{Finished, hookctl};

const SECRET: &str = "s3cret";

/// The sources of [`Journal::record`], in this order.
const SOURCES: [&str; 6] =
    ["success", "failed", "workflow", "modelslab/failed", "cog/coglet/start", "cog/coglet/succeeded"];

/// A journal that a real listener wrote.
struct Journal {
    _folder: TempDir,
    path: PathBuf,
}

impl Journal {
    /// Records these sources, sent signed, by a listener with these arguments.
    fn of(sources: &[&str], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooks.jsonl");
        let mut listener = Listener::start(&[&["--record", path.to_str().unwrap()], arguments].concat());
        let run = ["send", "--secret", SECRET, "--retry", "none", "--to", &listener.url];
        let sent = hookctl(run.iter().chain(sources)).run();
        assert!(matches!(sent.code, Some(0 | 6)), "{sent:#?}");
        sources.iter().for_each(|_| drop(listener.next()));
        Journal { _folder: folder, path }
    }

    fn record() -> Self {
        Journal::of(&SOURCES, &["--secret", SECRET])
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Replaces all lines.
    fn write(&self, lines: &[impl AsRef<str>]) {
        let text: String = lines.iter().map(|line| format!("{}\n", line.as_ref())).collect();
        fs::write(&self.path, text).unwrap();
    }
}

/// The rows of a table, without its heading and the lines that name the day.
fn rows(finished: &Finished) -> Vec<&str> {
    let is_row = |row: &&str| row.split_whitespace().next().is_some_and(|first| first.parse::<usize>().is_ok());
    finished.stdout.lines().filter(is_row).collect()
}

/// The numbers in the first column of a table.
fn numbers(finished: &Finished) -> Vec<usize> {
    rows(finished).iter().map(|row| row.split_whitespace().next().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_journal_is_a_table_newest_last() {
    let journal = Journal::record();
    let finished = inspect(&[journal.path()]).exits(0);
    let heading: Vec<_> = finished.stdout.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["#", "time", "status", "provider", "event", "signature", "answer", "id"]);
    // The time of day is in the second column.
    let cells = rows(&finished).into_iter().map(|row| {
        let cells: Vec<&str> = row.split_whitespace().collect();
        [&cells[..1], &cells[2..]].concat().join(" ")
    });
    assert_eq!(
        cells.collect::<Vec<_>>(),
        [
            "1 succeeded each::labs completed verified 200 abc123-def456-ghi789",
            "2 failed each::labs failed verified 200 abc123-def456-ghi789 after_terminal",
            "3 succeeded ModelsLab workflow.completed verified 200 exec_xyz789",
            "4 failed ModelsLab failed verified 200 abc123-def456",
            "5 processing Cog start authenticated 200 wjx3whax6rf4vphkegkhcvpv6a",
            "6 succeeded Cog completed authenticated 200 wjx3whax6rf4vphkegkhcvpv6a",
        ]
    );
    finished.says("6 deliveries · 3 succeeded, 2 failed, 1 processing · 4 verified, 2 authenticated");
}

#[test]
fn filters_combine() {
    let journal = Journal::record();
    let record_id: serde_json::Value = serde_json::from_str(&journal.lines()[3]).unwrap();
    let record_id = record_id["id"].as_str().unwrap();
    let cases: [(&[&str], &[usize]); 15] = [
        (&["--status", "succeeded"], &[1, 3, 6]),
        (&["--status", "success"], &[1]),
        (&["--status", "completed"], &[3]),
        (&["--status", "failed"], &[2, 4]),
        (&["--status", "processing"], &[5]),
        (&["--id", "abc123-def456-ghi789"], &[1, 2]),
        (&["--id", "wf_abc123"], &[3]),
        (&["--id", "video_001"], &[4]),
        (&["--id", record_id], &[4]),
        (&["--last", "2"], &[5, 6]),
        (&["--last", "99"], &[1, 2, 3, 4, 5, 6]),
        (&["--status", "succeeded", "--last", "2"], &[3, 6]),
        (&["--id", "abc123-def456-ghi789", "--status", "failed"], &[2]),
        (&["--id", "abc123-def456-ghi789", "--status", "failed", "--last", "1"], &[2]),
        (&["--status", "failed", "--id", "abc123-def456", "--last", "5"], &[4]),
    ];
    let lines = journal.lines();
    for (arguments, expected) in cases {
        let finished = inspect(&[&[journal.path()], arguments].concat()).exits(0);
        assert_eq!(numbers(&finished), expected, "{arguments:?}");
        let data = inspect(&[&[journal.path(), "--json"], arguments].concat()).exits(0);
        let expected: Vec<&String> = expected.iter().map(|number| &lines[number - 1]).collect();
        assert_eq!(data.stdout.lines().collect::<Vec<_>>(), expected, "{arguments:?}");
    }
}

#[test]
fn show_takes_a_number_or_an_id() {
    let journal = Journal::record();
    for which in ["3", "exec_xyz789", "wf_abc123"] {
        let finished = inspect(&[journal.path(), "--show", which]).exits(0);
        let finished = finished.prints("ModelsLab").prints("workflow.completed").prints("exec_xyz789  #3");
        let finished =
            finished.prints("POST / from 127.0.0.1:").prints("✓ verified eachlabs").prints("answer   200 in ");
        let finished = finished.prints("\n  content-type: application/json\n").prints("x-webhook-signature: ");
        finished.prints("\"execution_time\": 135,").prints("wf_abc123");
        let data = inspect(&[journal.path(), "--json", "--show", which]).exits(0);
        assert_eq!(data.stdout, format!("{}\n", journal.lines()[2]), "{which}");
    }
    inspect(&[journal.path(), "--show", "1", "--status", "succeeded"]).exits(0).prints("#1");
}

#[test]
fn a_delivery_that_does_not_exist_is_an_error() {
    let journal = Journal::record();
    for which in ["99", "0", "7", "no-such-id"] {
        let finished = inspect(&[journal.path(), "--show", which]).exits(2);
        assert_eq!(finished.stdout, "", "{which}");
        finished.says(&format!("error: there is no delivery {which} among the 6 that were read"));
    }
    for arguments in [["--id", "no-such-id"], ["--status", "canceled"], ["--last", "0"]] {
        let finished = inspect(&[&[journal.path()], &arguments[..]].concat()).exits(0);
        assert_eq!(finished.stdout, "", "{arguments:?}");
        finished.says("note: none of 6 deliveries matches");
    }
}

#[test]
fn json_output_is_the_journal_byte_for_byte() {
    let journal = Journal::record();
    assert_eq!(inspect(&[journal.path(), "--json"]).exits(0).stdout, journal.text());
    let through = inspect(&["-", "--json"]).stdin(journal.text()).exits(0);
    assert_eq!(through.stdout, journal.text());
    // Spelled by somebody else: spaces, another order, fields that hookctl does not know, no newline at the end.
    let foreign = r#"{ "at" :"2026-11-20T21:23:21Z", "new":{"a":[1.50]}, "type":"delivery","v":9,"body":"{\"id\":\"\\u00e9\"}","signature":{"verdict":"moonlit"}}"#;
    let verdict_known = foreign.replace(r#","signature":{"verdict":"moonlit"}"#, "");
    fs::write(&journal.path, &verdict_known).unwrap();
    assert_eq!(inspect(&[journal.path(), "--json"]).exits(0).stdout, format!("{verdict_known}\n"));
    assert_eq!(numbers(&inspect(&[journal.path()]).exits(0)), [1]);
}

#[test]
fn damaged_lines_are_reported_by_number_and_skipped() {
    let journal = Journal::record();
    let lines = journal.lines();
    let torn = &lines[3][..lines[3].len() / 2];
    let mut bytes = [&lines[0], "garbage", &lines[1], "", "[]", &lines[2]].join("\n").into_bytes();
    bytes.extend_from_slice(b"\n{\"type\":\"delivery\",\xff\xfe\n");
    bytes.extend_from_slice(torn.as_bytes());
    fs::write(&journal.path, bytes).unwrap();
    let finished = inspect(&[journal.path(), "--json"]).exits(0);
    assert_eq!(finished.stdout.lines().collect::<Vec<_>>(), lines[..3]);
    let warned: Vec<_> = finished.stderr.lines().map(|line| line.split(" is damaged").next().unwrap()).collect();
    let expected = [2, 5, 7, 8].map(|number| format!("warning: {}, line {number}", journal.path()));
    assert_eq!(warned, expected);
    let table = inspect(&[journal.path()]).exits(0);
    assert_eq!(numbers(&table), [1, 2, 3]);
    assert_eq!(table.stderr.lines().take(4).collect::<Vec<_>>(), finished.stderr.lines().collect::<Vec<_>>());
    table.says("\n3 deliveries · ");
}

#[test]
fn a_journal_may_begin_with_damage() {
    let journal = Journal::record();
    let lines = journal.lines();
    journal.write(&["\u{0}\u{0}\u{0}", &lines[0]]);
    assert_eq!(numbers(&inspect(&[journal.path()]).exits(0).says("line 1 is damaged")), [1]);
}

#[test]
fn a_journal_without_deliveries_is_not_damaged() {
    let journal = Journal::of(&["success"], &[]);
    fs::write(&journal.path, "").unwrap();
    inspect(&[journal.path()]).exits(0).says("there are no deliveries");
    inspect(&[journal.path(), "--show", "1"]).exits(2).says("there is no delivery 1 among the 0");
}

#[test]
fn a_stream_is_a_journal_and_its_other_types_are_skipped() {
    let journal = Journal::record();
    let lines = journal.lines();
    let ready = r#"{"type":"ready","v":1,"url":"http://127.0.0.1:1","port":1}"#;
    let summary = r#"{"type":"summary","v":1,"deliveries":2}"#;
    let attempt = r#"{"type":"attempt","v":1,"retry":1}"#;
    journal.write(&[ready, &lines[0], attempt, &lines[1], r#"{"type":"drill","v":1}"#, summary]);
    let finished = inspect(&[journal.path(), "--json"]).exits(0);
    assert_eq!(finished.stdout.lines().collect::<Vec<_>>(), lines[..2]);
    assert_eq!(finished.stderr, "");
}

#[test]
fn unknown_types_and_fields_are_skipped() {
    let journal = Journal::record();
    let lines = journal.lines();
    let newer = lines[1].replacen(r#""v":1"#, r#""v":2,"mood":["good"]"#, 1);
    journal.write(&[&lines[0], r#"{"type":"forecast","v":2,"rain":true}"#, &newer]);
    let finished = inspect(&[journal.path(), "--json"]).exits(0);
    assert_eq!(finished.stdout.lines().collect::<Vec<_>>(), [&lines[0], &newer]);
    assert_eq!(finished.stderr, "", "section 5: readers skip types that they do not know");
}

#[test]
fn several_journals_are_read_as_one() {
    let (first, second) = (Journal::of(&["success"], &[]), Journal::of(&["failed", "workflow"], &[]));
    let both = [first.path(), second.path()];
    assert_eq!(numbers(&inspect(&both).exits(0)), [1, 2, 3]);
    assert_eq!(inspect(&[&both[..], &["--json"]].concat()).exits(0).stdout, first.text() + &second.text());
    assert_eq!(numbers(&inspect(&[&both[..], &["--last", "1"]].concat()).exits(0)), [3]);
    inspect(&[&both[..], &["--show", "2"]].concat()).exits(0).prints("failed").prints("#2");
    let turned = [second.path(), first.path()];
    assert_eq!(inspect(&[&turned[..], &["--json"]].concat()).exits(0).stdout, first.text() + &second.text());
    inspect(&[&both[..], &["--id", "nobody"]].concat()).exits(0).says("none of 3 deliveries matches");
    // What comes after a file that cannot be read is not reached, and the exit code says so.
    inspect(&[first.path(), "/no/such/file"]).exits(1).says("cannot read /no/such/file");
}

/// The verdicts of a journal's deliveries after another check.
fn verdicts(finished: &Finished) -> Vec<String> {
    finished.json().iter().map(|line| line["signature"]["verdict"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_secret_verifies_every_recorded_delivery_again() {
    // Recorded without a secret: `unchecked`.
    let journal = Journal::of(&["success", "eachlabs/c/failed", "modelslab/success"], &["--record-secrets"]);
    let check = |secret: &str| inspect(&[journal.path(), "--json", "--secret", secret]);
    assert_eq!(verdicts(&inspect(&[journal.path(), "--json"]).exits(0)), ["unchecked"; 3]);
    assert_eq!(verdicts(&check(SECRET).exits(0)), ["verified"; 3]);
    assert_eq!(verdicts(&check("another").exits(5)), ["invalid"; 3]);
    inspect(&[journal.path(), "--secret", "another", "--show", "1"]).exits(5).prints("wrong_secret");

    // One that fails is enough, and only what is shown counts.
    let mut lines = journal.lines();
    lines[2] = lines[2].replace("video_001", "video_002");
    journal.write(&lines);
    assert_eq!(verdicts(&check(SECRET).exits(5)), ["verified", "verified", "invalid"]);
    inspect(&[journal.path(), "--secret", SECRET, "--show", "1"]).exits(0);
}

#[test]
fn a_recorded_delivery_is_checked_at_the_time_it_was_received() {
    let journal = Journal::of(&["eachlabs/c/succeeded"], &["--record-secrets"]);
    let line = journal.lines()[0].clone();
    let (at, rest) = line.split_once(r#""at":""#).unwrap();
    let late = format!(r#"{at}"at":"2099-01-01T00:00:00Z{}"#, &rest[rest.find('"').unwrap()..]);
    let check =
        |name: &str| inspect(&[journal.path(), "--secret", SECRET, "--json"]).exits(if name == "late" { 5 } else { 0 });
    check("in time");
    journal.write(&[late]);
    assert_eq!(check("late").json()[0]["signature"]["reason"], "timestamp_expired");
}

#[test]
fn a_redacted_header_does_not_verify_another_signature() {
    // Generation C sends its secret in a header too, which a journal blanks; the signature beside it can be checked.
    let journal = Journal::of(&["eachlabs/c/succeeded"], &["--secret", SECRET]);
    assert!(journal.text().contains("<redacted>"));
    assert_eq!(verdicts(&inspect(&[journal.path(), "--json", "--secret", SECRET]).exits(0)), ["verified"]);
    let other = inspect(&[journal.path(), "--json", "--secret", "another"]);
    assert_eq!(verdicts(&other.exits(5)), ["invalid"]);
}

#[test]
fn a_redacted_signature_cannot_be_checked_again() {
    let journal = Journal::of(&["cog/coglet/succeeded"], &["--secret", SECRET]);
    assert_eq!(verdicts(&inspect(&[journal.path(), "--json"]).exits(0)), ["authenticated"]);
    // Neither a wrong secret nor the right one can tell anything from `<redacted>`.
    for secret in [SECRET, "another"] {
        assert_eq!(verdicts(&inspect(&[journal.path(), "--json", "--secret", secret]).exits(0)), ["unchecked"]);
    }
}

#[test]
fn a_body_that_was_not_read_cannot_be_checked_again() {
    let journal = Journal::of(&["success"], &["--max-body", "20"]);
    let finished = inspect(&[journal.path(), "--json", "--secret", SECRET]).exits(0);
    assert_eq!(verdicts(&finished), ["unchecked"]);
    finished.says("could not be checked again");
}

#[test]
fn flags_for_one_payload_do_not_apply_to_a_journal() {
    let journal = Journal::of(&["success"], &[]);
    for flag in [["-H", "x-a: b"], ["--signature", "00"]] {
        inspect(&[&[journal.path()], &flag[..]].concat()).exits(2).says("is a journal, not one payload").says(flag[0]);
    }
}

#[test]
fn a_repeat_is_marked() {
    let journal = Journal::of(&["success", "success"], &[]);
    let table = inspect(&[journal.path()]).exits(0);
    assert_eq!(rows(&table).iter().map(|row| row.ends_with("  repeat")).collect::<Vec<_>>(), [false, true]);
    let first: serde_json::Value = serde_json::from_str(&journal.lines()[0]).unwrap();
    let id = first["id"].as_str().unwrap();
    inspect(&[journal.path(), "--show", "2"]).exits(0).prints(&format!("of record {id}"));
}

#[test]
fn a_row_cannot_send_escape_sequences() {
    let journal = Journal::record();
    let body = r#"{\"id\":\"\\u001b[2Jx\",\"status\":\"\\u001b]0;y\\u0007\",\"event\":\"\\u009b1m\"}"#;
    journal.write(&[format!(r#"{{"type":"delivery","v":1,"at":"2026-11-20T21:23:21Z","target":"/\u001b[1m","remote":"\u001bc","headers":[["x-a","b"]],"body":"{body}"}}"#)]);
    for arguments in [&[][..], &["--show", "1"], &["--show", "1", "-v"], &["--json"]] {
        let output = inspect(&[&[journal.path()], arguments].concat()).exits(0);
        let text = output.stdout + &output.stderr;
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{arguments:?}: {text:?}");
    }
}
