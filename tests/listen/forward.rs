//! `--forward-to`: what the app gets, and what the sender gets back.

use std::net::TcpListener;

use serde_json::json;

use super::{BODY, HOOKCTL, SECRET, content, status};
use crate::support::listener::Listener;
use crate::support::program::{command, hookctl};
use crate::support::sign::hmac_hex;
use crate::support::target::{Answer, OK, Target};

#[test]
fn the_app_gets_the_request_as_it_came() {
    let app = Target::start(&[Answer::Status(202, "x-app: yes\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n", "taken")]);
    let mut listener = Listener::start(&["-f", &app.url]);
    // Bytes that no serialiser would write, headers that come twice, and some that end at each hop.
    let body = b" {\"z\":1.50,\"a\":\"\\u00e9\"}\r\n";
    let headers = [
        ("x-one", "1"),
        ("X-One", "2"),
        ("x-webhook-signature", "9f86"),
        ("authorization", "Bearer of-the-sender"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("te", "trailers"),
        ("expect", "100-continue"),
    ];
    let text = listener.post("/any/path?a=%20b&c", &headers, body);
    assert_eq!(status(text.split_once("HTTP/1.1 100 Continue\r\n\r\n").map_or(&*text, |(_, rest)| rest)), 202);
    for line in ["x-app: yes\r\n", "set-cookie: a=1\r\n", "set-cookie: b=2\r\n"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.ends_with("\r\n\r\ntaken"), "{text}");

    let requests = app.requests();
    let [request] = requests.as_slice() else { panic!("one request: {requests:?}") };
    assert_eq!(request.line, "POST /hook?a=%20b&c HTTP/1.1", "exactly the app's path");
    assert_eq!(request.body, body);
    let all = |name: &str| -> Vec<&str> {
        let named = request.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(all("x-one"), ["1", "2"]);
    assert_eq!(all("x-webhook-signature"), ["9f86"]);
    assert_eq!(all("authorization"), ["Bearer of-the-sender"]);
    assert_eq!(all("host"), [app.url.trim_start_matches("http://").trim_end_matches("/hook")]);
    assert_eq!(all("content-length"), [body.len().to_string()]);
    for name in ["connection", "keep-alive", "proxy-connection", "te", "expect", "transfer-encoding"] {
        assert_eq!(all(name), [""; 0], "{name}");
    }
    let answer = &listener.next()["answer"];
    assert_eq!((&answer["status"], &answer["by"], &answer["line"]), (&json!(202), &json!("forward"), &json!("taken")));
}

#[test]
fn an_app_without_a_path_gets_the_senders() {
    let app = Target::start(&[OK]);
    let listener = Listener::start(&["--forward-to", app.url.trim_end_matches("/hook")]);
    assert_eq!(status(&listener.post("/any/path?a=1", &[], BODY)), 200);
    assert_eq!(app.requests()[0].line, "POST /any/path?a=1 HTTP/1.1");
}

#[test]
fn looking_reaches_the_app_and_is_no_delivery() {
    let app = Target::start(&[
        Answer::Status(418, "", "challenge"),
        Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n"),
        OK,
    ]);
    let flags = ["-f", app.url.trim_end_matches("/hook"), "--respond", "503,forward", "--count", "1", "-s", SECRET];
    let mut listener = Listener::start(&flags);
    let look = |method: &str| {
        listener
            .raw(format!("{method} /health?challenge=x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
    };
    let got = look("GET");
    assert!(status(&got) == 418 && got.ends_with("\r\n\r\nchallenge"), "{got}");
    let headed = look("HEAD");
    assert!(status(&headed) == 200 && headed.contains("content-length: 1234\r\n"), "{headed}");
    let requests = app.requests();
    assert_eq!(requests[0].line, "GET /health?challenge=x HTTP/1.1");
    assert_eq!(requests[1].line, "HEAD /health?challenge=x HTTP/1.1");
    assert_eq!((requests[0].header("content-length"), requests.len()), (None, 2));
    // The script's first item is still there.
    let signature = hmac_hex(SECRET, BODY);
    assert_eq!(status(&listener.post("/", &[("x-webhook-signature", &signature)], BODY)), 503);
    assert_eq!((&listener.next()["seq"], listener.wait().0), (&json!(1), Some(0)));
}

#[test]
fn an_answer_that_cannot_be_passed_on_is_called_that() {
    let large = format!("HTTP/1.1 200 OK\r\ncontent-length: 11000000\r\n\r\n{}", "x".repeat(11_000_000));
    let switch = "HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n";
    for (answer, words) in [(large.as_str(), "over 10485760 bytes"), (switch, "it answered 101 Switching Protocols")] {
        let app = Target::start(&[Answer::Raw(Box::leak(answer.to_owned().into_boxed_str()).as_bytes())]);
        let mut listener = Listener::start(&["-f", &app.url]);
        let text = listener.post("/", &[], BODY);
        assert_eq!((status(&text), content(&text)), (502, json!({"error": "the app's answer cannot be passed on"})));
        assert!(listener.next()["answer"]["line"].as_str().unwrap().contains(words));
        listener.signal("INT");
        let (_, _, stderr) = listener.wait();
        assert!(!stderr.contains("gave no answer"), "the app is there: {stderr}");
    }
}

#[test]
fn a_redirect_is_passed_back_and_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = format!("location: http://{}/\r\n", elsewhere.local_addr().unwrap());
    let app = Target::start(&[Answer::Status(307, Box::leak(location.clone().into_boxed_str()), "")]);
    let listener = Listener::start(&["-f", &app.url]);
    let text = listener.post("/", &[], BODY);
    assert!(status(&text) == 307 && text.contains(&location), "{text}");
    assert!(elsewhere.accept().is_err(), "nobody came");
}

#[test]
fn an_app_that_is_down_is_said_once_and_again_when_it_is_back() {
    // A port that was free a moment ago, so that nobody listens on it.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/");
    let mut listener = Listener::start(&["-f", &url]);
    for _ in 0..3 {
        let text = listener.post("/", &[], BODY);
        assert_eq!((status(&text), content(&text)), (502, json!({"error": "the app gave no answer"})));
        let answer = &listener.next()["answer"];
        assert_eq!((&answer["status"], &answer["by"]), (&json!(502), &json!("forward")));
        assert_eq!(answer["line"], "connection refused");
    }
    let app = Target::start_at(address, &[OK]);
    for _ in 0..2 {
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
    }
    assert_eq!(app.requests().len(), 2);
    listener.signal("INT");
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stderr.matches("gave no answer: connection refused").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("answers again").count(), 1, "{stderr}");
}

#[test]
fn two_deliveries_use_one_connection() {
    let app = Target::start(&[OK]);
    let listener = Listener::start(&["-f", &app.url]);
    for _ in 0..2 {
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
    }
    let connections: Vec<_> = app.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 1]);
}

#[test]
fn a_proxy_of_the_environment_is_not_used_for_an_app_on_this_machine() {
    let (proxy, app) = (Target::start(&[OK]), Target::start(&[OK]));
    let by = proxy.url.strip_suffix("/hook").unwrap();
    let start = |url: &str| {
        let mut command = command();
        command.env("http_proxy", by).env("ALL_PROXY", by);
        command.args(["listen", "--port", "0", "--json", "-f", url]);
        Listener::spawn(command)
    };
    assert_eq!(status(&start(&app.url).post("/", &[], BODY)), 200);
    assert_eq!((app.requests().len(), proxy.requests().len()), (1, 0));
    // No server has this address (RFC 5737): the proxy answers for it, as for `send`.
    assert_eq!(status(&start("http://192.0.2.1:3000").post("/a?b", &[], BODY)), 200);
    assert_eq!(proxy.requests()[0].line, "POST http://192.0.2.1:3000/a?b HTTP/1.1");
}

#[test]
fn an_app_that_breaks_off_is_502() {
    let app = Target::start(&[Answer::Close]);
    let mut listener = Listener::start(&["-f", &app.url]);
    assert_eq!(status(&listener.post("/", &[], BODY)), 502);
    assert_eq!(listener.next()["answer"]["status"], 502);
}

#[test]
fn what_does_not_verify_is_not_passed_on() {
    let app = Target::start(&[OK]);
    let signature = hmac_hex(SECRET, BODY);
    let invalid = [("x-webhook-signature", "00")];
    let listener = Listener::start(&["-f", &app.url, "--secret", SECRET]);
    assert_eq!(status(&listener.post("/", &invalid, BODY)), 401);
    assert_eq!(status(&listener.post("/", &[("x-webhook-signature", &signature)], BODY)), 200);
    assert_eq!(app.requests().len(), 1);
    let listener = Listener::start(&["-f", &app.url, "--secret", SECRET, "--allow-invalid"]);
    assert_eq!(status(&listener.post("/", &invalid, BODY)), 200);
    assert_eq!(app.requests().len(), 2);
}

#[test]
fn a_script_may_mix_its_own_answers_with_the_apps() {
    let app = Target::start(&[Answer::Status(418, "", "")]);
    let listener = Listener::start(&["-f", &app.url, "--respond", "503,forward"]);
    let statuses = [(); 3].map(|()| status(&listener.post("/", &[], BODY)));
    assert_eq!((statuses, app.requests().len()), ([503, 418, 418], 2));
}

#[test]
fn an_app_that_never_answers_does_not_hold_up_the_end() {
    let app = Target::start(&[Answer::Hang]);
    let mut listener = Listener::start(&["-f", &app.url]);
    let port = listener.port;
    let sender = std::thread::spawn(move || {
        let url = format!("http://127.0.0.1:{port}/");
        hookctl(["send", "success", "--to", &url, "--retry", "none", "--json"]).run()
    });
    while app.requests().is_empty() {
        std::thread::yield_now();
    }
    listener.signal("INT");
    // Recorded all the same, with what the sender was told.
    assert_eq!(listener.next()["answer"]["status"], 504);
    assert_eq!(listener.wait().0, Some(0));
    assert_eq!(sender.join().unwrap().deliveries()[0]["answer"]["status"], 504);
}

#[test]
fn the_screen_shows_status_and_time_of_the_app() {
    let app = Target::start(&[Answer::Status(500, "", "no such table: hooks\nand more"), OK]);
    let send = [HOOKCTL, "send", "success", "-q", "--retry", "1ms"];
    let run = hookctl([&["listen", "--port", "0", "-f", &app.url, "--"], &send[..]].concat()).exits(0);
    for words in ["answer   500 in ", " ms from the app to POST /, 237 B: no such table: hooks\n", "answer   200 in "] {
        assert!(run.stdout.contains(words), "no {words:?} in {}", run.stdout);
    }
    run.says(&format!("deliveries are passed on to {}", app.url));
}

#[test]
fn an_app_that_cannot_be_is_a_usage_error() {
    for (url, words) in
        [("https://localhost:1/", "http://"), ("http://u:secret-pw@localhost:1/", "user name and password")]
    {
        let run = hookctl(["listen", "--port", "0", "-f", url, "--", "true"]).exits(2).says(words);
        assert!(!run.stderr.contains("secret-pw"), "{run:#?}");
    }
    hookctl(["listen", "--port", "0", "-f", "1", "--respond", "503", "--", "true"])
        .exits(0)
        .says("no delivery is forwarded");
}

#[test]
fn an_app_that_repeats_the_secret_does_not_get_it_recorded() {
    let app = Target::start(&[Answer::Status(500, "", "bad token supersecretvalue")]);
    let mut listener = Listener::start(&["-f", &app.url, "-s", "supersecretvalue", "--allow-invalid"]);
    listener.post("/", &[], BODY);
    assert_eq!(listener.next()["answer"]["line"], "bad token <redacted>");
}
