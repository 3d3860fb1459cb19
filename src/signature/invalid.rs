//! The verdict `invalid`, with the reason and hint that the check finds. `diagnose` may find a more exact reason.

use super::scheme::{BadKey, NoClaim, Scheme};
use super::secret::Secret;
use super::verdict::{Reason, Verdict};
use crate::payload::headers::Headers;
use crate::payload::nearest;
use crate::payload::provider::Provider;

/// A time stamp this many seconds ahead is in milliseconds: in seconds, it would be in the year 33658.
const MILLISECONDS_FROM: i64 = 1_000_000_000_000;

fn invalid(scheme: Option<&Scheme>, reason: Reason, hint: String) -> Verdict {
    Verdict::Invalid { scheme: scheme.map(|scheme| scheme.name.to_owned()), reason, hint }
}

/// No scheme was detected.
pub(crate) fn no_signature(headers: &Headers, provider: Option<&Provider>) -> Verdict {
    let unsigned = provider.filter(|provider| provider.shapes.iter().all(|shape| shape.schemes.is_empty()));
    let look_alike = headers.iter().map(|(name, _)| name).find(|name| name.to_ascii_lowercase().contains("signature"));
    let hint = match (unsigned, look_alike) {
        (_, Some(name)) => {
            let known = super::ALL.iter().flat_map(|scheme| scheme.signature.iter().copied());
            let near = nearest(name, known).map(|near| format!("did you mean {near}?"));
            let near = near.unwrap_or_else(|| "see the schemes in hookctl help signatures".into());
            format!("no scheme of hookctl uses the header {name}: {near}")
        }
        (Some(provider), _) if provider.name != "generic" => {
            format!("{} documents no signature: omit --secret, or add --allow-invalid", provider.label)
        }
        _ => {
            "the request has no signature header: sign in the sender, or check whether a proxy drops the header".into()
        }
    };
    invalid(None, Reason::MissingSignature, hint)
}

/// The headers that the scheme needs are missing or malformed.
pub(crate) fn no_claim(scheme: &Scheme, flaw: NoClaim, headers: &Headers) -> Verdict {
    let (reason, hint) = match flaw {
        NoClaim::Missing { header, signature: true } => {
            let present = |other: &&Scheme| other.has_signature_header(headers) || other.has_all_headers(headers);
            let hint = match super::ALL.iter().filter(|other| other.signature[0] != header).find(present) {
                Some(other) => format!(
                    "the header {header} is missing, but {} is present: check with --scheme {}, or sign as {}",
                    other.signature[0], other.name, scheme.name
                ),
                None => {
                    format!("the header {header} is missing: sign in the sender, or check whether a proxy drops it")
                }
            };
            (Reason::MissingSignature, hint)
        }
        NoClaim::Missing { header, signature: false } => (
            Reason::MissingSignature,
            format!(
                "the header {header}, which {} signs together with the body, is missing: check whether a proxy or relay \
                 drops it, or the sender omits it",
                scheme.name
            ),
        ),
        NoClaim::Malformed { header, how } => (
            Reason::MalformedSignature,
            format!("the header {header} {how}; {} expects {}", scheme.name, scheme.summary),
        ),
        NoClaim::Encoding { how } => {
            let expected = scheme.form.example(scheme.proof);
            (Reason::WrongEncoding, format!("the signature looks like {how}: write it as {expected}"))
        }
    };
    invalid(Some(scheme), reason, hint)
}

/// The signature matches, but its time stamp is not allowed. `age` is in seconds, negative for the future.
pub(crate) fn off_clock(scheme: &Scheme, age: i64, tolerance: Option<u64>) -> Verdict {
    let allowed = tolerance.or(scheme.tolerance()).unwrap_or_default();
    let off = age.unsigned_abs();
    let (reason, hint) = if age < -MILLISECONDS_FROM {
        (Reason::TimestampUnit, "the time stamp is in milliseconds: send Unix seconds".to_owned())
    } else if age < 0 {
        let hint =
            format!("signed {off} s in the future, {allowed} s are allowed: compare the clocks of sender and receiver");
        (Reason::TimestampInFuture, hint)
    } else {
        let hint =
            format!("signed {off} s ago, {allowed} s are allowed: sign again when sending, or raise --tolerance");
        (Reason::TimestampExpired, hint)
    };
    invalid(Some(scheme), reason, hint)
}

/// The secret cannot be a key of this scheme.
pub(crate) fn bad_key(scheme: &Scheme, secret: &Secret, error: BadKey) -> Verdict {
    let hint = format!("{} {error}; copy it again from the provider's dashboard", secret.describe());
    invalid(Some(scheme), Reason::SecretEncoding, hint)
}

/// The headers are well-formed, but the signature matches none of the secrets.
pub(crate) fn no_match(scheme: &Scheme, secrets: usize) -> Verdict {
    let hint = if scheme.proof.is_asymmetric() {
        let keys = if secrets == 1 { "the key does not verify" } else { "none of the keys verifies" };
        format!(
            "{keys} this signature: compare the key pair of the sender, and read its key set again, since keys are \
             replaced; a body changed after signing looks the same"
        )
    } else {
        let tried = match secrets {
            1 => "the secret does not match".to_owned(),
            _ => format!("none of the {secrets} secrets matches"),
        };
        if scheme.covers_body() {
            format!(
                "{tried} this signature: compare the secrets of sender and receiver; a body changed after signing, \
                 even in the order of its keys, looks the same"
            )
        } else {
            format!("{tried} the value that was sent: compare the secrets of sender and receiver")
        }
    };
    invalid(Some(scheme), Reason::WrongSecret, hint)
}
