//! `--curl`: the printed command, run by a shell with the real curl.

use std::fs;
use std::io::Write;
use std::process::Command;

use bytes::Bytes;
use http::HeaderValue;
use url::Url;

use hookctl::http::curl;
use hookctl::journal::Redaction;
use hookctl::payload::{Delivery, FieldName};

use super::send;
use crate::support::certificates::Certificates;
use crate::support::target::{OK, Request, Target};

/// Runs a command with `sh`, and the secret in HOOKCTL_SECRET.
fn run(command: &str, secret: &str, folder: &std::path::Path) {
    // As a script: the command may exceed the length limit of an argument.
    let mut script = tempfile::NamedTempFile::new().expect("a file");
    script.write_all(command.as_bytes()).expect("a script");
    let mut shell = Command::new("sh");
    shell.arg("-eu").arg(script.path()).current_dir(folder).env("HOOKCTL_SECRET", secret);
    let output = shell.output().expect("a shell");
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// A request for comparison. Headers are sorted, as curl has an order of its own.
fn comparable(request: &Request) -> (String, Vec<(String, String)>, &[u8]) {
    let mut headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    headers.sort();
    (request.line.clone(), headers, &request.body)
}

/// Sends by `hookctl send` and by its curl command, and compares both requests. Returns the command.
fn assert_same_request(arguments: &[&str], stdin: &[u8], secret: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("it's a file.json"), b"{\"file\": \"\\u00e9\"}\n").unwrap();
    let target = Target::start(&[OK]);
    send(&target, arguments).current_dir(folder.path()).stdin(stdin).exits(0);
    let shown = send(&target, &[arguments, &["--curl"]].concat()).current_dir(folder.path()).stdin(stdin).exits(0);
    assert_eq!(target.requests().len(), 1, "--curl sends nothing");
    run(&shown.stdout, secret, folder.path());
    let requests = target.requests();
    assert_eq!(comparable(&requests[1]), comparable(&requests[0]), "{}", shown.stdout);
    shown.stdout
}

#[test]
fn curl_sends_the_same_request_as_send() {
    let odd = "{\"a\": \"it's \\\\ $HOME `id` !! \\\"é 漢字 🦀\", \"b\": \"%s %\\u0000\"}\r\n\t".as_bytes();
    let cases: [(&[&str], &[u8]); 8] = [
        (&["success", "--secret", "s3cr3t-token"], b""),
        (&["cog/python/succeeded"], b""),
        (&["cog/coglet/failed", "--set", "error=it's $x"], b""),
        (&["modelslab/success", "-H", "X-Extra: it's \"$x\" `y` \\ !", "-H", "X-Empty:", "-H", "Accept: a"], b""),
        (&["-"], odd),
        (&["-", "-H", "content-type: text/plain"], b"[1,\n2]"),
        (&["it's a file.json"], b""),
        (&["it's a file.json", "--unset", "file"], b""),
    ];
    for (arguments, stdin) in cases {
        assert_same_request(arguments, stdin, "");
    }
    let shown = assert_same_request(&["it's a file.json"], b"", "");
    assert!(shown.contains(r"--data-binary '@it'\''s a file.json'"), "{shown}");
    let large = format!("[{}0]", "1,".repeat(200_000));
    assert_same_request(&["-"], large.as_bytes(), "");
}

#[test]
fn the_command_takes_the_secret_from_its_variable() {
    for (scheme, secret) in [("bearer", "s3cr3t-token"), ("shared-secret", "s3cr3t-token"), ("bearer", "it's $s")] {
        let shown = assert_same_request(&["cog/coglet/succeeded", "--scheme", scheme, "--secret", secret], b"", secret);
        assert!(shown.contains("\"$HOOKCTL_SECRET\"") && !shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_value_that_is_not_the_secret_does_not_use_its_variable() {
    let target = Target::start(&[OK]);
    let show =
        |arguments: &[&str]| send(&target, &[&["--curl", "-s", "supersecretvalue"], arguments].concat()).exits(0);
    let shown = show(&["success", "-H", "Authorization: Bearer other"]);
    assert!(shown.stdout.contains("-H 'Authorization: '\"$HOOKCTL_HEADER_AUTHORIZATION\""), "{}", shown.stdout);
    for tamper in ["secret", "signature", "malformed"] {
        for (source, scheme) in [("eachlabs/b/succeeded", "shared-secret"), ("success", "bearer")] {
            let shown = show(&[source, "--scheme", scheme, "--tamper", tamper]).stdout;
            assert!(!shown.contains("HOOKCTL_") && !shown.contains("supersecret"), "{shown}");
            run(&shown, "supersecretvalue", &std::env::temp_dir());
            let head = target.requests().pop().unwrap().head;
            assert!(!head.contains("supersecretvalue"), "{head}");
        }
    }
}

#[test]
fn any_bytes_reach_the_receiver_unchanged() {
    let target = Target::start(&[OK]);
    let folder = tempfile::tempdir().unwrap();
    let bodies: [&[u8]; 6] =
        [b"", b"-n -e", b"%d\\n\\\\'\"", &[0, 1, 2, 0xff, 0xfe, b'\n'], "\u{202e}\u{1b}[2J".as_bytes(), b"@file"];
    let url = Url::parse(&target.url).unwrap();
    for (index, body) in bodies.iter().enumerate() {
        let headers =
            [(FieldName::spelled("X-Odd").unwrap(), HeaderValue::from_bytes("café \u{9b}".as_bytes()).unwrap())];
        let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::from_static(body));
        let command = curl::command(url.as_str(), &delivery, None, &[], &Redaction::new(&[], []), |_| false);
        assert!(command.chars().all(|c| c == '\n' || !c.is_control()), "{command}");
        run(&command, "", folder.path());
        let request = &target.requests()[index];
        assert_eq!(&request.body, body, "{command}");
        let names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Host", "X-Odd", "Content-Length"], "curl adds nothing else");
    }
}

#[test]
fn connection_flags_become_curls_flags() {
    let certificates = Certificates::new();
    let target = Target::with_tls(&[OK], certificates.server(true));
    let [ca, cert, key] = ["ca.pem", "client.pem", "client.key"].map(|name| certificates.path(name));
    let flags = ["success", "--cacert", &ca, "--cert", &cert, "--key", &key, "--curl"];
    let shown = send(&target, &flags).exits(0).stdout;
    run(&shown, "", &std::env::temp_dir());
    let proxied = send(&target, &["success", "-k", "--proxy", "http://me:pass@localhost:1", "--curl"]).exits(0).stdout;
    assert!(proxied.contains("--insecure") && proxied.contains("--proxy http://localhost:1/"), "{proxied}");
    assert!(proxied.contains("--proxy-user \"$HOOKCTL_PROXY_USER\"") && !proxied.contains("pass"), "{proxied}");
}

#[test]
fn curl_with_json_prints_lines_and_excludes_dry_run() {
    let target = Target::start(&[OK]);
    let data = send(&target, &["success", "failed", "--curl", "--json"]).exits(0).json();
    assert_eq!(data.len(), 2);
    for line in data {
        assert_eq!(line["type"], "curl");
        run(line["command"].as_str().unwrap(), "", &std::env::temp_dir());
    }
    assert_eq!(target.requests().len(), 2);
    send(&target, &["success", "--curl", "--dry-run"]).exits(2).says("cannot be used with");
}
