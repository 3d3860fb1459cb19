//! What commonly goes wrong between signing and verifying, tried one after the other until something matches.
//!
//! Bounded: see [`Budget`]. Nothing that matches here makes a delivery count as valid.

use std::borrow::Cow;

use crate::payload::delivery::Delivery;
use crate::signature::ALL;
use crate::signature::engine::{SignedInputs, Verifier, field, is_plain};
use crate::signature::scheme::{Claim, ProofEncoding, Scheme, SignedPart, TimestampSource};
use crate::signature::secret::Secret;
use crate::signature::verdict::Reason;

pub(crate) mod body;
pub(crate) mod budget;
pub(crate) mod content;
pub(crate) mod form;
pub(crate) mod keys;
pub(crate) mod time;

pub(crate) use budget::Budget;
pub(crate) use form::in_another_header;

/// A cause that was found: with it, the signature fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// The reason.
    pub(crate) reason: Reason,
    /// What to change.
    pub(crate) hint: String,
    /// The body as it was signed, where another one arrived.
    pub(crate) body: Option<Vec<u8>>,
}

impl Diagnosis {
    fn new(reason: Reason, hint: impl Into<String>) -> Self {
        Diagnosis { reason, hint: hint.into(), body: None }
    }
}

/// A delivery under a scheme, with everything that the tries vary.
pub(crate) struct FailedDelivery<'a> {
    /// By which it was checked.
    pub(crate) scheme: &'a Scheme,
    /// What arrived.
    pub(crate) delivery: &'a Delivery,
    /// What was tried.
    pub(crate) secrets: &'a [&'a Secret],
    /// The receiver's clock, Unix seconds.
    pub(crate) now: i64,
}

/// What one try varies; the rest is as it arrived.
#[derive(Clone, Copy)]
struct Variant<'a> {
    signed: &'a [SignedPart],
    body: &'a [u8],
    timestamp: Option<&'a str>,
    /// The digest of the body as it is signed, where that is not lower-case hex.
    digest: Option<&'a str>,
}

impl FailedDelivery<'_> {
    /// Finds the cause of a claim that no secret fits.
    pub(crate) fn of_claim(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        if self.scheme.proof == ProofEncoding::Secret {
            return self.other_scheme(budget.renew()).or_else(|| self.keys(claim, budget));
        }
        // The cheap ones first; a time stamp that is there and not signed also looks like another scheme.
        self.unsigned_time(claim, budget.renew())
            .or_else(|| self.other_scheme(budget.renew()))
            .or_else(|| self.other_form(budget.renew()))
            .or_else(|| self.not_keyed(claim, budget.renew()))
            .or_else(|| self.keys(claim, budget.renew()))
            .or_else(|| self.unit(claim, budget.renew()))
            .or_else(|| self.content(claim, budget.renew()))
            .or_else(|| self.body_ends(claim, budget.renew()))
            .or_else(|| self.dropped_time(claim, budget.renew()))
            .or_else(|| self.body_respelled(claim, budget.rest()))
    }

    /// Finds the cause where the headers do not have the scheme's form.
    pub(crate) fn of_headers(&self, budget: &mut Budget) -> Option<Diagnosis> {
        self.other_scheme(budget.renew()).or_else(|| self.encoding(budget.renew())).or_else(|| {
            let loose = self.loose();
            let time = loose.iter().find_map(|loose| loose.time.clone());
            let claim = self.claim(loose.into_iter().map(|loose| loose.proof).collect(), time);
            self.as_other_scheme(&claim, budget.renew()).or_else(|| self.dropped_time(&claim, budget.renew()))
        })
    }

    /// What arrived, to be varied.
    fn arrived<'v>(&'v self, claim: &'v Claim) -> Variant<'v> {
        Variant { signed: self.scheme.signed, body: &self.delivery.body, timestamp: claim.time(), digest: None }
    }

    /// Tries a variant with every secret as it is.
    fn any_secret(&self, claim: &Claim, variant: Variant<'_>, budget: &mut Budget) -> bool {
        let mut verifiers = self.secrets.iter().filter_map(|secret| self.scheme.verifier(secret).ok());
        verifiers.any(|verifier| self.fits(claim, &verifier, variant, budget))
    }

    fn fits(&self, claim: &Claim, verifier: &Verifier, variant: Variant<'_>, budget: &mut Budget) -> bool {
        if !budget.take(self.cost(claim, variant.body.len())) {
            return false;
        }
        let hashed = variant.digest.is_none().then(|| Scheme::digest_in(variant.signed, variant.body)).flatten();
        let digest = variant.digest.or(hashed.as_deref());
        let given = SignedInputs { timestamp: variant.timestamp, ..SignedInputs::of(claim, digest) };
        verifier.fits(&claim.proofs, variant.signed, variant.body, given)
    }

    /// What one check costs, in bytes that are hashed.
    fn cost(&self, claim: &Claim, bytes: usize) -> usize {
        if self.scheme.proof.is_asymmetric() { bytes + claim.proofs.len() * budget::ED25519 } else { bytes }
    }

    /// A claim with these proofs and whatever else the headers hold.
    fn claim(&self, proofs: Vec<Vec<u8>>, time: Option<String>) -> Claim {
        let header =
            |names: &[&str]| names.iter().find_map(|name| self.delivery.headers.get(name)).map(Cow::into_owned);
        let time = match self.scheme.timestamp {
            TimestampSource::Header(names) => header(names),
            TimestampSource::None => None,
            TimestampSource::Pair => time,
        };
        let timestamp = time.and_then(|text| Some((text.parse().ok()?, text)));
        let mut claim = Claim { proofs, timestamp, id: None, field: None, account: None };
        for part in self.scheme.signed {
            match part {
                SignedPart::Id(names) => claim.id = header(names),
                SignedPart::Account(names) => claim.account = header(names),
                SignedPart::Field(_) if self.delivery.body.len() > budget::READ => {}
                SignedPart::Field(paths) => claim.field = field(&self.delivery.body, paths),
                SignedPart::Body | SignedPart::BodySha256 | SignedPart::Timestamp | SignedPart::Text(_) => {}
            }
        }
        claim
    }

    /// Another scheme fits what is there.
    fn other_scheme(&self, budget: &mut Budget) -> Option<Diagnosis> {
        let body = &self.delivery.body;
        let mut fits = |other: &&Scheme| {
            let reads = other.signed.iter().any(|part| matches!(part, SignedPart::Field(_)));
            if reads && body.len() > budget::READ {
                return false;
            }
            let Ok(claim) = other.claim(self.delivery) else { return false };
            let case = FailedDelivery { scheme: other, ..*self };
            self.secrets.iter().any(|secret| {
                budget.take(case.cost(&claim, body.len())) && other.proves(&claim, body, secret) == Ok(true)
            })
        };
        // A shared secret beside a signature that fails says nothing about how that was made.
        let others = ALL.iter().filter(|other| other.name != self.scheme.name);
        let others =
            others.filter(|other| other.proof != ProofEncoding::Secret || self.scheme.proof == ProofEncoding::Secret);
        let other = others.into_iter().find(|other| fits(other))?;
        if other.signs_as(self.scheme) && other.proof == self.scheme.proof && other.key != self.scheme.key {
            let hint = format!(
                "the sender takes the secret for a key as {} does, not as {}: one decodes base64, the other takes text",
                other.name, self.scheme.name
            );
            return Some(Diagnosis::new(Reason::SecretEncoding, hint));
        }
        Some(Diagnosis::new(
            Reason::WrongScheme,
            format!(
                "it is signed as {}: {}; check it by --scheme {}, or sign as {}",
                other.name, other.summary, other.name, self.scheme.name
            ),
        ))
    }

    /// It is a plain SHA-256, with the secret put before or behind the body or not at all.
    fn not_keyed(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let body = &self.delivery.body;
        let found = self.secrets.iter().any(|secret| {
            let secret = secret.expose();
            let orders: [&[&[u8]]; 3] = [&[body], &[secret, body], &[body, secret]];
            orders.into_iter().any(|parts| budget.take(body.len()) && is_plain(&claim.proofs, parts))
        });
        let hint = format!(
            "it is a plain SHA-256, which anybody can make, and no HMAC; {} wants {}",
            self.scheme.name, self.scheme.summary
        );
        found.then(|| Diagnosis::new(Reason::WrongScheme, hint))
    }

    /// The secret has white space or quotes around it, or is a key in another form.
    fn keys(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let variant = self.arrived(claim);
        let keys = self.secrets.iter().flat_map(|secret| keys::of(secret, self.scheme));
        keys.into_iter().find(|(key, _)| self.fits(claim, key, variant, budget)).map(|(_, finding)| finding)
    }

    /// What the scheme signs, in words.
    fn signs(&self) -> String {
        self.scheme.signed.iter().map(content::word).collect()
    }
}

#[cfg(test)]
mod tests;
