//! Runs the real program: its output and exit code.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// A program that was not started yet.
pub struct Program {
    command: Command,
    stdin: Vec<u8>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// `hookctl`, without the environment variables that change its behaviour.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookctl"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("HOOKCTL_") || name.starts_with("CLICOLOR") || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command.env("TZ", "UTC").env("RUST_BACKTRACE", "0");
    command
}

/// `hookctl ARGUMENTS…`
pub fn hookctl<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Program {
    let mut command = command();
    command.args(arguments);
    Program { command, stdin: Vec::new() }
}

impl Program {
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn current_dir(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Sets standard input, which is empty otherwise.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Waits for the exit.
    pub fn run(mut self) -> Finished {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let bytes = self.stdin;
        // In a thread: a program that prints before it has read all of its input would block both sides.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let watchdog = Watchdog::over(child.id());
        let output = child.wait_with_output().expect("the program ends");
        drop(watchdog);
        writer.join().expect("its input was written");
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is text"),
            stderr: String::from_utf8(output.stderr).expect("standard error is text"),
        }
    }

    /// Runs the program, and asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Finished {
        let finished = self.run();
        assert_eq!(finished.code, Some(code), "{finished:#?}");
        finished
    }
}

/// Kills a process that does not exit, so that a test fails instead of hanging.
pub struct Watchdog {
    /// Closed on drop.
    _over: Sender<()>,
}

/// Longer than any test's program takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

impl Watchdog {
    /// Watches the process with this id until the watchdog is dropped.
    pub fn over(id: u32) -> Self {
        let (over, ended) = channel::<()>();
        std::thread::spawn(move || {
            if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            }
        });
        Watchdog { _over: over }
    }
}

impl Finished {
    /// Asserts that standard error contains `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// Asserts that standard output contains `text`.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// Standard output as JSON Lines.
    #[track_caller]
    pub fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The deliveries of standard output.
    #[track_caller]
    pub fn deliveries(&self) -> Vec<serde_json::Value> {
        self.json().into_iter().filter(|line| line["type"] == "delivery").collect()
    }
}
