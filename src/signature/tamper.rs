//! What may be wrong with a delivery, made on purpose: what a good handler refuses.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::scheme::{ClockRule, KeyEncoding, ProofEncoding, SignatureFormat, TimestampSource};
use super::{Scheme, Secret, keypair};
use crate::payload::Headers;

/// What is wrong with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tamper {
    /// The body was changed after it was signed.
    Body,
    /// The signature was changed.
    Signature,
    /// It was signed with another secret.
    Secret,
    /// The signature is missing.
    Missing,
    /// The signature's header holds something else.
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

/// How far beyond its tolerance a time stamp is put: a slow machine must not bring it back in.
const BEYOND: u64 = 60;

/// What stands in a signature's header in place of a signature.
const GARBAGE: &str = "not-a-signature";

impl Tamper {
    /// Every kind.
    pub const ALL: [Tamper; 7] = [
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

    /// What is done, in words.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Tamper::Body => "a body changed after it was signed",
            Tamper::Signature => "a changed signature",
            Tamper::Secret => "a signature by another secret",
            Tamper::Missing => "no signature at all",
            Tamper::Malformed => "something else in the signature's place",
            Tamper::Stale => "a time stamp older than the scheme allows",
            Tamper::Future => "a time stamp further ahead than the scheme allows",
        }
    }

    /// Why a handler that checks by this scheme cannot notice it, as what the scheme does; `None` when it must.
    pub(crate) fn unnoticed(self, scheme: &Scheme) -> Option<&'static str> {
        match (self, scheme.clock) {
            (Tamper::Body, _) if !scheme.covers_body() => Some("does not cover the body"),
            (Tamper::Stale | Tamper::Future, ClockRule::Free) if scheme.timestamp == TimestampSource::None => {
                Some("has no time stamp to check")
            }
            (Tamper::Stale | Tamper::Future, ClockRule::Free) => Some("sets no limit to a time stamp"),
            (Tamper::Future, ClockRule::AgeOnly(_)) => Some("lets a time stamp in the future pass"),
            _ => None,
        }
    }

    /// Whether it takes a secret to do: a recorded signature can be broken, not made anew.
    pub(crate) fn needs_secret(self) -> bool {
        matches!(self, Tamper::Secret | Tamper::Stale | Tamper::Future)
    }

    /// Whether what goes out as the proof is none of the secret's.
    pub(crate) fn replaces_proof(self) -> bool {
        matches!(self, Tamper::Signature | Tamper::Secret | Tamper::Malformed)
    }

    /// When the delivery says it was signed, in Unix seconds.
    pub(crate) fn time(self, scheme: &Scheme, now: i64) -> i64 {
        let off = i64::try_from(scheme.tolerance().unwrap_or_default() + BEYOND).unwrap_or(i64::MAX);
        match self {
            Tamper::Stale => now.saturating_sub(off),
            Tamper::Future => now.saturating_add(off),
            _ => now,
        }
    }

    /// The body as it goes out.
    pub(crate) fn body(self, body: &Bytes) -> Bytes {
        if self == Tamper::Body { changed(body) } else { body.clone() }
    }

    /// The headers as they go out.
    pub(crate) fn headers(self, scheme: &Scheme, headers: &mut Headers) {
        match self {
            Tamper::Missing => scheme.signature.iter().for_each(|name| headers.remove(name)),
            Tamper::Malformed => headers.replace(scheme.signature, |_| HeaderValue::from_static(GARBAGE)),
            Tamper::Signature if scheme.proof == ProofEncoding::Secret => {
                headers.replace(scheme.signature, |value| filled(scheme, value))
            }
            Tamper::Signature => headers.replace(scheme.signature, forged),
            Tamper::Body | Tamper::Secret | Tamper::Stale | Tamper::Future => {}
        }
    }
}

/// Another secret, made of `random`, of the form that the scheme's secrets have.
pub(crate) fn another_secret(scheme: &Scheme, random: &[u8; 32]) -> Secret {
    let value = match scheme.key {
        KeyEncoding::KeyPair => keypair::made_of(random),
        KeyEncoding::Text | KeyEncoding::Base64 | KeyEncoding::Base64IfPrefixed => {
            Zeroizing::new(format!("whsec_{}", STANDARD.encode(random)))
        }
    };
    Secret::new("another", value.as_bytes())
}

/// A body that differs in one digit, or in the last letter of a string: JSON stays JSON. One without either gets a space.
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

/// A proof that differs in one character, well inside: the last ones of base64 may hold bits that do not count.
fn forged(value: &HeaderValue) -> HeaderValue {
    let mut bytes = value.as_bytes().to_vec();
    let place = bytes.len().saturating_sub(12);
    if let Some(byte) = bytes[place..].iter_mut().find(|byte| byte.is_ascii_alphanumeric()) {
        *byte = another(*byte);
    }
    HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static(GARBAGE))
}

/// As long as a secret that goes along, with nothing of it: one that differs in a character would tell the rest.
fn filled(scheme: &Scheme, value: &HeaderValue) -> HeaderValue {
    let prefix = match &scheme.form {
        SignatureFormat::One { writes, .. } => writes,
        SignatureFormat::List { .. } | SignatureFormat::Pairs { .. } => "",
    };
    let secret = value.as_bytes().strip_prefix(prefix.as_bytes()).unwrap_or(value.as_bytes());
    let letter = if secret.iter().all(|byte| *byte == b'x') { "y" } else { "x" };
    HeaderValue::from_str(&(prefix.to_owned() + &letter.repeat(secret.len())))
        .unwrap_or_else(|_| HeaderValue::from_static(GARBAGE))
}

/// Another character of the same kind; what was a hex digit still is one.
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
    fn a_changed_signature_tells_nothing_of_a_secret_that_goes_along() {
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
    fn what_a_scheme_cannot_notice_is_not_asked_of_it() {
        let unnoticed = |tamper: Tamper| -> Vec<&str> {
            ALL.iter().filter(|scheme| tamper.unnoticed(scheme).is_some()).map(|scheme| scheme.name).collect()
        };
        assert_eq!(unnoticed(Tamper::Body), ["kie", "bearer", "shared-secret"]);
        assert_eq!(unnoticed(Tamper::Future).len(), unnoticed(Tamper::Stale).len() + 2, "stripe and elevenlabs");
        assert!(unnoticed(Tamper::Missing).is_empty());
    }
}
