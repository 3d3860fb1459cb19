//! Invalid input: one clear error message, the documented exit code, and no request.

use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;

use crate::support::program::{Finished, hookctl};

/// A port to which no connection may be opened.
struct Unreached(TcpListener);

impl Unreached {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Unreached(listener)
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.0.local_addr().unwrap())
    }

    /// Called after the sender has ended: a connection would be in the backlog by now.
    fn assert_unreached(&self, what: &str) {
        assert!(self.0.accept().is_err(), "{what}: something was sent");
    }
}

/// One line that begins with `error:`, and no internals.
fn assert_one_error(finished: &Finished, what: &str) {
    let errors = finished.stderr.lines().filter(|line| line.starts_with("error:")).count();
    assert_eq!(errors, 1, "{what}: {finished:#?}");
    for word in ["panicked", "RUST_BACKTRACE", "src/", "os error", "Err("] {
        assert!(!finished.stderr.contains(word), "{what}: {word} in {finished:#?}");
    }
    assert_eq!(finished.stdout, "", "{what}");
}

/// A folder with files that `send` rejects.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let record = r#"{"type":"delivery","v":1,"at":"2026-11-20T21:23:21Z","body":"{}"}"#;
    let stream = format!("{{\"type\":\"ready\",\"v\":1,\"url\":\"http://127.0.0.1:1\"}}\n{record}\n");
    let files: [(&str, &[u8]); 8] = [
        ("text.json", b"hello\n"),
        ("cut.json", b"{\"id\": \"a\", \"status\""),
        ("empty.json", b""),
        ("binary.json", b"\xff\xfe\x00"),
        ("two.json", b"{\"a\":1}\n{\"a\":2}\n"),
        ("one.jsonl", record.as_bytes()),
        ("hooks.jsonl", &[record.as_bytes(), b"\n", record.as_bytes(), b"\n"].concat()),
        ("stream.jsonl", stream.as_bytes()),
    ];
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn the_error_names_an_invalid_source_and_the_cause() {
    let folder = folder();
    let cases = [
        ("faild", 2, "\"faild\"", "did you mean failed?"),
        ("fixtures/sucess.json", 2, "fixtures/sucess.json", "did you mean success?"),
        ("cog/suceeded", 2, "cog/suceeded", "did you mean cog/succeeded?"),
        ("no-such-thing-at-all", 2, "no-such-thing-at-all", "hookctl send --help"),
        ("", 2, "no built-in payload", ""),
        ("text.json", 2, "text.json is not JSON", ""),
        ("cut.json", 2, "cut.json is not JSON", ""),
        ("empty.json", 2, "empty.json is not JSON: it is empty", ""),
        ("binary.json", 2, "binary.json is not JSON", ""),
        ("two.json", 2, "two.json is not JSON", ""),
        ("-", 2, "standard input is not JSON", ""),
        (".", 1, "cannot read .: is a directory", ""),
    ];
    let receiver = Unreached::start();
    for (source, code, cause, hint) in cases {
        // Also as the last source: the handler must not receive the sources before.
        for sources in [vec![source], vec!["success", source]] {
            let run = hookctl(["send", "--timeout", "1s", "--to", &receiver.url()].into_iter().chain(sources));
            let finished = run.current_dir(folder.path()).exits(code);
            assert_one_error(&finished, source);
            finished.says(cause).says(hint);
            receiver.assert_unreached(source);
        }
    }
}

#[test]
fn the_error_names_an_invalid_flag_and_the_cause() {
    let to = Unreached::start();
    let url = to.url();
    let cases: [(&[&str], &str); 33] = [
        (&["success", "--to", "ftp://example.com"], "ftp is not http or https"),
        (&["success", "--to", "http://"], "--to"),
        (&["success", "--to", "a b"], "--to"),
        (&["success", "--to", ""], "--to"),
        // Records would hold the password.
        (&["success", "--to", "http://user:word@127.0.0.1/"], "--to contains a user name and password"),
        (&["success", "--to", &url, "--retry", "eachlab"], "eachlabs, eachlabs-b, modelslab, modelslab-workflow, cog"),
        (&["success", "--to", &url, "--retry", "5"], "--retry"),
        (&["success", "--to", &url, "--scheme", "md5"], "eachlabs-timestamped"),
        (&["success", "--to", &url, "--speed", "0"], "greater than 0"),
        (&["success", "--to", &url, "--timeout", "30"], "a duration needs a unit"),
        (&["success", "--to", &url, "--expect-status", "9xx"], "write statuses as"),
        (&["success", "--to", &url, "-H", "nothing"], "'Name: value'"),
        (&["success", "--to", &url, "-H", "X-A: a\nb"], "--header"),
        (&["success", "--to", &url, "--set", "input.prompt"], "PATH=VALUE"),
        (&["success", "--to", &url, "--set", "a..b=1"], "a key is missing"),
        (&["success", "--to", &url, "--set", "output.*=1"], "`output.*` names several values"),
        (&["success", "--to", &url, "--unset", "a=1"], "the `=` at character 2 is no part of a path"),
        (&["success", "--to", &url, "--set", "output.url=x"], "`output` is a string"),
        (&["success", "--to", &url, "--unset", "outptu"], "there is no `outptu`"),
        (&["-", "--to", &url, "--id", "x"], "--id does not fit standard input"),
        (&["success", "--to", &url, "--secret", ""], "is empty"),
        (&["success", "--to", &url, "--secret"], "HOOKCTL_SECRET is not set"),
        (&["success", "--to", &url, "--secret", "env:NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE of the secret is not set"),
        (&["success", "--to", &url, "--secret", "not base64!", "--scheme", "standard-webhooks"], "is not base64"),
        (&["success", "--to", &url, "--secret", "a\nb", "--scheme", "bearer"], "not allowed in an HTTP header"),
        (&["success", "--to", &url, "--secret", "s", "--scheme", "kie"], "lacks the field"),
        (&["success", "--to", &url, "--no-such-flag"], "--no-such-flag"),
        (&["success", "--to", &url, "--secret", "env:"], "needs the name of a variable"),
        (&["success", "--to", &url, "--scheme", "hmac-sha256:encoding=hex"], "header= is missing"),
        (&["success", "--to", &url, "--signature-header", "a b"], "not a header name"),
        (&["success", "--to", &url, "-H", "content-length: 3"], "hookctl derives it from the body"),
        (&["success", "localhost:1", "http://localhost:1"], "did you mean --to http://localhost:1?"),
        (&["--secret", "failed", "--to", &url], "write hookctl send failed --secret"),
    ];
    for (arguments, cause) in cases {
        let finished = hookctl(["send"].iter().chain(arguments)).stdin("[1]").exits(2);
        assert_one_error(&finished, &format!("{arguments:?}"));
        assert!(!finished.stderr.contains("not base64!"), "the secret was printed: {finished:#?}");
        finished.says(cause);
        to.assert_unreached(&format!("{arguments:?}"));
    }
}

#[test]
fn a_missing_secret_file_is_a_runtime_error() {
    let to = Unreached::start();
    let finished = hookctl(["send", "success", "--to", &to.url(), "--secret", "@/no/such/file"]).exits(1);
    assert_one_error(&finished, "@FILE");
    finished.says("cannot read the secret file /no/such/file: no such file");
    to.assert_unreached("@FILE");
}

#[test]
fn a_missing_source_or_receiver_is_a_usage_error() {
    let to = Unreached::start();
    let finished = hookctl(["send", "--to", &to.url()]).exits(2);
    assert_one_error(&finished, "no source");
    finished.says("no source was given").says("success, failed").says("more from assemblyai, bfl, cog");
    let finished = hookctl(["send", "success"]).exits(2);
    assert_one_error(&finished, "no --to");
    finished.says("--to");
    to.assert_unreached("nothing");
}

#[test]
fn a_source_that_cannot_be_signed_stops_send_before_the_first_request() {
    let to = Unreached::start();
    // Kie signs a field that only the first source has.
    let run = ["send", "-", "success", "--scheme", "kie", "--secret", "s", "--timeout", "1s", "--to", &to.url()];
    let finished = hookctl(run).stdin(r#"{"taskId":"t-1","status":"success"}"#).exits(2);
    to.assert_unreached("kie");
    assert_one_error(&finished, "kie");
}
