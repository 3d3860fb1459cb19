//! Bodies that come compressed.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use super::{BODY, SECRET, status};
use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::sign::hmac_hex;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn it_is_verified_as_sent_and_read_as_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("hooks.jsonl");
    let journal = journal.to_str().unwrap();
    let mut listener = Listener::start(&["--secret", SECRET, "--record", journal]);
    let mut stream = String::new();
    for (encoding, body) in [("gzip", gzip(BODY)), ("deflate", deflate(BODY)), ("GZip", gzip(BODY))] {
        let signature = hmac_hex(SECRET, &body);
        let headers = [("content-encoding", encoding), ("x-webhook-signature", &signature)];
        assert_eq!(status(&listener.post("/", &headers, &body)), 200);
        let line = listener.next_line();
        let record: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(record["encoding"], encoding.to_lowercase());
        assert_eq!((&record["payload"]["id"], &record["payload"]["status"]), (&json!("p-1"), &json!("succeeded")));
        assert_eq!(record["signature"]["verdict"], "verified");
        assert_eq!(STANDARD.decode(record["body_base64"].as_str().unwrap()).unwrap(), body, "the bytes as sent");
        stream += &(line + "\n");
    }
    // What is read back says the same.
    assert_eq!(hookctl(["inspect", "--json", journal]).exits(0).stdout, stream);
    let shown = hookctl(["inspect", journal, "--show", "1", "-v"]).exits(0).stdout;
    assert!(shown.contains(r#""prompt": "x""#) && shown.contains("B gzip"), "{shown}");
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let mut listener = Listener::start(&["--max-body", "64KiB"]);
    let bomb = gzip(&vec![b' '; 1 << 20]);
    assert!(bomb.len() < 64 << 10);
    assert_eq!(status(&listener.post("/", &[("content-encoding", "gzip")], &bomb)), 413);
    let record = listener.next();
    assert_eq!((&record["answer"]["by"], &record["warnings"][0]["code"]), (&json!("limit"), &json!("body_too_large")));
}

#[test]
fn what_is_not_what_it_says_is_a_delivery_with_a_warning() {
    let mut listener = Listener::start(&[]);
    for (encoding, words) in [("gzip", "not valid gzip"), ("zstd", "does not support zstd")] {
        assert_eq!(status(&listener.post("/", &[("content-encoding", encoding)], BODY)), 200);
        let record = listener.next();
        assert!(record["payload"].is_null(), "{record}");
        assert_eq!(record["warnings"][0]["code"], "body_not_decoded");
        assert!(record["warnings"][0]["message"].as_str().unwrap().contains(words), "{record}");
        assert_eq!(record["body"].as_str().unwrap().as_bytes(), BODY);
    }
}
