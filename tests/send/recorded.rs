//! `send --record`: where the journal is a pipe.

#![cfg(unix)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::send;
use crate::support::program::{Watchdog, command};
use crate::support::target::{Answer, OK, Target};

/// A pipe that a reader holds open.
fn pipe() -> (TempDir, String, File) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.jsonl").to_str().unwrap().to_owned();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    // For reading alone, opening would wait for a writer.
    let reader = File::options().read(true).write(true).open(&path).unwrap();
    (folder, path, reader)
}

/// An edit that makes the record larger than the 64 KiB that a pipe holds.
fn large() -> String {
    format!("input.filler={}", "x".repeat(70_000))
}

fn start(target: &Target, path: &str, arguments: &[&str]) -> Child {
    let set = large();
    let all = [&["send", "success", "--set", &set, "--record", path, "--to", &target.url], arguments].concat();
    command().args(all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn kill(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_pipe_that_nobody_empties_ends_the_run_after_five_seconds() {
    let (_folder, path, _reader) = pipe();
    let target = Target::start(&[OK]);
    let begun = Instant::now();
    let finished = send(&target, &["success", "success", "--set", &large(), "--record", &path]).exits(1);
    finished
        .says(&format!("cannot write the journal {path}: it takes longer than 5s"))
        .says("choose a file on a faster disk; if it is a pipe, its reader must read on");
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert_eq!(target.requests().len(), 1, "what cannot be recorded is not sent");
}

#[test]
fn a_signal_ends_the_wait_for_a_pipe() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (_folder, path, mut reader) = pipe();
        let target = Target::start(&[OK]);
        let child = start(&target, &path, &["success"]);
        let _watchdog = Watchdog::over(child.id());
        // The first byte: the rest does not fit.
        reader.read_exact(&mut [0]).unwrap();
        kill(&child, signal);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(&format!("interrupted: {path} lacks 1 attempt")), "{stderr}");
        assert!(stderr.contains("1 delivery was not sent"), "{stderr}");
        assert_eq!(target.requests().len(), 1);
    }
}

#[test]
fn a_pipe_that_is_read_gets_the_record_of_an_interrupted_attempt() {
    let (_folder, path, reader) = pipe();
    let target = Target::start(&[Answer::Hang]);
    let child = start(&target, &path, &[]);
    let _watchdog = Watchdog::over(child.id());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).unwrap();
        sender.send(line).unwrap();
    });
    wait_for(&target, 1);
    kill(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(!stderr.contains("lacks"), "{stderr}");
    let line = receiver.recv_timeout(Duration::from_secs(5)).unwrap();
    let record: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(record["error"], "interrupted");
}

#[test]
fn the_attempts_that_a_pipe_lacks_are_counted() {
    let (_folder, path, _reader) = pipe();
    let target = Target::start(&[Answer::Hang]);
    let child = start(&target, &path, &["--count", "3", "--concurrency", "3"]);
    let _watchdog = Watchdog::over(child.id());
    wait_for(&target, 3);
    kill(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains(&format!("interrupted: {path} lacks 3 attempts")), "{stderr}");
}

fn wait_for(target: &Target, requests: usize) {
    let begun = Instant::now();
    while target.count() < requests {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} requests", target.count());
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn a_pipe_that_is_read_gets_every_record() {
    let (_folder, path, mut reader) = pipe();
    let target = Target::start(&[OK]);
    let read = std::thread::spawn(move || {
        let mut lines = 0;
        let mut buffer = [0; 4096];
        while lines < 3 {
            let length = reader.read(&mut buffer).unwrap();
            lines += buffer[..length].iter().filter(|byte| **byte == b'\n').count();
        }
        lines
    });
    send(&target, &["success", "success", "success", "--set", &large(), "--record", &path]).exits(0);
    assert_eq!(read.join().unwrap(), 3);
}
