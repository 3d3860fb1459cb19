//! A delivery whose signature does not verify, and the check that every hypothesis repeats with one thing varied.

use std::borrow::Cow;

use super::budget::{self, Budget};
use crate::payload::delivery::Delivery;
use crate::signature::engine::{SignedInputs, VerificationKey, field};
use crate::signature::scheme::{Claim, Scheme, SignedPart, TimestampSource};
use crate::signature::secret::Secret;
use crate::signature::verdict::Reason;

/// A cause that was found: with it, the signature matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) reason: Reason,
    pub(crate) hint: String,
    /// The body as it was signed, where another one arrived.
    pub(crate) body: Option<Vec<u8>>,
}

impl Diagnosis {
    pub(super) fn new(reason: Reason, hint: impl Into<String>) -> Self {
        Diagnosis { reason, hint: hint.into(), body: None }
    }
}

/// A delivery, the scheme it was checked by and the secrets that were tried.
pub(crate) struct FailedDelivery<'a> {
    pub(crate) scheme: &'a Scheme,
    pub(crate) delivery: &'a Delivery,
    pub(crate) secrets: &'a [&'a Secret],
    /// The receiver's clock, Unix seconds.
    pub(crate) now: i64,
}

/// The inputs of one check. A hypothesis changes some of the fields; the other fields are as received.
#[derive(Clone, Copy)]
pub(super) struct Variant<'a> {
    pub(super) signed: &'a [SignedPart],
    pub(super) body: &'a [u8],
    pub(super) timestamp: Option<&'a str>,
    /// The digest of the body as it is signed, where that is not lower-case hex.
    pub(super) digest: Option<&'a str>,
}

impl FailedDelivery<'_> {
    /// The delivery as it arrived: the base of every variant.
    pub(super) fn arrived<'v>(&'v self, claim: &'v Claim) -> Variant<'v> {
        Variant { signed: self.scheme.signed, body: &self.delivery.body, timestamp: claim.time(), digest: None }
    }

    /// Whether a variant verifies with any of the secrets.
    pub(super) fn any_secret(&self, claim: &Claim, variant: Variant<'_>, budget: &mut Budget) -> bool {
        let mut verifiers = self.secrets.iter().filter_map(|secret| self.scheme.verifier(secret).ok());
        verifiers.any(|verifier| self.matches(claim, &verifier, variant, budget))
    }

    pub(super) fn matches(
        &self,
        claim: &Claim,
        verifier: &VerificationKey,
        variant: Variant<'_>,
        budget: &mut Budget,
    ) -> bool {
        if !budget.take(self.cost(claim, variant.body.len())) {
            return false;
        }
        let hashed = variant.digest.is_none().then(|| Scheme::digest_in(variant.signed, variant.body)).flatten();
        let digest = variant.digest.or(hashed.as_deref());
        let inputs = SignedInputs { timestamp: variant.timestamp, ..SignedInputs::of(claim, digest) };
        verifier.matches(&claim.proofs, variant.signed, variant.body, inputs)
    }

    /// The cost of one check, in hashed bytes.
    pub(super) fn cost(&self, claim: &Claim, bytes: usize) -> usize {
        if self.scheme.proof.is_asymmetric() { bytes + claim.proofs.len() * budget::ED25519 } else { bytes }
    }

    /// A claim with `proofs`, and with the time stamp, id, account and field that the delivery has.
    pub(super) fn claim(&self, proofs: Vec<Vec<u8>>, time: Option<String>) -> Claim {
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

    /// The signed parts in words: `timestamp.body`.
    pub(super) fn signs(&self) -> String {
        self.scheme.signed.iter().map(word).collect()
    }
}

/// The word for a part, for hints.
pub(super) fn word(part: &SignedPart) -> &'static str {
    match part {
        SignedPart::Body => "body",
        SignedPart::Timestamp => "timestamp",
        SignedPart::Id(_) => "id",
        SignedPart::Text(text) => text,
        SignedPart::Field(_) => "field",
        SignedPart::Account(_) => "account",
        SignedPart::BodySha256 => "sha256(body)",
    }
}
