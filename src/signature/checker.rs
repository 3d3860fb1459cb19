//! One policy for one delivery after the other: what depends on the secrets alone is worked out once.

use super::detect::{detect_in, own_reading};
use super::engine::{KeyedDigest, SignedInputs, Verifier, fits, keyed};
use super::policy::{Choice, Policy};
use super::scheme::{Claim, Scheme};
use crate::payload::headers::Lookup;
use crate::payload::provider::Provider;

/// Checks deliveries by one policy.
pub(crate) struct Checker<'p> {
    policy: &'p Policy,
    /// A scheme, and what each secret is to it, as far as they were needed.
    keys: Vec<(&'static Scheme, Vec<PreparedKey>)>,
}

/// What a secret is to a scheme.
struct PreparedKey {
    /// The form of the scheme that it calls for.
    form: &'static Scheme,
    /// The digest that it begins; `None` where it is no key of one.
    begun: Option<KeyedDigest>,
}

impl<'p> Checker<'p> {
    /// One that has seen nothing.
    pub(crate) fn new(policy: &'p Policy) -> Self {
        Checker { policy, keys: Vec::new() }
    }

    /// Whether [`check`](super::check) would call a delivery verified. Of one that is not, nothing is said, and neither is
    /// of key pairs and of secrets that are sent along: those are for it.
    pub(crate) fn verifies(
        &mut self,
        headers: &impl Lookup,
        body: &[u8],
        now: i64,
        provider: Option<&Provider>,
    ) -> bool {
        let (scheme, claim) = match self.policy.scheme {
            Choice::Named(scheme) => (scheme, scheme.claim_of(headers, body)),
            Choice::Auto => match detect_in(headers, body) {
                Some((scheme, claim)) => match own_reading(scheme, headers, provider) {
                    Some(own) => (own, own.claim_of(headers, body)),
                    None => (scheme, claim),
                },
                None => return false,
            },
        };
        let tolerance = self.policy.tolerance;
        let proved = claim.ok().and_then(|claim| self.proved(scheme, claim, body));
        proved.is_some_and(|claim| scheme.covers_body() && scheme.off_by(&claim, now, tolerance).is_none())
    }

    /// A claim, if one of the secrets proves it.
    fn proved(&mut self, scheme: &'static Scheme, claim: Claim, body: &[u8]) -> Option<Claim> {
        let digest = scheme.body_digest(body);
        let proves = |key: &PreparedKey| {
            let given = SignedInputs::of(&claim, digest.as_deref());
            key.begun.as_ref().is_some_and(|begun| fits(begun, &claim.proofs, scheme.signed, body, given))
        };
        // Another form reads the claim otherwise, and the first secret that proves anything decides.
        let mut keys = self.keys(scheme).iter().take_while(|key| std::ptr::eq(key.form, scheme));
        keys.any(proves).then_some(claim)
    }

    fn keys(&mut self, scheme: &'static Scheme) -> &[PreparedKey] {
        let place = self.keys.iter().position(|(other, _)| std::ptr::eq(*other, scheme)).unwrap_or_else(|| {
            let keys = self.policy.secrets.iter().map(|secret| {
                let form = scheme.for_secret(secret);
                let begun = match form.verifier(secret) {
                    Ok(Verifier::Keyed(key)) => Some(keyed(&key)),
                    Ok(Verifier::Public(_) | Verifier::Itself(_)) | Err(_) => None,
                };
                PreparedKey { form, begun }
            });
            self.keys.push((scheme, keys.collect()));
            self.keys.len() - 1
        });
        &self.keys[place].1
    }
}
