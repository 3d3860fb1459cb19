//! `send --record`: where the journal is a pipe.

#![cfg(unix)]

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::send;
use crate::support::program::{Watchdog, command};
use crate::support::target::{OK, Target};

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

#[test]
fn a_pipe_that_nobody_empties_ends_the_run_after_five_seconds() {
    let (_folder, path, _reader) = pipe();
    let target = Target::start(&[OK]);
    let begun = Instant::now();
    let finished = send(&target, &["success", "success", "--set", &large(), "--record", &path]).exits(1);
    finished
        .says(&format!("cannot write the journal {path}: it takes longer than 5s"))
        .says("let its reader read on, or name a file instead");
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert_eq!(target.requests().len(), 1, "what cannot be recorded is not sent");
}

#[test]
fn a_signal_ends_the_wait_for_a_pipe() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (_folder, path, mut reader) = pipe();
        let target = Target::start(&[OK]);
        let set = large();
        let arguments = ["send", "success", "success", "--set", &set, "--record", &path, "--to", &target.url];
        let child = command().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _watchdog = Watchdog::over(child.id());
        // The first byte: the rest does not fit.
        reader.read_exact(&mut [0]).unwrap();
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(&format!("interrupted: {path} lacks the last attempt")), "{stderr}");
        assert!(stderr.contains("1 delivery was not sent"), "{stderr}");
        assert_eq!(target.requests().len(), 1);
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
