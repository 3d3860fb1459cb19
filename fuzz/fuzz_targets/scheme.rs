//! Any `--scheme hmac-sha256:…`: a scheme verifies the delivery that it signed, and no other body. Input: the text, NUL, body.
//!
//! Schemes are leaked, so run this target with `-detect_leaks=0` and a limit of time.
#![no_main]

use hookctl::payload::Delivery;
use hookctl::signature::{Choice, Policy, Secret, check, custom};
use hookctl_fuzz::{bytes, parts};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_790_000_000;

fuzz_target!(|data: &[u8]| {
    let Some([text, body]) = parts(data) else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let scheme = match custom::parse(text) {
        None => return,
        Some(Err(reason)) => return assert!(!reason.is_empty()),
        Some(Ok(scheme)) => scheme,
    };
    let (body, secret) = (bytes(body), Secret::new("main", "qUx9-t0Zp!w"));
    let Ok(signed) = scheme.sign(&body, &secret, NOW, "msg_1") else { return };
    let policy = Policy { scheme: Choice::Named(scheme), secrets: vec![secret], tolerance: None };
    let mut delivery = Delivery::bare(signed.into_iter().collect(), body.clone());
    let verdict = check(&delivery, &policy, NOW, None);
    assert_eq!(verdict.name(), "verified", "{text:?} does not verify its own signature: {verdict:?}");
    delivery.body = [&body[..], b" "].concat().into();
    assert!(check(&delivery, &policy, NOW, None).is_invalid(), "{text:?} verifies another body");
});
