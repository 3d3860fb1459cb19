//! The delivery is signed by another scheme, or with a plain digest.

use super::budget::{self, Budget};
use super::failed::{Diagnosis, FailedDelivery};
use crate::signature::ALL;
use crate::signature::engine::is_plain;
use crate::signature::scheme::{Claim, ProofEncoding, Scheme, SignedPart};
use crate::signature::verdict::Reason;

impl FailedDelivery<'_> {
    /// Another scheme verifies with the headers that arrived.
    pub(crate) fn other_scheme(&self, budget: &mut Budget) -> Option<Diagnosis> {
        let body = &self.delivery.body;
        let mut verifies = |other: &&Scheme| {
            let parses_body = other.signed.iter().any(|part| matches!(part, SignedPart::Field(_)));
            if parses_body && body.len() > budget::READ {
                return false;
            }
            let Ok(claim) = other.claim(self.delivery) else { return false };
            let case = FailedDelivery { scheme: other, ..*self };
            self.secrets.iter().any(|secret| {
                budget.take(case.cost(&claim, body.len())) && other.verifies(&claim, body, secret) == Ok(true)
            })
        };
        // A shared secret beside a signature that fails says nothing about how the signature was made.
        let others = ALL.iter().filter(|other| other.name != self.scheme.name);
        let comparable =
            others.filter(|other| other.proof != ProofEncoding::Secret || self.scheme.proof == ProofEncoding::Secret);
        let other = comparable.into_iter().find(|other| verifies(other))?;
        if other.signs_as(self.scheme) && other.proof == self.scheme.proof && other.key != self.scheme.key {
            let hint = format!(
                "the sender uses the secret as {} does, not as {}: one decodes the secret as base64, the other uses \
                 its text",
                other.name, self.scheme.name
            );
            return Some(Diagnosis::new(Reason::SecretEncoding, hint));
        }
        Some(Diagnosis::new(
            Reason::WrongScheme,
            format!(
                "it is signed as {}: {}; check it with --scheme {}, or sign as {}",
                other.name, other.summary, other.name, self.scheme.name
            ),
        ))
    }

    /// The signature is a plain SHA-256: of the body alone, or with the secret put before or after it.
    pub(crate) fn not_keyed(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let body = &self.delivery.body;
        let found = self.secrets.iter().any(|secret| {
            let secret = secret.expose();
            let orders: [&[&[u8]]; 3] = [&[body], &[secret, body], &[body, secret]];
            orders.into_iter().any(|parts| budget.take(body.len()) && is_plain(&claim.proofs, parts))
        });
        let hint = format!(
            "it is a plain SHA-256, which anybody can make, and not an HMAC; {} expects {}",
            self.scheme.name, self.scheme.summary
        );
        found.then(|| Diagnosis::new(Reason::WrongScheme, hint))
    }
}
