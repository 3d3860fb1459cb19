//! How `listen` ends: counts, time-outs, commands, signals.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::{BODY, HOOKCTL, SECRET, status};
use crate::support::listener::Listener;
use crate::support::program::{Finished, hookctl};
use crate::support::target::{Answer, Target};

/// The summary in the rest of a stream.
#[track_caller]
fn summary(stdout: &str) -> Value {
    let line = stdout.lines().last().expect("a last line");
    let summary: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(summary["type"], "summary", "{summary}");
    summary
}

/// Runs a listener with a command to its end.
fn run(arguments: &[&str], command: &[&str]) -> Finished {
    hookctl([&["listen", "--port", "0"], arguments, &["--"], command].concat()).run()
}

#[test]
fn a_count_is_an_end() {
    let listener = Listener::start(&["--count", "2"]);
    for _ in 0..2 {
        // The answer to the last one is still in flight when the count is full; it must arrive all the same.
        assert!(listener.post("/", &[], BODY).ends_with(r#"{"received":true}"#));
    }
    let (code, stdout, stderr) = listener.wait();
    assert_eq!(code, Some(0), "{stderr}");
    let summary = summary(&stdout);
    assert_eq!((&summary["deliveries"], &summary["awaited"]), (&2.into(), &2.into()));
    assert!(stderr.contains("2 of 2 deliveries"), "{stderr}");
}

#[test]
fn a_delivery_that_does_not_verify_counts_too() {
    let listener = Listener::start(&["--count", "1", "--secret", SECRET]);
    assert_eq!(status(&listener.post("/", &[], BODY)), 401);
    assert_eq!(listener.wait().0, Some(0));
}

#[test]
fn a_smoke_test_can_insist_on_signatures() {
    let send = |secret: &str| {
        let child = [HOOKCTL, "send", "success", "cog/coglet/start", "--retry", "none", "--secret", secret];
        let child: Vec<&str> = child.into_iter().chain(["--expect-status", "200,401"]).collect();
        run(&["--secret", SECRET, "--require-valid", "--count", "2"], &child)
    };
    assert_eq!(send(SECRET).code, Some(0));
    let refused = send("another secret");
    assert_eq!(refused.code, Some(5), "{refused:#?}");
    assert!(refused.stderr.contains("2 invalid") && refused.stderr.contains("2 refused"), "{refused:#?}");
    // Without a secret nothing is proven either.
    let unchecked = run(&["--require-valid"], &[HOOKCTL, "send", "success"]);
    assert_eq!(unchecked.code, Some(5), "{unchecked:#?}");
}

#[test]
fn a_count_that_is_not_met_in_time_is_exit_3() {
    let listener = Listener::start(&["--count", "2", "--timeout", "100ms"]);
    let (code, stdout, stderr) = listener.wait();
    assert_eq!(code, Some(3), "{stderr}");
    assert_eq!(summary(&stdout)["deliveries"], 0);
    let said: Vec<_> = stderr.lines().filter(|line| line.starts_with("warning:")).collect();
    assert_eq!(said, ["warning: waited 100ms: 0 of 2 deliveries came"]);
}

#[test]
fn a_timeout_without_anything_awaited_is_an_end() {
    let listener = Listener::start(&["--timeout", "50ms"]);
    assert_eq!(listener.wait().0, Some(0));
}

#[test]
fn the_first_command_of_the_readme() {
    let run = run(&["--secret", "s3cret"], &[HOOKCTL, "send", "success", "failed"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert_eq!(run.stdout.matches("✓ verified eachlabs").count(), 2, "{run:#?}");
    for word in ["succeeded", "failed", "Error: Model timeout after 30s"] {
        assert!(run.stdout.contains(word), "no {word:?} in {}", run.stdout);
    }
}

#[test]
fn the_code_of_a_command_is_passed_on() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143)] {
        assert_eq!(run(&[], &["sh", "-c", script]).code, Some(code), "{script}");
    }
}

#[test]
fn a_command_and_a_count_are_both_awaited() {
    let send = &[HOOKCTL, "send", "success", "failed", "--secret", SECRET];
    for (count, code) in [("1", 0), ("2", 0), ("3", 3)] {
        let run = run(&["--json", "--secret", SECRET, "--count", count], send);
        assert_eq!(run.code, Some(code), "--count {count}: {run:#?}");
        assert_eq!(run.deliveries().len(), 2);
    }
    // What went wrong in the command weighs more than what did not come.
    assert_eq!(run(&["--count", "1", "--timeout", "1m"], &["sh", "-c", "exit 7"]).code, Some(7));
}

#[test]
fn what_a_command_leaves_behind_may_still_deliver() {
    // The loop in the background ends once the shell before it is gone: with --timeout, the count is awaited beyond.
    let script = r#"(while kill -0 $$ 2>/dev/null; do :; done; exec "$0" send success) >/dev/null 2>&1 &"#;
    let run = run(&["--json", "--count", "1", "--timeout", "20s"], &["sh", "-c", script, HOOKCTL]);
    assert_eq!((run.code, run.deliveries().len()), (Some(0), 1), "{run:#?}");
}

#[test]
fn a_command_gets_the_url_and_the_secret() {
    let print = ["sh", "-c", r#"echo "to=$HOOKCTL_TO secret=${HOOKCTL_SECRET-none}""#];
    let with = run(&["--secret", SECRET], &print);
    let url = with.stderr.lines().find_map(|line| line.strip_prefix("listening on ")).unwrap();
    assert_eq!(with.stdout, format!("to={url} secret={SECRET}\n"));
    assert!(run(&[], &print).stdout.ends_with(" secret=none\n"));
}

#[test]
fn a_command_does_not_write_among_the_data() {
    let run = run(&["--json"], &["sh", "-c", "echo not data; echo said >&2"]);
    assert_eq!(run.json().len(), 2, "ready and summary: {run:#?}");
    assert!(run.stderr.contains("not data\n") && run.stderr.contains("said\n"), "{run:#?}");
}

#[test]
fn a_user_who_stops_it_with_nothing_pending_gets_the_summary() {
    for signal in ["INT", "TERM"] {
        let mut listener = Listener::start(&[]);
        listener.post("/", &[], BODY);
        listener.next();
        listener.signal(signal);
        let (code, stdout, stderr) = listener.wait();
        assert_eq!(code, Some(0), "{signal}: {stderr}");
        assert_eq!(summary(&stdout)["deliveries"], 1);
        assert!(stderr.contains("1 delivery"), "{stderr}");
    }
}

#[test]
fn a_signal_while_something_is_awaited_has_its_code() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let listener = Listener::start(&["--count", "1"]);
        listener.signal(signal);
        let (ended, stdout, _) = listener.wait();
        assert_eq!(ended, Some(code), "{signal}");
        assert_eq!(summary(&stdout)["deliveries"], 0);
    }
}

#[test]
fn a_command_ends_with_its_listener() {
    // Reading from a pipe that nobody closes would keep the command, and with it standard error, open for ever.
    let (reader, writer) = std::io::pipe().unwrap();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut command = crate::support::program::command();
        command.args(["listen", "--port", "0", "--json", "--"]);
        command.args(["sh", "-c", "echo started >&2; cat <&3 & cat <&3"]);
        let stdin = reader.try_clone().unwrap();
        // The pipe is the command's descriptor 3 by way of one more shell, since only three can be handed over.
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", r#"exec 3<&0 0</dev/null; exec "$@""#, "sh"]);
        shell.arg(command.get_program()).args(command.get_args());
        shell.stdin(stdin).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let mut said = Vec::new();
        while !said.ends_with(b"started\n") {
            let mut byte = [0];
            stderr.read_exact(&mut byte).unwrap();
            said.push(byte[0]);
        }
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        // Ends only when the last process that holds it has.
        stderr.read_to_end(&mut said).unwrap();
    }
    drop(writer);
}

/// A connection with a request of which the body is awaited.
pub fn begin(listener: &Listener) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).expect("the listener accepts");
    let head = "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ";
    stream.write_all(format!("{head}{}\r\n\r\n", BODY.len()).as_bytes()).expect("the head goes out");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).expect("an answer to the head");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Waits until it takes no more connections.
pub fn wait_until_closed(listener: &Listener) {
    let address = ([127, 0, 0, 1], listener.port).into();
    // A full queue refuses nobody: it lets them wait for a second.
    let is_refused = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    while !TcpStream::connect_timeout(&address, std::time::Duration::from_millis(20)).is_err_and(is_refused) {}
}

#[test]
fn what_is_in_flight_is_finished() {
    let mut listener = Listener::start(&[]);
    let mut stream = begin(&listener);
    listener.signal("INT");
    wait_until_closed(&listener);
    stream.write_all(BODY).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200);
    assert_eq!(listener.next()["type"], "delivery");
    let (code, stdout, _) = listener.wait();
    assert_eq!((code, &summary(&stdout)["deliveries"]), (Some(0), &1.into()));
}

#[test]
fn a_request_that_is_never_whole_does_not_hold_it_up() {
    for part in ["POST / HTTP/1.1\r\nhos", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{\"id\":"] {
        let listener = Listener::start(&["--count", "1"]);
        let mut stalled = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
        stalled.write_all(part.as_bytes()).unwrap();
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
        let answered = std::time::Instant::now();
        let (code, _, stderr) = listener.wait();
        assert_eq!(code, Some(0));
        assert!(answered.elapsed() < std::time::Duration::from_secs(4), "{:?}", answered.elapsed());
        assert!(stderr.contains("could not be read: it was incomplete when the listener stopped"), "{stderr}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let app = Target::start(&[Answer::Hang]);
    let listener = Listener::start(&["-f", &app.url]);
    let mut unanswered = begin(&listener);
    unanswered.write_all(BODY).unwrap();
    while app.requests().is_empty() {
        std::thread::yield_now();
    }
    listener.signal("INT");
    wait_until_closed(&listener);
    listener.signal("INT");
    assert_eq!(listener.wait().0, Some(130));
}

#[test]
fn an_idle_connection_does_not_hold_it_up() {
    let listener = Listener::start(&["--count", "1"]);
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
    listener.post("/", &[], BODY);
    // Closed by the listener, long before it would give up waiting for a request.
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    assert_eq!(listener.wait().0, Some(0));
}
