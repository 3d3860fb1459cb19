//! What is said of a delivery's signature.

use serde::{Deserialize, Serialize};

use super::explain;
use super::scheme::{BadKey, Claim, NoClaim, Proof, Scheme};
use super::secret::Secret;
use crate::payload::delivery::{Delivery, REDACTED};
use crate::payload::provider::Provider;

/// What is said of a delivery's signature, as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// A keyed digest that covers the body matches.
    Verified {
        /// By this scheme.
        scheme: String,
        /// With the secret of this label.
        secret: String,
    },
    /// The right secret came along, but the body is not covered by it.
    Authenticated {
        /// By this scheme.
        scheme: String,
        /// With the secret of this label.
        secret: String,
    },
    /// It does not hold.
    Invalid {
        /// The scheme by which it was checked; none when there was nothing to tell one from.
        scheme: Option<String>,
        /// Why.
        reason: Reason,
        /// What to change, in a sentence.
        hint: String,
    },
    /// Nothing to check, and no secret to check it with.
    Unsigned,
    /// A signature, but no secret to check it with.
    Unchecked,
}

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A header that carries it, or goes along with it, is not there.
    MissingSignature,
    /// It is there and does not have the scheme's form.
    MalformedSignature,
    /// Base64 for hex and the like.
    WrongEncoding,
    /// The secret is not in the form that the scheme's keys have.
    SecretEncoding,
    /// The signature is right and too old.
    TimestampExpired,
    /// The signature is right and from a time to come.
    TimestampInFuture,
    /// The time stamp counts milliseconds.
    TimestampUnit,
    /// Nothing that was tried matches: another secret, or another body.
    WrongSecret,
    /// A reason of a newer hookctl, in a journal.
    #[serde(other)]
    Other,
}

impl Reason {
    /// The name in records, readable as it stands.
    pub fn name(self) -> &'static str {
        match self {
            Reason::MissingSignature => "missing_signature",
            Reason::MalformedSignature => "malformed_signature",
            Reason::WrongEncoding => "wrong_encoding",
            Reason::SecretEncoding => "secret_encoding",
            Reason::TimestampExpired => "timestamp_expired",
            Reason::TimestampInFuture => "timestamp_in_future",
            Reason::TimestampUnit => "timestamp_unit",
            Reason::WrongSecret => "wrong_secret",
            Reason::Other => "other",
        }
    }
}

impl Verdict {
    /// Whether a handler that checks would refuse it.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Verdict::Invalid { .. })
    }

    /// The word in records.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Verified { .. } => "verified",
            Verdict::Authenticated { .. } => "authenticated",
            Verdict::Invalid { .. } => "invalid",
            Verdict::Unsigned => "unsigned",
            Verdict::Unchecked => "unchecked",
        }
    }
}

/// Which scheme deliveries are checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The strongest whose headers are there.
    Auto,
    /// This one, whatever is there.
    Named(&'static Scheme),
}

/// What deliveries are checked with.
#[derive(Clone, Debug)]
pub struct Policy {
    /// By which scheme.
    pub scheme: Choice,
    /// Any of these may match.
    pub secrets: Vec<Secret>,
    /// Seconds that replace the scheme's own tolerance.
    pub tolerance: Option<u64>,
}

/// Checks a delivery at `now` (Unix seconds). `provider` is only for the wording of a hint.
pub fn check(delivery: &Delivery, policy: &Policy, now: i64, provider: Option<&Provider>) -> Verdict {
    if policy.secrets.is_empty() {
        let signed = super::ALL.iter().any(|scheme| scheme.is_present(&delivery.headers));
        return if signed { Verdict::Unchecked } else { Verdict::Unsigned };
    }
    match policy.scheme {
        Choice::Named(scheme) => check_by(scheme, scheme.claim(delivery), delivery, policy, now),
        Choice::Auto => match detect(delivery) {
            Some((scheme, claim)) => check_by(scheme, claim, delivery, policy, now),
            None => explain::nothing_to_check(&delivery.headers, provider),
        },
    }
}

/// Whether the proof that [`check`] would look at was blanked out when the delivery was recorded.
pub fn is_blanked(delivery: &Delivery, policy: &Policy) -> bool {
    let scheme = match policy.scheme {
        Choice::Named(scheme) => Some(scheme),
        Choice::Auto => detect(delivery).map(|(scheme, _)| scheme),
    };
    let blanked = |name: &&str| delivery.headers.all(name).any(|value| value.contains(REDACTED));
    scheme.is_some_and(|scheme| scheme.proof == Proof::Secret && scheme.signature.iter().any(blanked))
}

/// The strongest scheme whose headers are all there; else the strongest whose signature is, so that the header that is
/// missing beside it can be named. Schemes that share the header are told apart by which can read it.
fn detect(delivery: &Delivery) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    let headers = &delivery.headers;
    let whole = super::ALL.iter().find(|scheme| scheme.is_present(headers));
    let part = || super::ALL.iter().find(|scheme| scheme.is_begun(headers));
    let strongest = whole.or_else(part)?;
    let claim = strongest.claim(delivery);
    if claim.is_ok() {
        return Some((strongest, claim));
    }
    let sharing = super::ALL.iter().filter(|scheme| scheme.signature[0] == strongest.signature[0]);
    let readable = sharing.filter(|scheme| scheme.is_present(headers)).find_map(|scheme| {
        let claim = scheme.claim(delivery);
        claim.is_ok().then_some((scheme, claim))
    });
    Some(readable.unwrap_or((strongest, claim)))
}

fn check_by(scheme: &Scheme, claim: Result<Claim, NoClaim>, delivery: &Delivery, policy: &Policy, now: i64) -> Verdict {
    let claim = match claim {
        Ok(claim) => claim,
        Err(flaw) => return explain::no_claim(scheme, flaw),
    };
    let mut bad: Vec<(&Secret, BadKey)> = Vec::new();
    for secret in &policy.secrets {
        match scheme.proves(&claim, &delivery.body, secret) {
            Ok(true) => {
                return match scheme.off_by(&claim, now, policy.tolerance) {
                    Some(age) => explain::off_clock(scheme, age, policy.tolerance),
                    None => holds(scheme, secret),
                };
            }
            Ok(false) => {}
            Err(error) => bad.push((secret, error)),
        }
    }
    // One unusable secret among several says nothing about why the others do not match.
    match bad.as_slice() {
        [(secret, error), ..] if bad.len() == policy.secrets.len() => explain::bad_key(scheme, secret, *error),
        _ => explain::no_match(scheme, policy.secrets.len() - bad.len()),
    }
}

fn holds(scheme: &Scheme, secret: &Secret) -> Verdict {
    let (scheme_name, secret) = (scheme.name.to_owned(), secret.label().to_owned());
    if scheme.covers_body() {
        Verdict::Verified { scheme: scheme_name, secret }
    } else {
        Verdict::Authenticated { scheme: scheme_name, secret }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::payload::delivery::Headers;

    const NOW: i64 = 1_790_000_000;

    fn delivery(headers: &[(&str, &str)], body: &[u8]) -> Delivery {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        Delivery::bare(headers.collect(), Bytes::copy_from_slice(body))
    }

    fn policy(scheme: Choice, secrets: &[&str]) -> Policy {
        let secrets = secrets.iter().map(|secret| Secret::new(*secret, *secret)).collect();
        Policy { scheme, secrets, tolerance: None }
    }

    fn signed(scheme: &Scheme, body: &[u8], secret: &str) -> Delivery {
        let headers = scheme.sign(body, &Secret::new("main", secret), NOW, "msg_1").unwrap();
        Delivery::bare(headers.into_iter().collect::<Headers>(), Bytes::copy_from_slice(body))
    }

    fn reason(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Invalid { reason, .. } => reason.name(),
            other => other.name(),
        }
    }

    #[test]
    fn vectors_published_and_generated_give_their_verdict() {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/data/signatures.json")).unwrap();
        let mut checked = 0;
        for vector in vectors["vectors"].as_array().unwrap() {
            let Some(scheme) = vector["scheme"].as_str().and_then(Scheme::named) else { continue };
            let Some(secret) = vector["secret"].as_str().filter(|secret| !secret.starts_with("whpk_")) else {
                continue;
            };
            let headers = vector["headers"].as_object().unwrap();
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            let delivery = delivery(&headers, vector["body"].as_str().unwrap().as_bytes());
            let now = vector["now"].as_i64().unwrap_or(NOW);
            let verdict = check(&delivery, &policy(Choice::Named(scheme), &[secret]), now, None);
            let holds = matches!(verdict, Verdict::Verified { .. } | Verdict::Authenticated { .. });
            assert_eq!(holds, vector["valid"].as_bool().unwrap(), "{}: {verdict:?}", vector["id"]);
            checked += 1;
        }
        assert!(checked >= 32, "{checked} vectors were checked");
    }

    #[test]
    fn whatever_is_signed_verifies_and_auto_finds_the_scheme() {
        let body = br#"{"id":"a","taskId":"t","status":"success"}"#;
        for scheme in super::super::ALL {
            let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
            let delivery = signed(scheme, body, secret);
            let verdict = check(&delivery, &policy(Choice::Auto, &["other", secret]), NOW + 9, None);
            let expected = if scheme.covers_body() { "verified" } else { "authenticated" };
            // OpenAI's headers are those of Standard Webhooks.
            let found = if scheme.name == "openai" { "standard-webhooks" } else { scheme.name };
            assert_eq!(verdict.name(), expected, "{}: {verdict:?}", scheme.name);
            match verdict {
                Verdict::Verified { scheme, secret: label } | Verdict::Authenticated { scheme, secret: label } => {
                    assert_eq!((scheme.as_str(), label.as_str()), (found, secret));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn every_failure_has_its_reason() {
        let named = |name: &str| Choice::Named(Scheme::named(name).unwrap());
        let hex = "ab".repeat(32);
        let cases: [(&str, &[(&str, &str)], &str); 13] = [
            ("github", &[], "missing_signature"),
            ("github", &[("x-hub-signature-256", &hex)], "malformed_signature"),
            ("github", &[("x-hub-signature-256", "sha256=abc")], "malformed_signature"),
            ("github", &[("X-Hub-Signature-256", &format!("sha256={hex}"))], "wrong_secret"),
            ("github", &[("x-hub-signature-256", &format!("sha256={}", hex.to_uppercase()))], "wrong_encoding"),
            ("eachlabs", &[("x-webhook-signature", "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=")], "wrong_encoding"),
            ("shopify", &[("x-shopify-hmac-sha256", &hex)], "wrong_encoding"),
            ("eachlabs-timestamped", &[("x-webhook-signature", &format!("sha256={hex}"))], "missing_signature"),
            (
                "eachlabs-timestamped",
                &[("x-webhook-signature", &format!("sha256={hex}")), ("x-webhook-timestamp", "now")],
                "malformed_signature",
            ),
            ("standard-webhooks", &[("webhook-signature", "v2,abc")], "malformed_signature"),
            ("bearer", &[("authorization", "Basic abc")], "malformed_signature"),
            ("bearer", &[("authorization", "Bearer abc")], "wrong_secret"),
            ("stripe", &[("stripe-signature", &format!("v1={hex}"))], "malformed_signature"),
        ];
        for (scheme, headers, expected) in cases {
            let verdict = check(&delivery(headers, b"{}"), &policy(named(scheme), &["s3cret"]), NOW, None);
            assert_eq!(reason(&verdict), expected, "{scheme} {headers:?}: {verdict:?}");
        }
        let standard = [
            ("webhook-id", "m"),
            ("webhook-timestamp", "1790000000"),
            ("webhook-signature", "v1,q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="),
        ];
        let verdict = check(&delivery(&standard, b"{}"), &policy(Choice::Auto, &["not base64!"]), NOW, None);
        assert_eq!(reason(&verdict), "secret_encoding");
    }

    #[test]
    fn the_last_second_passes_and_the_next_does_not() {
        let body = b"{}";
        let at = |name: &str, now: i64, tolerance: Option<u64>| {
            let scheme = Scheme::named(name).unwrap();
            let policy = Policy { tolerance, ..policy(Choice::Named(scheme), &["c2VjcmV0"]) };
            reason(&check(&signed(scheme, body, "c2VjcmV0"), &policy, now, None))
        };
        for name in ["eachlabs-timestamped", "standard-webhooks", "slack"] {
            assert_eq!(at(name, NOW + 300, None), "verified");
            assert_eq!(at(name, NOW + 301, None), "timestamp_expired");
            assert_eq!(at(name, NOW - 300, None), "verified");
            assert_eq!(at(name, NOW - 301, None), "timestamp_in_future");
            assert_eq!(at(name, NOW + 11, Some(10)), "timestamp_expired");
            assert_eq!(at(name, NOW + 10, Some(10)), "verified");
        }
        assert_eq!(at("stripe", NOW - 9_999, None), "verified", "Stripe checks the age only");
        assert_eq!(at("stripe", NOW + 301, None), "timestamp_expired");
        assert_eq!(at("elevenlabs", NOW + 1_800, None), "verified");
        assert_eq!(at("elevenlabs", NOW + 1_801, None), "timestamp_expired");
        assert_eq!(at("github", NOW + 999_999, None), "verified");
    }

    #[test]
    fn milliseconds_are_named_as_such() {
        let scheme = Scheme::named("eachlabs-timestamped").unwrap();
        let headers = scheme.sign(b"{}", &Secret::new("main", "s"), NOW * 1000, "m").unwrap();
        let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::from_static(b"{}"));
        let verdict = check(&delivery, &policy(Choice::Auto, &["s"]), NOW, None);
        assert_eq!(reason(&verdict), "timestamp_unit");
    }

    #[test]
    fn the_stronger_of_two_schemes_decides() {
        let scheme = Scheme::named("eachlabs-timestamped").unwrap();
        let mut both = signed(scheme, b"{}", "s");
        both.headers.push(HeaderName::from_static("x-webhook-secret"), HeaderValue::from_static("s"));
        assert_eq!(check(&both, &policy(Choice::Auto, &["s"]), NOW, None).name(), "verified");
        both.body = Bytes::from_static(b"[]");
        assert_eq!(reason(&check(&both, &policy(Choice::Auto, &["s"]), NOW, None)), "wrong_secret");
    }

    #[test]
    fn without_a_secret_nothing_is_claimed() {
        let none = policy(Choice::Auto, &[]);
        assert_eq!(check(&delivery(&[], b"{}"), &none, NOW, None), Verdict::Unsigned);
        assert_eq!(check(&delivery(&[("x-webhook-signature", "zz")], b"{}"), &none, NOW, None), Verdict::Unchecked);
        assert_eq!(
            reason(&check(&delivery(&[], b"{}"), &policy(Choice::Auto, &["s"]), NOW, None)),
            "missing_signature"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_sign_and_verify_and_one_flipped_bit_is_refused(
            body in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0..8_u32,
        ) {
            for scheme in super::super::ALL.iter().filter(|scheme| scheme.covers_body()) {
                let good = signed(scheme, &body, "c2VjcmV0");
                let policy = policy(Choice::Named(scheme), &["c2VjcmV0"]);
                prop_assert_eq!(check(&good, &policy, NOW, None).name(), "verified");
                let mut flipped = body.clone();
                flipped[at.index(body.len())] ^= 1_u8 << bit;
                let bad = Delivery { body: flipped.into(), ..good };
                prop_assert_eq!(reason(&check(&bad, &policy, NOW, None)), "wrong_secret");
            }
        }

        #[test]
        fn garbage_in_headers_never_panics(value in "[ -~]{0,80}", body in prop::collection::vec(any::<u8>(), 0..20)) {
            for scheme in super::super::ALL {
                let mut headers = Headers::default();
                for name in scheme.signature.iter().chain(&["x-webhook-timestamp", "webhook-id", "webhook-timestamp"]) {
                    headers.push(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
                }
                let delivery = Delivery::bare(headers, Bytes::copy_from_slice(&body));
                for choice in [Choice::Auto, Choice::Named(scheme)] {
                    let verdict = check(&delivery, &policy(choice, &["another secret"]), NOW, None);
                    prop_assert!(verdict.is_invalid());
                }
            }
        }
    }
}
