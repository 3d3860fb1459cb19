//! Measures another program. This program is small, because a child's peak memory includes its parent's at the fork.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::Result;

/// Runs a command to its end, with its output in a file. Prints wall and CPU seconds, and peak memory in bytes.
pub fn run(output: &str, command: &[&str]) -> Result {
    let mut child = prepared(command);
    child.stdout(File::create(output)?);
    let started = Instant::now();
    let status = child.status()?;
    let wall = started.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6;
    println!(
        r#"{{"wall":{wall},"cpu":{cpu},"peak":{},"status":{}}}"#,
        usage.max_rss() * 1024,
        status.code().unwrap_or(-1)
    );
    Ok(())
}

/// Starts a server, prints the seconds until its `listening` line, and kills it.
pub fn ready(command: &[&str]) -> Result {
    let started = Instant::now();
    let mut child = prepared(command).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let said = BufReader::new(child.stderr.take().ok_or("its output is a pipe")?);
    let is_ready = said.lines().any(|line| line.is_ok_and(|line| line.starts_with("listening")));
    let wall = started.elapsed().as_secs_f64();
    child.kill()?;
    child.wait()?;
    println!(r#"{{"wall":{wall},"status":{}}}"#, i32::from(!is_ready));
    Ok(())
}

fn prepared(command: &[&str]) -> Command {
    let mut prepared = Command::new(command[0]);
    prepared.args(&command[1..]).stdin(Stdio::null());
    prepared
}
