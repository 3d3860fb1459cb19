//! Signatures that the test computes itself, independently of the program.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA256 in lower-case hex.
pub fn hmac_hex(secret: &str, signed: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(signed);
    base16ct::lower::encode_string(&mac.finalize().into_bytes())
}
