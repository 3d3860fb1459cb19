//! Webhook handlers written with FastAPI, under `send --drill` and behind `listen --forward-to`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::SECRET;
use super::peers::installed;
use crate::support::listener::Listener;
use crate::support::program::{Watchdog, hookctl};
use crate::support::repository;
use crate::support::sign::hmac_hex;

/// A handler of `peers/handler.py`. Killed on drop.
struct Handler {
    url: String,
    child: Child,
    _watchdog: Watchdog,
}

impl Handler {
    fn start(which: &str) -> Self {
        let mut command = installed("python");
        command.arg(repository("tests/interop/peers/handler.py")).args([which, SECRET]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the handler starts: tests/interop/peers/install.sh");
        let watchdog = Watchdog::over(child.id());
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}/webhooks/prediction", port.trim());
        Handler { url, child, _watchdog: watchdog }
    }

    /// The drill's cases with this verdict.
    fn drill(&self, code: i32, verdict: &str) -> Vec<String> {
        let run = ["send", "success", "--drill", "--secret", SECRET, "--to", &self.url, "--json"];
        let lines = hookctl(run).exits(code).json();
        let cases = lines.iter().filter(|line| line["type"] == "drill" && line["verdict"] == verdict);
        cases.map(|line| line["case"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        // Fails if the process has exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn a_good_handler_passes_every_case_that_applies() {
    let passed = Handler::start("good").drill(0, "passed");
    // each::labs sends one event per prediction, and its first generation signs no time stamp.
    let expected = [
        "good",
        "duplicate",
        "concurrent duplicates",
        "tampered body",
        "tampered signature",
        "wrong secret",
        "missing signature",
        "malformed signature",
        "wrong content type",
        "empty body",
        "not JSON",
        "1 MiB body",
        "unknown status",
    ];
    assert_eq!(passed, expected);
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn a_handler_that_verifies_the_reserialised_body_accepts_nothing() {
    let failed = Handler::start("reserialising").drill(4, "failed");
    // The refused forgeries are skipped: the good delivery was refused with the same status.
    assert_eq!(failed, ["good", "empty body", "not JSON"]);
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn a_careless_handler_fails_the_cases_of_its_mistakes() {
    let failed = Handler::start("careless").drill(4, "failed");
    assert_eq!(failed, ["duplicate", "concurrent duplicates", "empty body", "not JSON", "unknown status"]);
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn a_forwarded_delivery_verifies_in_the_handler() {
    let handler = Handler::start("good");
    let mut listener = Listener::start(&["--secret", SECRET, "--forward-to", &handler.url, "--allow-invalid"]);
    for (body, duplicate) in [("{ \"id\": \"ä\",\r\n\"status\":\"success\"}\n", false), ("{\"id\":\"\\u00e4\"}", true)]
    {
        let signature = hmac_hex(SECRET, body.as_bytes());
        let headers = [("content-type", "application/json"), ("x-webhook-signature", &*signature)];
        let answer = listener.post("/anywhere", &headers, body.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let (_, content) = answer.split_once("\r\n\r\n").unwrap();
        let content: Value = serde_json::from_str(content).unwrap();
        assert_eq!(content, json!({"received": true, "duplicate": duplicate}));
        let record = listener.next();
        assert_eq!((&record["signature"]["verdict"], &record["answer"]["by"]), (&json!("verified"), &json!("forward")));
        let forged = listener.post("/anywhere", &headers, format!("{body} ").as_bytes());
        assert!(forged.starts_with("HTTP/1.1 401"), "the handler's own status: {forged}");
        assert_eq!(listener.next()["answer"]["by"], "forward");
    }
}
