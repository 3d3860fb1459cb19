//! `--respond`: every way in which a request can end, seen from the other side of a plain socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ends::{begin, wait_until_closed};
use super::{BODY, HOOKCTL, SECRET, content, status};
use crate::support::listener::Listener;
use crate::support::program::hookctl;

/// A connection on which a delivery was sent whole.
fn deliver(listener: &Listener, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).expect("the listener accepts");
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).expect("the request goes out");
    stream
}

/// How a connection ends: what came before, and why there is no more.
fn end(mut stream: TcpStream) -> (String, Option<ErrorKind>) {
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer).err().map(|error| error.kind());
    (String::from_utf8(answer).expect("the answer is text"), ended)
}

fn answer(record: &Value) -> (Value, Value, Value) {
    let answer = &record["answer"];
    (answer["status"].clone(), answer["by"].clone(), answer["did"].clone())
}

#[test]
fn items_answer_in_turn_and_the_last_one_repeats() {
    let mut listener = Listener::start(&["--respond", "503x2,429:retry-after=7,201"]);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let text = listener.post("/", &[], BODY);
        seen.push((status(&text), text.contains("retry-after: 7\r\n"), content(&text)));
        assert_eq!(answer(&listener.next()), (json!(seen[seen.len() - 1].0), json!("script"), Value::Null));
    }
    let down = json!({"error": "service unavailable"});
    let received = json!({"received": true});
    let wanted = [
        (503, false, down.clone()),
        (503, false, down),
        (429, true, json!({"error": "too many requests"})),
        (201, false, received.clone()),
        (201, false, received),
    ];
    assert_eq!(seen, wanted);
}

#[test]
fn an_answer_may_have_a_body_of_ones_own_or_none() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\"mine\": 1}").unwrap();
    let script = format!("200:body=@{},204", file.path().display());
    let listener = Listener::start(&["--respond", &script]);
    assert!(listener.post("/", &[], BODY).ends_with("\r\n\r\n{\"mine\": 1}"));
    let none = listener.post("/", &[], BODY);
    assert_eq!((status(&none), none.ends_with("\r\n\r\n")), (204, true), "{none}");
}

#[test]
fn a_delay_comes_before_the_answer_and_is_measured() {
    let mut listener = Listener::start(&["--respond", "200:delay=60ms", "--ack-budget", "20ms"]);
    let started = Instant::now();
    assert_eq!(status(&listener.post("/", &[], BODY)), 200);
    assert!(started.elapsed() >= Duration::from_millis(60));
    let record = listener.next();
    assert!(record["answer"]["ms"].as_f64().unwrap() >= 60.0, "{record}");
    assert_eq!(record["warnings"][0]["code"], "late_answer", "{record}");
}

#[test]
fn close_is_an_orderly_end_and_reset_is_none() {
    let mut listener = Listener::start(&["--respond", "close,reset,200"]);
    assert_eq!(end(deliver(&listener, BODY)), (String::new(), None), "FIN");
    assert_eq!(answer(&listener.next()), (Value::Null, json!("script"), json!("close")));
    assert_eq!(end(deliver(&listener, BODY)), (String::new(), Some(ErrorKind::ConnectionReset)), "RST");
    assert_eq!(answer(&listener.next()), (Value::Null, json!("script"), json!("reset")));
    let text = listener.post("/", &[], BODY);
    assert_eq!(status(&text), 200, "the listener itself goes on");
    assert_eq!(listener.next()["seq"], 3);
}

#[test]
fn truncate_announces_more_than_it_sends() {
    let mut listener = Listener::start(&["--respond", "truncate"]);
    let (text, ended) = end(deliver(&listener, BODY));
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
    assert_eq!(status(&text), 200);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    assert!(!body.is_empty() && body.len() < length.parse().unwrap(), "{text}");
    assert_eq!(ended, None, "then FIN");
    assert_eq!(answer(&listener.next()), (json!(200), json!("script"), json!("truncate")));
}

#[test]
fn hang_answers_never_and_is_recorded_at_once() {
    let mut listener = Listener::start(&["--respond", "hang"]);
    let mut stream = deliver(&listener, BODY);
    assert_eq!(answer(&listener.next()), (Value::Null, json!("script"), json!("hang")));
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let kind = stream.read(&mut [0]).unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "still open: {kind}");
    // Ctrl-C does not wait for it.
    stream.set_read_timeout(None).unwrap();
    listener.signal("INT");
    assert_eq!(end(stream), (String::new(), None));
    assert_eq!(listener.wait().0, Some(0));
}

#[test]
fn a_sender_that_hangs_counts_and_is_let_go_when_it_has_given_up() {
    for tls in [&[][..], &["--tls"]] {
        let mut listener = Listener::start(&[&["--respond", "hang", "--count", "1"], tls].concat());
        if tls.is_empty() {
            let mut stream = deliver(&listener, BODY);
            assert_eq!(listener.next()["answer"]["did"], "hang");
            stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            assert!(stream.read(&mut [0]).is_err(), "still open");
            // Whatever it says meanwhile is no end.
            stream.write_all(b"POST").unwrap();
            assert!(stream.read(&mut [0]).is_err(), "still open");
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            stream.set_read_timeout(None).unwrap();
            assert_eq!(end(stream).0, "", "let go");
        } else {
            let send = ["send", "success", "--to", &listener.url, "-k", "--retry", "none", "--timeout", "200ms"];
            hookctl(send).exits(6);
        }
        assert_eq!(listener.wait().0, Some(0), "{tls:?}");
    }
}

#[test]
fn a_sender_that_hangs_counts_when_the_listener_ends() {
    let mut listener = Listener::start(&["--respond", "hang", "--count", "1", "--timeout", "300ms"]);
    let stream = deliver(&listener, BODY);
    assert_eq!(listener.next()["answer"]["did"], "hang");
    assert_eq!(end(stream), (String::new(), None));
    let (code, stdout, _) = listener.wait();
    let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!((code, &summary["deliveries"]), (Some(0), &json!(1)));
}

#[test]
fn hang_for_a_time_closes_after_it() {
    let mut listener = Listener::start(&["--respond", "hang=60ms", "--count", "1"]);
    let started = Instant::now();
    let stream = deliver(&listener, BODY);
    assert_eq!(listener.next()["answer"]["did"], "hang");
    assert_eq!(end(stream), (String::new(), None));
    // It counts when it is over, not when it begins.
    assert!(started.elapsed() >= Duration::from_millis(60));
    assert_eq!(listener.wait().0, Some(0));
}

#[test]
fn what_was_done_to_a_delivery_counts_whatever_it_was() {
    let listener = Listener::start(&["--respond", "503,413,reset,hang", "--count", "4"]);
    let open: Vec<_> = (0..4).map(|_| deliver(&listener, BODY)).collect();
    drop(open);
    let (code, stdout, stderr) = listener.wait();
    let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!((code, &summary["deliveries"], &summary["refused"]), (Some(0), &json!(4), &json!(4)), "{stderr}");
}

#[test]
fn a_delay_does_not_outlive_the_listener() {
    let mut listener = Listener::start(&["--respond", "200:delay=1h"]);
    let mut stream = begin(&listener);
    listener.signal("INT");
    wait_until_closed(&listener);
    stream.write_all(BODY).unwrap();
    assert_eq!(status(&end(stream).0), 200);
    assert_eq!(listener.next()["answer"]["status"], 200);
    assert_eq!(listener.wait().0, Some(0));
}

#[test]
fn each_delivery_may_have_the_script_for_itself() {
    let other = String::from_utf8_lossy(BODY).replace("p-1", "p-2");
    let order = [BODY, other.as_bytes(), BODY, other.as_bytes(), BODY];
    for (arguments, wanted) in [
        (&["--respond", "503,200"][..], [503, 200, 200, 200, 200]),
        (&["--respond", "503,200", "--respond-each"], [503, 503, 200, 200, 200]),
    ] {
        let listener = Listener::start(arguments);
        let statuses = order.map(|body| status(&listener.post("/", &[], body)));
        assert_eq!(statuses, wanted, "{arguments:?}");
    }
}

#[test]
fn a_signature_that_does_not_hold_takes_no_item() {
    let listener = Listener::start(&["--secret", SECRET, "--respond", "503,200"]);
    let valid = crate::support::sign::hmac_hex(SECRET, BODY);
    let statuses = [("00"), (&valid), ("00"), (&valid)]
        .map(|signature| status(&listener.post("/", &[("x-webhook-signature", signature)], BODY)));
    assert_eq!(statuses, [401, 503, 401, 200]);
}

#[test]
fn a_retrying_sender_gets_through() {
    let listen = ["listen", "--port", "0", "--json", "--respond", "503x2,close,200", "--count", "4"];
    let send = ["--", HOOKCTL, "send", "success", "--retry", "1ms,1ms,1ms"];
    let run = hookctl(listen.iter().chain(&send)).exits(0);
    let first = &run.deliveries()[0]["id"];
    let seen: Vec<_> = run.deliveries().iter().map(|record| record["answer"]["status"].clone()).collect();
    assert_eq!(seen, [json!(503), json!(503), Value::Null, json!(200)]);
    assert!(run.deliveries()[1..].iter().all(|record| record["duplicate_of"] == *first), "{run:#?}");
}

#[test]
fn the_screen_says_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let journal = journal.to_str().unwrap();
    let script = "503,close,reset,truncate";
    let listen = ["listen", "--port", "0", "--record", journal, "--respond", script, "--count", "4"];
    let send = ["--", HOOKCTL, "send", "success", "-q", "--retry", "1ms,1ms,1ms"];
    let run = hookctl(listen.iter().chain(&send)).exits(0);
    for words in [
        "answer   503 in",
        "sent again after #1 was answered 503",
        "answer   none (connection closed) in",
        "sent again after #2 got no answer",
        "answer   none (connection reset) in",
        "answer   truncated in",
    ] {
        assert!(run.stdout.contains(words), "no {words:?} in {}", run.stdout);
    }
    let table = hookctl(["inspect", journal]).exits(0).stdout;
    for word in ["503", "close", "reset", "broken"] {
        assert!(table.contains(word), "no {word} in {table}");
    }
}

#[test]
fn a_script_that_cannot_be_read_is_a_usage_error() {
    for (script, words) in [
        ("50x", "the item \"50x\" is not a known answer; write a status"),
        ("200,rest", "did you mean reset?"),
        ("503:delay=2", "2s"),
        ("200:body=@/nowhere/at/all", "/nowhere/at/all"),
        ("forward", "--forward-to"),
    ] {
        hookctl(["listen", "--port", "0", "--respond", script, "--", "true"]).exits(2).says(words);
    }
}
