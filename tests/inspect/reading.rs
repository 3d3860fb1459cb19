//! How sources are read: pipes, files that change, damage, and what is not a journal.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;

use super::captured::Captured;
use super::inspect;
use crate::support::program::{Watchdog, command};

/// `inspect - --follow --json`, its input and its output.
#[cfg(unix)]
struct Piped {
    child: std::process::Child,
    input: Option<std::process::ChildStdin>,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    _watchdog: Watchdog,
}

#[cfg(unix)]
impl Piped {
    fn start() -> Self {
        let mut command = command();
        command.args(["inspect", "-", "--follow", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Piped { _watchdog: Watchdog::over(child.id()), input: child.stdin.take(), child, lines }
    }

    fn write(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_shown_as_it_comes_until_its_writer_closes_it() {
    let lines = Captured::journal().lines;
    let mut piped = Piped::start();
    piped.write(&format!("{}\n{}\n{}", lines[0], lines[1], &lines[2][..100]));
    assert_eq!(piped.lines.next().unwrap().unwrap(), lines[0]);
    assert_eq!(piped.lines.next().unwrap().unwrap(), lines[1]);
    // The last one has no newline.
    piped.write(&lines[2][100..]);
    piped.input = None;
    assert_eq!(piped.lines.next().unwrap().unwrap(), lines[2]);
    assert_eq!(piped.child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_wait_for_a_pipe() {
    let lines = Captured::journal().lines;
    let mut piped = Piped::start();
    piped.write(&format!("{}\n", lines[0]));
    assert_eq!(piped.lines.next().unwrap().unwrap(), lines[0]);
    let id = rustix::process::Pid::from_child(&piped.child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(piped.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_line_that_is_not_utf8_is_damaged() {
    let lines = Captured::journal().lines;
    let journal = Captured::of(vec![lines[0].clone(), lines[1].clone()]);
    let mut bytes = fs::read(&journal.path).unwrap();
    let place = bytes.len() - 20;
    bytes[place] = 0xff;
    fs::write(&journal.path, bytes).unwrap();
    let run = inspect(&[journal.path(), "--json"]).exits(0).says("line 2 is damaged and left out: it is not UTF-8");
    assert_eq!(run.stdout, format!("{}\n", lines[0]));
}

#[test]
fn a_journal_may_start_with_damage_blank_lines_and_a_byte_order_mark() {
    let lines = Captured::journal().lines;
    let text = format!("\n\ngarbage\n\n{{\"type\":\"deli\nmore\n\n{}\n", lines[0]);
    inspect(&["-"]).stdin(text.clone()).exits(0).says("line 3 is damaged").says("line 6 is damaged").prints("\n   1  ");
    let marked = inspect(&["-", "--json"]).stdin(format!("\u{feff}{}\n{}\n", lines[0], lines[1])).exits(0);
    assert_eq!((marked.json().len(), marked.stderr.as_str()), (2, ""));
    // By its name, where nothing else tells.
    let journal = Captured::of(vec!["garbage".into()]);
    inspect(&[journal.path()]).exits(0).says("line 1 is damaged").says("there are no deliveries");
}

#[test]
fn json_lines_without_a_delivery_are_named() {
    let text = "{\"a\":1}\n{\"a\":2}\n";
    inspect(&["-"]).stdin(text).exits(2).says("not JSON: it has several JSON values, one per line");
    inspect(&["-", "--timeline"]).stdin(text).exits(2).says("JSON Lines, but none of its lines is a delivery");
    inspect(&["-"]).stdin(" \n\n").exits(2).says("only white space");
}

#[test]
fn flags_that_do_not_apply_are_refused_before_anything_is_read() {
    let journal = Captured::journal();
    let payload = journal.file("payload.json");
    fs::write(&payload, "{}").unwrap();
    let run = inspect(&[journal.path(), &payload, "--export", "har"]).exits(2).says("payload.json is one payload");
    assert_eq!(run.stdout, "");
    let run = inspect(&[journal.path(), "/no/such/file"]).exits(1);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_filter_that_fails_is_reported() {
    let journal = Captured::journal();
    inspect(&[journal.path(), "--where", "1 + \"a\""]).exits(0).says("--where failed on 19 deliveries").says("1");
    inspect(&[journal.path(), "--where", ".seq == 1 or error(\"x\")"]).exits(0).says("--where failed on 18 deliveries");
    let quiet = inspect(&[journal.path(), "--where", ".seq == 1"]).exits(0);
    assert!(!quiet.stderr.contains("--where"), "{quiet:?}");
}

#[test]
fn a_delivery_that_the_filters_exclude_is_named() {
    let journal = Captured::journal();
    inspect(&[journal.path(), "--status", "failed", "--show", "3"]).exits(2).says("the filters leave delivery 3 out");
    inspect(&[journal.path(), "--show", "20"]).exits(2).says("there is no delivery 20 among the 19");
    inspect(&[journal.path(), "--show", "#3"]).exits(0).prints("#3");
}

#[test]
fn a_verdict_that_cannot_be_checked_again_is_shown_as_recorded() {
    let mut line: Value = serde_json::from_str(&Captured::journal().lines[0]).unwrap();
    line["headers"] = serde_json::json!([["authorization", "<redacted>"]]);
    line["signature"] = serde_json::json!({"verdict": "authenticated", "scheme": "bearer", "secret": "main"});
    let journal = Captured::of(vec![super::captured::written_by_hookctl(&line.to_string())]);
    let run = inspect(&[journal.path(), "--secret", "s"]).exits(0);
    run.says("1 of 1 deliveries could not be checked again (recorded: 1 as authenticated)");
}
