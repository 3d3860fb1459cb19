//! Limits of `listen`, each attacked. Those that take long or many senders to reach are in `src/listen/server/tests.rs`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use hookctl::listen::limits::{HEAD_BYTES, HEADERS, TARGET_BYTES};

use super::{BODY, HOOKCTL, status};
use crate::support::connection::Connection;
use crate::support::listener::Listener;

#[test]
fn a_head_has_its_limits() {
    let mut listener = Listener::start(&[]);
    let post = |target: &str, headers: &str| {
        let length = BODY.len();
        let head = format!("POST {target} HTTP/1.1\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
        // Whoever is refused in the middle may not get to send all.
        let _ = stream.write_all(&[head.as_bytes(), BODY].concat());
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        status(&String::from_utf8_lossy(&answer))
    };
    let target = |length: usize| format!("/{}", "p".repeat(length - 1));
    let headers = |count: usize| "x: y\r\n".repeat(count - 2);
    assert_eq!(post(&target(TARGET_BYTES), ""), 200);
    assert_eq!(post(&target(TARGET_BYTES + 1), ""), 414);
    assert_eq!(post("/", &headers(HEADERS)), 200);
    assert_eq!(post("/", &headers(HEADERS + 1)), 431);
    assert_eq!(post("/", &format!("x: {}\r\n", "y".repeat(HEAD_BYTES - 200))), 200);
    assert_eq!(post("/", &format!("x: {}\r\n", "y".repeat(2 * HEAD_BYTES))), 431);
    let seen: Vec<_> = (0..3).map(|_| listener.next()["target"].as_str().unwrap().len()).collect();
    assert_eq!(seen, [TARGET_BYTES, 1, 1], "what was refused is no delivery");
    listener.signal("INT");
    let (code, stdout, stderr) = listener.wait();
    assert!(code == Some(0) && stdout.contains(r#""refused":3"#), "{stdout}");
    assert_eq!(stderr.matches("could not be read").count(), 3, "{stderr}");
}

#[test]
fn json_may_nest_as_deep_as_it_likes() {
    const DEPTH: usize = 50_000;
    let arguments = ["--secret", "s", "--allow-invalid", "-v", "--expect", ".payload != 1"];
    let mut listener = Listener::start(&arguments);
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(DEPTH), close.repeat(DEPTH));
        let body = format!(r#"{{"id":"a","status":"success","output":{deep},"input":{{}}}}"#);
        let signature = [("x-webhook-signature", "0".repeat(64))];
        let headers: Vec<_> = signature.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(status(&listener.post("/", &headers, body.as_bytes())), 200);
        assert_eq!(listener.next()["payload"]["id"], "a");
    }
    assert_eq!(status(&listener.post("/", &[], BODY)), 200, "it is still there");
}

#[cfg(unix)]
#[test]
#[expect(clippy::print_stderr, reason = "what is left out must be said")]
fn a_thousand_stalled_connections_do_not_keep_the_next_delivery_out() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const STALLED: usize = 1000;
    // The other ends of them are ours.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if maximum.is_some_and(|maximum| maximum < 4 * STALLED as u64) {
        eprintln!("left out: this system allows {maximum:?} descriptors");
        return;
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(4 * STALLED as u64), maximum }).unwrap();
    // As most systems have it.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -S -n 1024; exec \"$@\"", "sh", HOOKCTL, "listen", "--port", "0", "--json"]);
    let listener = Listener::spawn(command);
    let begun = ["", "POST / HTTP/1.1\r\nx", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n{"];
    let stalled: Vec<_> = (0..STALLED + 200)
        .map(|number| {
            let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
            stream.write_all(begun[number % begun.len()].as_bytes()).unwrap();
            stream
        })
        .collect();
    for _ in 0..3 {
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
    }
    drop(stalled);
}

#[cfg(unix)]
#[test]
fn without_descriptors_connections_wait_and_both_is_said_once() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 32; exec \"$@\"", "sh", HOOKCTL, "listen", "--port", "0", "--json"]);
    let mut listener = Listener::spawn(command);
    let idle: Vec<_> = (0..40).map(|_| TcpStream::connect(("127.0.0.1", listener.port)).unwrap()).collect();
    listener.says("cannot accept connections");
    // In the system's queue, until one of the others ends.
    let mut waiting = Connection::open(listener.port).unwrap();
    let waits = std::thread::spawn(move || waiting.post(BODY).unwrap());
    drop(idle);
    assert_eq!(waits.join().unwrap(), 200);
    listener.says("connections are accepted again");
    assert_eq!(status(&listener.post("/", &[], BODY)), 200);
    listener.signal("INT");
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(0));
    assert!(!stderr.contains("accept"), "said once: {stderr}");
}
