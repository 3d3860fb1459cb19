//! The output of `send`: JSON Lines, the journal, and the dry run.

use std::fs;

use serde_json::Value;

use super::{names, send};
use crate::support::listener::Listener;
use crate::support::program::{Finished, hookctl};
use crate::support::sign::hmac_hex;
use crate::support::target::{Answer, OK, Target};

const ERROR: Answer = Answer::Status(500, "", "first line\nsecond line");

#[test]
fn the_journal_and_the_json_output_have_the_same_line_for_every_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("sent.jsonl");
    let target = Target::start(&[ERROR, OK, OK]);
    let arguments = ["success", "failed", "--secret", "s3cret", "--speed", "1000000", "--json", "--record"];
    let finished = send(&target, &[&arguments, &[journal.to_str().unwrap()][..]].concat()).exits(0);
    let kept = fs::read_to_string(&journal).unwrap();
    let printed: Vec<_> = finished.stdout.lines().filter(|line| line.contains(r#""type":"delivery""#)).collect();
    assert_eq!(kept.lines().collect::<Vec<_>>(), printed);

    let lines: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tries: Vec<_> = lines.iter().map(|line| (line["seq"].as_u64(), line["attempt"].as_u64())).collect();
    assert_eq!(tries, [(Some(1), Some(1)), (Some(2), Some(2)), (Some(3), Some(1))]);
    for (line, request) in lines.iter().zip(target.requests()) {
        assert_eq!((&line["direction"], &line["of"]), (&Value::from("sent"), &Value::from(4)));
        assert_eq!((&line["url"], &line["target"]), (&Value::from(target.url.as_str()), &Value::from("/hook")));
        assert_eq!(line["body"].as_str().unwrap().as_bytes(), request.body);
        assert_eq!(line["signature"]["verdict"], "verified");
        let headers: Vec<(String, String)> = serde_json::from_value(line["headers"].clone()).unwrap();
        assert_eq!(headers, request.headers);
    }
    assert_eq!((&lines[0]["answer"]["status"], &lines[0]["answer"]["line"]), (&500.into(), &"first line".into()));
}

#[test]
fn the_journal_is_appended_to_and_inspect_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("sent.jsonl");
    let journal = journal.to_str().unwrap();
    let target = Target::start(&[OK]);
    for source in ["success", "cog/coglet/succeeded"] {
        send(&target, &[source, "--secret", "s3cret", "--record", journal]).exits(0);
    }
    let kept = fs::read_to_string(journal).unwrap();
    assert_eq!(kept.lines().count(), 2);
    // A bearer token is a credential by itself.
    assert!(kept.contains("<redacted>") && !kept.contains("s3cret"), "{kept}");
    assert_eq!(hookctl(["inspect", journal, "--json"]).exits(0).stdout, kept);
    send(&target, &["cog/coglet/succeeded", "--secret", "s3cret", "--record-secrets", "--record", journal]).exits(0);
    assert!(fs::read_to_string(journal).unwrap().contains("Bearer s3cret"));
}

#[test]
fn the_json_output_has_every_wait_and_ends_with_a_summary() {
    let target = Target::start(&[ERROR]);
    let finished = send(&target, &["failed", "--speed", "100000", "--json", "-v"]).exits(6);
    let lines = finished.json();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let round = ["delivery", "attempt"];
    assert_eq!(types, [&round[..], &round, &round, &["delivery", "summary"]].concat());
    for (line, (retry, waits)) in lines.iter().skip(1).step_by(2).zip([(1, 30e3), (2, 120e3), (3, 600e3)]) {
        assert_eq!((&line["retry"], &line["of"]), (&retry.into(), &3.into()), "{line}");
        assert_eq!(line["provider_waits_ms"], waits, "{line}");
        let wait = line["wait_ms"].as_f64().unwrap();
        assert!((wait - waits / 100_000.0).abs() < 1e-6, "{line}");
        assert_eq!(line["subject"], "abc123-def456-ghi789");
    }
    let summary = lines.last().unwrap();
    let counts = ["deliveries", "acknowledged", "expected", "attempts"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [1, 0, 0, 4], "{summary}");
}

#[test]
fn a_retry_shows_the_providers_wait_and_the_result() {
    let target = Target::start(&[ERROR, OK]);
    let finished = send(&target, &["failed", "--speed", "1000"]).exits(0);
    let finished = finished.prints("1/4").prints("500 in").prints("first line").prints("2/4").prints("200 in");
    finished.says("retry 1 of 3").says("each::labs waits 30 s").says("sent 1 delivery in 2 attempts: 1 acknowledged");
}

#[test]
fn quiet_prints_the_results_only() {
    let target = Target::start(&[ERROR, OK]);
    let finished = send(&target, &["failed", "--speed", "100000", "--quiet"]).exits(0).prints("1/4").prints("2/4");
    assert_eq!(finished.stderr, "");
}

/// The request line, headers and body that a dry run prints.
fn shown(finished: &Finished) -> (String, Vec<(String, String)>, String) {
    let (head, body) = finished.stdout.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let request = lines.next().unwrap().to_owned();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (request, headers, body.trim_end().to_owned())
}

#[test]
fn a_dry_run_prints_the_exact_request_and_sends_nothing() {
    for source in ["success", "cog/coglet/succeeded", "cog/python/succeeded", "modelslab/success"] {
        let target = Target::start(&[OK]);
        let arguments = [source, "--scheme", "eachlabs", "--secret", "s3cret", "-H", "x-extra: 1", "--set", "more=2"];
        let text = send(&target, &[&arguments[..], &["--dry-run"]].concat()).exits(0);
        let data = send(&target, &[&arguments[..], &["--dry-run", "--json"]].concat()).exits(0);
        assert!(target.requests().is_empty(), "{source}: something was sent");
        send(&target, &arguments).exits(0);
        let request = target.requests().remove(0);
        let body = String::from_utf8(request.body.clone()).unwrap();

        let sent = request.headers.clone();
        let (line, headers, shown_body) = shown(&text);
        assert_eq!((line, headers), (request.line.clone(), sent.clone()), "{source}");
        assert_eq!(shown_body, body, "{source}");
        let record = &data.json()[0];
        let headers: Vec<(String, String)> = serde_json::from_value(record["headers"].clone()).unwrap();
        assert_eq!((headers, record["body"].as_str()), (sent, Some(&*body)), "{source}");
        for output in [&text, &data] {
            assert!(!format!("{output:?}").contains("s3cret"), "{output:?}");
        }
    }
}

#[test]
fn a_dry_run_prints_the_signed_bytes() {
    let body = "{\"id\":\"a\",\"status\":\"success\"}\t\n";
    let run = |scheme: &str, secret: &str| {
        let run = ["send", "-", "--dry-run", "--to", "1", "--scheme", scheme, "--secret", secret];
        hookctl(run).stdin(body).exits(0)
    };
    let signature = hmac_hex("s3cr3t-token", body.as_bytes());
    let shown = r#"{"id":"a","status":"success"}\t\n"#;
    let finished = run("eachlabs", "s3cr3t-token");
    let finished = finished.says("signed   31 bytes: ").says(shown).says(&format!("expected {signature}"));
    assert!(finished.stdout.ends_with(&format!("\n\n{body}\n")), "the request alone: {finished:#?}");
    let stamped = run("standard-webhooks", "c2VjcmV0").says("signed   ").says("msg_").says(shown);
    let id = stamped.stdout.split("webhook-id: ").nth(1).unwrap().lines().next().unwrap();
    assert!(stamped.stderr.contains(&format!("{id}.")), "{stamped:#?}");
    let bearer = run("bearer", "s3cr3t-token").says("scheme   bearer");
    assert!(!format!("{bearer:?}").contains("s3cr3t-token") && !bearer.stderr.contains("signed "), "{bearer:#?}");
    // One trace for each scheme of the third generation.
    let both = hookctl(["send", "eachlabs/c/succeeded", "--dry-run", "--to", "1", "--secret", "s3cr3t-token"]).exits(0);
    both.says("scheme   eachlabs-timestamped").says("scheme   shared-secret");
}

#[test]
fn a_dry_run_needs_no_receiver_and_prints_no_secret() {
    // A documentation address (RFC 5737), which nothing answers.
    let to = ["--to", "http://192.0.2.1/hook", "--dry-run"];
    for (scheme, header) in [("bearer", "authorization"), ("shared-secret", "x-webhook-secret")] {
        let run = ["send", "success", "--secret", "s3cret", "--scheme", scheme].into_iter().chain(to);
        for output in [hookctl(run.clone()).exits(0), hookctl(run.chain(["--json", "-v"])).exits(0)] {
            assert!(output.stdout.contains("<redacted>") && output.stdout.contains(header), "{output:#?}");
            assert!(!format!("{output:?}").contains("s3cret"), "{output:#?}");
        }
    }
    let several = hookctl(["send", "success", "failed", "--json"].into_iter().chain(to)).exits(0);
    assert_eq!(several.deliveries().len(), 2);
}

#[test]
fn no_output_contains_the_secret() {
    let target = Target::start(&[ERROR, OK]);
    for scheme in ["eachlabs", "bearer", "shared-secret", "standard-webhooks"] {
        let arguments = ["success", "--scheme", scheme, "--secret", "c2VjcmV0", "--speed", "1000000", "-v"];
        for output in [send(&target, &arguments).run(), send(&target, &[&arguments[..], &["--json"]].concat()).run()] {
            assert_eq!(output.code, Some(0), "{output:#?}");
            assert!(!format!("{output:?}").contains("c2VjcmV0"), "{scheme}: {output:#?}");
        }
    }
    assert!(names(&target.requests()[0]).contains(&"x-webhook-signature".to_owned()));
}

#[test]
fn sender_and_listener_name_the_same_scheme() {
    // OpenAI treats a secret without whsec_ as text, Standard Webhooks as base64; the headers are the same.
    for secret in ["sk-plain", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"] {
        let mut listener = Listener::start(&["--secret", secret]);
        hookctl(["send", "openai/completed", "-s", secret, "--to", &listener.url]).exits(0).prints("signed openai");
        let record = listener.next();
        assert_eq!(
            (&record["signature"]["verdict"], &record["signature"]["scheme"]),
            (&"verified".into(), &"openai".into())
        );
    }
}

#[test]
fn a_secret_in_url_header_or_response_is_redacted() {
    let target = Target::start(&[Answer::By(|requests| {
        (500, format!("you sent {}", requests.last().unwrap().header("x-tok").unwrap_or_default()))
    })]);
    let folder = tempfile::tempdir().unwrap();
    for (scheme, secret) in [("shared-secret", "supersecretvalue"), ("bearer", "short7x")] {
        let journal = folder.path().join(scheme);
        let to = format!("{}?token={secret}", target.url);
        let run = ["send", "success", "--to", &to, "-s", secret, "--scheme", scheme, "--signature-header", "X-Tok"];
        for further in [&["--dry-run"][..], &["--retry", "none", "-v", "--record", journal.to_str().unwrap()]] {
            for format in [&[][..], &["--json"]] {
                let output = hookctl(run.iter().chain(further).chain(format)).run();
                let text = format!("{output:?}");
                assert!(text.contains("redacted") && !text.contains(secret), "{output:#?}");
            }
        }
        assert!(!fs::read_to_string(journal).unwrap().contains(secret));
        let tampered = hookctl(run.iter().chain(&["--tamper", "signature", "--dry-run"])).exits(0);
        assert!(!tampered.stdout.contains(&secret[..4]), "{tampered:#?}");
    }
    assert!(target.requests()[0].head.contains("supersecretvalue"), "the request itself has the secret");
}
