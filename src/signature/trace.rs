//! The whole reasoning about one signature, for a person who wants to follow it.

use super::detect::detect;
use super::diagnose::{Budget, FailedDelivery};
use super::engine::{SignedInputs, signed_bytes};
use super::policy::{Choice, Policy};
use super::scheme::{Claim, ProofEncoding, Scheme};
use super::secret::Secret;
use crate::payload::delivery::Delivery;
use crate::payload::headers::REDACTED;

/// What was looked at, what was computed and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The scheme's name and what it does.
    pub(crate) scheme: (&'static str, &'static str),
    /// The signature's header and its values, as they came.
    pub(crate) header: (&'static str, Vec<String>),
    /// The bytes that the scheme signs; `None` when it signs nothing, or the headers lack a part of it.
    pub(crate) signed: Option<Vec<u8>>,
    /// The body as it was signed, where what was done to it since is found.
    pub(crate) body_signed: Option<Vec<u8>>,
    /// What each secret gives over them, by its label, written as the scheme writes it; or why it gives nothing.
    pub(crate) expected: Vec<(String, String)>,
}

/// Accounts for the check of a delivery; `None` when nothing tells a scheme.
pub(crate) fn account(delivery: &Delivery, policy: &Policy) -> Option<Trace> {
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
    if secrets.iter().any(|secret| scheme.proves(claim, &delivery.body, secret) == Ok(true)) {
        return None;
    }
    // Whether the time stamp is near has no part in what was done to the body.
    let now = claim.timestamp.as_ref().map_or(0, |(seconds, _)| *seconds);
    FailedDelivery { scheme, delivery, secrets: &secrets, now }.of_claim(claim, &mut Budget::default())?.body
}

fn expected(scheme: &Scheme, claim: &Claim, delivery: &Delivery, policy: &Policy) -> Vec<(String, String)> {
    let gives = policy.secrets.iter().map(|secret| {
        let value = match scheme.expected(claim, &delivery.body, secret) {
            Ok(value) => value,
            Err(error) => format!("nothing: it {error}"),
        };
        (secret.label().to_owned(), value)
    });
    gives.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::signature::Secret;

    #[test]
    fn it_shows_what_was_signed_and_what_each_secret_gives() {
        let scheme = Scheme::named("eachlabs-timestamped").unwrap();
        let headers = scheme.sign(b"{}\n", &Secret::new("main", "s3cret"), 1_790_000_000, "m").unwrap();
        let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::from_static(b"{}\n"));
        let secrets = vec![Secret::new("old", "other"), Secret::new("main", "s3cret")];
        let account = account(&delivery, &Policy { scheme: Choice::Auto, secrets, tolerance: None }).unwrap();
        assert_eq!(account.signed.as_deref(), Some(&b"1790000000.{}\n"[..]));
        assert_eq!(account.header.1[0], account.expected[1].1);
        assert_ne!(account.header.1[0], account.expected[0].1);
        assert_eq!(account.expected[0].0, "old");
    }

    #[test]
    fn it_shows_the_body_that_was_signed_where_another_spelling_arrived() {
        let scheme = Scheme::named("eachlabs").unwrap();
        let told = |signed: &[u8], arrived: &'static [u8]| {
            let headers = scheme.sign(signed, &Secret::new("main", "s3cret"), 1, "m").unwrap();
            let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::from_static(arrived));
            let secrets = vec![Secret::new("main", "s3cret")];
            account(&delivery, &Policy { scheme: Choice::Auto, secrets, tolerance: None }).unwrap().body_signed
        };
        let spaced = br#"{"id": "a", "status": "x"}"#;
        assert_eq!(told(spaced, br#"{"id":"a","status":"x"}"#).as_deref(), Some(&spaced[..]));
        assert_eq!(told(b"{}\n", b"{}").as_deref(), Some(&b"{}\n"[..]));
        assert_eq!(told(b"{}", b"{}"), None, "it holds");
        assert_eq!(told(br#"{"id":"b"}"#, br#"{"id":"a"}"#), None, "nothing is known of it");
    }

    #[test]
    fn a_shared_secret_is_not_told() {
        let scheme = Scheme::named("bearer").unwrap();
        let secret = Secret::new("main", "s3cret");
        let delivery = Delivery::bare(scheme.sign(b"", &secret, 1, "m").unwrap().into_iter().collect(), Bytes::new());
        let policy = Policy { scheme: Choice::Auto, secrets: vec![secret], tolerance: None };
        let shown = format!("{:?}", account(&delivery, &policy));
        assert!(shown.contains("bearer") && !shown.contains("s3cret"), "{shown}");
    }
}
