//! `hookctl send`: requests as a receiver sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::listener::Listener;
use crate::support::program::{Program, hookctl};
use crate::support::repository;
use crate::support::sign::hmac_hex;
use crate::support::target::{OK, Request, Target};

mod attempts;
mod curl;
mod drilled;
mod many;
mod recorded;
mod redirects;
mod refusals;
mod replay;
mod secure;
mod shown;
mod wire;
mod worst_day;

/// `hookctl send ARGUMENTS… --to TARGET`
fn send(target: &Target, arguments: &[&str]) -> Program {
    hookctl(["send"].iter().chain(arguments).chain(&["--to", &target.url]))
}

/// Header names in wire order, in lower case.
fn names(request: &Request) -> Vec<String> {
    request.headers.iter().map(|(name, _)| name.to_lowercase()).collect()
}

/// Every file below `fixtures/`, by its path without `.json`.
fn fixtures_on_disk() -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).unwrap().with_extension("");
                found.insert(name.to_str().unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let (root, mut found) = (repository("fixtures"), BTreeMap::new());
    walk(&root, &root, &mut found);
    found
}

/// Aliases of built-in payloads.
const ALIASES: [(&str, &str); 1] = [("eachlabs/workflow", "eachlabs/workflow/completed")];

/// Cog runs, which make several deliveries each.
const RUNS: [&str; 4] = ["cog/canceled", "cog/failed", "cog/stream", "cog/succeeded"];

#[test]
fn every_built_in_payload_is_delivered_byte_for_byte() {
    let mut bodies = fixtures_on_disk();
    assert!(RUNS.iter().all(|run| bodies.remove(*run).is_some()));
    for (alias, name) in ALIASES {
        bodies.insert(alias.to_owned(), bodies[name].clone());
    }
    // Every built-in name is checked here.
    let listed: BTreeSet<_> = hookctl::payload::builtin::names().into_iter().collect();
    assert_eq!(listed, bodies.keys().map(String::as_str).chain(RUNS).collect());
    let target = Target::start(&[OK]);
    let empty = tempfile::tempdir().unwrap();
    let sources: Vec<&str> = bodies.keys().map(String::as_str).collect();
    send(&target, &sources).current_dir(empty.path()).exits(0);
    let requests = target.requests();
    assert_eq!(requests.len(), bodies.len());
    for ((name, body), request) in bodies.iter().zip(&requests) {
        assert_eq!(String::from_utf8_lossy(&request.body), String::from_utf8_lossy(body), "{name}");
        assert_eq!(request.header("content-type"), Some("application/json"), "{name}");
        assert_eq!(request.line, "POST /hook HTTP/1.1", "{name}");
    }
}

#[test]
fn a_fixtures_path_works_in_any_folder_and_a_file_of_that_name_wins() {
    let built_in = fs::read(repository("fixtures/failed.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(&[OK]);
    for name in ["fixtures/failed.json", "./fixtures/failed.json", "failed.json", "failed"] {
        send(&target, &[name]).current_dir(folder.path()).exits(0);
        assert_eq!(target.requests().last().unwrap().body, built_in, "{name}");
    }
    let own = b"{ \"id\" : \"mine\" , \"status\":\"success\" }\n\n";
    fs::create_dir(folder.path().join("fixtures")).unwrap();
    for name in ["fixtures/failed.json", "failed"] {
        fs::write(folder.path().join(name), own).unwrap();
        send(&target, &[name]).current_dir(folder.path()).exits(0);
        assert_eq!(target.requests().last().unwrap().body, own, "{name}");
    }
}

#[test]
fn sources_are_sent_in_order_standard_input_included() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("payload.json");
    fs::write(&file, "{\"n\": 3}\r\n").unwrap();
    let target = Target::start(&[OK]);
    let sources = ["success", "-", file.to_str().unwrap(), "failed", "success"];
    send(&target, &sources).stdin("\t{\"n\":2}").exits(0);
    let bodies: Vec<_> = target.requests().iter().map(|r| String::from_utf8(r.body.clone()).unwrap()).collect();
    let fixture = |name: &str| fs::read_to_string(repository(name)).unwrap();
    let (success, failed) = (fixture("fixtures/success.json"), fixture("fixtures/failed.json"));
    assert_eq!(bodies, [&success, "\t{\"n\":2}", "{\"n\": 3}\r\n", &failed, &success]);
}

/// The headers and the body of the first delivery of a capture. Trace headers are left out: Cog copies them from the
/// request that created the prediction.
fn recorded(file: &Path) -> (Vec<(String, String)>, Vec<u8>) {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let delivery = lines.into_iter().find(|line| line["kind"] == "delivery").unwrap();
    let headers = delivery["headers"].as_array().unwrap().iter();
    let headers = headers.map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned()));
    let copied = |name: &str| matches!(name, "traceparent" | "tracestate");
    let body = STANDARD.decode(delivery["body_b64"].as_str().unwrap()).unwrap();
    (headers.filter(|(name, _)| !copied(name)).collect(), body)
}

#[test]
fn cogs_headers_match_the_captures_in_order_and_case() {
    let mut seen = 0;
    for entry in fs::read_dir(repository("tests/data/captures")).unwrap() {
        let file = entry.unwrap().path();
        let (mut expected, body) = recorded(&file);
        let target = Target::start(&[OK]);
        let token = expected.iter().find_map(|(_, value)| value.strip_prefix("Bearer ")).map(str::to_owned);
        let secret: Vec<&str> = token.iter().flat_map(|token| ["--secret", token]).collect();
        send(&target, &[&["-"], &secret[..]].concat()).stdin(body.clone()).exits(0);
        let request = &target.requests()[0];
        let host = target.url.strip_prefix("http://").unwrap().strip_suffix("/hook").unwrap();
        for (_, value) in expected.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("host")) {
            *value = host.to_owned();
        }
        assert_eq!(request.headers, expected, "{}", file.display());
        assert_eq!(request.body, body, "{}", file.display());
        seen += 1;
    }
    assert!(seen >= 14, "{seen} captures");
}

/// JSON that re-serialising would change: spaces, a trailing zero, a number beyond 64 bits, an escape, a final line break.
const ODD: &str = "{ \"id\":\"a\",  \"n\": 1.50, \"big\":12345678901234567890123, \"input\": {\"prompt\":\"\\u00e9\"} , \"status\":\"success\" }\r\n";

#[test]
fn edits_change_only_their_paths_and_are_signed() {
    let cases: [(&[&str], (&str, &str)); 8] = [
        (&[], ("", "")),
        (&["--set", "\"n\"=2"], ("1.50", "2")),
        (&["--set", "input[\"a=b.c\"]=1"], (r#""\u00e9""#, r#""\u00e9","a=b.c":1"#)),
        (&["--set", "input.prompt=a cat"], (r#""\u00e9""#, r#""a cat""#)),
        (&["--set", "n=[1, 2.0]"], ("1.50", "[1, 2.0]")),
        (&["--unset", "n"], (r#" "n": 1.50, "#, " ")),
        (&["--id", "new-id"], (r#""id":"a""#, r#""id":"new-id""#)),
        (&["--set", "id=b", "--id", "c", "--unset", "big"], ("", "")),
    ];
    let target = Target::start(&[OK]);
    for (arguments, (from, to)) in cases {
        send(&target, &[&["-", "--secret", "s3cret"], arguments].concat()).stdin(ODD).exits(0);
        let request = target.requests().pop().unwrap();
        let body = String::from_utf8(request.body.clone()).unwrap();
        if !from.is_empty() || arguments.is_empty() {
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(squeezed(&body), squeezed(&ODD.replacen(from, to, 1)), "{arguments:?}");
            assert!(body.ends_with(" }\r\n") && body.starts_with("{ \"id\":\""), "{arguments:?}: {body}");
        }
        assert_eq!(request.header("x-webhook-signature"), Some(&*hmac_hex("s3cret", &request.body)), "{arguments:?}");
    }
    let last: Value = serde_json::from_slice(&target.requests().pop().unwrap().body).unwrap();
    assert_eq!((last["id"].as_str(), last.get("big")), (Some("b"), None), "--set is applied after --id");
}

#[test]
fn id_new_gives_each_source_an_id_of_its_own() {
    let target = Target::start(&[OK]);
    let sources = ["success", "failed", "modelslab/workflow-flat", "--id", "new"];
    send(&target, &sources).exits(0);
    let bodies: Vec<Value> = target.requests().iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect();
    let ids = [&bodies[0]["id"], &bodies[1]["id"]];
    assert!(ids.iter().all(|id| id.as_str().is_some_and(|id| id != "abc123-def456-ghi789")), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    // A numeric id stays a number.
    let number = bodies[2]["execution_id"].as_u64();
    assert!(number.is_some_and(|id| id != 12345), "{}", bodies[2]);
}

#[test]
fn a_header_is_added_or_replaced_in_its_place() {
    let target = Target::start(&[OK]);
    let own = ["-H", "User-Agent: mine", "-H", "X-Extra:  a: b ", "-H", "X-Webhook-Signature: forged"];
    send(&target, &[&["success", "--secret", "s"], &own[..]].concat()).exits(0);
    send(&target, &["success", "--secret", "s"]).exits(0);
    let requests = target.requests();
    let (with, without) = (&requests[0], &requests[1]);
    assert_eq!(with.header("user-agent"), Some("mine"));
    assert_eq!(with.header("x-extra"), Some("a: b"));
    assert_eq!(with.header("x-webhook-signature"), Some("forged"));
    let with: Vec<_> = names(with).into_iter().filter(|name| name != "x-extra").collect();
    assert_eq!(with, names(without));
}

/// The names of the schemes, each of which `hookctl help signatures` lists.
fn schemes() -> Vec<&'static str> {
    let page = hookctl(["help", "signatures"]).exits(0).stdout;
    let names: Vec<_> = hookctl::signature::ALL.iter().map(|scheme| scheme.name).collect();
    assert!(names.iter().all(|name| page.contains(&format!("\n  {name} "))), "{page}");
    names
}

#[test]
fn inspect_and_listen_verify_the_signatures_of_every_scheme() {
    // Standard Webhooks takes base64, fal a key pair; Kie signs a field of the body.
    const TEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const PAIR: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const OTHER_PAIR: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    const BODY: &str = r#"{"taskId":"t-1","id":"a","status":"success","output":"u"}"#;
    let schemes = schemes();
    assert!(schemes.len() >= 14, "{schemes:?}");
    let mut listener = Listener::start(&["--secret", TEXT, "--secret", PAIR]);
    // Standard Webhooks signs with a shared secret or a key pair.
    for scheme in schemes.iter().copied().chain(["standard-webhooks v1a"]) {
        let (scheme, secret, other) = match scheme.split_once(' ') {
            Some((scheme, _)) => (scheme, PAIR, OTHER_PAIR),
            None if scheme == "fal" => (scheme, PAIR, OTHER_PAIR),
            None => (scheme, TEXT, "whsec_AAAAAAAA"),
        };
        let signed = ["--scheme", scheme, "--secret", secret];
        let target = Target::start(&[OK]);
        send(&target, &[&["-"], &signed[..]].concat()).stdin(BODY).exits(0);
        let request = &target.requests()[0];
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let headers = headers.iter().flat_map(|header| ["-H", header]);
        let inspect = ["inspect", "-", "--json"].into_iter().chain(signed).chain(headers);
        let record = hookctl(inspect.clone()).stdin(BODY).exits(0).json().remove(0);
        let covered = !["kie", "bearer", "shared-secret"].contains(&scheme);
        let verdict = if covered { "verified" } else { "authenticated" };
        assert_eq!(record["signature"]["verdict"], verdict, "{scheme}: {record}");
        let other = inspect.map(|argument| if argument == secret { other } else { argument });
        hookctl(other).stdin(BODY).exits(5);

        hookctl(["send", "-", "--to", &listener.url].iter().chain(&signed)).stdin(BODY).exits(0);
        assert_eq!(listener.next()["signature"]["verdict"], verdict, "{scheme}");
    }
}

#[test]
fn signing_for_modelslab_notes_that_no_signature_is_documented() {
    let target = Target::start(&[OK]);
    send(&target, &["modelslab/success"]).exits(0).says("unsigned");
    send(&target, &["modelslab/success", "--secret", "s3cret"]).exits(0).says("ModelsLab documents no signature");
    let requests = target.requests();
    let unsigned = names(&requests[0]);
    assert!(!unsigned.iter().any(|name| name.contains("signature") || name == "authorization"), "{unsigned:?}");
    assert_eq!(requests[1].header("x-webhook-signature"), Some(&*hmac_hex("s3cret", &requests[1].body)));
}

#[test]
fn each_provider_has_its_own_signature_headers() {
    let cases: [(&str, &[&str]); 6] = [
        ("success", &["x-webhook-signature"]),
        ("eachlabs/b/failed", &["x-webhook-secret"]),
        ("eachlabs/c/succeeded", &["x-webhook-signature", "x-webhook-timestamp", "x-webhook-secret"]),
        ("eachlabs/workflow", &["x-webhook-signature", "x-webhook-timestamp", "x-webhook-secret"]),
        ("cog/coglet/succeeded", &["authorization"]),
        ("cog/python/failed", &["authorization"]),
    ];
    for (source, headers) in cases {
        let target = Target::start(&[OK]);
        send(&target, &[source]).exits(0).says("unsigned");
        send(&target, &[source, "--secret", "s3cret"]).exits(0);
        let requests = target.requests();
        let (without, with) = (names(&requests[0]), names(&requests[1]));
        let mut added: Vec<_> = with.iter().filter(|name| !without.contains(name)).map(String::as_str).collect();
        let mut expected = headers.to_vec();
        added.sort_unstable();
        expected.sort_unstable();
        assert_eq!(added, expected, "{source}");
    }
}

#[test]
fn the_environment_sets_receiver_and_secret_and_flags_override_it() {
    let (target, other) = (Target::start(&[OK]), Target::start(&[OK]));
    let signature = |target: &Target| target.requests().last()?.header("x-webhook-signature").map(str::to_owned);
    let expected = |secret: &str| Some(hmac_hex(secret, &fs::read(repository("fixtures/failed.json")).unwrap()));

    let run = |arguments: &[&str]| {
        let program = hookctl(["send", "failed"].iter().chain(arguments));
        program.env("HOOKCTL_TO", &target.url).env("HOOKCTL_SECRET", "from-the-environment").exits(0)
    };
    run(&[]);
    assert_eq!(signature(&target), expected("from-the-environment"));
    run(&["--secret", "from-the-flag"]);
    assert_eq!(signature(&target), expected("from-the-flag"));
    run(&["--to", &other.url]);
    assert_eq!((target.requests().len(), other.requests().len()), (2, 1));

    // `--secret` without a value must not take the next argument as its value.
    for arguments in [["failed", "--secret", "--to", &other.url], ["--to", &other.url, "failed", "--secret"]] {
        hookctl(["send"].iter().chain(&arguments)).env("HOOKCTL_SECRET", "bare").exits(0);
        assert_eq!(signature(&other), expected("bare"), "{arguments:?}");
    }
}
