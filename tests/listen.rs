//! `hookctl listen`: what it answers, says and writes down of a delivery.

mod answers;
mod durable;
mod encoded;
mod ends;
mod expect;
mod forward;
mod journal;
mod lifecycle;
mod limits;
mod outputs;
mod soak;
mod start;
#[cfg(target_os = "linux")]
mod synced;
mod tls;
mod tunnel;
mod wire;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::sign::hmac_hex;

pub const HOOKCTL: &str = env!("CARGO_BIN_EXE_hookctl");

/// Words that stand nowhere else, so that a leak can be searched for.
pub const SECRET: &str = "correct-horse-battery-staple";

const BODY: &[u8] = br#"{"id":"p-1","status":"success","output":"https://example.com/o.png","input":{"prompt":"x"}}"#;

/// The status of a raw answer.
#[track_caller]
pub fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no HTTP answer: {answer:?}"))
}

/// The body of a raw answer as JSON.
#[track_caller]
fn content(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer with a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Unix seconds so long ago, as a header has them.
fn ago(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set").as_secs();
    (now.cast_signed() - seconds).to_string()
}

/// The headers of `eachlabs-timestamped`, signed so many seconds ago.
fn stamped(seconds: i64) -> Vec<(&'static str, String)> {
    let time = ago(seconds);
    let signed = [time.as_bytes(), b".", BODY].concat();
    let signature = format!("sha256={}", hmac_hex(SECRET, &signed));
    vec![("x-webhook-signature", signature), ("x-webhook-timestamp", time)]
}

fn header(name: &'static str, value: impl Into<String>) -> Vec<(&'static str, String)> {
    vec![(name, value.into())]
}

/// What a listener started with these arguments answers to one delivery, and what it says of it.
fn judged(arguments: &[&str], headers: &[(&'static str, String)]) -> (String, Value) {
    let mut listener = Listener::start(arguments);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = listener.post("/hook", &headers, BODY);
    (answer, listener.next())
}

#[test]
fn a_signature_that_holds_is_named_and_answered_200() {
    let own = hmac_hex(SECRET, BODY);
    let cases = [
        ("auto", header("x-webhook-signature", &own), "verified eachlabs"),
        ("auto", header("X-WEBHOOK-SIGNATURE", format!("sha256={own}")), "verified eachlabs"),
        ("auto", stamped(10), "verified eachlabs-timestamped"),
        ("auto", header("x-hub-signature-256", format!("sha256={own}")), "verified github"),
        ("auto", header("authorization", format!("Bearer {SECRET}")), "authenticated bearer"),
        ("auto", header("x-webhook-secret", SECRET), "authenticated shared-secret"),
        ("github", header("x-hub-signature-256", format!("sha256={own}")), "verified github"),
        ("shared-secret", header("x-webhook-secret", SECRET), "authenticated shared-secret"),
    ];
    for (scheme, headers, expected) in cases {
        let (answer, record) = judged(&["--secret", SECRET, "--scheme", scheme], &headers);
        let (verdict, name) = expected.split_once(' ').unwrap();
        let wanted = json!({"verdict": verdict, "scheme": name, "secret": "main"});
        assert_eq!(record["signature"], wanted, "{headers:?}");
        assert_eq!((status(&answer), content(&answer)), (200, json!({"received": true})), "{headers:?}");
        assert_eq!(record["answer"]["status"], 200);
        assert_eq!(record["answer"]["by"], "script");
    }
}

#[test]
fn a_signature_that_does_not_hold_is_answered_401_and_explained() {
    let own = hmac_hex(SECRET, BODY);
    let others = hmac_hex("another secret", BODY);
    let weak_and_wrong = [header("x-webhook-secret", SECRET), header("x-webhook-signature", &others)].concat();
    let cases: [(&[&str], _, _); 14] = [
        (&[], header("x-webhook-signature", &others), "wrong_secret"),
        (&[], header("x-webhook-signature", hmac_hex(SECRET, b"another body")), "wrong_secret"),
        (&[], vec![], "missing_signature"),
        (&[], header("x-webhook-signature", "nonsense!"), "malformed_signature"),
        (&[], header("x-webhook-signature", ""), "malformed_signature"),
        (&[], stamped(600), "timestamp_expired"),
        (&[], stamped(-600), "timestamp_in_future"),
        (&["--tolerance", "1s"], stamped(60), "timestamp_expired"),
        (&[], header("authorization", "Bearer wrong"), "wrong_secret"),
        // The sender must not choose how it is checked: not a weaker scheme beside a broken stronger one,
        (&[], weak_and_wrong, "wrong_secret"),
        // and not another than the one that the user named.
        (&["--scheme", "github"], header("x-webhook-secret", SECRET), "missing_signature"),
        (&["--scheme", "github"], header("authorization", format!("Bearer {SECRET}")), "missing_signature"),
        (&["--scheme", "github"], header("x-webhook-signature", &own), "wrong_scheme"),
        (&["--scheme", "eachlabs-timestamped"], header("x-webhook-signature", &own), "wrong_scheme"),
    ];
    for (arguments, headers, reason) in cases {
        let (answer, record) = judged(&[&["--secret", SECRET], arguments].concat(), &headers);
        let signature = &record["signature"];
        assert_eq!((&signature["verdict"], &signature["reason"]), (&json!("invalid"), &json!(reason)), "{headers:?}");
        assert!(signature["hint"].as_str().unwrap().len() > 10, "{signature}");
        assert_eq!(status(&answer), 401, "{headers:?}");
        // The reason is the listener's to know: a real handler tells a forger nothing either.
        assert_eq!(content(&answer), json!({"error": "invalid signature"}));
        assert_eq!((&record["answer"]["status"], &record["answer"]["by"]), (&json!(401), &json!("refused")));
    }
}

#[test]
fn what_went_wrong_between_signing_and_sending_is_named() {
    let signature = |signed: &[u8]| header("x-webhook-signature", hmac_hex(SECRET, signed));
    let spaced = String::from_utf8_lossy(BODY).replace("\":", "\": ").replace(",\"", ", \"");
    let time = ago(0);
    let stamp = |signature: String| vec![("x-webhook-signature", signature), ("x-webhook-timestamp", time.clone())];
    let over_both = hmac_hex(SECRET, &[time.as_bytes(), b".", BODY].concat());
    let cases = [
        (signature(spaced.as_bytes()), "body_reserialized", "spaced as Python writes it"),
        (signature(&[BODY, b"\n"].concat()), "body_newline", "ends in a newline"),
        (header("x-webhook-signature", hmac_hex(&format!("{SECRET}\n"), BODY)), "secret_whitespace", "newline"),
        (header("x-webhook-signature", hmac_hex(SECRET, BODY).to_uppercase()), "wrong_encoding", "upper-case hex"),
        (header("x-hub-signature", hmac_hex(SECRET, BODY)), "missing_signature", "did you mean x-hub-signature-256?"),
        (stamp(format!("sha256={}", hmac_hex(SECRET, BODY))), "timestamp_not_signed", "timestamp.body"),
        (stamp(over_both.clone()), "malformed_signature", "sha256="),
        (header("x-webhook-signature", format!("sha256={over_both}")), "missing_signature", "x-webhook-timestamp"),
    ];
    for (headers, reason, hint) in cases {
        let (answer, record) = judged(&["--secret", SECRET], &headers);
        let signature = &record["signature"];
        assert_eq!((status(&answer), &signature["reason"]), (401, &json!(reason)), "{signature}");
        assert!(signature["hint"].as_str().unwrap().contains(hint), "{signature}");
        // An acknowledged one is explained as well.
        let (answer, record) = judged(&["--secret", SECRET, "--allow-invalid"], &headers);
        assert_eq!((status(&answer), &record["signature"]["reason"]), (200, &json!(reason)), "{record}");
    }
}

#[test]
fn a_scheme_of_ones_own_is_spelled_out() {
    let own = "hmac-sha256:header=X-Sig,encoding=base64,prefix=v1:";
    let insist = ["listen", "--port", "0", "--secret", SECRET, "--require-valid", "--count", "1"];
    let cases = [(["--scheme", own], "wrong_scheme"), (["--signature-header", "X-My-Signature"], "missing_signature")];
    for (flags, reason) in &cases {
        let child = [HOOKCTL, "send", "success", "--retry", "none"];
        let run = [&insist[..], &flags[..], &["--"], &child, flags].concat();
        hookctl(run).exits(0);
        // The same secret in the provider's own header is not what was asked for.
        let run = [&insist[..], &flags[..], &["--"], &child, &["--expect-status", "401"]].concat();
        hookctl(run).exits(5).prints(reason);
    }
}

#[test]
fn the_tolerance_replaces_the_schemes_own() {
    let (answer, record) = judged(&["--secret", SECRET, "--tolerance", "1h"], &stamped(600));
    assert_eq!((status(&answer), &record["signature"]["verdict"]), (200, &json!("verified")));
}

#[test]
fn allow_invalid_answers_as_usual_and_still_says_invalid() {
    let cases = [(header("x-webhook-signature", "00"), "wrong_secret"), (vec![], "missing_signature")];
    for (headers, reason) in cases {
        let (answer, record) = judged(&["--secret", SECRET, "--allow-invalid"], &headers);
        assert_eq!(content(&answer), json!({"received": true}));
        assert_eq!((status(&answer), &record["answer"]["status"]), (200, &json!(200)));
        assert_eq!(record["signature"]["verdict"], "invalid");
        assert!(!record["signature"]["hint"].as_str().unwrap().is_empty(), "{reason}");
    }
}

#[test]
fn without_a_secret_nothing_is_refused() {
    let cases = [
        (vec![], "unsigned"),
        (header("x-webhook-signature", "nonsense!"), "unchecked"),
        (header("x-webhook-secret", "whatever"), "unchecked"),
    ];
    for (headers, verdict) in cases {
        let (answer, record) = judged(&[], &headers);
        assert_eq!((status(&answer), &record["signature"]), (200, &json!({"verdict": verdict})), "{headers:?}");
    }
}

#[test]
fn any_of_several_secrets_may_match_and_the_one_that_did_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "from-the-file\n").unwrap();
    let new = format!("new=@{}", file.display());
    let cases = [("from-the-variable", "old"), ("from-the-file", "new"), ("plain", "secret-3")];
    for (secret, label) in cases {
        let listen = ["listen", "--port", "0", "--json", "--secret", "old=env:OLD", "--secret", &new, "-s", "plain"];
        let send = ["--", HOOKCTL, "send", "success", "--secret", secret];
        let run = hookctl(listen.iter().chain(&send)).env("OLD", "from-the-variable").exits(0);
        let wanted = json!({"verdict": "verified", "scheme": "eachlabs", "secret": label});
        assert_eq!(run.deliveries()[0]["signature"], wanted);
    }
}

#[test]
fn a_record_has_what_the_contract_promises() {
    let mut listener = Listener::start(&[]);
    listener.post("/hook?a=%20b&c", &[("X-One", "1"), ("Content-Type", "application/json"), ("x-one", "2")], BODY);
    let record = listener.next();
    let expected = [
        ("type", json!("delivery")),
        ("v", json!(1)),
        ("seq", json!(1)),
        ("direction", json!("received")),
        ("method", json!("POST")),
        ("target", json!("/hook?a=%20b&c")),
        ("http", json!("1.1")),
        ("body", json!(std::str::from_utf8(BODY).unwrap())),
        ("signature", json!({"verdict": "unsigned"})),
        ("duplicate_of", Value::Null),
        ("warnings", json!([])),
    ];
    for (field, value) in expected {
        assert_eq!(record[field], value, "{field}");
    }
    let payload = &record["payload"];
    for (field, value) in [
        ("provider", "eachlabs"),
        ("kind", "prediction"),
        ("event", "completed"),
        ("status", "succeeded"),
        ("raw_status", "success"),
        ("id", "p-1"),
        ("key", "eachlabs/p-1/completed"),
    ] {
        assert_eq!(payload[field], value, "{field}");
    }
    let headers: Vec<_> = record["headers"].as_array().unwrap().iter().filter(|pair| pair[0] == "x-one").collect();
    assert_eq!(headers, [&json!(["x-one", "1"]), &json!(["x-one", "2"])]);
    assert!(record["remote"].as_str().unwrap().starts_with("127.0.0.1:"), "{record}");
    assert!(record["at"].as_str().unwrap().ends_with('Z'), "{record}");
    assert!(record["answer"]["ms"].as_f64().unwrap() >= 0.0, "{record}");
}

#[test]
fn a_repeat_names_the_first_of_its_kind() {
    let mut listener = Listener::start(&[]);
    let other = String::from_utf8_lossy(BODY).replace("p-1", "p-2");
    let mut records = Vec::new();
    for body in [BODY, BODY, other.as_bytes(), BODY] {
        assert_eq!(status(&listener.post("/", &[], body)), 200);
        records.push(listener.next());
    }
    let first = &records[0]["id"];
    let repeats: Vec<_> = records.iter().map(|record| &record["duplicate_of"]).collect();
    assert_eq!(repeats, [&Value::Null, first, &Value::Null, first]);
    assert_ne!(records[1]["id"], *first, "every record has an id of its own");
}

#[test]
fn progress_of_one_prediction_is_no_repeat() {
    let mut listener = Listener::start(&[]);
    let progress =
        |output: &str| format!(r#"{{"id":"c-1","logs":"","metrics":{{}},"output":[{output}],"status":"processing"}}"#);
    let mut repeats = Vec::new();
    for output in ["\"a\"", "\"a\",\"b\"", "\"a\""] {
        listener.post("/", &[], progress(output).as_bytes());
        let record = listener.next();
        let payload = &record["payload"];
        assert_eq!((&payload["provider"], &payload["event"]), (&json!("cog"), &json!("output")));
        repeats.push(!record["duplicate_of"].is_null());
    }
    assert_eq!(repeats, [false, false, true], "the same body once more is one");
}

#[test]
fn a_secret_shows_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let record = journal.to_str().unwrap();
    let headers = [
        ("authorization", format!("Bearer {SECRET}")),
        ("x-webhook-secret", SECRET.to_owned()),
        ("cookie", format!("session={SECRET}")),
        ("proxy-authorization", format!("Basic {SECRET}")),
    ];
    for verbosity in ["-v", "--color=auto"] {
        let mut listener = Listener::start(&["--secret", SECRET, "--record", record, verbosity]);
        let mut said = Vec::new();
        for (name, value) in &headers {
            listener.post("/", &[(name, value)], BODY);
            said.push(listener.next_line());
        }
        for (line, (name, _)) in said.iter().zip(&headers) {
            let pair = json!([name, "<redacted>"]).to_string();
            assert!(line.contains(&pair), "no {pair} in {line}");
        }
        listener.signal("INT");
        let (_, stdout, stderr) = listener.wait();
        let written = std::fs::read_to_string(&journal).unwrap();
        for (place, text) in [("stream", said.concat()), ("rest", stdout), ("stderr", stderr), ("journal", written)] {
            assert!(!text.contains(SECRET), "the secret is in the {place}: {text}");
        }
    }
}

#[test]
fn record_secrets_keeps_them() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let mut listener =
        Listener::start(&["--secret", SECRET, "--record-secrets", "--record", journal.to_str().unwrap()]);
    listener.post("/", &[("x-webhook-secret", SECRET)], BODY);
    let line = listener.next_line();
    assert!(line.contains(&json!(["x-webhook-secret", SECRET]).to_string()), "{line}");
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), format!("{line}\n"));
}
