//! The bytes on the wire, the reuse of connections, and unusual responses.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use super::send;
use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::target::{Answer, OK, Target};

/// The head of a source's request, with HOST and VERSION in place of the actual values.
fn head(source: &str, arguments: &[&str]) -> String {
    let target = Target::start(&[OK]);
    send(&target, &[&[source], arguments].concat()).exits(0);
    let head = target.requests().remove(0).head;
    let host = target.url.strip_prefix("http://").unwrap().strip_suffix("/hook").unwrap();
    assert_eq!(head.matches('\n').count(), head.matches("\r\n").count(), "{head:?}");
    let head = head.replace("\r\n", "\n").replace(host, "HOST");
    head.replace(concat!("hookctl/", env!("CARGO_PKG_VERSION")), "hookctl/VERSION")
}

#[test]
fn cogs_python_server_mixes_the_case_of_header_names() {
    insta::assert_snapshot!(head("cog/python/succeeded", &["--secret", "token"]), @r"
    POST /hook HTTP/1.1
    Host: HOST
    user-agent: cog-worker/0.16.12 python-requests/2.34.2
    Accept-Encoding: gzip, deflate
    Accept: */*
    Connection: keep-alive
    authorization: Bearer token
    Content-Length: 361
    Content-Type: application/json
    ");
}

#[test]
fn coglet_sends_host_after_its_own_headers() {
    insta::assert_snapshot!(head("cog/coglet/succeeded", &["--secret", "token"]), @r"
    POST /hook HTTP/1.1
    content-type: application/json
    accept: */*
    authorization: Bearer token
    user-agent: coglet/0.23.1
    host: HOST
    content-length: 158
    ");
}

#[test]
fn eachlabs_and_modelslab_send_plain_headers() {
    insta::assert_snapshot!(head("success", &["--secret", "s3cret"]), @r"
    POST /hook HTTP/1.1
    content-type: application/json
    user-agent: hookctl/VERSION
    accept: */*
    x-webhook-signature: 4f52f846b5c5cb74a06c49d30ae919265cdf9c27e04478bb362103cbfb814faa
    host: HOST
    content-length: 237
    ");
    let own = ["-H", "X-Extra: 1", "-H", "ACCEPT: text/plain", "-H", "x-extra: 2"];
    insta::assert_snapshot!(head("modelslab/success", &own), @r"
    POST /hook HTTP/1.1
    content-type: application/json
    user-agent: hookctl/VERSION
    ACCEPT: text/plain
    host: HOST
    content-length: 253
    X-Extra: 1
    x-extra: 2
    ");
}

#[test]
fn consecutive_deliveries_share_a_connection() {
    let answers = [
        OK,
        Answer::Status(500, "", "boom\nmore"),
        Answer::Status(204, "", ""),
        Answer::Status(404, "x: y\r\n", "{}"),
        OK,
    ];
    let target = Target::start(&answers);
    let run = ["success", "failed", "workflow", "cog/coglet/succeeded", "success", "--retry", "none"];
    send(&target, &run).exits(6);
    let connections: Vec<_> = target.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1; 5]);
}

#[test]
fn a_connection_that_was_closed_while_idle_is_not_reused() {
    // The receiver closes without `connection: close`.
    let target = Target::start(&[Answer::Raw(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n")]);
    // 50 ms are enough for the FIN to arrive.
    let finished = send(&target, &["success", "--retry", "50ms,50ms", "--speed", "1", "--json"]).exits(6);
    assert!(finished.deliveries().iter().all(|delivery| delivery["answer"]["status"] == 503), "{finished:#?}");
    let connections: Vec<_> = target.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 3]);
}

#[test]
fn the_response_bytes_decide_the_outcome() {
    type Expected = (&'static str, Option<u16>, &'static str);
    let answered = |status, line| ("answered", Some(status), line);
    let cases: [(&'static [u8], Expected); 14] = [
        (b"HTTP/1.1 204 X\r\n\r\n", answered(204, "")),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", answered(200, "to the end")),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhey\r\n0\r\n\r\n", answered(200, "hey")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", answered(200, "ok")),
        (
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 202 X\r\ncontent-length: 0\r\n\r\n",
            answered(202, ""),
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nold", answered(200, "old")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut off", answered(200, "cut off")),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense", answered(200, "")),
        (b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", answered(500, "")),
        (b"", ("unknown", None, "the connection was closed before an answer came")),
        (b"HTTP/1.1 200 OK\r\nx: y\r\n", ("unknown", None, "the connection was closed before an answer came")),
        (b"HTTP/1.1 100 Continue\r\n\r\n", ("unknown", None, "the connection was closed before an answer came")),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", ("unknown", None, "the response is not HTTP: invalid HTTP version")),
        (b"HTTP/1.1 banana\r\n\r\n", ("unknown", None, "the response is not HTTP: invalid response status")),
    ];
    for (bytes, (outcome, status, expected)) in cases {
        let target = Target::start(&[Answer::Raw(bytes)]);
        let finished = send(&target, &["success", "--retry", "none", "--json"]).run();
        let delivery = &finished.deliveries()[0];
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(delivery["outcome"], outcome, "{text}: {delivery}");
        assert_eq!(delivery["answer"]["status"], status.map_or(Value::Null, Value::from), "{text}: {delivery}");
        let line = if status.is_some() { &delivery["answer"]["line"] } else { &delivery["error"] };
        assert_eq!(line.as_str().unwrap_or_default(), expected, "{text}");
        assert_eq!(target.requests().len(), 1, "{text}: one request");
    }
}

#[test]
fn pythons_second_report_names_the_actual_failure() {
    let second = |to: &str| {
        let run = ["send", "cog/succeeded", "--flavor", "python", "--retry", "none", "--speed", "1e6", "--json"];
        let finished = hookctl(run.into_iter().chain(["--to", to])).exits(6);
        let last = finished.deliveries().pop().unwrap();
        last["body"].as_str().unwrap().split_once("(Caused by ").map(|(_, cause)| cause.to_owned())
    };
    for (respond, words) in [("reset", "ConnectionResetError(104"), ("close", "RemoteDisconnected(")] {
        let listener = Listener::start(&["--respond", respond]);
        let cause = second(&listener.url).unwrap_or_default();
        assert!(cause.starts_with(&format!("ProtocolError('Connection aborted.', {words}")), "{respond}: {cause}");
    }
    let plain = Listener::start(&[]);
    assert_eq!(second(&plain.url.replace("http:", "https:")), None, "Python's message for a TLS failure is not known");
    assert!(second("http://127.0.0.1:1/").unwrap().starts_with("NewConnectionError("));
}

#[test]
fn an_endless_response_head_ends_the_attempt() {
    let endless: &'static [u8] = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(200_000)).into_bytes().leak();
    let target = Target::start(&[Answer::Raw(endless)]);
    let finished = send(&target, &["success", "--retry", "none"]).exits(6);
    finished.prints("unknown").prints("the head of the response is longer than 65536 bytes");
}

#[test]
fn a_response_before_the_end_of_the_request_counts() {
    let refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\n\r\ntoo large";
    let target = Target::start(&[Answer::Early(refusal)]);
    // More than the socket buffers hold.
    let body = format!("\"{}\"", "x".repeat(20_000_000));
    let finished = send(&target, &["-", "--retry", "none", "--timeout", "20s"]).stdin(body).exits(6);
    finished.prints("413 in").prints("too large");
}

#[test]
fn a_future_date_in_retry_after_is_the_wait_and_a_past_date_is_none() {
    let until = |date| Answer::Status(503, date, "");
    let gone = until("retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n");
    let far = until("retry-after: Tue, 31 Dec 2999 23:59:59 GMT\r\n");
    let target = Target::start(&[gone.clone(), gone, far, OK]);
    let finished = send(&target, &["cog/python/succeeded", "--json", "--speed", "1e9"]).exits(0);
    let waits: Vec<_> = finished.json().iter().filter_map(|line| line["provider_waits_ms"].as_f64()).collect();
    assert_eq!(waits, [0.0, 200.0, 21_600_000.0]);
}

#[test]
fn a_timeout_in_the_tls_handshake_means_not_delivered() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("https://{}/", silent.local_addr().unwrap());
    let run = ["send", "success", "--retry", "none", "--timeout", "300ms", "--json", "--to", &to];
    let finished = hookctl(run).exits(6);
    let delivery = &finished.deliveries()[0];
    assert_eq!(
        (&delivery["outcome"], &delivery["error"]),
        (&"unreachable".into(), &"no connection within 300ms".into())
    );
}

#[test]
fn coglet_sends_a_referer_after_a_redirect() {
    let moved = Answer::Status(307, "location: /next?a=b\r\n", "");
    for (source, expected) in [("cog/coglet/start", true), ("cog/python/start", false)] {
        let target = Target::start(&[moved.clone(), OK]);
        send(&target, &[source]).exits(0);
        let [first, second] = &target.requests()[..] else { panic!("two requests") };
        assert_eq!((second.line.as_str(), &second.body), ("POST /next?a=b HTTP/1.1", &first.body));
        assert_eq!(first.header("referer"), None);
        assert_eq!(second.header("referer"), expected.then_some(&*target.url));
        let names = |headers: &[(String, String)]| headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let mut wanted = names(&first.headers);
        if expected {
            let host = wanted.iter().position(|name| name == "host").unwrap();
            wanted.insert(host, "referer".to_owned());
        }
        assert_eq!(names(&second.headers), wanted, "{source}");
        assert_eq!(first.connection, second.connection, "{source}");
    }
}

#[test]
fn with_no_follow_a_redirect_is_the_response() {
    let target = Target::start(&[Answer::Status(307, "location: /next\r\n", "")]);
    let finished = send(&target, &["cog/coglet/start", "--no-follow", "--json"]).exits(6);
    assert_eq!(finished.deliveries()[0]["answer"]["status"], 307);
    assert_eq!(target.requests().len(), 1);
}

#[test]
fn a_redirect_loop_ends_after_ten_hops() {
    let target = Target::start(&[Answer::Status(308, "location: /hook\r\n", "")]);
    send(&target, &["cog/coglet/start"]).exits(6).prints("308 in").prints("after a 308 to");
    assert_eq!(target.requests().len(), 11);
}

#[test]
fn a_get_after_a_redirect_has_neither_body_nor_content_headers() {
    let target = Target::start(&[Answer::Status(303, "location: /page\r\n", ""), OK]);
    send(&target, &["cog/python/start"]).exits(0);
    let request = &target.requests()[1];
    let names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(request.line, "GET /page HTTP/1.1");
    assert_eq!(names, ["Host", "user-agent", "Accept-Encoding", "Accept", "Connection"]);
}

#[test]
fn a_body_that_is_sent_in_pieces_arrives_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let receiver = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        let mut piece = [0; 1000];
        while !seen.ends_with(b"end\"") {
            let length = stream.read(&mut piece).unwrap();
            seen.extend_from_slice(&piece[..length]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        seen
    });
    let body = format!("\"{}end\"", "0123456789".repeat(800_000));
    hookctl(["send", "-", "--retry", "none", "--to", &to]).stdin(body.clone()).exits(0);
    assert!(receiver.join().unwrap().ends_with(body.as_bytes()));
}
