//! `--save-outputs`: files within payloads, and payloads that want out of the folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{SECRET, status};
use crate::support::listener::Listener;
use crate::support::program::hookctl;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

fn png_url(more: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode([PNG, more].concat()))
}

fn body(id: &str, output: Value) -> Vec<u8> {
    json!({"id": id, "status": "success", "output": output, "input": {"prompt": "x"}}).to_string().into_bytes()
}

/// A listener that saves into a folder within another one.
fn saving(arguments: &[&str]) -> (Listener, TempDir) {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("made/out");
    let listener = Listener::start(&[&["--save-outputs", folder.to_str().unwrap()], arguments].concat());
    (listener, around)
}

/// Ends a listener, and gives what it said of files: name, type, size.
fn ended(listener: Listener) -> Vec<(String, Value, Value)> {
    listener.signal("TERM");
    let (code, said, _) = listener.wait();
    assert_eq!(code, Some(0));
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let name =
        |line: &Value| Path::new(line["file"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
    let saved = lines.filter(|line| line["type"] == "saved");
    saved.map(|line| (name(&line), line["media_type"].clone(), line["bytes"].clone())).collect()
}

/// Every file below a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.file_name().unwrap().to_str().unwrap().to_owned()),
        }
    }
    found.sort();
    found
}

#[test]
fn files_are_named_by_id_place_and_what_they_are() {
    let (listener, around) = saving(&[]);
    let audio = [b"RIFF\x24\0\0\0WAVEfmt ".as_slice(), &[7; 300]].concat();
    let output = json!([
        png_url(b""),
        "https://example.com/o.png",
        {"mask": png_url(b"mask"), "note": "data: nothing"},
        [STANDARD.encode(&audio)],
        "data:text/plain;base64,SGkh",
        "data:application/x-thing;base64,AAEC",
    ]);
    assert_eq!(status(&listener.post("/", &[], &body("p-1", output))), 200);
    let saved = ended(listener);
    let expected = [
        ("p-1-0.png", json!("image/png"), PNG.len()),
        ("p-1-1.png", json!("image/png"), PNG.len() + 4),
        ("p-1-2.wav", json!("audio/x-wav"), audio.len()),
        ("p-1-3.txt", json!("text/plain"), 3),
        ("p-1-4.bin", json!("application/x-thing"), 3),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(name, media, size)| (name.to_owned(), media, json!(size))).collect();
    assert_eq!(saved, expected);
    let folder = around.path().join("made/out");
    assert_eq!(fs::read(folder.join("p-1-0.png")).unwrap(), PNG);
    assert_eq!(fs::read(folder.join("p-1-2.wav")).unwrap(), audio);
    assert_eq!(fs::read(folder.join("p-1-3.txt")).unwrap(), b"Hi!");
}

#[test]
fn no_id_leads_out_of_the_folder() {
    let (listener, around) = saving(&[]);
    let long = "x".repeat(5000);
    for id in [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".hidden",
        "a\0b",
        "\u{1b}[31m",
        "C:\\x",
        "é",
        "-rf",
        "CON",
        "nul.",
        &long,
    ] {
        assert_eq!(status(&listener.post("/", &[], &body(id, json!(png_url(id.as_bytes()))))), 200);
    }
    // No id at all.
    let none = json!({"status": "success", "output": png_url(b"none"), "input": {}}).to_string();
    assert_eq!(status(&listener.post("/", &[], none.as_bytes())), 200);
    assert_eq!(ended(listener).len(), 13);
    let found = files(around.path());
    assert_eq!(found.len(), files(&around.path().join("made/out")).len());
    let short = format!("{}-0.png", "x".repeat(64));
    let mut expected = vec![
        "______etc_passwd-0.png",
        "_etc_passwd-0.png",
        "__-0.png",
        "_hidden-0.png",
        "a_b-0.png",
        "__31m-0.png",
        "C__x-0.png",
        "_-0.png",
        "-rf-0.png",
        // Without the number they would be devices on Windows.
        "CON-0.png",
        "nul_-0.png",
        &short,
        "delivery-13-0.png",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn what_is_there_is_left_alone_and_links_are_not_followed() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("out");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("p-1-0.png"), "mine").unwrap();
    symlink(around.path().join("outside"), folder.join("p-1-0.2.png")).unwrap();
    let listener = Listener::start(&["--save-outputs", folder.to_str().unwrap()]);
    // Twice the same, as a retry is: that is one file.
    for more in [&b""[..], b"", b"other"] {
        assert_eq!(status(&listener.post("/", &[], &body("p-1", json!(png_url(more))))), 200);
    }
    let names: Vec<_> = ended(listener).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["p-1-0.3.png", "p-1-0.4.png"]);
    assert_eq!(fs::read(folder.join("p-1-0.png")).unwrap(), b"mine");
    assert!(!around.path().join("outside").exists());
}

#[test]
fn what_is_refused_or_left_out_leaves_no_file() {
    let (listener, around) = saving(&["--secret", SECRET, "--max-body", "1MiB"]);
    assert_eq!(status(&listener.post("/", &[("x-webhook-signature", "00")], &body("p-1", json!(png_url(b""))))), 401);
    assert_eq!(ended(listener), []);
    assert!(files(around.path()).is_empty());
    let (listener, around) = saving(&["--events", "failed"]);
    assert_eq!(status(&listener.post("/", &[], &body("p-1", json!(png_url(b""))))), 200);
    assert_eq!(ended(listener), []);
    assert!(files(around.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_had_is_an_error_and_one_that_goes_a_warning() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("out").display().to_string();
    let run = ["listen", "--port", "0", "--save-outputs", &path, "--", "true"];
    hookctl(run).exits(1).says("cannot save outputs in").says("--save-outputs needs a writable folder");

    let (mut listener, around) = saving(&[]);
    fs::remove_dir(around.path().join("made/out")).unwrap();
    for _ in 0..2 {
        assert_eq!(status(&listener.post("/", &[], &body("p-1", json!(png_url(b""))))), 200);
    }
    let said = listener.says("cannot save outputs in");
    assert!(said.starts_with("warning:"), "{said}");
    listener.signal("TERM");
    assert!(!listener.wait().2.contains("cannot save outputs"), "once");
}

#[test]
fn on_screen_the_file_stands_below_the_fold() {
    let around = tempfile::tempdir().unwrap();
    let payload = around.path().join("body.json");
    fs::write(&payload, body("p-1", json!(png_url(&[0; 3000])))).unwrap();
    let send = [super::HOOKCTL, "send", payload.to_str().unwrap(), "-q"];
    let run = hookctl([&["listen", "--port", "0", "--save-outputs", "out", "--"], &send[..]].concat());
    let run = run.current_dir(around.path()).exits(0);
    let run = run.prints("output   data:image/png, 3.0 kB\n");
    run.prints("\n              saved    out/p-1-0.png, image/png, 3.0 kB, of #1\n");
}
