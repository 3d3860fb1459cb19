//! Deliveries with deliberate faults, which a correct handler refuses.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::scheme::{ClockRule, KeyEncoding, ProofEncoding, SignatureFormat, TimestampSource};
use super::{Scheme, Secret, keypair};
use crate::payload::Headers;

/// A fault in a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tamper {
    /// The body was changed after it was signed.
    Body,
    /// The signature was changed.
    Signature,
    /// The delivery was signed with another secret.
    Secret,
    /// The signature is missing.
    Missing,
    /// The signature header does not contain a signature.
    Malformed,
    /// The signed time stamp is older than the scheme allows.
    Stale,
    /// The signed time stamp is further ahead than the scheme allows.
    Future,
}

impl fmt::Display for Tamper {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.pad(self.name())
    }
}

/// Seconds beyond the tolerance, so that a delay on a slow machine does not make the time stamp valid.
const BEYOND: u64 = 60;

/// The value of a malformed signature header.
const GARBAGE: &str = "not-a-signature";

impl Tamper {
    pub(crate) const ALL: [Tamper; 7] = [
        Tamper::Body,
        Tamper::Signature,
        Tamper::Secret,
        Tamper::Missing,
        Tamper::Malformed,
        Tamper::Stale,
        Tamper::Future,
    ];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tamper::Body => "body",
            Tamper::Signature => "signature",
            Tamper::Secret => "secret",
            Tamper::Missing => "missing",
            Tamper::Malformed => "malformed",
            Tamper::Stale => "stale",
            Tamper::Future => "future",
        }
    }

    /// The fault in words.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Tamper::Body => "a body changed after it was signed",
            Tamper::Signature => "a changed signature",
            Tamper::Secret => "a signature by another secret",
            Tamper::Missing => "no signature at all",
            Tamper::Malformed => "text that is not a signature in the signature header",
            Tamper::Stale => "a time stamp older than the scheme allows",
            Tamper::Future => "a time stamp further in the future than the scheme allows",
        }
    }

    /// Why a handler cannot notice the fault under this scheme, as the end of a sentence that starts with the scheme; `None`
    /// when the handler must notice.
    pub(crate) fn unnoticed(self, scheme: &Scheme) -> Option<&'static str> {
        match (self, scheme.clock) {
            (Tamper::Body, _) if !scheme.covers_body() => Some("does not cover the body"),
            (Tamper::Stale | Tamper::Future, ClockRule::Free) if scheme.timestamp == TimestampSource::None => {
                Some("has no time stamp to check")
            }
            (Tamper::Stale | Tamper::Future, ClockRule::Free) => Some("sets no limit for a time stamp"),
            (Tamper::Future, ClockRule::AgeOnly(_)) => Some("accepts a time stamp in the future"),
            _ => None,
        }
    }

    /// Whether the fault needs a secret: a recorded signature can be changed, but not made again.
    pub(crate) fn needs_secret(self) -> bool {
        matches!(self, Tamper::Secret | Tamper::Stale | Tamper::Future)
    }

    /// Whether the proof that is sent was not made with the secret.
    pub(crate) fn replaces_proof(self) -> bool {
        matches!(self, Tamper::Signature | Tamper::Secret | Tamper::Malformed)
    }

    /// The time stamp of the delivery, in Unix seconds.
    pub(crate) fn time(self, scheme: &Scheme, now: i64) -> i64 {
        let off = i64::try_from(scheme.tolerance().unwrap_or_default() + BEYOND).unwrap_or(i64::MAX);
        match self {
            Tamper::Stale => now.saturating_sub(off),
            Tamper::Future => now.saturating_add(off),
            _ => now,
        }
    }

    /// The body to send.
    pub(crate) fn body(self, body: &Bytes) -> Bytes {
        if self == Tamper::Body { changed(body) } else { body.clone() }
    }

    /// Changes the headers to send.
    pub(crate) fn headers(self, scheme: &Scheme, headers: &mut Headers) {
        match self {
            Tamper::Missing => scheme.signature.iter().for_each(|name| headers.remove(name)),
            Tamper::Malformed => headers.replace(scheme.signature, |_| HeaderValue::from_static(GARBAGE)),
            Tamper::Signature if scheme.proof == ProofEncoding::Secret => {
                headers.replace(scheme.signature, |value| same_length(scheme, value))
            }
            Tamper::Signature => headers.replace(scheme.signature, forged),
            Tamper::Body | Tamper::Secret | Tamper::Stale | Tamper::Future => {}
        }
    }
}

/// Another secret from 32 random bytes, in the encoding of the scheme's secrets.
pub(crate) fn another_secret(scheme: &Scheme, random: &[u8; 32]) -> Secret {
    let value = match scheme.key {
        KeyEncoding::KeyPair => keypair::from_seed(random),
        KeyEncoding::Text | KeyEncoding::Base64 | KeyEncoding::Base64IfPrefixed => {
            Zeroizing::new(format!("whsec_{}", STANDARD.encode(random)))
        }
    };
    Secret::new("another", value.as_bytes())
}

/// Changes one digit, or the last letter of a string, so that JSON stays JSON. A body without either gets a space.
fn changed(body: &Bytes) -> Bytes {
    let mut changed = body.to_vec();
    let digit = changed.iter().rposition(u8::is_ascii_digit);
    let letter = || {
        let ends_string = |at: &usize| body[*at + 1] == b'"' && body[*at].is_ascii_alphabetic();
        (1..body.len().saturating_sub(1)).rev().find(|at| ends_string(at) && body[*at - 1] != b'\\')
    };
    match digit.or_else(letter) {
        Some(at) => changed[at] = another(changed[at]),
        None => changed.push(b' '),
    }
    changed.into()
}

/// Changes one character of a proof, away from the end: the last characters of base64 may contain unused bits.
fn forged(value: &HeaderValue) -> HeaderValue {
    let mut bytes = value.as_bytes().to_vec();
    let start = bytes.len().saturating_sub(12);
    if let Some(byte) = bytes[start..].iter_mut().find(|byte| byte.is_ascii_alphanumeric()) {
        *byte = another(*byte);
    }
    HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static(GARBAGE))
}

/// Filler of the length of a shared secret. A change of one character would reveal the rest of the secret.
fn same_length(scheme: &Scheme, value: &HeaderValue) -> HeaderValue {
    let prefix = match &scheme.form {
        SignatureFormat::One { writes, .. } => writes,
        SignatureFormat::List { .. } | SignatureFormat::Pairs { .. } => "",
    };
    let secret = value.as_bytes().strip_prefix(prefix.as_bytes()).unwrap_or(value.as_bytes());
    let letter = if secret.iter().all(|byte| *byte == b'x') { "y" } else { "x" };
    HeaderValue::from_str(&(prefix.to_owned() + &letter.repeat(secret.len())))
        .unwrap_or_else(|_| HeaderValue::from_static(GARBAGE))
}

/// Another character of the same kind; a hex digit stays a hex digit.
fn another(byte: u8) -> u8 {
    match byte {
        b'9' => b'8',
        b'0'..=b'8' => byte + 1,
        b'f' | b'F' | b'z' | b'Z' => byte - 1,
        _ => byte + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::provider;
    use crate::signature::ALL;

    #[test]
    fn a_changed_body_is_still_json_and_as_long() {
        for (_, fixture) in provider::fixtures() {
            let body = Bytes::from_static(fixture.body.as_bytes());
            let changed = changed(&body);
            assert_ne!(changed, body, "{}", fixture.name);
            assert_eq!(changed.len(), body.len(), "{}", fixture.name);
            assert!(serde_json::from_slice::<serde_json::Value>(&changed).is_ok(), "{}", fixture.name);
        }
        for (body, expected) in [
            (r#"{"a":null}"#, r#"{"b":null}"#),
            (r#"{"a":"x\n"}"#, r#"{"b":"x\n"}"#),
            ("[true]", "[true] "),
            ("", " "),
            ("9", "8"),
        ] {
            assert_eq!(changed(&Bytes::from_static(body.as_bytes())), expected, "{body}");
        }
    }

    #[test]
    fn a_changed_signature_reveals_nothing_of_a_shared_secret() {
        for (name, secret, expected) in [
            ("bearer", "s3cret", "Bearer xxxxxx"),
            ("shared-secret", "s3cret", "xxxxxx"),
            ("shared-secret", "xx", "yy"),
        ] {
            let scheme = Scheme::named(name).unwrap();
            let mut headers: Headers =
                scheme.sign(b"{}", &Secret::new("main", secret), 1, "m").unwrap().into_iter().collect();
            Tamper::Signature.headers(scheme, &mut headers);
            assert_eq!(headers.get(scheme.signature[0]).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn faults_that_a_scheme_cannot_detect_are_known() {
        let unnoticed = |tamper: Tamper| -> Vec<&str> {
            ALL.iter().filter(|scheme| tamper.unnoticed(scheme).is_some()).map(|scheme| scheme.name).collect()
        };
        assert_eq!(unnoticed(Tamper::Body), ["kie", "bearer", "shared-secret"]);
        assert_eq!(unnoticed(Tamper::Future).len(), unnoticed(Tamper::Stale).len() + 2, "stripe and elevenlabs");
        assert!(unnoticed(Tamper::Missing).is_empty());
    }
}
