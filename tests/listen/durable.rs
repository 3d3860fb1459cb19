//! `listen --record`: what a fault of the machine does to what was acknowledged. Nothing.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{BODY, HOOKCTL, status};
use crate::support::connection::Connection;
use crate::support::listener::Listener;
use crate::support::program::hookctl;

/// A place for a journal.
fn place() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.jsonl").to_str().unwrap().to_owned();
    (folder, path)
}

/// A listener whose journal is in a folder that can be removed.
fn in_an_inner_folder() -> (TempDir, PathBuf, String, Listener) {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    let journal = inner.join("hooks.jsonl").to_str().unwrap().to_owned();
    fs::create_dir(&inner).unwrap();
    let listener = Listener::start(&["--record", &journal]);
    (folder, inner, journal, listener)
}

fn body(id: &str) -> Vec<u8> {
    json!({"id": id, "status": "success", "output": "u", "input": {}}).to_string().into_bytes()
}

/// The ids of the deliveries that `inspect` finds in a journal, and what it says of it.
fn recorded(journal: &str) -> (Vec<String>, String) {
    let run = hookctl(["inspect", "--json", journal]).exits(0);
    let id = |record: &Value| record["payload"]["id"].as_str().unwrap().to_owned();
    (run.deliveries().iter().map(id).collect(), run.stderr)
}

/// Kills a listener again and again while deliveries come in, and looks for each that was acknowledged.
fn survives_ten_kills(arguments: &[&str]) {
    let (_folder, journal) = place();
    let mut acknowledged = Vec::new();
    for round in 0..10 {
        let mut listener = Listener::start(&[&["--record", &journal], arguments].concat());
        let told = listener.drain();
        let (notes, noted) = channel();
        for sender in 0..16 {
            let (notes, port) = (notes.clone(), listener.port);
            std::thread::spawn(move || {
                let mut connection = Connection::open(port).unwrap();
                for number in 0.. {
                    let id = format!("{round}-{sender}-{number}");
                    // Until the listener is killed.
                    match connection.post(&body(&id)) {
                        Ok(200) => notes.send(id).unwrap(),
                        Ok(other) => panic!("{other}"),
                        Err(_) => return,
                    }
                }
            });
        }
        drop(notes);
        acknowledged.extend(noted.iter().take(100 + 31 * round));
        listener.signal("KILL");
        acknowledged.extend(noted);
        drop(listener);
        told.join().unwrap();
    }
    let (found, said) = recorded(&journal);
    let found: HashSet<_> = found.into_iter().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !found.contains(*id)).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
    // What a kill tore, if it did, is told and stepped over.
    let text = fs::read_to_string(&journal).unwrap();
    let torn = text.lines().filter(|line| serde_json::from_str::<Value>(line).is_err()).count();
    assert_eq!(said.matches("damaged").count(), torn, "{said}");
}

#[test]
fn every_acknowledged_delivery_survives_ten_kills() {
    survives_ten_kills(&[]);
}

#[test]
fn every_synced_delivery_survives_ten_kills() {
    survives_ten_kills(&["--record-sync"]);
}

#[test]
fn a_torn_last_line_is_said_and_stepped_over() {
    let (_folder, journal) = place();
    for (id, tear) in [("a", true), ("b", false), ("c", false)] {
        let mut listener = Listener::start(&["--record", &journal]);
        if id == "b" {
            listener.says("ended within a line, as after a crash: the next record starts on a new line");
        }
        assert_eq!(status(&listener.post("/", &[], &body(id))), 200);
        listener.signal("INT");
        let (_, _, stderr) = listener.wait();
        assert!(!stderr.contains("within a line"), "said once: {stderr}");
        if tear {
            let whole = fs::read_to_string(&journal).unwrap();
            fs::write(&journal, [&whole, &whole[..whole.len() / 2]].concat()).unwrap();
        }
    }
    let (found, said) = recorded(&journal);
    assert_eq!(found, ["a", "b", "c"]);
    assert!(said.contains("line 2 is damaged"), "{said}");
}

#[test]
fn a_journal_that_is_deleted_is_begun_again() {
    let (_folder, journal) = place();
    let mut listener = Listener::start(&["--record", &journal]);
    assert_eq!(status(&listener.post("/", &[], &body("before"))), 200);
    fs::remove_file(&journal).unwrap();
    assert_eq!(status(&listener.post("/", &[], &body("after"))), 200);
    assert_eq!(recorded(&journal).0, ["after"]);
    listener.says("the journal was deleted or moved: a new one was started at the same path");
    listener.signal("INT");
    assert_eq!(listener.wait().0, Some(0));
}

#[test]
fn a_journal_that_is_moved_away_takes_along_what_was_written_and_is_begun_again() {
    let (folder, journal) = place();
    let listener = Listener::start(&["--record", &journal]);
    let old = folder.path().join("old.jsonl");
    let mut sent = Vec::new();
    while !(old.exists() && Path::new(&journal).exists()) {
        let id = format!("p-{}", sent.len());
        assert_eq!(status(&listener.post("/", &[], &body(&id))), 200);
        sent.push(id);
        if sent.len() == 3 {
            fs::rename(&journal, &old).unwrap();
        }
    }
    let (mut found, rest) = (recorded(old.to_str().unwrap()).0, recorded(&journal).0);
    assert_eq!(rest.len(), 1);
    found.extend(rest);
    assert_eq!(found, sent);
}

#[test]
fn a_journal_without_its_folder_acknowledges_nothing_until_it_is_back() {
    let (_folder, inner, journal, mut listener) = in_an_inner_folder();
    assert_eq!(status(&listener.post("/", &[], &body("before"))), 200);
    fs::remove_dir_all(&inner).unwrap();
    for _ in 0..2 {
        assert_eq!(status(&listener.post("/", &[], &body("lost"))), 503);
    }
    listener.says("cannot write the journal");
    fs::create_dir(&inner).unwrap();
    assert_eq!(status(&listener.post("/", &[], &body("after"))), 200);
    listener.says("the journal can be written again; it is missing 2 deliveries");
    assert_eq!(recorded(&journal).0, ["after"]);
    listener.signal("INT");
    let (code, _, stderr) = listener.wait();
    assert_eq!((code, stderr.contains("journal")), (Some(0), false), "{stderr}");
}

#[test]
fn the_repeat_of_what_was_not_recorded_is_no_duplicate() {
    let (_folder, inner, journal, mut listener) = in_an_inner_folder();
    fs::remove_dir_all(&inner).unwrap();
    let mut post = |id: &str| {
        let status = status(&listener.post("/", &[], &body(id)));
        let record = listener.next();
        (status, record["duplicate_of"].clone(), record["warnings"].to_string(), record["id"].clone())
    };
    for _ in 0..2 {
        let (status, duplicate_of, warnings, _) = post("a");
        assert_eq!((status, duplicate_of, warnings.contains("not_recorded")), (503, Value::Null, true));
    }
    fs::create_dir(&inner).unwrap();
    let (status, duplicate_of, warnings, first) = post("a");
    assert_eq!((status, duplicate_of, warnings.as_str()), (200, Value::Null, "[]"));
    assert_eq!(post("a").1, first);
    assert_eq!(recorded(&journal).0, ["a", "a"]);
}

#[cfg(unix)]
#[test]
fn what_could_not_be_recorded_does_not_count_whatever_was_done_to_it() {
    let (_folder, journal) = place();
    // Not a byte may be written to a file.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 0; exec \"$@\"", "sh", HOOKCTL, "listen", "--port", "0", "--json"]);
    command.args(["--record", &journal, "--secret", "s", "--respond", "close,reset,truncate,hang=1ms,200"]);
    let mut listener = Listener::spawn(command);
    let signature = crate::support::sign::hmac_hex("s", BODY);
    let mut told = Vec::new();
    for signature in [None, Some(&signature), Some(&signature), Some(&signature), Some(&signature), Some(&signature)] {
        let headers: Vec<_> = signature.iter().map(|value| ("x-webhook-signature", value.as_str())).collect();
        let mut connection = std::net::TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
        let head: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{head}content-length: {}\r\n\r\n", BODY.len());
        std::io::Write::write_all(&mut connection, &[head.as_bytes(), BODY].concat()).unwrap();
        let record = listener.next();
        assert!(record["warnings"].to_string().contains("not_recorded"), "{record}");
        told.push((record["answer"]["status"].clone(), record["answer"]["did"].clone()));
    }
    let expected = [
        (json!(401), Value::Null),
        (Value::Null, json!("close")),
        (Value::Null, json!("reset")),
        (json!(503), Value::Null),
        (Value::Null, json!("hang")),
        (json!(503), Value::Null),
    ];
    assert_eq!(told, expected);
    listener.says("no delivery counts, and none is acknowledged: the answer is 503");
    listener.signal("INT");
    let (code, stdout, stderr) = listener.wait();
    let summary: Value = serde_json::from_str(stdout.trim()).unwrap();
    assert_eq!((code, &summary["deliveries"], &summary["refused"]), (Some(1), &json!(0), &json!(6)), "{stderr}");
    assert!(stderr.contains("it lacks 6 deliveries"), "{stderr}");
    assert_eq!(fs::read(&journal).unwrap(), b"");
}

#[cfg(unix)]
mod pipes {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    fn pipe() -> (TempDir, String) {
        let (folder, path) = place();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        (folder, path)
    }

    /// A reader. For reading alone, opening would wait for a writer.
    fn reader(path: &str) -> File {
        File::options().read(true).write(true).open(path).unwrap()
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_known_at_once() {
        let (_folder, path) = pipe();
        hookctl(["listen", "--port", "0", "--record", &path]).exits(1).says("no process has the pipe open for reading");
        let _reader = reader(&path);
        let run = hookctl(["listen", "--port", "0", "--record", &path, "--record-sync"]).exits(1);
        run.says("it is no file on a disk, which --record-sync asks for");
    }

    #[test]
    fn a_pipe_whose_reader_goes_acknowledges_nothing_until_there_is_another() {
        let (_folder, path) = pipe();
        let first = reader(&path);
        let mut listener = Listener::start(&["--record", &path]);
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
        drop(first);
        for _ in 0..2 {
            assert_eq!(status(&listener.post("/", &[], BODY)), 503);
        }
        listener.says("cannot write the journal");
        let mut second = reader(&path);
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
        listener.says("the journal can be written again; it is missing 2 deliveries");
        let mut start = [0; 19];
        second.read_exact(&mut start).unwrap();
        assert_eq!(&start, br#"{"type":"delivery","#, "from the beginning of a line");
    }

    #[test]
    fn a_pipe_that_is_not_emptied_acknowledges_nothing_until_it_is() {
        let (_folder, path) = pipe();
        let mut reader = reader(&path);
        let mut listener = Listener::start(&["--record", &path]);
        let _told = listener.drain();
        // More than a pipe holds.
        let large = [BODY, &[b' '; 500_000]].concat();
        assert_eq!(status(&listener.post("/", &[], &large)), 503);
        listener.says("it takes longer than 5s");
        assert_eq!(status(&listener.post("/", &[], BODY)), 503, "at once, now that it is known");
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        while status(&listener.post("/", &[], BODY)) != 200 {}
        listener.says("the journal can be written again");
    }
}

#[cfg(unix)]
#[test]
fn a_journal_has_one_writer_and_any_number_of_readers() {
    let (_folder, journal) = place();
    let listener = Listener::start(&["--record", &journal]);
    assert_eq!(status(&listener.post("/", &[], &body("a"))), 200);
    let second = hookctl(["listen", "--port", "0", "--json", "--record", &journal]).exits(1);
    assert!(second.stdout.is_empty(), "never ready: {second:#?}");
    second.says("another hookctl writes to it").says("use a file for each");
    let send = hookctl(["send", "success", "--to", &listener.url, "--record", &journal]).exits(1);
    send.says("another hookctl writes to it");
    assert_eq!(recorded(&journal).0, ["a"]);
    drop(listener);
    let listener = Listener::start(&["--record", &journal]);
    assert_eq!(status(&listener.post("/", &[], &body("b"))), 200);
    assert_eq!(recorded(&journal).0, ["a", "b"]);
}

#[test]
fn a_synced_journal_is_the_same_journal() {
    let (_folder, journal) = place();
    let mut listener = Listener::start(&["--record", &journal, "--record-sync"]);
    let mut said = String::new();
    for number in 0..5 {
        assert_eq!(status(&listener.post("/", &[], &body(&format!("p-{number}")))), 200);
        said += &(listener.next_line() + "\n");
        assert_eq!(fs::read_to_string(&journal).unwrap(), said);
    }
    fs::remove_file(&journal).unwrap();
    assert_eq!(status(&listener.post("/", &[], &body("after"))), 200);
    assert_eq!(recorded(&journal).0, ["after"]);
    hookctl(["listen", "--record-sync"]).exits(2).says("--record");
}
