//! Real senders: curl, Python's requests, Node's fetch and both Cog servers deliver to `listen`.

use std::process::Command;

use hookctl::send::cog::Flavor;
use serde_json::{Value, json};

use super::peers::installed;
use super::{SECRET, run_with};
use crate::support::listener::Listener;
use crate::support::repository;
use crate::support::sign::hmac_hex;

const BODY: &str = "{\"id\": \"a\", \"status\": \"success\", \"output\": \"Caf\u{e9} \u{1f980}\"}\n";

const REQUESTS: &str = "import sys, requests; url, signature, cacert = sys.argv[1:]; \
    answer = requests.post(url, data=sys.stdin.buffer.read(), verify=cacert or True, \
        headers={'content-type': 'application/json', 'x-webhook-signature': signature}); \
    print(answer.status_code, answer.text)";

const FETCH: &str = "import {readFileSync} from 'node:fs'; const [url, signature] = process.argv.slice(1); \
    const headers = {'content-type': 'application/json', 'x-webhook-signature': signature}; \
    const answer = await fetch(url, {method: 'POST', headers, body: readFileSync(0)}); \
    console.log(answer.status, await answer.text());";

/// Makes a command that posts its standard input, and prints `200 {"received":true}`.
type Sender = fn(url: &str, signature: &str, cacert: &str) -> Command;

fn curl(url: &str, signature: &str, cacert: &str, more: &[&str]) -> Command {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--data-binary", "@-", "--noproxy", "*"]);
    command.args(["-H", "content-type: application/json", "-H", &format!("x-webhook-signature: {signature}")]);
    // HTTP has no certificate to trust.
    if !cacert.is_empty() {
        command.args(["--cacert", cacert]);
    }
    command.args(more);
    command.args(["--write-out", "\\n%{http_code}", url]);
    command
}

const SENDERS: [(&str, Sender); 5] = [
    ("curl", |url, signature, cacert| curl(url, signature, cacert, &[])),
    ("curl, HTTP/1.0", |url, signature, cacert| curl(url, signature, cacert, &["--http1.0"])),
    ("curl that waits for 100 Continue", |url, signature, cacert| {
        curl(url, signature, cacert, &["-H", "expect: 100-continue", "--expect100-timeout", "60"])
    }),
    ("requests", |url, signature, cacert| {
        let mut command = installed("python");
        command.args(["-c", REQUESTS, url, signature, cacert]);
        command
    }),
    ("fetch", |url, signature, cacert| {
        let mut command = installed("node");
        command.args(["--input-type=module", "--eval", FETCH, url, signature]).env("NODE_EXTRA_CA_CERTS", cacert);
        command
    }),
];

#[test]
#[ignore = "needs curl and tests/interop/peers/install.sh"]
fn every_sender_is_verified_over_http_and_https() {
    for tls in [&[][..], &["--tls"]] {
        let mut listener = Listener::start(&[&["--secret", SECRET], tls].concat());
        let cacert = listener.ready["cacert"].as_str().unwrap_or_default().to_owned();
        for (name, sender) in SENDERS {
            let command = sender(&listener.url, &hmac_hex(SECRET, BODY.as_bytes()), &cacert);
            let said = run_with(command, BODY.as_bytes());
            assert!(said.contains("200") && said.contains(r#"{"received":true}"#), "{name}: {said}");
            let record = listener.next();
            let seen = (record["signature"]["verdict"].as_str(), record["body"].as_str());
            assert_eq!(seen, (Some("verified"), Some(BODY)), "{name} {tls:?}");
            assert_eq!(record["http"], if name.ends_with("1.0") { "1.0" } else { "1.1" }, "{name}");
        }
    }
}

#[test]
#[ignore = "needs both Cog servers: tests/interop/cog/install.sh"]
fn cog_retries_the_terminal_delivery_until_it_is_acknowledged() {
    for flavor in [Flavor::Python, Flavor::Coglet] {
        let mut listener = Listener::start(&["--respond", "503x2,200", "--count", "3", "--timeout", "50s"]);
        let run = json!({
            "provider": "cog", "id": "again", "input": {"prompt": "onion", "n": 4}, "webhook": listener.url,
            "webhook_events_filter": ["completed"], "settle": 1.5,
            "end": {"at": "100ms", "status": "succeeded", "output": "done"},
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), run.to_string()).unwrap();
        let mut record = Command::new(repository("target/cog").join(flavor.variant()).join("bin/python"));
        record.arg(repository("tests/interop/cog/record.py")).arg(file.path());
        run_with(record, b"");
        let attempts: Vec<Value> = (0..3).map(|_| listener.next()).collect();
        let bodies: Vec<_> = attempts.iter().map(|attempt| attempt["body"].as_str().unwrap()).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
        let seen = attempts.iter().map(|attempt| {
            let of = attempts.iter().position(|earlier| earlier["id"] == attempt["duplicate_of"]);
            (attempt["payload"]["status"].as_str(), attempt["answer"]["status"].as_u64(), of)
        });
        let expected = [(503, None), (503, Some(0)), (200, Some(0))];
        let expected = expected.map(|(status, of)| (Some("succeeded"), Some(status), of));
        assert_eq!(seen.collect::<Vec<_>>(), expected, "{}", flavor.variant());
        assert_eq!(listener.wait().0, Some(0));
    }
}
