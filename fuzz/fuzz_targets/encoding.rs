//! Any compressed body: decompression stops at the limit. Input: the value of `Content-Encoding`, NUL, body.
#![no_main]

use hookctl::payload::Headers;
use hookctl::payload::encoding::{DecodeError, decode};
use hookctl_fuzz::{bytes, parts};
use http::HeaderValue;
use http::header::CONTENT_ENCODING;
use libfuzzer_sys::fuzz_target;

/// Bytes; small, so that the fuzzer soon reaches the limit.
const LIMIT: u64 = 64 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some([encoding, body]) = parts(data) else { return };
    let Ok(encoding) = HeaderValue::from_bytes(encoding) else { return };
    let mut headers = Headers::default();
    headers.push(CONTENT_ENCODING, encoding);
    let body = bytes(body);
    match decode(&headers, &body, LIMIT) {
        Ok(decoded) => assert!(decoded.len() as u64 <= LIMIT || decoded == body),
        Err(DecodeError::TooLarge) => {}
        Err(DecodeError::Invalid(reason)) => assert!(!reason.is_empty()),
    }
});
