//! Checks the signature of a delivery.

use super::detect::{detect, own_reading};
use super::invalid;
use super::policy::{Choice, Policy};
use super::scheme::{BadKey, Claim, NoClaim, ProofEncoding, Scheme};
use super::secret::Secret;
use super::verdict::Verdict;
use crate::payload::delivery::Delivery;
use crate::payload::headers::REDACTED;
use crate::payload::provider::Provider;

/// Checks a delivery at `now` (Unix seconds). `provider` is for the wording of a hint, and tells apart schemes that sign
/// the same in the same headers.
pub fn check(delivery: &Delivery, policy: &Policy, now: i64, provider: Option<&Provider>) -> Verdict {
    if policy.secrets.is_empty() {
        let signed = super::ALL.iter().any(|scheme| scheme.is_present(&delivery.headers));
        return if signed { Verdict::Unchecked } else { Verdict::Unsigned };
    }
    match policy.scheme {
        Choice::Named(scheme) => check_by(scheme, scheme.claim(delivery), delivery, policy, now),
        Choice::Auto => match detect(delivery) {
            Some((scheme, claim)) => match own_reading(scheme, &delivery.headers, provider) {
                Some(own) => check_by(own, own.claim(delivery), delivery, policy, now),
                None => check_by(scheme, claim, delivery, policy, now),
            },
            None => invalid::nothing_to_check(&delivery.headers, provider),
        },
    }
}

fn check_by(scheme: &Scheme, claim: Result<Claim, NoClaim>, delivery: &Delivery, policy: &Policy, now: i64) -> Verdict {
    let mut bad: Vec<(&Secret, BadKey)> = Vec::new();
    let mut flaw = None;
    for secret in &policy.secrets {
        let form = scheme.for_secret(secret);
        // Claimed anew only where the secret calls for another form of the scheme.
        let own = if std::ptr::eq(form, scheme) { None } else { Some(form.claim(delivery)) };
        let claim = match own.as_ref().unwrap_or(&claim) {
            Ok(claim) => claim,
            Err(missing) => {
                flaw.get_or_insert_with(|| (form, missing.clone()));
                continue;
            }
        };
        match form.proves(claim, &delivery.body, secret) {
            Ok(true) => {
                return match form.off_by(claim, now, policy.tolerance) {
                    Some(age) => invalid::off_clock(form, age, policy.tolerance),
                    None => holds(form, secret),
                };
            }
            Ok(false) => {}
            Err(error) => bad.push((secret, error)),
        }
    }
    if let Some((form, flaw)) = flaw {
        return invalid::no_claim(form, flaw, &delivery.headers);
    }
    // One unusable secret among several says nothing about why the others do not match.
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

fn holds(scheme: &Scheme, secret: &Secret) -> Verdict {
    let (name, secret) = (scheme.name.into(), secret.label().to_owned());
    if scheme.covers_body() {
        Verdict::Verified { scheme: name, secret }
    } else {
        Verdict::Authenticated { scheme: name, secret }
    }
}

/// Whether the proof that [`check`] would look at was blanked out when the delivery was recorded.
pub fn is_blanked(delivery: &Delivery, policy: &Policy) -> bool {
    let blanked = |scheme: &Scheme| {
        let gone = |name: &&str| delivery.headers.all(name).any(|value| value == REDACTED);
        scheme.proof == ProofEncoding::Secret && scheme.signature.iter().any(gone)
    };
    match policy.scheme {
        Choice::Named(scheme) => blanked(scheme),
        Choice::Auto => match detect(delivery) {
            Some((scheme, _)) if scheme.proof != ProofEncoding::Secret => false,
            // A blanked bearer token does not even look like one any more.
            _ => super::ALL.iter().any(blanked),
        },
    }
}

#[cfg(test)]
mod tests;
