//! The same in what the user gives, often from somewhere else: arguments, variables, files, and what libraries say of them.

use std::fs;

use super::{EVIL, EVIL_HEADER, clean};
use crate::listen::HOOKCTL;
use crate::support::program::hookctl;
use crate::support::target::{Answer, Request, Target};

#[test]
fn errors_escape_control_characters_in_arguments() {
    let flag = format!("--{}", EVIL.replace('\r', ""));
    let timed = format!("503:delay={EVIL}");
    let (scheme, header) = (format!("hmac-sha256:{EVIL}=x"), format!("{EVIL}: x"));
    let url = format!("http://{EVIL}/");
    let cases: [&[&str]; 22] = [
        &[EVIL],
        &[&flag],
        &["send", &flag],
        &["listen", "--port", EVIL],
        &["listen", "--timeout", EVIL],
        &["listen", "--max-body", EVIL],
        &["listen", "--scheme", EVIL],
        &["listen", "--scheme", &scheme],
        &["listen", "--provider", EVIL],
        &["listen", "--respond", EVIL],
        &["listen", "--respond", &timed],
        &["listen", "--expect", EVIL],
        &["listen", "--tunnel", EVIL],
        &["listen", "--report", EVIL],
        &["listen", "--color", EVIL],
        &["send", "--retry", EVIL],
        &["send", "--to", &url],
        &["send", "success", "--to", "1", "-H", &header],
        &["send", "success", "--to", "1", "--set", EVIL],
        &["send", "success", "--to", "1", "--expect-status", EVIL],
        &["inspect", "-", "--where", EVIL],
        &["completions", EVIL],
    ];
    for arguments in cases {
        for color in ["auto", "always"] {
            let run = hookctl(arguments).env("HOOKCTL_COLOR", color).exits(2);
            assert!(run.stderr.contains(r"\u{1b}"), "it is said visibly: {run:#?}");
            clean(&run);
        }
    }
}

#[test]
fn errors_escape_control_characters_in_variables() {
    // A variable cannot hold a NUL, and what one holds may come from a branch's or a job's name.
    for name in ["PORT", "TO", "SCHEME", "RETRY", "TIMEOUT", "COLOR", "EXPECT_STATUS", "PROXY"] {
        for command in ["send", "listen"] {
            clean(&hookctl([command, "success"]).env(&format!("HOOKCTL_{name}"), EVIL).exits(2));
        }
    }
}

#[test]
fn errors_escape_control_characters_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let name = EVIL.replace('/', "");
    let path = folder.path().join(&name);
    let path = path.to_str().unwrap();
    for content in
        [EVIL.to_owned(), format!("{{\"end\":{{\"{EVIL}\":1}},\"provider\":\"cog\"}}"), format!("{{\"a\":{EVIL}}}")]
    {
        fs::write(path, content).unwrap();
        let respond = format!("200:body=@{path}");
        for arguments in [
            &["send", path, "--to", "1", "--dry-run"][..],
            &["send", path, "--to", "1", "--dry-run", "--set", "a.b=1"],
            &["send", path, "--to", "1", "--curl"],
            &["send", "success", "--to", "https://127.0.0.1:1", "--cacert", path],
            &["send", "success", "--to", "https://127.0.0.1:1", "--cert", path, "--key", path],
            &["inspect", path],
            &["inspect", path, "--json"],
            &["inspect", "-", "--jwks", path],
            &["listen", "--port", "0", "--tls-cert", path, "--tls-key", path],
            &["listen", "--port", "0", "--record", path, "--respond", &respond, "--", "true"],
            &["listen", "--port", "0", "--save-outputs", path],
            &["listen", "--port", "0", "--report", &format!("junit={path}/x")],
        ] {
            clean(&hookctl(arguments).run());
        }
    }
}

/// What no HTTP header may hold is left out.
fn evil(_: &[Request]) -> (u16, String) {
    (500, EVIL.to_owned())
}

#[test]
fn drills_and_load_tests_escape_control_characters_in_responses() {
    let target = Target::start(&[Answer::By(evil)]);
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("drill.xml");
    let junit = format!("junit={}", report.display());
    for form in [
        &["--drill", "-v", "--report", &junit][..],
        &["--drill", "--json"],
        &["--count", "3"],
        &["--count", "3", "--json"],
        &["--retry", "none", "--json"],
    ] {
        clean(&hookctl([&["send", "success", "--secret", "s3cret", "--to", &target.url], form].concat()).run());
    }
    let text = fs::read_to_string(&report).unwrap();
    assert!(!text.contains(|c: char| c != '\n' && c != '\t' && super::hazard(&c.to_string()).is_some()), "{text}");
}

#[test]
fn reports_and_failed_expectations_escape_control_characters() {
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body.json");
    let id = serde_json::to_string(EVIL).unwrap();
    fs::write(&body, format!("{{\"id\":{id},\"status\":\"success\",\"output\":{id},\"input\":{{}}}}")).unwrap();
    let report = folder.path().join("report.xml");
    let junit = format!("junit={}", report.display());
    let evil = format!("X-Evil: {EVIL_HEADER}");
    let send = [HOOKCTL, "send", body.to_str().unwrap(), "-q", "--retry", "none", "-H", &evil];
    let expect = ["--expect", ".payload.id == \"x\"", "--expect", ".body | fromjson | .id | error", "--report", &junit];
    for form in [&[][..], &["-v"], &["--json"]] {
        let listen = [&["listen", "--port", "0"], &expect[..], form, &["--"], &send].concat();
        clean(&hookctl(listen).exits(4));
        let text = fs::read_to_string(&report).unwrap();
        let found = text.lines().find_map(super::hazard);
        assert_eq!(found, None, "{text}");
    }
}

#[test]
fn json_output_escapes_control_characters_and_keeps_the_values() {
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body.json");
    let id = serde_json::to_string(EVIL).unwrap();
    fs::write(&body, format!("{{\"id\":{id},\"status\":\"success\",\"output\":1,\"input\":{{}}}}")).unwrap();
    let run = hookctl(["inspect", body.to_str().unwrap(), "--json"]).exits(0);
    clean(&run);
    assert_eq!(run.json()[0]["payload"]["id"], EVIL);
    // A line of a journal as it stands, white space of every kind between its tokens.
    let journal = folder.path().join("hooks.jsonl");
    let line = run.stdout.trim_end().replacen(",\"seq\"", ",\t \r\"seq\"", 1);
    fs::write(&journal, format!("{line}\r\n")).unwrap();
    let again = hookctl(["inspect", journal.to_str().unwrap(), "--json"]).exits(0);
    clean(&again);
    assert_eq!(again.json()[0]["payload"]["id"], EVIL);
}
