//! The verdict `invalid` with its reason and hint, as far as the check itself can tell.

use super::scheme::{BadKey, NoClaim, Scheme};
use super::secret::Secret;
use super::verdict::{Reason, Verdict};
use crate::payload::headers::Headers;
use crate::payload::nearest;
use crate::payload::provider::Provider;

/// A time stamp so many seconds ahead counts milliseconds: in seconds it would be the year 33658.
const MILLISECONDS_FROM: i64 = 1_000_000_000_000;

fn invalid(scheme: Option<&Scheme>, reason: Reason, hint: String) -> Verdict {
    Verdict::Invalid { scheme: scheme.map(|scheme| scheme.name.to_owned()), reason, hint }
}

/// Nothing among the headers tells a scheme.
pub(crate) fn nothing_to_check(headers: &Headers, provider: Option<&Provider>) -> Verdict {
    let unsigned = provider.filter(|provider| provider.shapes.iter().all(|shape| shape.schemes.is_empty()));
    let look_alike = headers.iter().map(|(name, _)| name).find(|name| name.to_ascii_lowercase().contains("signature"));
    let hint = match (unsigned, look_alike) {
        (_, Some(name)) => {
            let known = super::ALL.iter().flat_map(|scheme| scheme.signature.iter().copied());
            let near = nearest(name, known).map(|near| format!("did you mean {near}?"));
            let near = near.unwrap_or_else(|| "see the schemes in hookctl help signatures".into());
            format!("the header {name} belongs to no scheme that hookctl knows: {near}")
        }
        (Some(provider), _) if provider.name != "generic" => {
            format!("{} documents no signature: listen without --secret, or with --allow-invalid", provider.label)
        }
        _ => "no signature header came along: sign in the sender, or see whether a proxy drops the header".into(),
    };
    invalid(None, Reason::MissingSignature, hint)
}

/// The headers do not have what the scheme needs.
pub(crate) fn no_claim(scheme: &Scheme, flaw: NoClaim, headers: &Headers) -> Verdict {
    let (reason, hint) = match flaw {
        NoClaim::Missing { header, signature: true } => {
            let present = |other: &&Scheme| other.is_begun(headers) || other.is_present(headers);
            let hint = match super::ALL.iter().filter(|other| other.signature[0] != header).find(present) {
                Some(other) => format!(
                    "the header {header} is missing, but {} is there: check by --scheme {}, or sign as {}",
                    other.signature[0], other.name, scheme.name
                ),
                None => format!("the header {header} is missing: sign in the sender, or see whether a proxy drops it"),
            };
            (Reason::MissingSignature, hint)
        }
        NoClaim::Missing { header, signature: false } => (
            Reason::MissingSignature,
            format!(
                "the header {header}, which {} signs along with the body, did not arrive: see which proxy or relay \
                 drops it, or whether the sender leaves it out",
                scheme.name
            ),
        ),
        NoClaim::Malformed { header, how } => {
            (Reason::MalformedSignature, format!("the header {header} {how}; {} wants {}", scheme.name, scheme.summary))
        }
        NoClaim::Encoding { how } => {
            let wanted = scheme.form.example(scheme.proof);
            (Reason::WrongEncoding, format!("the signature looks like {how}: write it as {wanted}"))
        }
    };
    invalid(Some(scheme), reason, hint)
}

/// The signature is right, and the clock is not. `age` is in seconds, negative for a time to come.
pub(crate) fn off_clock(scheme: &Scheme, age: i64, tolerance: Option<u64>) -> Verdict {
    let allowed = tolerance.or(scheme.tolerance()).unwrap_or_default();
    let off = age.unsigned_abs();
    let (reason, hint) = if age < -MILLISECONDS_FROM {
        (Reason::TimestampUnit, "the time stamp counts milliseconds: send Unix seconds".to_owned())
    } else if age < 0 {
        let hint = format!("signed {off} s in the future, {allowed} s are allowed: compare the two clocks");
        (Reason::TimestampInFuture, hint)
    } else {
        let hint =
            format!("signed {off} s ago, {allowed} s are allowed: sign again when sending, or raise --tolerance");
        (Reason::TimestampExpired, hint)
    };
    invalid(Some(scheme), reason, hint)
}

/// A secret cannot be a key of this scheme.
pub(crate) fn bad_key(scheme: &Scheme, secret: &Secret, error: BadKey) -> Verdict {
    let hint = format!("{} {error}: copy it again from the provider's page", secret.describe());
    invalid(Some(scheme), Reason::SecretEncoding, hint)
}

/// Everything has its form, and no secret gives this signature.
pub(crate) fn no_match(scheme: &Scheme, secrets: usize) -> Verdict {
    let hint = if scheme.proof.is_asymmetric() {
        let keys = if secrets == 1 { "the key does not verify" } else { "none of the keys verifies" };
        format!(
            "{keys} this signature: compare the key pair of the sender, and read its key set again, since keys are \
             replaced; a body changed after signing looks the same"
        )
    } else {
        let tried = match secrets {
            1 => "the secret does not give".to_owned(),
            _ => format!("none of the {secrets} secrets gives"),
        };
        match scheme.covers_body() {
            true => format!(
                "{tried} this signature: compare the secrets of sender and receiver; a body changed after signing, \
                 be it the order of its keys, looks the same"
            ),
            false => format!("{tried} the value that was sent: compare the secrets of sender and receiver"),
        }
    };
    invalid(Some(scheme), Reason::WrongSecret, hint)
}
