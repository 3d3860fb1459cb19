//! Real receivers, senders and tools. Ignored by a plain `cargo test`, which needs nothing but Rust; `.ci/run` runs these
//! tests.

mod cog;
mod examples;
mod handler;
mod libraries;
mod page;
mod peers;
mod senders;
mod shells;
mod tunnels;
mod walk;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::repository;
use crate::support::target::{Answer, OK, Request, Target};

/// Runs another program. Returns its standard output.
fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S], stdin: &[u8]) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    run_with(command, stdin)
}

/// Runs a command. Returns its standard output.
fn run_with(mut command: Command, stdin: &[u8]) -> String {
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// PATH: these folders, the folder of the program under test, then the programs that install.sh has installed.
fn path_with_hookctl(first: &[&Path]) -> OsString {
    let us = Path::new(env!("CARGO_BIN_EXE_hookctl")).parent().unwrap();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let peers = repository("target/peers/venv/bin");
    let folders = first.iter().copied().chain([us, &*peers]).map(Path::to_owned);
    std::env::join_paths(folders.chain(std::env::split_paths(&rest))).unwrap()
}

/// Bodies beyond one line of ASCII.
const BODIES: [&str; 5] = [
    r#"{"id":"a","status":"success","output":"u","input":{}}"#,
    "{ \"id\": \"a\",\r\n\t\"status\": \"failed\" }\r\n",
    r#"{"prompt":"Ein Café 🦀","escaped":"\u00e9"}"#,
    "[]",
    "{\"n\":1.50,\"big\":12345678901234567890123}\n\n",
];

const SECRET: &str = "s3cret with spaces, ü and 'quotes'";

/// The request that `send` makes of a body.
fn sent(body: &str, arguments: &[&str]) -> Request {
    let target = Target::start(&[OK]);
    let run = ["send", "-", "--to", &target.url].into_iter().chain(arguments.iter().copied());
    hookctl(run).stdin(body).exits(0);
    target.requests().remove(0)
}

/// The result of each::labs' own `verify_webhook`.
fn eachlabs_verifies(body: &[u8], signature: &str, secret: &str) -> String {
    const ASK: &str = "import sys; sys.path.insert(0, sys.argv[1]); \
                       from eachlabs_verify_webhook import verify_webhook; \
                       print(verify_webhook(sys.stdin.buffer.read(), sys.argv[2], sys.argv[3]))";
    let data = repository("tests/data");
    run("python3", &["-c", ASK, data.to_str().unwrap(), signature, secret], body)
}

#[test]
#[ignore = "needs python3 and openssl"]
fn eachlabs_own_code_verifies_the_deliveries_of_send() {
    for body in BODIES {
        let request = sent(body, &["--scheme", "eachlabs", "--secret", SECRET]);
        let signature = request.header("x-webhook-signature").unwrap();
        assert_eq!(request.body, body.as_bytes());
        assert_eq!(eachlabs_verifies(&request.body, signature, SECRET), "True", "{body}");
        assert_eq!(eachlabs_verifies(&[&request.body[..], b" "].concat(), signature, SECRET), "False", "{body}");
        assert_eq!(eachlabs_verifies(&request.body, signature, "another"), "False", "{body}");
    }
}

#[test]
#[ignore = "needs python3 and openssl"]
fn eachlabs_own_code_verifies_the_fixtures_without_scheme() {
    // Without `--scheme`, as in the documentation.
    for fixture in ["success", "failed"] {
        let target = Target::start(&[OK]);
        hookctl(["send", fixture, "--secret", SECRET, "--to", &target.url]).exits(0);
        let request = target.requests().remove(0);
        assert_eq!(
            eachlabs_verifies(&request.body, request.header("x-webhook-signature").unwrap(), SECRET),
            "True",
            "{fixture}"
        );
    }
}

#[test]
#[ignore = "needs python3 and openssl"]
fn python_computes_the_same_standard_webhooks_signature() {
    const SIGN: &str = "import base64, hashlib, hmac, sys; \
                        key = base64.b64decode(sys.argv[1].removeprefix('whsec_')); \
                        signed = f'{sys.argv[2]}.{sys.argv[3]}.'.encode() + sys.stdin.buffer.read(); \
                        print('v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())";
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for body in BODIES {
        let request = sent(body, &["--scheme", "standard-webhooks", "--secret", KEY]);
        let header = |name: &str| request.header(name).unwrap();
        let arguments = ["-c", SIGN, KEY, header("webhook-id"), header("webhook-timestamp")];
        assert_eq!(run("python3", &arguments, &request.body), header("webhook-signature"), "{body}");
    }
}

/// `openssl dgst -sha256 -hmac SECRET`, without the prefix `SHA2-256(stdin)= `, which differs between versions.
fn openssl_hmac(secret: &str, body: &str) -> String {
    let said = run("openssl", &["dgst", "-sha256", "-hmac", secret], body.as_bytes());
    said.rsplit("= ").next().unwrap().to_owned()
}

#[test]
#[ignore = "needs python3 and openssl"]
fn listen_verifies_what_openssl_signs() {
    let mut listener = Listener::start(&["--secret", SECRET]);
    for body in BODIES {
        let hex = openssl_hmac(SECRET, body);
        let prefixed = format!("sha256={hex}");
        let cases =
            [("x-webhook-signature", &hex), ("x-webhook-signature", &prefixed), ("x-hub-signature-256", &prefixed)];
        for (name, value) in cases {
            let answer = listener.post("/", &[("content-type", "application/json"), (name, value)], body.as_bytes());
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            let record = listener.next();
            assert_eq!((&record["signature"]["verdict"], record["body"].as_str()), (&"verified".into(), Some(body)));
        }
        let forged = openssl_hmac("another", body);
        let answer = listener.post("/", &[("x-webhook-signature", &forged)], body.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert_eq!(listener.next()["signature"]["reason"], "wrong_secret");
    }
}

#[test]
#[ignore = "needs python3 and openssl"]
fn openssl_computes_what_send_signs() {
    for body in BODIES {
        for (scheme, name, prefix) in
            [("eachlabs", "x-webhook-signature", ""), ("github", "x-hub-signature-256", "sha256=")]
        {
            let request = sent(body, &["--scheme", scheme, "--secret", SECRET]);
            let expected = format!("{prefix}{}", openssl_hmac(SECRET, body));
            assert_eq!(request.header(name), Some(&*expected), "{scheme} {body}");
        }
        let request = sent(body, &["--scheme", "eachlabs-timestamped", "--secret", SECRET]);
        let at = request.header("x-webhook-timestamp").unwrap();
        let expected = format!("sha256={}", openssl_hmac(SECRET, &format!("{at}.{body}")));
        assert_eq!(request.header("x-webhook-signature"), Some(&*expected), "{body}");
    }
}

/// jq's result for each line.
fn jq(filter: &str, stream: &str) -> Vec<String> {
    let each = format!("fromjson | {filter}");
    run("jq", &["-R", "-r", &each], stream.as_bytes()).lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs jq"]
fn jq_reads_what_send_streams() {
    let target = Target::start(&[Answer::Status(500, "", "caf\u{e9} \u{1b}[31m"), OK]);
    let run =
        ["send", "success", "cog/python/failed", "--secret", "s", "--speed", "1000000", "--json", "--to", &target.url];
    let stream = hookctl(run).exits(0).stdout;
    assert_eq!(jq(".type", &stream), ["delivery", "attempt", "delivery", "delivery", "summary"]);
    let attempts =
        jq("select(.type == \"delivery\") | \"\\(.attempt)/\\(.of) \\(.answer.status) \\(.payload.status)\"", &stream);
    assert_eq!(attempts, ["1/4 500 succeeded", "2/4 200 succeeded", "1/13 200 failed"]);
}

#[test]
#[ignore = "needs jq"]
fn jq_reads_what_listen_streams() {
    let listener = Listener::start(&["--count", "6", "--timeout", "1m"]);
    for body in BODIES.into_iter().map(str::as_bytes).chain([&b"\xff\x00"[..]]) {
        let answer = listener.post("/", &[("x-odd", "caf\u{e9}\t")], body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let (code, stream, _) = listener.wait();
    assert_eq!(code, Some(0));
    // `Listener::start` has read the first line, `ready`.
    assert_eq!(jq(".type", &stream), [&["delivery"; 6][..], &["summary"]].concat());
    let bodies = run("jq", &["-r", "-j", "select(.seq == 3) | .body"], stream.as_bytes());
    assert_eq!(bodies, BODIES[2]);
}
