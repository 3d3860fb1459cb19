//! The committed completion scripts in real shells, with TAB pressed at a terminal.

use std::process::Command;

use super::{path_with_hookctl, run_with};
use crate::support::repository;

/// Typed lines, and the same lines after TAB. The working directory has a file `mine.json`.
const LINES: [(&str, &str); 12] = [
    ("hookctl send fai", "hookctl send failed"),
    ("hookctl send success cog/str", "hookctl send success cog/stream"),
    ("hookctl send mi", "hookctl send mine.json"),
    ("hookctl listen --scheme stri", "hookctl listen --scheme stripe"),
    ("hookctl send success --tamper sig", "hookctl send success --tamper signature"),
    ("hookctl inspect --timel", "hookctl inspect --timeline"),
    ("hookctl insp", "hookctl inspect"),
    ("hookctl listen --provider=eac", "hookctl listen --provider=eachlabs"),
    ("hookctl listen --report junit=mi", "hookctl listen --report junit=mine.json"),
    ("hookctl send success --set a=b --tamper=sig", "hookctl send success --set a=b --tamper=signature"),
    ("hookctl listen -- ./mi", "hookctl listen -- ./mine.json"),
    ("hookctl help insp", "hookctl help inspect"),
];

#[track_caller]
fn completes(shell: &str) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine.json"), "{}").unwrap();
    let mut command = Command::new("python3");
    command.arg(repository("tests/interop/shells.py")).arg(shell).arg(repository("completions"));
    command.args(LINES.map(|(typed, _)| typed)).current_dir(dir.path()).env("PATH", path_with_hookctl(&[]));
    let completed = run_with(command, b"");
    assert_eq!(completed.lines().collect::<Vec<_>>(), LINES.map(|(_, completed)| completed), "{shell}");
}

#[test]
#[ignore = "needs python3"]
fn bash_completes() {
    completes("bash");
}

#[test]
#[ignore = "needs python3 and zsh"]
fn zsh_completes() {
    completes("zsh");
}

#[test]
#[ignore = "needs python3 and fish"]
fn fish_completes() {
    completes("fish");
}
