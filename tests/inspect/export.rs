//! Exports: curl commands, HTTP archives, fixtures, pages, and their redaction.

use std::fs;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::captured::{Captured, written_by_hookctl};
use super::inspect;
use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::target::{OK, Target};

const SECRET: &str = "s3cret";

/// A journal of a listener to which these bodies were sent, signed.
fn recorded(bodies: &[&[u8]]) -> Captured {
    let journal = Captured::of(Vec::new());
    let mut listener = Listener::start(&["--record", journal.path(), "--secret", SECRET]);
    for body in bodies {
        hookctl([
            "send",
            "-",
            "--secret",
            SECRET,
            "--scheme",
            "eachlabs",
            "--retry",
            "none",
            "--to",
            &format!("{}/hook?a=1", listener.url),
        ])
        .stdin(*body)
        .exits(0);
        listener.next();
    }
    journal
}

const BODY: &str = "{ \"id\": \"it's\", \"status\":\"success\",\r\n \"output\":\"caf\u{e9} $HOME `x` \\u2028 </script>\", \"input\":{\"prompt\":\"a\"} }\n";

#[test]
fn the_curl_command_delivers_the_same_bytes_and_verifies() {
    let journal = recorded(&[BODY.as_bytes(), b"{\"id\":\"b\",\"status\":\"failed\"}"]);
    let command = inspect(&[journal.path(), "--export", "curl", "--last", "1"]).exits(0).stdout;
    assert!(command.contains("hook?a=1"), "{command}");
    let mut listener = Listener::start(&["--secret", SECRET]);
    let all = inspect(&[journal.path(), "--export", "curl"]).exits(0).stdout;
    let port = |url: &str| url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let first: Value =
        serde_json::from_str(fs::read_to_string(&journal.path).unwrap().lines().next().unwrap()).unwrap();
    let host = first["headers"].as_array().unwrap().iter().find(|header| header[0] == "host").unwrap()[1].clone();
    let all = all.replace(&format!(":{}/", port(host.as_str().unwrap())), &format!(":{}/", port(&listener.url)));
    let status = Command::new("sh").args(["-ec", &all]).output().unwrap();
    assert!(status.status.success(), "{status:?}");
    for body in [BODY, "{\"id\":\"b\",\"status\":\"failed\"}"] {
        let record = listener.next();
        assert_eq!(record["body"].as_str(), Some(body));
        assert_eq!(record["signature"]["verdict"], "verified");
        assert_eq!(record["target"], "/hook?a=1");
    }
}

#[test]
fn a_fixture_is_the_body_and_one_only() {
    let journal = recorded(&[BODY.as_bytes(), b"{\"id\":\"b\",\"status\":\"failed\"}"]);
    assert_eq!(inspect(&[journal.path(), "--export", "fixture", "--status", "succeeded"]).exits(0).stdout, BODY);
    let finished = inspect(&[journal.path(), "--export", "fixture"]).exits(2);
    assert_eq!(finished.stdout, "");
    finished.says("a fixture is one body, and the filters leave 2 deliveries").says("choose one with --show N");
    let second = inspect(&[journal.path(), "--export", "fixture", "--show", "2"]).exits(0);
    assert_eq!(second.stdout, "{\"id\":\"b\",\"status\":\"failed\"}");
    inspect(&[journal.path(), "--export", "fixture", "--show", "3"])
        .exits(2)
        .says("there is no delivery 3 among the 2");
    inspect(&[journal.path(), "--export", "fixture", "--id", "nobody"]).exits(2).says("the filters leave none");
}

#[test]
fn an_archive_holds_what_was_sent_and_answered() {
    let journal = Captured::journal();
    let text = inspect(&[journal.path(), "--export", "har"]).exits(0).stdout;
    let har: Value = serde_json::from_str(&text).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!((har["log"]["version"].as_str(), entries.len()), (Some("1.2"), 19));
    let record: Value = serde_json::from_str(&journal.lines[14]).unwrap();
    assert_eq!(entries[14]["request"]["postData"]["text"], record["body"]);
    assert_eq!(entries[14]["response"]["status"], 500);
    assert!(entries[14]["request"]["url"].as_str().unwrap().ends_with("/webhook/prediction"));
    let none = inspect(&[journal.path(), "--export", "har", "--id", "nobody"]).exits(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap()["log"]["entries"].as_array().unwrap().len(), 0);
}

#[test]
fn a_redacted_field_is_in_no_export() {
    let journal = recorded(&[BODY.replace("\"a\"", "\"very private\"").as_bytes()]);
    let page = journal.file("page.html");
    let redact = ["--redact", "input.prompt", "--redact", "headers.X-Webhook-Signature"];
    for view in [
        &[][..],
        &["--json"],
        &["--show", "1"],
        &["--show", "1", "-v"],
        &["--export", "curl"],
        &["--export", "har"],
        &["--export", "fixture"],
        &["--html", &page],
    ] {
        let finished = inspect(&[&[journal.path()], &redact[..], view].concat()).exits(0);
        let written = fs::read_to_string(&page).unwrap_or_default();
        let all = finished.stdout + &finished.stderr + &written;
        assert!(!all.contains("very private"), "{view:?}: {all}");
        if view.contains(&"--json") {
            assert!(
                all.contains(r#""prompt\":\"<redacted>\""#) && all.contains(r#"["x-webhook-signature","<redacted>"]"#),
                "{all}"
            );
        }
    }
}

#[test]
fn an_export_holds_no_secret_even_where_the_journal_does() {
    let journal = Captured::of(Vec::new());
    let mut listener = Listener::start(&["--record", journal.path(), "--record-secrets", "--secret", "t0ps3cret"]);
    hookctl(["send", "cog/coglet/succeeded", "--secret", "t0ps3cret", "--to", &listener.url]).exits(0);
    listener.next();
    assert!(fs::read_to_string(&journal.path).unwrap().contains("t0ps3cret"));
    let page = journal.file("page.html");
    for view in [["--export", "curl"], ["--export", "har"], ["--html", &page]] {
        let text = inspect(&[&[journal.path()], &view[..]].concat()).exits(0).stdout;
        let all = text + &fs::read_to_string(&page).unwrap_or_default();
        assert!(!all.contains("t0ps3cret"), "{view:?}: {all}");
    }
}

#[test]
fn a_page_holds_the_data_and_lets_nothing_out_of_it() {
    let mut journal = Captured::journal();
    let hostile = "</script><script>window.hacked=1</script><!-- \u{2028} '\\\" &";
    journal
        .lines
        .push(journal.lines[0].replace("piter-success", &hostile.replace('\\', "\\\\\\\\").replace('"', "\\\\\\\"")));
    let journal = Captured::of(journal.lines);
    let page = journal.file("page.html");
    let finished = inspect(&[journal.path(), "--html", &page]).exits(0);
    assert_eq!(finished.stdout, "");
    finished.says(&format!("wrote the report {page}"));
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    assert!(!data.contains(['<', '>', '&', '\u{2028}']), "{data}");
    assert_eq!(text.matches("</script>").count(), 2, "the data's end and the script's");
    assert!(before.contains("default-src 'none'; style-src 'sha256-"), "{before}");
    for outside in ["http://www", "https://", "src=", "@import", "url("] {
        assert!(!before.contains(outside), "{outside}");
    }
    let data: Value = serde_json::from_str(data).unwrap();
    let deliveries = data["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 20);
    for (delivery, line) in deliveries.iter().zip(&journal.lines) {
        let line: Value = serde_json::from_str(line).unwrap();
        for field in ["id", "at", "method", "target", "headers", "body", "answer"] {
            assert_eq!(delivery["record"][field], line[field], "{field}");
        }
    }
    assert_eq!(deliveries[4]["about"]["repeat"], "duplicate of #3, the same body");
    assert_eq!(deliveries[6]["record"]["warnings"][0]["code"], "overtaken");
    assert_eq!(deliveries[4]["about"]["label"], "Cog");
    assert_eq!(data["timelines"][0]["deliveries"][2], serde_json::json!([3, 601.651]));
    assert_eq!(data["timelines"][3]["warnings"][0]["code"], "no_terminal_event");
    assert_eq!(data["timelines"][4]["id"].as_str(), Some(hostile));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    }
    inspect(&[journal.path(), "--html", "/no/such/folder/page.html"]).exits(1).says("cannot write the report");
}

#[test]
fn a_page_replaces_a_file_only_when_it_is_complete() {
    let journal = Captured::journal();
    let before = fs::read_to_string(&journal.path).unwrap();
    let run = inspect(&[journal.path(), "--html", journal.path()]).exits(2);
    run.says("would overwrite its own source");
    #[cfg(unix)]
    {
        let link = journal.file("link.jsonl");
        std::os::unix::fs::symlink(&journal.path, &link).unwrap();
        inspect(&[journal.path(), "--html", &link]).exits(2);
    }
    assert_eq!(fs::read_to_string(&journal.path).unwrap(), before);
    let page = journal.file("page.html");
    fs::write(&page, "an older one").unwrap();
    inspect(&["/no/such/file.jsonl", "--html", &page]).exits(1);
    assert_eq!(fs::read_to_string(&page).unwrap(), "an older one");
    let files = || fs::read_dir(journal.folder.path()).unwrap().count();
    let count = files();
    inspect(&[journal.path(), "--html", &page]).exits(0);
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
    assert_eq!(files(), count, "nothing is left beside it");
}

#[test]
fn curl_sends_to_the_target_letter_for_letter() {
    let target = Target::start(&[OK]);
    let mut line: Value = serde_json::from_str(&Captured::journal().lines[0]).unwrap();
    let odd = "/a/../b/%2e%2e/c?x={a,b}&r=[1-2]";
    line["target"] = odd.into();
    let host = target.url.split('/').nth(2).unwrap();
    line["headers"] = serde_json::json!([["host", host]]);
    let journal = Captured::of(vec![written_by_hookctl(&line.to_string())]);
    let command = inspect(&[journal.path(), "--export", "curl"]).exits(0).stdout;
    let status = Command::new("sh").args(["-ec", &command]).output().unwrap();
    assert!(status.status.success(), "{status:?}");
    let lines: Vec<String> = target.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(lines, [format!("POST {odd} HTTP/1.1")]);
}

#[test]
fn a_fixture_of_a_compressed_body_is_decompressed() {
    let mut line: Value = serde_json::from_str(&Captured::journal().lines[0]).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, BODY.as_bytes()).unwrap();
    line["headers"] = serde_json::json!([["content-encoding", "gzip"]]);
    line.as_object_mut().unwrap().remove("body");
    line["body_base64"] = STANDARD.encode(gzip.finish().unwrap()).into();
    let journal = Captured::of(vec![written_by_hookctl(&line.to_string())]);
    assert_eq!(inspect(&[journal.path(), "--export", "fixture"]).exits(0).stdout, BODY);
}

#[test]
fn a_body_that_was_not_read_is_not_an_empty_body() {
    let journal = Captured::of(Vec::new());
    let mut listener = Listener::start(&["--record", journal.path(), "--max-body", "20"]);
    hookctl(["send", "success", "--retry", "none", "--to", &listener.url]).exits(6);
    listener.next();
    let curl = inspect(&[journal.path(), "--export", "curl"])
        .exits(0)
        .says("#1 is left out: its body exceeded a limit and was not read");
    assert_eq!(curl.stdout, "");
    inspect(&[journal.path(), "--export", "fixture"]).exits(2).says("it exceeded a limit and was not read");
    let har: Value = serde_json::from_str(&inspect(&[journal.path(), "--export", "har"]).exits(0).stdout).unwrap();
    assert_eq!(har["log"]["entries"][0]["request"]["bodySize"], -1);
}
