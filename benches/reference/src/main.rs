//! Minimal programs to compare hookctl with: `reference COMMAND [ARGUMENT]...`.
//!
//! | command | what it does |
//! |---|---|
//! | `serve` | hyper on one thread: reads the body, answers 200 |
//! | `serve SECRET` | the same, and verifies the body |
//! | `serve SECRET FILE` | the same, and appends a JSON line to the file before it answers |
//! | `send URL BODY COUNT CONNECTIONS SECRET` | hyper's own client: each body has its own id and signature |
//! | `scan FILE SECRET` | finds and verifies the body of every line, on all cores |
//! | `append FILE WRITERS SECONDS` | writers that wait until their line is synced, many lines per `fdatasync` |
//! | `time OUTPUT COMMAND...` | time and memory of another program |
//! | `ready COMMAND...` | time until another server listens |
//!
//! A server prints `listening PORT` on standard error. It stops when its standard input ends, and prints the number of
//! requests that it answered.

use std::error::Error;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

mod append;
mod scan;
mod send;
mod serve;
mod time;

/// An allocator without a lock shared by all threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const SIGNATURE: &str = "x-webhook-signature";

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--version"] => Ok(()),
        ["serve"] => serve::run(None, None),
        ["serve", secret] => serve::run(Some(key(secret)), None),
        ["serve", secret, file] => serve::run(Some(key(secret)), Some(file)),
        ["send", url, body, count, connections, secret] => {
            send::run(url, body, count.parse()?, connections.parse()?, key(secret))
        }
        ["scan", file, secret] => scan::run(file, &key(secret)),
        ["append", file, writers, seconds] => append::run(file, writers.parse()?, seconds.parse()?),
        ["time", output, ref command @ ..] if !command.is_empty() => time::run(output, command),
        ["ready", ref command @ ..] if !command.is_empty() => time::ready(command),
        _ => Err("no such command".into()),
    }
}

/// The HMAC state after the key, cloned for every signature.
fn key(secret: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes()).expect("a key of any length will do")
}

fn signature(key: &Hmac<Sha256>, body: &[u8]) -> String {
    base16ct::lower::encode_string(&key.clone().chain_update(body).finalize().into_bytes())
}

fn is_signed(key: &Hmac<Sha256>, body: &[u8], hex: &[u8]) -> bool {
    let mut proof = [0; 32];
    base16ct::lower::decode(hex, &mut proof)
        .is_ok_and(|proof| key.clone().chain_update(body).verify_slice(proof).is_ok())
}
