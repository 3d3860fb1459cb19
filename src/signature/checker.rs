//! Checks many deliveries by one policy, and prepares the keys once.

use super::detect::choose;
use super::engine::{HmacSha256, SignedInputs, VerificationKey, hmac_matches, hmac_with_key};
use super::policy::Policy;
use super::scheme::{Claim, Scheme};
use crate::payload::headers::Lookup;
use crate::payload::provider::Provider;

/// Checks deliveries by one policy.
pub(crate) struct Checker<'p> {
    policy: &'p Policy,
    /// The keys of each scheme that was needed so far, one per secret.
    keys: Vec<(&'static Scheme, Vec<PreparedKey>)>,
}

/// A secret, prepared for a scheme.
struct PreparedKey {
    /// The form of the scheme for this secret.
    form: &'static Scheme,
    /// The HMAC with its key and no input; `None` where the secret is not an HMAC key.
    hmac: Option<HmacSha256>,
}

impl<'p> Checker<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        Checker { policy, keys: Vec::new() }
    }

    /// Whether an HMAC verifies the delivery: if so, [`check`](super::check) would return `Verified`. `false` leaves the
    /// verdict open: only `check` handles key pairs, shared secrets and invalid signatures.
    pub(crate) fn verifies(
        &mut self,
        headers: &impl Lookup,
        body: &[u8],
        now: i64,
        provider: Option<&Provider>,
    ) -> bool {
        let Some((scheme, claim)) = choose(self.policy.scheme, headers, body, provider) else { return false };
        let tolerance = self.policy.tolerance;
        let verified = claim.ok().and_then(|claim| self.verified(scheme, claim, body));
        verified.is_some_and(|claim| scheme.covers_body() && scheme.off_by(&claim, now, tolerance).is_none())
    }

    /// The claim, if one of the secrets verifies it.
    fn verified(&mut self, scheme: &'static Scheme, claim: Claim, body: &[u8]) -> Option<Claim> {
        let digest = scheme.body_digest(body);
        let matches = |key: &PreparedKey| {
            let inputs = SignedInputs::of(&claim, digest.as_deref());
            key.hmac.as_ref().is_some_and(|hmac| hmac_matches(hmac, &claim.proofs, scheme.signed, body, inputs))
        };
        // Another form needs another claim, and the first secret that matches decides: stop at the first other form.
        let mut keys = self.keys(scheme).iter().take_while(|key| std::ptr::eq(key.form, scheme));
        keys.any(matches).then_some(claim)
    }

    fn keys(&mut self, scheme: &'static Scheme) -> &[PreparedKey] {
        let index = self.keys.iter().position(|(other, _)| std::ptr::eq(*other, scheme)).unwrap_or_else(|| {
            let keys = self.policy.secrets.iter().map(|secret| {
                let form = scheme.for_secret(secret);
                let hmac = match form.verifier(secret) {
                    Ok(VerificationKey::Hmac(key)) => Some(hmac_with_key(&key)),
                    Ok(VerificationKey::PublicKey(_) | VerificationKey::Secret(_)) | Err(_) => None,
                };
                PreparedKey { form, hmac }
            });
            self.keys.push((scheme, keys.collect()));
            self.keys.len() - 1
        });
        &self.keys[index].1
    }
}
