//! Checks the signature of a delivery.

use super::detect::{choose, detect};
use super::invalid;
use super::policy::{Choice, Policy};
use super::scheme::{BadKey, Claim, NoClaim, ProofEncoding, Scheme};
use super::secret::Secret;
use super::verdict::Verdict;
use crate::payload::delivery::Delivery;
use crate::payload::headers::REDACTED;
use crate::payload::provider::Provider;

/// Checks a delivery at `now` (Unix seconds). `provider` is used in hints, and decides between schemes with the same content
/// and headers.
pub fn check(delivery: &Delivery, policy: &Policy, now: i64, provider: Option<&Provider>) -> Verdict {
    if policy.secrets.is_empty() {
        let signed = super::ALL.iter().any(|scheme| scheme.has_all_headers(&delivery.headers));
        return if signed { Verdict::Unchecked } else { Verdict::Unsigned };
    }
    match choose(policy.scheme, &delivery.headers, &delivery.body, provider) {
        Some((scheme, claim)) => check_by(scheme, claim, delivery, policy, now),
        None => invalid::no_signature(&delivery.headers, provider),
    }
}

fn check_by(scheme: &Scheme, claim: Result<Claim, NoClaim>, delivery: &Delivery, policy: &Policy, now: i64) -> Verdict {
    let mut bad: Vec<(&Secret, BadKey)> = Vec::new();
    let mut flaw = None;
    for secret in &policy.secrets {
        let form = scheme.for_secret(secret);
        // A new claim is only needed where the scheme has another form for the secret.
        let own = if std::ptr::eq(form, scheme) { None } else { Some(form.claim(delivery)) };
        let claim = match own.as_ref().unwrap_or(&claim) {
            Ok(claim) => claim,
            Err(missing) => {
                flaw.get_or_insert_with(|| (form, missing.clone()));
                continue;
            }
        };
        match form.verifies(claim, &delivery.body, secret) {
            Ok(true) => {
                return match form.off_by(claim, now, policy.tolerance) {
                    Some(age) => invalid::off_clock(form, age, policy.tolerance),
                    None => verified(form, secret),
                };
            }
            Ok(false) => {}
            Err(error) => bad.push((secret, error)),
        }
    }
    if let Some((form, flaw)) = flaw {
        return invalid::no_claim(form, flaw, &delivery.headers);
    }
    // Only when no secret is usable is the secret the cause.
    match bad.as_slice() {
        [(secret, error), ..] if bad.len() == policy.secrets.len() => invalid::bad_key(scheme, secret, *error),
        _ => {
            let tried =
                || policy.secrets.iter().filter(|secret| bad.iter().all(|(other, _)| !std::ptr::eq(*other, *secret)));
            let form = tried().next().map_or(scheme, |secret| scheme.for_secret(secret));
            invalid::no_match(form, tried().count())
        }
    }
}

fn verified(scheme: &Scheme, secret: &Secret) -> Verdict {
    let (name, secret) = (scheme.name.into(), secret.label().to_owned());
    if scheme.covers_body() {
        Verdict::Verified { scheme: name, secret }
    } else {
        Verdict::Authenticated { scheme: name, secret }
    }
}

/// Whether the proof that [`check`] would verify was redacted when the delivery was recorded.
pub fn is_blanked(delivery: &Delivery, policy: &Policy) -> bool {
    let blanked = |scheme: &Scheme| {
        let redacted = |name: &&str| delivery.headers.all(name).any(|value| value == REDACTED);
        scheme.proof == ProofEncoding::Secret && scheme.signature.iter().any(redacted)
    };
    match policy.scheme {
        Choice::Named(scheme) => blanked(scheme),
        Choice::Auto => match detect(delivery) {
            Some((scheme, _)) if scheme.proof != ProofEncoding::Secret => false,
            // A redacted bearer token is not detected as one.
            _ => super::ALL.iter().any(blanked),
        },
    }
}

#[cfg(test)]
mod tests;
