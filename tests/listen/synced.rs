//! `listen --record-sync`, as the system sees it: strace says what the disk was told, and when.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::{BODY, HOOKCTL, status};
use crate::support::listener::Listener;

/// A listener with a synced journal, all of whose calls that matter are written to a file beside it. Where nothing can
/// be traced, that is said.
#[expect(clippy::print_stderr, reason = "what is left out must be said")]
fn traced(more: &[&str]) -> Option<(Listener, TempDir)> {
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        eprintln!("left out: strace is not installed, or may trace nothing");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let [trace, journal] = ["trace", "hooks.jsonl"].map(|name| folder.path().join(name));
    let mut command = Command::new("strace");
    // With the listener as the parent of strace, signals go to the listener.
    command.args(["-D", "-f", "-y", "-e", "trace=fdatasync,write,writev,sendto", "-o"]).arg(trace).args(more);
    command.args([HOOKCTL, "listen", "--port", "0", "--json", "--record-sync", "--record"]).arg(journal);
    Some((Listener::spawn(command), folder))
}

/// What happened to the journal and to those who sent, in order.
fn steps(folder: &TempDir) -> Vec<&'static str> {
    let trace = fs::read_to_string(folder.path().join("trace")).unwrap();
    let step = |line: &str| match line {
        _ if line.contains("write") && line.contains("hooks.jsonl>, \"{") => Some("written"),
        // It is over when it has a result, which may stand on a line of its own.
        _ if line.contains("fdatasync") && line.ends_with("= 0") => Some("synced"),
        _ if line.contains("fdatasync") && line.contains("= -1 ") => Some("not synced"),
        _ if line.contains("\"HTTP/1.1 200") => Some("answered"),
        _ if line.contains("\"HTTP/1.1 503") => Some("refused"),
        _ => None,
    };
    trace.lines().filter_map(step).collect()
}

#[test]
fn the_disk_is_told_before_the_answer_goes_out() {
    let Some((listener, folder)) = traced(&[]) else { return };
    for _ in 0..3 {
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
    }
    listener.signal("INT");
    assert_eq!(listener.wait().0, Some(0));
    assert_eq!(steps(&folder), ["written", "synced", "answered"].repeat(3));
}

#[test]
fn what_the_disk_does_not_keep_is_not_acknowledged() {
    let Some((mut listener, folder)) = traced(&["-e", "inject=fdatasync:error=EIO:when=1"]) else { return };
    // It is counted by thread, and the one that writes next may be another.
    let mut lost = 0;
    for _ in 0..9 {
        if status(&listener.post("/", &[], BODY)) != 503 {
            break;
        }
        assert!(listener.next()["warnings"].to_string().contains("not_recorded"));
        lost += 1;
    }
    assert!((1..9).contains(&lost), "{lost}");
    listener.says("cannot write the journal");
    listener.says(&format!("the journal can be written again; it is missing {lost} deliver"));
    assert_eq!(listener.next()["warnings"].as_array().unwrap().len(), 0);
    listener.signal("INT");
    let (code, stdout, _) = listener.wait();
    assert!(code == Some(0) && stdout.contains(r#""deliveries":1,"#), "{stdout}");
    let mut expected = ["written", "not synced", "refused"].repeat(lost);
    expected.extend(["written", "synced", "answered"]);
    assert_eq!(steps(&folder), expected);
}
