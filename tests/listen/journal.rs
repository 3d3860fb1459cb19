//! `listen --record`: what is in the journal, and what happens when it cannot be written.

use serde_json::{Value, json};

use super::{BODY, status};
use crate::support::connection::Connection;
use crate::support::listener::Listener;
use crate::support::program::hookctl;

/// A body of about so many bytes.
fn body(id: &str, filler: usize) -> Vec<u8> {
    let output = "x".repeat(filler);
    json!({"id": id, "status": "success", "output": output, "input": {}}).to_string().into_bytes()
}

#[test]
fn the_journal_is_the_stream() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let mut listener = Listener::start(&["--record", journal.to_str().unwrap(), "--secret", "s", "--max-body", "4KiB"]);
    let mut said = String::new();
    let bodies: [&[u8]; 6] = [BODY, BODY, b"", b"not json", b"\xff\x00", &body("large", 5_000)];
    for body in bodies {
        listener.post("/", &[("x-odd", "caf\u{e9} \u{202e}")], body);
        said += &(listener.next_line() + "\n");
        // The answer was given, so the line is there: not later, and not in part.
        // What a screen could not show is an escape in the stream.
        assert_eq!(std::fs::read_to_string(&journal).unwrap().replace('\u{202e}', "\\u202e"), said);
    }
}

#[test]
fn of_deliveries_that_come_together_the_stream_has_those_that_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let progress =
        |id: &str| format!(r#"{{"id":"{id}","logs":"","metrics":{{}},"output":["a"],"status":"processing"}}"#);
    let (senders, each) = (16, 12);
    for recording in [true, false] {
        let mut arguments = vec!["--events", "completed", "--count", "96"];
        arguments.extend(recording.then_some(["--record", journal.to_str().unwrap()]).into_iter().flatten());
        let mut listener = Listener::start(&arguments);
        let port = listener.port;
        let sending = (0..senders).map(|sender| {
            std::thread::spawn(move || {
                let mut connection = Connection::open(port).unwrap();
                for number in 0..each {
                    let id = format!("p-{sender}-{number}");
                    // Some are more than what is written together at most.
                    let filler = if number == 5 { 600_000 } else { number * 100 };
                    let delivery = if number % 2 == 0 { progress(&id).into_bytes() } else { body(&id, filler) };
                    assert_eq!(connection.post(&delivery).unwrap(), 200);
                }
            })
        });
        let sending: Vec<_> = sending.collect();
        let said: Vec<String> = (0..senders * each / 2).map(|_| listener.next_line()).collect();
        sending.into_iter().for_each(|sender| sender.join().unwrap());
        assert_eq!(listener.next()["deliveries"], 96);
        if recording {
            let written = std::fs::read_to_string(&journal).unwrap();
            let completed = written.lines().filter(|line| line.contains(r#""event":"completed""#));
            assert_eq!(completed.collect::<Vec<_>>(), said);
            assert_eq!(written.lines().count(), senders * each);
        }
        assert!(said.iter().all(|line| line.contains(r#""status":"succeeded""#)));
    }
}

#[test]
fn a_journal_is_continued() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let mut said = String::new();
    for _ in 0..2 {
        let mut listener = Listener::start(&["--record", journal.to_str().unwrap()]);
        listener.post("/", &[], BODY);
        said += &(listener.next_line() + "\n");
    }
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), said);
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let listener = Listener::start(&["--record", journal.to_str().unwrap()]);
    for number in 0..20 {
        assert_eq!(status(&listener.post("/", &[], &body(&format!("p-{number}"), 100))), 200);
    }
    listener.signal("KILL");
    drop(listener);
    let run = hookctl(["inspect", "--json", journal.to_str().unwrap()]).exits(0);
    let ids: Vec<_> = run.deliveries().iter().map(|record| record["payload"]["id"].clone()).collect();
    assert_eq!(ids, (0..20).map(|number| Value::from(format!("p-{number}"))).collect::<Vec<_>>());
}

#[cfg(unix)]
#[test]
fn a_journal_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let listener = Listener::start(&["--record", journal.to_str().unwrap()]);
    assert_eq!(std::fs::metadata(&journal).unwrap().permissions().mode() & 0o777, 0o600);
    drop(listener);
}

#[test]
fn a_journal_that_cannot_be_opened_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("missing").join("hooks.jsonl");
    for place in [&*nowhere, dir.path()] {
        let place = place.to_str().unwrap();
        let run = hookctl(["listen", "--port", "0", "--json", "--record", place]).exits(1).says(place);
        assert!(run.stdout.is_empty(), "never ready: {run:#?}");
    }
}

/// A full disk that can be had without one: the system refuses to let the file grow.
#[cfg(unix)]
mod full {
    use std::path::Path;

    use super::super::HOOKCTL;
    use super::*;

    /// In units of 512 bytes, as POSIX has it.
    const BLOCKS: usize = 8;

    fn listener(journal: &Path) -> Listener {
        let script = format!("ulimit -f {BLOCKS}; exec \"$@\"");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, "sh", HOOKCTL, "listen", "--port", "0", "--json", "--record"]).arg(journal);
        Listener::spawn(command)
    }

    #[test]
    fn what_cannot_be_recorded_is_not_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("hooks.jsonl");
        let mut listener = listener(&journal);
        let mut answers = Vec::new();
        for filler in [10, 2 * BLOCKS * 512, 10] {
            answers.push(status(&listener.post("/", &[], &body("p", filler))));
            let record = listener.next();
            let by = if record["answer"]["status"] == 200 { "script" } else { "refused" };
            assert_eq!((&record["answer"]["status"], &record["answer"]["by"]), (&json!(answers.last()), &json!(by)));
        }
        assert_eq!(answers, [200, 503, 503]);
        listener.signal("INT");
        let (code, _, stderr) = listener.wait();
        assert_eq!(code, Some(1));
        assert!(stderr.contains("the journal could not be written to the end: it lacks 2 deliveries"), "{stderr}");
        assert_eq!(stderr.matches(journal.to_str().unwrap()).count(), 1, "said once: {stderr}");
    }

    #[test]
    fn what_is_acknowledged_after_a_full_disk_can_be_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("hooks.jsonl");
        let listener = listener(&journal);
        assert_eq!(status(&listener.post("/", &[], &body("before", 10))), 200);
        let whole = std::fs::metadata(&journal).unwrap().len();
        assert_eq!(status(&listener.post("/", &[], &body("torn", 2 * BLOCKS * 512))), 503);
        // Room again, and of what was written of the second record a piece is left, if there was any.
        let file = std::fs::OpenOptions::new().write(true).open(&journal).unwrap();
        file.set_len(file.metadata().unwrap().len().min(whole + 20)).unwrap();
        assert_eq!(status(&listener.post("/", &[], &body("after", 10))), 200);
        let run = hookctl(["inspect", "--json", journal.to_str().unwrap()]).exits(0);
        let ids: Vec<_> = run.deliveries().iter().map(|record| record["payload"]["id"].clone()).collect();
        assert_eq!(ids, ["before", "after"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_without_room_is_a_journal_that_acknowledges_nothing() {
    let listener = Listener::start(&["--record", "/dev/full"]);
    assert_eq!(status(&listener.post("/", &[], BODY)), 503);
}
