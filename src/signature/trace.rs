//! The steps of one signature check, for `--explain`.

use super::detect::detect;
use super::diagnose::{Budget, FailedDelivery};
use super::engine::{SignedInputs, signed_bytes};
use super::policy::{Choice, Policy};
use super::scheme::{Claim, ProofEncoding, Scheme};
use super::secret::Secret;
use crate::payload::delivery::Delivery;
use crate::payload::headers::REDACTED;

/// The inputs and results of a signature check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The scheme's name and summary.
    pub(crate) scheme: (&'static str, &'static str),
    /// The signature header and its values as received.
    pub(crate) header: (&'static str, Vec<String>),
    /// The bytes that the scheme signs; `None` for a shared secret, or when headers are missing.
    pub(crate) signed: Option<Vec<u8>>,
    /// The body as it was signed, where a change of the body was found.
    pub(crate) body_signed: Option<Vec<u8>>,
    /// The label of each secret, with the header value that the secret makes or the reason why it makes none.
    pub(crate) expected: Vec<(String, String)>,
}

/// Traces the check of a delivery; `None` when no scheme was detected.
pub(crate) fn trace(delivery: &Delivery, policy: &Policy) -> Option<Trace> {
    let scheme = match policy.scheme {
        Choice::Named(scheme) => scheme,
        Choice::Auto => detect(delivery).map(|(scheme, _)| scheme)?,
    };
    let hidden = |value: &str| policy.secrets.iter().any(|secret| secret.is_in(value.as_bytes()));
    let values = scheme.signature.iter().flat_map(|name| delivery.headers.all(name)).map(|value| match value {
        value if scheme.proof == ProofEncoding::Secret || hidden(&value) => REDACTED.to_owned(),
        value => value.into_owned(),
    });
    let claim = scheme.claim(delivery).ok().filter(|_| scheme.proof != ProofEncoding::Secret);
    Some(Trace {
        scheme: (scheme.name, scheme.summary),
        header: (scheme.signature[0], values.collect()),
        signed: claim.as_ref().map(|claim| {
            let digest = scheme.body_digest(&delivery.body);
            signed_bytes(scheme.signed, &delivery.body, SignedInputs::of(claim, digest.as_deref()))
        }),
        body_signed: claim.as_ref().and_then(|claim| body_signed(scheme, claim, delivery, policy)),
        expected: claim.map(|claim| expected(scheme, &claim, delivery, policy)).unwrap_or_default(),
    })
}

fn body_signed(scheme: &Scheme, claim: &Claim, delivery: &Delivery, policy: &Policy) -> Option<Vec<u8>> {
    let secrets: Vec<&Secret> = policy.secrets.iter().filter(|secret| scheme.for_secret(secret) == scheme).collect();
    if secrets.iter().any(|secret| scheme.verifies(claim, &delivery.body, secret) == Ok(true)) {
        return None;
    }
    // The age of the time stamp does not matter for a change of the body.
    let now = claim.timestamp.as_ref().map_or(0, |(seconds, _)| *seconds);
    FailedDelivery { scheme, delivery, secrets: &secrets, now }.of_claim(claim, &mut Budget::default())?.body
}

fn expected(scheme: &Scheme, claim: &Claim, delivery: &Delivery, policy: &Policy) -> Vec<(String, String)> {
    let values = policy.secrets.iter().map(|secret| {
        let value = match scheme.expected(claim, &delivery.body, secret) {
            Ok(value) => value,
            Err(error) => format!("none: the secret {error}"),
        };
        (secret.label().to_owned(), value)
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::signature::Secret;

    #[test]
    fn the_trace_has_the_signed_bytes_and_the_value_of_each_secret() {
        let scheme = Scheme::named("eachlabs-timestamped").unwrap();
        let headers = scheme.sign(b"{}\n", &Secret::new("main", "s3cret"), 1_790_000_000, "m").unwrap();
        let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::from_static(b"{}\n"));
        let secrets = vec![Secret::new("old", "other"), Secret::new("main", "s3cret")];
        let trace = trace(&delivery, &Policy { scheme: Choice::Auto, secrets, tolerance: None }).unwrap();
        assert_eq!(trace.signed.as_deref(), Some(&b"1790000000.{}\n"[..]));
        assert_eq!(trace.header.1[0], trace.expected[1].1);
        assert_ne!(trace.header.1[0], trace.expected[0].1);
        assert_eq!(trace.expected[0].0, "old");
    }

    #[test]
    fn the_trace_has_the_signed_body_where_another_spelling_arrived() {
        let scheme = Scheme::named("eachlabs").unwrap();
        let body_signed = |signed: &[u8], arrived: &'static [u8]| {
            let headers = scheme.sign(signed, &Secret::new("main", "s3cret"), 1, "m").unwrap();
            let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::from_static(arrived));
            let secrets = vec![Secret::new("main", "s3cret")];
            trace(&delivery, &Policy { scheme: Choice::Auto, secrets, tolerance: None }).unwrap().body_signed
        };
        let spaced = br#"{"id": "a", "status": "x"}"#;
        assert_eq!(body_signed(spaced, br#"{"id":"a","status":"x"}"#).as_deref(), Some(&spaced[..]));
        assert_eq!(body_signed(b"{}\n", b"{}").as_deref(), Some(&b"{}\n"[..]));
        assert_eq!(body_signed(b"{}", b"{}"), None, "the signature is valid");
        assert_eq!(body_signed(br#"{"id":"b"}"#, br#"{"id":"a"}"#), None, "no change explains the signature");
    }

    #[test]
    fn a_shared_secret_is_not_shown() {
        let scheme = Scheme::named("bearer").unwrap();
        let secret = Secret::new("main", "s3cret");
        let delivery = Delivery::bare(scheme.sign(b"", &secret, 1, "m").unwrap().into_iter().collect(), Bytes::new());
        let policy = Policy { scheme: Choice::Auto, secrets: vec![secret], tolerance: None };
        let shown = format!("{:?}", trace(&delivery, &policy));
        assert!(shown.contains("bearer") && !shown.contains("s3cret"), "{shown}");
    }
}
