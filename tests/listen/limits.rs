//! Limits of `listen`, each attacked. Those that take long or many senders to reach are in `src/listen/server/tests.rs`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, RwLock};

use hookctl::listen::limits::{HEAD_BYTES, TARGET_BYTES};

use super::soak::taken;
use super::{BODY, HOOKCTL, status};
use crate::support::connection::Connection;
use crate::support::listener::Listener;

/// hyper's own limit of headers; a request with more is answered 431.
const HEADERS: usize = 100;

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

/// An app that answers when it comes through the gate.
#[cfg(unix)]
fn app(gate: &Arc<RwLock<()>>) -> String {
    let app = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", app.local_addr().unwrap());
    let gate = Arc::clone(gate);
    std::thread::spawn(move || {
        for mut stream in app.incoming().flatten() {
            let gate = Arc::clone(&gate);
            std::thread::spawn(move || {
                assert!(stream.read(&mut [0; 10_000]).unwrap() > 0);
                drop(gate.read().unwrap());
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            });
        }
    });
    url
}

#[cfg(unix)]
#[test]
fn connections_leave_descriptors_to_those_of_the_app() {
    const SENDERS: usize = 30;
    for respond in ["forward", "forwardx31,hang"] {
        let gate = Arc::default();
        let closed = RwLock::write(&gate).unwrap();
        let url = app(&gate);
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n 40; exec \"$@\"", "sh", HOOKCTL, "listen", "--port", "0", "--json"]);
        command.args(["--forward-to", &url, "--respond", respond]);
        let mut listener = Listener::spawn(command);
        let port = listener.port;
        let post = move || Connection::open(port).unwrap().post(BODY).unwrap();
        let senders: Vec<_> = (0..SENDERS).map(|_| std::thread::spawn(post)).collect();
        listener.says("connections are open, as many as file descriptors allow (ulimit -n): further connections wait");
        drop(closed);
        let answers: Vec<_> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
        assert_eq!(answers, [200; SENDERS], "{respond}");
        assert_eq!(post(), 200);
        listener.signal("INT");
        let (code, _, stderr) = listener.wait();
        assert!(code == Some(0) && !stderr.contains("descriptors"), "said once: {stderr}");
        assert!(!stderr.contains("no answer"), "{stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_connections_wait_and_both_is_said_once() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let mut listener = Listener::start(&[]);
    // Fewer than it was promised, so that it does not know before.
    let few = Rlimit { current: Some(32), maximum: Some(32) };
    prlimit(Pid::from_raw(listener.id().cast_signed()), Resource::Nofile, few).unwrap();
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

#[test]
fn what_waits_for_a_stream_that_nobody_reads_takes_little_memory() {
    const MORE: u64 = 80 * 1024 * 1024;
    // Each byte of it takes six in a line.
    let unshowable = vec![1; 1_000_000];
    let hidden = format!(r#"{{"id":"c","logs":"{}","output":[],"status":"processing"}}"#, "x".repeat(900_000));
    // So much that a pipe takes few of them.
    let shown = format!(r#"{{"id":"p","status":"success","output":"{}","input":{{}}}}"#, "x".repeat(8_000));
    let scenarios: [(&[&str], Vec<&[u8]>); 2] = [
        (&["--max-body", "2MB"], vec![&unshowable; 30]),
        (&["--events", "completed"], [hidden.as_bytes(), shown.as_bytes()].repeat(100)),
    ];
    for (arguments, bodies) in scenarios {
        let listener = Listener::start(arguments);
        let before = taken(listener.id());
        let mut connection = Connection::open(listener.port).unwrap();
        for body in bodies {
            assert_eq!(connection.post(body).unwrap(), 200);
        }
        let after = taken(listener.id());
        let more = before.zip(after).map_or(0, |((before, _), (after, _))| after.saturating_sub(before));
        assert!(more < MORE, "{arguments:?}: {more} bytes more");
    }
}
