//! What comes over the wire to `listen`: forms of requests, kinds of bodies, limits.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{BODY, status};
use crate::support::connection::read_answer;
use crate::support::listener::Listener;

/// A request in chunks of one size.
fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let head = "POST /chunks HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut request = head.as_bytes().to_vec();
    for chunk in body.chunks(size) {
        request.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    }
    request.extend(b"0\r\n\r\n");
    request
}

#[test]
fn a_body_beyond_the_limit_is_refused_and_not_kept() {
    let journal = tempfile::NamedTempFile::new().unwrap();
    let record = journal.path().to_str().unwrap();
    let mut listener = Listener::start(&["--max-body", "1KiB", "--count", "1", "--record", record, "--secret", "s"]);
    let large = vec![b'x'; 1025];
    let huge = vec![b'x'; 1 << 20];
    let posted = |body: &[u8]| {
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let requests = [posted(&large), posted(&huge), chunked(&large, 100), chunked(&huge, 5000)];
    for request in &requests {
        assert_eq!(status(&listener.raw(request)), 413);
        let record = listener.next();
        assert_eq!((&record["answer"]["status"], &record["answer"]["by"]), (&json!(413), &json!("limit")));
        assert!(record["body"].as_str().unwrap_or_default().is_empty(), "{record}");
        assert!(record["body_base64"].is_null() && record["payload"].is_null(), "{record}");
    }
    // The limit itself passes, and only this one counts.
    assert_ne!(status(&listener.post("/", &[], &large[..1024])), 413);
    assert_eq!(listener.next()["seq"], 5);
    let (code, stdout, _) = listener.wait();
    let summary: Value = serde_json::from_str(stdout.trim()).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(
        (&summary["deliveries"], &summary["refused"]),
        (&json!(1), &json!(5)),
        "the unsigned one is refused too"
    );
}

#[test]
fn a_sender_that_waits_is_told_413_before_it_sends() {
    let listener = Listener::start(&["--max-body", "1KiB"]);
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2000\r\n\r\n").unwrap();
    assert_eq!(status(&read_answer(&mut stream).unwrap()), 413);
}

#[test]
fn a_sender_that_waits_gets_its_go_ahead() {
    let mut listener = Listener::start(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n", BODY.len());
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(BODY).unwrap();
    assert_eq!(status(&read_answer(&mut stream).unwrap()), 200);
    assert_eq!(listener.next()["body"].as_str().unwrap().as_bytes(), BODY);
}

#[test]
fn looking_is_no_delivery() {
    let listener = Listener::start(&["--count", "1"]);
    for method in ["GET", "HEAD"] {
        let request = format!("{method} /any HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = listener.raw(request.as_bytes());
        assert_eq!(status(&answer), 200, "{method}");
        assert_eq!(answer.ends_with("\r\n\r\n"), method == "HEAD", "{answer}");
    }
    listener.post("/", &[], BODY);
    let (code, stdout, _) = listener.wait();
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (Some(0), 2), "one delivery and the summary: {stdout}");
    assert_eq!((&lines[0]["method"], &lines[0]["seq"]), (&json!("POST"), &json!(1)));
}

#[test]
fn other_methods_are_deliveries() {
    let mut listener = Listener::start(&[]);
    for method in ["PUT", "PATCH", "DELETE", "PURGE"] {
        let request = format!("{method} / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
        assert_eq!(status(&listener.raw(request.as_bytes())), 200);
        assert_eq!(listener.next()["method"], method);
    }
}

#[test]
fn one_connection_carries_several_deliveries() {
    let mut listener = Listener::start(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
    let mut remotes = Vec::new();
    for path in ["/one", "/two"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", BODY.len());
        stream.write_all(&[head.as_bytes(), BODY].concat()).unwrap();
        assert_eq!(status(&read_answer(&mut stream).unwrap()), 200);
        let record = listener.next();
        assert_eq!(record["target"], path);
        remotes.push(record["remote"].clone());
    }
    assert_eq!(remotes[0], remotes[1]);
}

#[test]
fn http_1_0_is_spoken() {
    let mut listener = Listener::start(&[]);
    let head = format!("POST /old HTTP/1.0\r\ncontent-length: {}\r\n\r\n", BODY.len());
    assert_eq!(status(&listener.raw(&[head.as_bytes(), BODY].concat())), 200);
    let record = listener.next();
    assert_eq!((&record["http"], &record["target"]), (&json!("1.0"), &json!("/old")));
}

#[test]
fn chunks_are_one_body() {
    let mut listener = Listener::start(&[]);
    for size in [1, 7, BODY.len()] {
        assert_eq!(status(&listener.raw(&chunked(BODY, size))), 200);
        assert_eq!(listener.next()["body"].as_str().unwrap().as_bytes(), BODY, "in chunks of {size}");
    }
}

#[test]
fn any_body_is_a_delivery() {
    let mut listener = Listener::start(&[]);
    let bodies: [&[u8]; 9] = [
        b"",
        b"plain text",
        b"a=1&b=2",
        b"{\"id\":\"cut of",
        b"{\"a\":1}\n{\"b\":2}",
        b"\"caf\xe9\"",
        b"\x00\x01\xff\xfe",
        "\u{feff}{\"id\":1}".as_bytes(),
        b"\x1f\x8b\x08\x00",
    ];
    for body in bodies {
        assert_eq!(status(&listener.post("/", &[("content-type", "application/json")], body)), 200);
        let record = listener.next();
        let bytes = match (record["body"].as_str(), record["body_base64"].as_str()) {
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(base64)) => STANDARD.decode(base64).unwrap(),
            other => panic!("both or neither: {other:?}"),
        };
        assert_eq!(bytes, body);
        assert_eq!(record["body"].is_string(), std::str::from_utf8(body).is_ok());
        assert!(record["payload"].is_null(), "not JSON: {record}");
    }
}

#[test]
fn json_that_nobody_knows_is_kept_as_it_is() {
    let mut listener = Listener::start(&[]);
    for body in ["[]", "null", "17", "{}", " {\"z\":1.50,\"a\":1e400,\"z\":12345678901234567890123} "] {
        assert_eq!(status(&listener.post("/", &[], body.as_bytes())), 200);
        let record = listener.next();
        assert_eq!((&record["body"], &record["payload"]["provider"]), (&json!(body), &json!("generic")));
    }
}

#[test]
fn a_sender_that_breaks_off_harms_nobody() {
    let mut listener = Listener::start(&[]);
    // Half a body and an end; a head and no more; no HTTP at all.
    listener.raw(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"id\":");
    listener.raw(b"POST / HTTP/1.1\r\n");
    listener.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01");
    assert_eq!(status(&listener.post("/", &[], BODY)), 200);
    assert_eq!(listener.next()["seq"], 1, "what was cut off is no delivery");
}

#[test]
fn http_1_0_is_answered_and_the_connection_ended() {
    let mut listener = Listener::start(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
    let head = format!("POST /old HTTP/1.0\r\ncontent-length: {}\r\n\r\n", BODY.len());
    stream.write_all(&[head.as_bytes(), BODY].concat()).unwrap();
    let mut answer = String::new();
    // To its end, which the listener sets: the sender has not asked to keep it.
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200);
    let record = listener.next();
    assert_eq!((&record["http"], &record["target"]), (&json!("1.0"), &json!("/old")));
}
