//! Any compressed body: what it holds stays within the limit, whatever it promises. Input: the header, NUL, body.
#![no_main]

use hookctl::payload::Headers;
use hookctl::payload::encoding::{DecodeError, decode};
use hookctl_fuzz::{bytes, parts};
use http::HeaderValue;
use http::header::CONTENT_ENCODING;
use libfuzzer_sys::fuzz_target;

/// Small, so that a bomb is one soon.
const LIMIT: u64 = 64 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some([named, body]) = parts(data) else { return };
    let Ok(named) = HeaderValue::from_bytes(named) else { return };
    let mut headers = Headers::default();
    headers.push(CONTENT_ENCODING, named);
    let body = bytes(body);
    match decode(&headers, &body, LIMIT) {
        Ok(held) => assert!(held.len() as u64 <= LIMIT || held == body),
        Err(DecodeError::TooLarge) => {}
        Err(DecodeError::Flawed(reason)) => assert!(!reason.is_empty()),
    }
});
