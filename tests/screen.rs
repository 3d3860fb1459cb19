//! What people see, through pipes: colours, quiet and verbose, what a delivery looks like, outputs that close early.

mod hostile;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::json;

use crate::listen::HOOKCTL;
use crate::support::program::{Finished, command, hookctl};
use crate::support::repository;
use crate::support::sign::hmac_hex;
use crate::support::target::{OK, Target};

/// `hookctl listen` as people run it, without `--json`.
struct Screen {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// What was read of standard error so far.
    said: String,
    port: u16,
}

impl Screen {
    fn start(arguments: &[&str]) -> Self {
        let mut command = command();
        command.args(["listen", "--port", "0"]).args(arguments);
        Screen::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the listener starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        stderr.read_line(&mut said).expect("it says where it listens");
        let (_, port) = said.rsplit_once(':').unwrap_or_else(|| panic!("no port in {said:?}"));
        let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
        let port = digits.parse().expect("a port");
        Screen { child, stderr, said, port }
    }

    /// Posts raw header lines and a body; gives the answer.
    fn post(&self, path: &str, headers: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the listener accepts");
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).expect("the request goes out");
        stream.shutdown(Shutdown::Write).expect("the request ends");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer comes back");
        answer
    }

    fn wait(mut self) -> Finished {
        let mut stdout = String::new();
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_string(&mut stdout).expect("standard output is text");
        }
        self.stderr.read_to_string(&mut self.said).expect("standard error is text");
        Finished { code: self.child.wait().expect("it ends").code(), stdout, stderr: self.said }
    }
}

/// A path of the repository as text.
fn fixture(name: &str) -> String {
    repository("fixtures").join(name).to_str().expect("a path that is text").to_owned()
}

#[test]
fn colour_follows_the_flag_the_variables_and_the_terminal() {
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(&[&str], Variables, bool); 10] = [
        (&[], &[], false),
        (&["--color", "auto"], &[], false),
        (&[], &[("NO_COLOR", "1")], false),
        (&["--color", "never"], &[], false),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
        (&["--color", "always"], &[], true),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")], true),
        (&[], &[("HOOKCTL_COLOR", "always")], true),
    ];
    let target = Target::start(&[OK]);
    let success = fixture("success.json");
    let quietly = r#"exec "$0" send success >/dev/null 2>&1"#;
    for (arguments, variables, coloured) in cases {
        for (line, after) in [
            (vec!["inspect", &success], vec![]),
            (vec!["send", "success", "--to", &target.url], vec![]),
            (vec!["listen", "--port", "0"], vec!["--", "sh", "-c", quietly, HOOKCTL]),
        ] {
            for (json, expected) in [(&[][..], coloured), (&["--json"], false)] {
                let mut program = hookctl([&line, arguments, json, &after].concat());
                for (name, value) in variables {
                    program = program.env(name, value);
                }
                let run = program.exits(0);
                assert_eq!(run.stdout.contains('\x1b'), expected, "{line:?} {json:?} {variables:?}: {run:#?}");
                assert!(coloured || !run.stderr.contains('\x1b'), "{line:?} {variables:?}: {run:#?}");
            }
        }
    }
}

#[test]
fn help_and_errors_have_no_colour_in_a_pipe() {
    for (arguments, code) in [(&["--help"][..], 0), (&["listen", "--help"], 0), (&["nonsense"], 2), (&["send"], 2)] {
        let run = hookctl(arguments).exits(code);
        assert!(!run.stdout.contains('\x1b') && !run.stderr.contains('\x1b'), "{run:#?}");
    }
}

#[test]
fn quiet_prints_only_results() {
    let send = r#"exec "$0" send success >/dev/null 2>&1"#;
    let run = hookctl(["listen", "--port", "0", "--quiet", "--", "sh", "-c", send, HOOKCTL]).exits(0);
    assert_eq!(run.stderr, "");
    run.prints("abc123-def456-ghi789");
    let target = Target::start(&[OK]);
    let run = hookctl(["send", "success", "-q", "--to", &target.url]).exits(0);
    assert_eq!(run.stderr, "");
    run.prints("200");
}

#[test]
fn verbose_prints_headers_and_the_whole_body() {
    for (arguments, shown) in [(&["--count", "1"][..], false), (&["--count", "1", "-v"], true)] {
        let screen = Screen::start(arguments);
        screen.post(
            "/",
            "X-Trace: trace-17\r\n",
            br#"{"id":"a","status":"success","output":"u","input":{},"more":"m-18"}"#,
        );
        let run = screen.wait();
        for word in ["x-trace: trace-17", r#""more": "m-18""#] {
            assert_eq!(run.stdout.contains(word), shown, "{word} with {arguments:?}: {}", run.stdout);
        }
    }
}

/// What differs from run to run, made the same: the time of day, ports, milliseconds.
fn masked(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for index in 0..words.len() {
            if words[index] == "ms" {
                words[index - 1] = "N".to_owned();
            }
        }
        if words[0].len() == "14:32:15.204".len() && words[0].as_bytes()[2] == b':' {
            words[0] = "HH:MM:SS.mmm".to_owned();
        }
        lines.push(words.join(" "));
    }
    lines.join("\n")
}

#[test]
fn text_output_of_a_verified_an_invalid_and_a_repeated_delivery() {
    let body = std::fs::read(repository("fixtures/success.json")).unwrap();
    let failed = std::fs::read(repository("fixtures/failed.json")).unwrap();
    let screen = Screen::start(&["--secret", "s3cret", "--count", "3"]);
    let signature = format!("X-Webhook-Signature: {}\r\n", hmac_hex("s3cret", &body));
    screen.post("/webhooks/prediction", &signature, &body);
    screen.post("/webhooks/prediction", &signature, &failed);
    screen.post("/webhooks/prediction", &signature, &body);
    let run = screen.wait();
    assert_eq!(run.code, Some(0), "{run:#?}");
    insta::assert_snapshot!(masked(&run.stdout), @r#"
    HH:MM:SS.mmm  succeeded   each::labs  abc123-def456-ghi789  #1
                  signed   ✓ verified eachlabs
                  output   https://storage.example.com/predictions/abc123/image.jpg
                  input    prompt "A beautiful sunset over the ocean" · aspect_ratio "16:9"
                  metrics  predict_time 12.5 s · cost $0.05
                  answer   200 in N ms to POST /webhooks/prediction, 237 B
    HH:MM:SS.mmm  failed      each::labs  abc123-def456-ghi789  #2
                  signed   ✗ wrong_secret eachlabs
                  hint     the secret does not match this signature: compare the secrets of sender and receiver; a body changed after signing, even in the order of its keys, looks the same
                  error    Error: Model timeout after 30s
                  input    prompt "A beautiful sunset over the ocean" · aspect_ratio "16:9"
                  answer   401 in N ms to POST /webhooks/prediction, 178 B
    HH:MM:SS.mmm  succeeded   each::labs  abc123-def456-ghi789  #3
                  signed   ✓ verified eachlabs
                  output   https://storage.example.com/predictions/abc123/image.jpg
                  input    prompt "A beautiful sunset over the ocean" · aspect_ratio "16:9"
                  metrics  predict_time 12.5 s · cost $0.05
                  repeat   duplicate of #1, the same body
                  answer   200 in N ms to POST /webhooks/prediction, 237 B
    "#);
    let (ready, summary) = run.stderr.split_once('\n').unwrap();
    assert!(ready.starts_with("listening on http://127.0.0.1:"), "{ready}");
    insta::assert_snapshot!(summary, @r"
    what each reason means, and what to change: hookctl help signatures
    3 of 3 deliveries · 2 succeeded, 1 failed · 2 verified, 1 invalid · 1 repeated · 1 refused
    ");
}

#[test]
fn compact_prints_one_line_per_delivery() {
    let body = std::fs::read(repository("fixtures/success.json")).unwrap();
    let screen = Screen::start(&["--secret", "s3cret", "--format", "compact", "--count", "5"]);
    let signature = format!("X-Webhook-Signature: {}\r\n", hmac_hex("s3cret", &body));
    screen.post("/", &signature, &body);
    screen.post("/", &signature, &body);
    screen.post("/", &signature, b"{\"id\":\"\\u001b[2J\",\"status\":\"sucess\",\"output\":\"u\",\"input\":{}}");
    screen.post("/", "", b"not JSON");
    let odd = br#"{"id":"a","status":"sucess","output":"u","input":{}}"#;
    screen.post("/", &format!("X-Webhook-Signature: {}\r\n", hmac_hex("s3cret", odd)), odd);
    let run = screen.wait();
    insta::assert_snapshot!(masked(&run.stdout), @r"
    HH:MM:SS.mmm  succeeded   each::labs  abc123-def456-ghi789  #1  ✓  200 in N ms
    HH:MM:SS.mmm  succeeded   each::labs  abc123-def456-ghi789  #2  ✓  200 in N ms  duplicate of #1, the same body
    HH:MM:SS.mmm  sucess      each::labs  \u{1b}[2J  #3  ✗  wrong_secret  401 in N ms  unknown_status
    HH:MM:SS.mmm  not JSON    #4  ✗  missing_signature  401 in N ms
    HH:MM:SS.mmm  sucess      each::labs  a  #5  ✓  200 in N ms  unknown_status
    ");
}

#[test]
fn a_closed_output_ends_listen_without_an_error() {
    for json in [&[][..], &["--json"]] {
        let mut screen = Screen::start(json);
        let mut stdout = BufReader::new(screen.child.stdout.take().unwrap());
        if !json.is_empty() {
            // Where it listens is data too; with nobody to read that, it would end before the delivery.
            stdout.read_line(&mut String::new()).unwrap();
        }
        drop(stdout);
        // With nobody left to show it to, this delivery is the last; it is answered all the same.
        assert!(screen.post("/", "", b"{}").starts_with("HTTP/1.1 200 "));
        let run = screen.wait();
        assert_eq!(run.code, Some(0), "{run:#?}");
        assert!(!run.stderr.contains("panic") && !run.stderr.contains("error"), "{run:#?}");
    }
}

#[test]
fn a_closed_output_ends_inspect_without_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let line = json!({"type": "delivery", "v": 1, "at": "2026-11-20T21:23:21Z", "body": "{\"id\":\"a\"}"});
    // More than any pipe holds.
    std::fs::write(&journal, format!("{line}\n").repeat(20_000)).unwrap();
    for arguments in [&["inspect"][..], &["inspect", "--json"], &["inspect", "--last", "15000"]] {
        let mut command = command();
        command.args(arguments).arg(&journal).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
