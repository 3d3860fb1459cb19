//! `hookctl inspect` of one payload.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::program::{Program, Watchdog, command, hookctl};
use crate::support::repository;
use crate::support::sign::hmac_hex;
use crate::support::target::{Answer, Target};

pub mod captured;
mod export;
mod find;
mod journals;
mod reading;
mod redact;
mod sessions;
mod stats;
mod tables;
mod vectors;
mod views;

/// `hookctl inspect ARGUMENTS…`
fn inspect(arguments: &[&str]) -> Program {
    hookctl(["inspect"].iter().chain(arguments))
}

/// `provider variant kind event status/raw id key`, `-` for what is null; a star marks an inferred event.
fn line(payload: &Value) -> String {
    let word = |name: &str| payload[name].as_str().unwrap_or("-");
    let star = if payload["event_inferred"] == true { "*" } else { "" };
    let words = [word("provider"), word("variant"), word("kind"), &format!("{}{star}", word("event"))];
    format!("{} {}/{} {} {}", words.join(" "), word("status"), word("raw_status"), word("id"), word("key"))
}

#[test]
fn every_shape_is_shown_with_its_status_event_ids_and_key() {
    let cases = [
        (
            "success",
            "eachlabs A prediction completed* succeeded/success abc123-def456-ghi789 eachlabs/abc123-def456-ghi789/completed",
        ),
        (
            "failed",
            "eachlabs A prediction failed* failed/failed abc123-def456-ghi789 eachlabs/abc123-def456-ghi789/failed",
        ),
        (
            "eachlabs/c/succeeded",
            "eachlabs C prediction completed* succeeded/succeeded abc123-def456-ghi789 eachlabs/abc123-def456-ghi789/completed",
        ),
        (
            "eachlabs/b/failed-code",
            "eachlabs C prediction failed* failed/failed abc123-def456-ghi789 eachlabs/abc123-def456-ghi789/failed",
        ),
        (
            "eachlabs/workflow/completed",
            "eachlabs workflow workflow completed* succeeded/completed exec-7f3a9c21-5b1e eachlabs/exec-7f3a9c21-5b1e/completed",
        ),
        (
            "eachlabs/workflow/failed",
            "eachlabs workflow workflow failed* failed/failed exec-7f3a9c21-5b1e eachlabs/exec-7f3a9c21-5b1e/failed",
        ),
        (
            "modelslab/success",
            "modelslab generation prediction completed* succeeded/success abc123-def456 modelslab/abc123-def456/completed",
        ),
        (
            "modelslab/failed",
            "modelslab generation prediction failed* failed/failed abc123-def456 modelslab/abc123-def456/failed",
        ),
        (
            "modelslab/processing",
            "modelslab generation prediction processing* processing/processing abc123-def456 modelslab/abc123-def456/processing",
        ),
        (
            "workflow",
            "modelslab workflow workflow workflow.completed succeeded/completed exec_xyz789 modelslab/exec_xyz789/workflow.completed",
        ),
        (
            "modelslab/workflow-flat",
            "modelslab workflow-flat workflow workflow.completed succeeded/completed 12345 modelslab/12345/workflow.completed",
        ),
        (
            "cog/coglet/start",
            "cog coglet prediction start* processing/processing wjx3whax6rf4vphkegkhcvpv6a cog/wjx3whax6rf4vphkegkhcvpv6a/start",
        ),
        (
            "cog/coglet/output",
            "cog coglet prediction output* processing/processing piter-success cog/piter-success/output",
        ),
        (
            "cog/python/logs",
            "cog python prediction logs* processing/processing wjx3whax6rf4vphkegkhcvpv6a cog/wjx3whax6rf4vphkegkhcvpv6a/logs",
        ),
        (
            "cog/python/failed",
            "cog python prediction completed* failed/failed ptext-failure cog/ptext-failure/completed",
        ),
        (
            "cog/coglet/canceled",
            "cog coglet prediction completed* canceled/canceled ptext-canceled cog/ptext-canceled/completed",
        ),
    ];
    for (name, expected) in cases {
        let path = repository(&format!("fixtures/{name}.json"));
        let record = inspect(&[path.to_str().unwrap(), "--json"]).exits(0).json().remove(0);
        assert_eq!(line(&record["payload"]), expected, "{name}");
        assert_eq!(record["body"].as_str().unwrap(), fs::read_to_string(&path).unwrap(), "{name}");
        assert_eq!((&record["warnings"], &record["signature"]["verdict"]), (&Value::Array(vec![]), &"unsigned".into()));
        let text = inspect(&[path.to_str().unwrap()]).exits(0);
        assert_eq!(text.stderr, "", "{name}");
        for field in ["id", "key", "raw_status"] {
            assert!(text.stdout.contains(record["payload"][field].as_str().unwrap()), "{name}: {field} in {text:#?}");
        }
    }
}

#[test]
fn a_payload_is_explained_in_words() {
    let text = |name: &str| inspect(&["-"]).stdin(fs::read(repository(name)).unwrap()).exits(0);
    let success = text("fixtures/success.json");
    success
        .prints("each::labs: prediction, generation A")
        .prints("succeeded (sent as \"success\")")
        .prints("completed (inferred: the body does not name it)")
        .prints("eachlabs/abc123-def456-ghi789/completed (deduplicate on this)")
        .prints("the prediction succeeded")
        .prints("predict_time 12.5 s · cost $0.05")
        .prints("\n  \"status\": \"success\",\n");
    text("fixtures/failed.json").prints("the prediction failed: ").prints("Error: Model timeout after 30s");
    text("fixtures/workflow.json").prints("ModelsLab: workflow").prints("workflow_id wf_abc123");
    text("fixtures/modelslab/failed.json").prints("track_id video_001").prints("Invalid input dimensions");
    text("fixtures/cog/python/failed.json").prints("Cog: prediction").prints("Invalid input dimensions");
    text("fixtures/cog/coglet/start.json").prints("is running: more deliveries will follow");
    text("fixtures/cog/coglet/canceled.json").prints("canceled: nothing more will come");
    inspect(&["-"]).stdin("{\"hello\":1}").exits(0).prints("unknown provider");
}

#[test]
fn a_signature_of_a_generated_key_pair_verifies_with_its_public_key() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("sent.jsonl");
    let send = ["send", "success", "--scheme", "fal", "--to", "http://127.0.0.1:9", "--retry", "none", "--record"];
    let sent = hookctl(send).arg(&journal).run();
    let (_, jwks) = sent.stderr.split_once("as a JWK set: ").expect("the public half is printed");
    let keys = folder.path().join("jwks.json");
    fs::write(&keys, jwks.lines().next().unwrap()).unwrap();
    let (keys, journal) = (keys.to_str().unwrap(), journal.to_str().unwrap());
    let verified = inspect(&[journal, "--jwks", keys, "--json"]).exits(0).json();
    assert_eq!(verified[0]["signature"]["verdict"], "verified");
    assert_eq!(verified[0]["signature"]["scheme"], "fal");
    let target = Target::start(&[Answer::Status(200, "content-type: application/json\r\n", r#"{"keys":[]}"#)]);
    inspect(&[journal, "--jwks", &target.url]).exits(1).says("has no Ed25519 key");
    inspect(&[journal, "--jwks", "/no/such/file"]).exits(1).says("cannot read /no/such/file");
}

#[test]
fn the_public_key_is_served_while_sending() {
    let target = Target::start(&[Answer::Hang]);
    let arguments = ["send", "success", "--scheme", "fal", "--to", &target.url, "--serve-jwks"];
    let mut child = command().args(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let watchdog = Watchdog::over(child.id());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let served = lines.find_map(|line| Some(line.split_once("served at ")?.1.split(' ').next()?.to_owned())).unwrap();
    // Once the delivery is there, a handler would fetch the set and check the delivery by it.
    let request = loop {
        match target.requests().pop() {
            Some(request) => break request,
            None => std::thread::yield_now(),
        }
    };
    let mut arguments = vec!["-".to_owned(), "--scheme".into(), "fal".into(), "--jwks".into(), served.clone()];
    for (name, value) in request.headers.iter().filter(|(name, _)| name.starts_with("x-fal")) {
        arguments.extend(["-H".to_owned(), format!("{name}: {value}")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    inspect(&arguments).stdin(request.body.clone()).exits(0);
    inspect(&arguments).stdin([&request.body[..], b" "].concat()).exits(5);
    let elsewhere = served.replace("jwks.json", "other.json");
    inspect(&["-", "--jwks", &elsewhere]).exits(1).says("404");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(watchdog);
}

#[test]
fn without_a_key_pair_there_is_nothing_to_serve() {
    let send = ["send", "success", "--secret", "s", "--to", "http://127.0.0.1:9", "--serve-jwks"];
    hookctl(send).exits(2).says("no key pair to serve").says("whsk_");
}

#[test]
fn explain_shows_how_a_signature_is_checked() {
    let body = "{\"id\":\"a\"}\n";
    let header = format!("X-Webhook-Signature: {}", hmac_hex("s3cret", b"{\"id\":\"a\"}"));
    let given = hmac_hex("s3cret", body.as_bytes());
    let arguments = ["-", "--secret", "s3cret", "--secret", "old=env:OLD", "-H", &header, "--explain"];
    let finished = inspect(&arguments).env("OLD", "0ther").stdin(body).exits(5);
    finished
        .prints("✗ body_newline eachlabs")
        .prints("signed   11 bytes: {\"id\":\"a\"}\\n\n")
        .prints(&format!("expected {given} (main)\n"))
        .prints(&format!("expected {} (old)\n", hmac_hex("0ther", body.as_bytes())));
    // With several, the one that fits is marked; alone it needs no name.
    let header = format!("X-Webhook-Signature: {}", hmac_hex("0ther", body.as_bytes()));
    let explained = |secrets: &[&str]| {
        let arguments = [&["-", "-H", &header, "--explain"], secrets].concat();
        inspect(&arguments).env("OLD", "0ther").stdin(body).exits(0)
    };
    explained(&["-s", "s3cret", "-s", "old=env:OLD"]).prints(" (old), matches\n").prints(" (main)\n");
    explained(&["-s", "env:OLD"]).prints(&format!("expected {}, matches\n", hmac_hex("0ther", body.as_bytes())));
    explained(&[]).says("give one with --secret");
    let json = explained(&["-s", "env:OLD", "--json"]);
    json.says("--explain has no effect with --json");
}

#[test]
fn standard_input_is_read_with_a_dash_and_without_any_source() {
    for arguments in [&["-", "--json"][..], &["--json"]] {
        let record = inspect(arguments).stdin("{\"id\":\"x\"}\n").exits(0).json().remove(0);
        assert_eq!(record["body"], "{\"id\":\"x\"}\n", "{arguments:?}");
    }
}

#[test]
fn a_named_provider_overrides_detection() {
    let run =
        |arguments: &[&str]| inspect(arguments).stdin("{\"id\":\"x\",\"status\":\"done\"}").exits(0).json().remove(0);
    assert_eq!(run(&["-", "--json"])["payload"]["provider"], "generic");
    let record = run(&["-", "--json", "--provider", "modelslab"]);
    assert_eq!(record["payload"]["provider"], "modelslab");
    assert_eq!(record["warnings"][0]["code"], "unknown_status");
}

#[test]
fn headers_tell_generation_b_from_c() {
    let body = fs::read(repository("fixtures/eachlabs/b/succeeded.json")).unwrap();
    let variant = |header: &str| {
        let record = inspect(&["-", "--json", "-H", header]).stdin(body.clone()).exits(0).json().remove(0);
        record["payload"]["variant"].as_str().unwrap().to_owned()
    };
    assert_eq!(variant("X-Webhook-Secret: s"), "B");
    assert_eq!(variant("X-Webhook-Timestamp: 1789994667"), "C");
}

#[test]
fn every_warning_has_a_code_a_path_and_a_sentence() {
    let cases = [
        (
            r#"{"id":"a","status":"sucess","output":null,"input":{}}"#,
            "unknown_status",
            "status",
            "did you mean \"success\"?",
        ),
        (r#"{"id":"a","status":"success","output":null,"input":{}}"#, "success_without_output", "output", "is empty"),
        (r#"{"id":"a","status":"failed","output":null,"input":{}}"#, "failure_without_reason", "error", "has a reason"),
        (
            r#"{"exec_id":"a","flow_id":null,"status":"failed","output":[],"error":""}"#,
            "failure_without_reason",
            "",
            "has a reason",
        ),
        (r#"{"id":"a","status":"failed","track_id":"t","eta":1}"#, "failure_without_reason", "message", "has a reason"),
        (
            r#"{"status":"success","output":["u"],"generationTime":1,"id":null}"#,
            "missing_id",
            "id",
            "duplicates cannot be recognised",
        ),
        (
            r#"{"id":"YOUR_PREDICTION_ID","status":"success","output":"u","input":{}}"#,
            "placeholder_id",
            "id",
            "is a placeholder, not an id",
        ),
        (
            r#"{"id":"a","status":"success","output":"u","input":{},"metrics":[1]}"#,
            "wrong_type",
            "metrics",
            "not an object",
        ),
        (r#"{"id":"a","status":null,"output":"u","input":{}}"#, "missing_status", "status", "missing"),
        (
            r#"{"id":"a","logs":"","metrics":{},"status":"cancelled"}"#,
            "unknown_status",
            "status",
            "did you mean \"canceled\"?",
        ),
    ];
    for (body, code, path, said) in cases {
        let record = inspect(&["-", "--json"]).stdin(body).exits(0).json().remove(0);
        let [warning] = &record["warnings"].as_array().unwrap()[..] else { panic!("{body}: {record}") };
        assert_eq!(warning["code"], code, "{body}");
        assert!(path.is_empty() || warning["path"] == path, "{body}: {warning}");
        assert!(warning["message"].as_str().unwrap().contains(said), "{body}: {warning}");
        inspect(&["-"]).stdin(body).exits(0).prints(&format!("warning  {code}: "));
    }
}

#[test]
fn extra_fields_are_fine() {
    let body = r#"{"id":"a","status":"success","output":"u","input":{},"more":[1],"created_by":{"x":null}}"#;
    assert_eq!(inspect(&["-", "--json"]).stdin(body).exits(0).json()[0]["warnings"], Value::Array(vec![]));
}

#[test]
fn a_payload_that_is_not_json_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[u8], &str); 6] = [
        (b"hello", "not JSON"),
        (b"{\"id\":\"a\"", "not JSON"),
        (b"", "it is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{\"a\":1}\n{\"a\":2}\n", "not JSON"),
        (b"id=a&status=b", "not JSON"),
    ];
    for (content, cause) in cases {
        fs::write(folder.path().join("body"), content).unwrap();
        inspect(&["body"]).current_dir(folder.path()).exits(2).says("error: body is not JSON").says(cause);
        inspect(&["-"]).stdin(content).exits(2).says("error: standard input is not JSON").says(cause);
    }
}

#[test]
fn a_source_that_cannot_be_read_is_a_runtime_failure() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("hooks.jsonl");
    let finished = inspect(&[missing.to_str().unwrap()]).exits(1).says("error: cannot read ").says("no such file");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:#?}");
    inspect(&[folder.path().to_str().unwrap()]).exits(1).says("is a directory");
}

#[test]
fn a_flag_for_journals_does_not_apply_to_one_payload() {
    for flag in [["--show", "1"], ["--id", "a"], ["--status", "failed"], ["--last", "1"]] {
        let finished = inspect(&[&["-"], &flag[..]].concat()).stdin("{}").exits(2);
        assert_eq!(finished.stdout, "", "{flag:?}");
        finished.says("error: standard input is one payload").says(flag[0]);
    }
}

const BODY: &str = r#"{"id":"abc","status":"success","output":"u","input":{}}"#;

#[test]
fn a_signature_is_valid_or_its_reason_is_shown() {
    let good = hmac_hex("s3cret", BODY.as_bytes());
    let stamped = |at: i64| hmac_hex("s3cret", format!("{at}.{BODY}").as_bytes());
    let header = |value: &str| format!("X-Webhook-Signature: {value}");
    let at = "X-Webhook-Timestamp: 1790000000";
    let cases: [(Vec<String>, &str, i32, &str); 10] = [
        (vec![header(&good)], "1790000000", 0, "✓ verified eachlabs"),
        (vec![header(&format!("sha256={good}"))], "1790000000", 0, "✓ verified eachlabs"),
        (vec![header(&good.replace(&good[..2], "zz"))], "1790000000", 5, "malformed_signature"),
        (vec![header(&hmac_hex("s3cret", b"other"))], "1790000000", 5, "wrong_secret"),
        (vec![], "1790000000", 5, "missing_signature"),
        (vec![at.into()], "1790000000", 5, "missing_signature"),
        (
            vec![header(&format!("sha256={}", stamped(1_790_000_000))), at.into()],
            "1790000300",
            0,
            "eachlabs-timestamped",
        ),
        (vec![header(&format!("sha256={}", stamped(1_790_000_000))), at.into()], "1790000301", 5, "timestamp_expired"),
        (
            vec![header(&format!("sha256={}", stamped(1_790_000_000))), at.into()],
            "2026-09-21T14:08:19Z",
            5,
            "timestamp_in_future",
        ),
        (vec!["Authorization: Bearer s3cret".into()], "0", 0, "✓ authenticated bearer"),
    ];
    for (headers, now, code, said) in cases {
        let headers: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
        let arguments = [&["-", "--secret", "s3cret", "--now", now], &headers[..]].concat();
        let text = inspect(&arguments).stdin(BODY).exits(code).prints(said);
        assert!(!format!("{text:?}").contains("s3cret"), "{text:#?}");
        // Whoever reads that it does not hold reads what to change.
        assert_eq!(text.stdout.contains("\nhint "), code == 5, "{text:#?}");
        let record = inspect(&[&arguments[..], &["--json"]].concat()).stdin(BODY).exits(code).json().remove(0);
        assert_eq!(record["signature"]["verdict"] == "invalid", code == 5, "{record}");
        assert_eq!(record["signature"]["hint"].is_string(), code == 5, "{record}");
    }
}

#[test]
fn a_signature_alone_is_that_of_the_schemes_header() {
    let hex = hmac_hex("s3cret", BODY.as_bytes());
    let prefixed = format!("sha256={hex}");
    let cases: [(&[&str], i32); 6] = [
        (&["--signature", &hex], 0),
        (&["--signature", &prefixed], 0),
        (&["--signature", &prefixed, "--scheme", "github"], 0),
        (&["--signature", &prefixed, "--scheme", "bfl"], 0),
        (&["--signature", &hex, "--scheme", "github"], 5),
        (&["--signature", &hex, "-H", "X-Webhook-Signature: 00"], 0),
    ];
    for (arguments, code) in cases {
        inspect(&[&["-", "--secret", "s3cret"], arguments].concat()).stdin(BODY).exits(code);
    }
    let coglet = fs::read(repository("fixtures/cog/coglet/succeeded.json")).unwrap();
    inspect(&["-", "--secret", "t", "--signature", "Bearer t"]).stdin(coglet).exits(0);
}

#[test]
fn any_of_several_secrets_may_match_and_is_named() {
    let header = format!("X-Webhook-Signature: {}", hmac_hex("old-one", BODY.as_bytes()));
    let arguments = ["-", "-s", "new=env:NEW", "-s", "old=env:OLD", "-H", &header, "--json"];
    let run = |new: &str, old: &str| inspect(&arguments).stdin(BODY).env("NEW", new).env("OLD", old);
    assert_eq!(run("new-one", "old-one").exits(0).json()[0]["signature"]["secret"], "old");
    run("new-one", "another").exits(5);
}

#[test]
fn a_body_that_is_not_json_can_be_verified() {
    let header = format!("X-Hub-Signature-256: sha256={}", hmac_hex("s", b"a=b\xff"));
    inspect(&["-", "-s", "s", "-H", &header]).stdin(*b"a=b\xff").exits(0).prints("✓ verified github");
}

#[test]
fn a_body_cannot_send_escape_sequences() {
    let body = r#"{"id":"\u001b]0;owned\u0007","status":"\u001b[31mred","output":"\u009b2J","input":{"a\u001b":"\r"}}"#;
    for arguments in [&["-"][..], &["-", "-v"], &["-", "--color", "always"], &["-", "--json"]] {
        let output = inspect(arguments).stdin(body).exits(0).stdout;
        let raw = output.replace("\u{1b}[", "");
        let colors = if arguments.contains(&"always") { &raw } else { &output };
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!colors.contains(control), "{arguments:?}: {colors:?}");
    }
}

#[test]
fn a_built_in_name_is_a_source_where_no_file_has_it() {
    for name in ["failed", "fixtures/failed.json", "eachlabs/a/failed"] {
        let run = inspect(&[name, "--json"]).exits(0);
        assert_eq!(run.json()[0]["payload"]["status"], "failed", "{name}");
    }
    inspect(&["cog/stream"]).exits(0).says("cog/stream is a Cog run");
    inspect(&["faild"]).exits(1).says("cannot read faild");
}

#[test]
fn the_secret_of_the_environment_counts_where_there_is_something_to_verify() {
    let body = fs::read(repository("fixtures/success.json")).unwrap();
    let header = format!("X-Webhook-Signature: {}", hmac_hex("s3cret", &body));
    let verdict = |arguments: &[&str], code| {
        let run = inspect(&[&["success", "--json"], arguments].concat()).env("HOOKCTL_SECRET", "s3cret").exits(code);
        run.json()[0]["signature"]["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&["-H", &header], 0), "verified");
    assert_eq!(verdict(&["--signature", "00"], 5), "invalid");
    assert_eq!(verdict(&[], 0), "unsigned");
}

#[test]
fn a_tolerance_replaces_that_of_the_scheme() {
    let body = fs::read_to_string(repository("fixtures/success.json")).unwrap();
    let sign = hmac_hex("s3cret", format!("1790000000.{body}").as_bytes());
    let headers = [format!("X-Webhook-Signature: sha256={sign}"), "X-Webhook-Timestamp: 1790000000".to_owned()];
    let signed = ["-s", "s3cret", "--scheme", "eachlabs-timestamped", "-H", &headers[0], "-H", &headers[1]];
    let at = |more: &[&str]| inspect(&[&["success", "--now", "1790000900"], &signed[..], more].concat());
    at(&[]).exits(5).prints("timestamp_expired");
    at(&["--tolerance", "15m"]).exits(0);
    at(&["--tolerance", "14m"]).exits(5);
}

#[test]
fn a_key_set_without_an_end_is_not_read() {
    let target = Target::start(&[Answer::By(|_| (200, " ".repeat(2 * 1024 * 1024)))]);
    inspect(&["-", "--jwks", &target.url]).exits(1).says("it is larger than the limit of 1048576 bytes");
}

#[test]
fn a_proxy_of_the_environment_is_not_used_for_a_key_set_on_this_machine() {
    let keys = Answer::Status(200, "content-type: application/json\r\n", r#"{"keys":[]}"#);
    let (proxy, target) = (Target::start(std::slice::from_ref(&keys)), Target::start(&[keys]));
    let by = proxy.url.strip_suffix("/hook").unwrap();
    let fetched = |url: &str| {
        let run = inspect(&["success", "--scheme", "fal", "--jwks", url]).env("http_proxy", by).env("ALL_PROXY", by);
        run.exits(1).says("has no Ed25519 key");
    };
    fetched(&target.url);
    assert_eq!((target.requests().len(), proxy.requests().len()), (1, 0));
    // No server has this address (RFC 5737): the proxy answers for it.
    fetched("http://192.0.2.1/keys");
    assert_eq!(proxy.requests()[0].line, "GET http://192.0.2.1/keys HTTP/1.1");
}
