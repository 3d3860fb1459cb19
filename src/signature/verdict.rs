//! What is said of a delivery's signature.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::diagnose;
use super::diagnose::hypotheses;
use super::diagnose::hypotheses::{Budget, Diagnosis, FailedDelivery};
use super::scheme::{BadKey, Claim, NoClaim, ProofEncoding, Scheme};
use super::secret::Secret;
use crate::payload::delivery::Delivery;
use crate::payload::headers::{Lookup, REDACTED};
use crate::payload::provider::Provider;

/// The word for a signature that holds.
pub(crate) const VERIFIED: &str = "verified";

/// What is said of a delivery's signature, as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// A keyed digest that covers the body matches.
    Verified {
        /// By this scheme.
        scheme: Cow<'static, str>,
        /// With the secret of this label.
        secret: String,
    },
    /// The right secret came along, but the body is not covered by it.
    Authenticated {
        /// By this scheme.
        scheme: Cow<'static, str>,
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
    /// It matches as another scheme.
    WrongScheme,
    /// The body went through a serialiser between signing and sending.
    BodyReserialized,
    /// A newline, CRLF or byte order mark was added or lost.
    BodyNewline,
    /// White space or quotes around the secret.
    SecretWhitespace,
    /// The secret is not in the form that the scheme's keys have.
    SecretEncoding,
    /// The signature is right and too old.
    TimestampExpired,
    /// The signature is right and from a time to come.
    TimestampInFuture,
    /// The time stamp counts milliseconds.
    TimestampUnit,
    /// The time stamp is not part of what was signed.
    TimestampNotSigned,
    /// Nothing that was tried matches: another secret, or another body.
    WrongSecret,
    /// A reason of a newer hookctl, in a journal.
    #[serde(other)]
    Other,
}

impl Reason {
    /// All that are given, in the order in which they are looked for.
    pub const ALL: [Reason; 13] = [
        Reason::MissingSignature,
        Reason::MalformedSignature,
        Reason::WrongEncoding,
        Reason::WrongScheme,
        Reason::BodyReserialized,
        Reason::BodyNewline,
        Reason::SecretWhitespace,
        Reason::SecretEncoding,
        Reason::TimestampExpired,
        Reason::TimestampInFuture,
        Reason::TimestampUnit,
        Reason::TimestampNotSigned,
        Reason::WrongSecret,
    ];

    /// What it means, and where to look.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Reason::MissingSignature => {
                "a header of the scheme is not there: the sender does not sign, or something on the way drops it"
            }
            Reason::MalformedSignature => {
                "the header is not as the scheme writes it: a prefix is missing, or the value is cut or escaped"
            }
            Reason::WrongEncoding => "the right signature in another spelling, such as base64 for hex",
            Reason::WrongScheme => "it holds by another scheme: choose that with --scheme, or sign by this one",
            Reason::BodyReserialized => {
                "what was signed is the same JSON in another spelling: sign the very bytes that are sent, and verify \
                 the bytes that arrive, before anything parses them"
            }
            Reason::BodyNewline => {
                "a newline, a carriage return or a byte order mark was added or lost: keep the bytes as they are"
            }
            Reason::SecretWhitespace => {
                "one side has the secret with white space or quotes around it, as echo and .env files leave them"
            }
            Reason::SecretEncoding => {
                "one side takes the secret as text, the other as the bytes that it encodes: whsec_… is base64"
            }
            Reason::TimestampExpired => {
                "right, but older than the scheme allows: a clock is off, or the delivery waited on its way"
            }
            Reason::TimestampInFuture => "right, but from a time to come: a clock is off",
            Reason::TimestampUnit => "right, but the time stamp counts milliseconds where seconds are meant",
            Reason::TimestampNotSigned => "the body alone was signed: the scheme signs the time stamp too",
            Reason::WrongSecret => {
                "nothing that was tried matches: another secret, or a body that was changed, which looks the same"
            }
            Reason::Other => "a reason that this version of hookctl does not know",
        }
    }

    /// The name in records, readable as it stands.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reason::MissingSignature => "missing_signature",
            Reason::MalformedSignature => "malformed_signature",
            Reason::WrongEncoding => "wrong_encoding",
            Reason::WrongScheme => "wrong_scheme",
            Reason::BodyReserialized => "body_reserialized",
            Reason::BodyNewline => "body_newline",
            Reason::SecretWhitespace => "secret_whitespace",
            Reason::SecretEncoding => "secret_encoding",
            Reason::TimestampExpired => "timestamp_expired",
            Reason::TimestampInFuture => "timestamp_in_future",
            Reason::TimestampUnit => "timestamp_unit",
            Reason::TimestampNotSigned => "timestamp_not_signed",
            Reason::WrongSecret => "wrong_secret",
            Reason::Other => "other",
        }
    }
}

impl Verdict {
    /// The words for all of them.
    pub(crate) const NAMES: [&str; 5] = [VERIFIED, "authenticated", "invalid", "unsigned", "unchecked"];

    /// Why it does not hold.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Verdict::Invalid { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// Whether this is its word, or that of its reason. Case does not count.
    pub(crate) fn is(&self, word: &str) -> bool {
        let reason = self.reason().map(Reason::name);
        [Some(self.name()), reason].into_iter().flatten().any(|name| name.eq_ignore_ascii_case(word))
    }

    /// Whether a handler that checks would refuse it.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Verdict::Invalid { .. })
    }

    /// The word in records.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Verified { .. } => VERIFIED,
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

impl Choice {
    /// The scheme that was named.
    pub(crate) fn named(self) -> Option<&'static Scheme> {
        match self {
            Choice::Auto => None,
            Choice::Named(scheme) => Some(scheme),
        }
    }
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

/// Finds out why a delivery was found invalid, by trying what commonly goes wrong: a verdict with the true reason, or the
/// same again. Takes some milliseconds at most, and never makes an invalid delivery a valid one.
pub fn why(delivery: &Delivery, policy: &Policy, now: i64, verdict: Verdict) -> Verdict {
    let Verdict::Invalid { scheme: name, reason, hint } = &verdict else { return verdict };
    let Some(name) = name else {
        let found = hypotheses::in_another_header(delivery, &policy.secrets);
        return found.map_or(verdict, |Diagnosis { reason, hint, .. }| Verdict::Invalid { scheme: None, reason, hint });
    };
    let scheme = match policy.scheme {
        Choice::Named(scheme) => scheme,
        Choice::Auto => match Scheme::named(name) {
            Some(scheme) => scheme,
            None => return verdict,
        },
    };
    let mut budget = Budget::default();
    match find(scheme, delivery, policy, now, *reason, &mut budget) {
        Some(Diagnosis { reason, hint, .. }) => Verdict::Invalid { scheme: Some(name.clone()), reason, hint },
        None if budget.is_spent() && *reason == Reason::WrongSecret && scheme.covers_body() => {
            let hint = format!("{hint}; the body is too large to try every way in which it may have been changed");
            Verdict::Invalid { scheme: Some(name.clone()), reason: *reason, hint }
        }
        None => verdict,
    }
}

/// Tries what commonly goes wrong, with each form that the scheme has for these secrets.
fn find(
    scheme: &Scheme,
    delivery: &Delivery,
    policy: &Policy,
    now: i64,
    reason: Reason,
    budget: &mut Budget,
) -> Option<Diagnosis> {
    [Some(scheme), scheme.with_key_pair].into_iter().flatten().find_map(|form| {
        let own = policy.secrets.iter().filter(|secret| scheme.for_secret(secret) == form);
        let secrets: Vec<&Secret> = own.collect();
        if secrets.is_empty() {
            return None;
        }
        let case = FailedDelivery { scheme: form, delivery, secrets: &secrets, now };
        match (reason, form.claim(delivery)) {
            (Reason::WrongSecret | Reason::SecretEncoding, Ok(claim)) => case.of_claim(&claim, budget),
            (Reason::MissingSignature | Reason::MalformedSignature | Reason::WrongEncoding, Err(_)) => {
                case.of_headers(budget)
            }
            // A clock that is off was found with a signature that fits.
            _ => None,
        }
    })
}

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
            None => diagnose::nothing_to_check(&delivery.headers, provider),
        },
    }
}

/// The provider's own reading of a scheme, where it has one: OpenAI signs as Standard Webhooks has it, but takes a secret
/// without `whsec_` for text.
pub(crate) fn own_reading(
    scheme: &Scheme,
    headers: &impl Lookup,
    provider: Option<&Provider>,
) -> Option<&'static Scheme> {
    let names = provider?.shapes.iter().flat_map(|shape| shape.schemes).filter(|name| **name != scheme.name);
    let mut own = names.filter_map(|name| Scheme::named(name)).filter(|own| own.signs_as(scheme));
    own.find(|own| own.is_present(headers))
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

/// The strongest scheme whose headers are all there; else the strongest whose signature is, so that the header that is
/// missing beside it can be named. Schemes that share the header are told apart by which can read it.
pub fn detect(delivery: &Delivery) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    detect_in(&delivery.headers, &delivery.body)
}

/// The same of headers and a body wherever they stand.
pub(crate) fn detect_in(headers: &impl Lookup, body: &[u8]) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    let whole = |keyed: bool| {
        let of_kind = super::ALL.iter().filter(move |scheme| (scheme.proof != ProofEncoding::Secret) == keyed);
        of_kind.into_iter().find(|scheme| scheme.is_present(headers))
    };
    let part = || super::ALL.iter().find(|scheme| scheme.is_begun(headers));
    // A signature of which a part is missing still outranks a password beside it.
    let strongest = whole(true).or_else(part).or_else(|| whole(false))?;
    let claim = strongest.claim_of(headers, body);
    // Only a proof that cannot be read speaks for another scheme; a time stamp that cannot is a fault of this one.
    let unreadable = match &claim {
        Err(NoClaim::Malformed { header, .. }) => *header == strongest.signature[0],
        Err(NoClaim::Encoding { .. }) => true,
        Err(NoClaim::Missing { .. }) | Ok(_) => false,
    };
    if !unreadable {
        return Some((strongest, claim));
    }
    // One that signs the same and is only less strict in reading is not another scheme.
    let sharing = super::ALL.iter().filter(|scheme| scheme.signature[0] == strongest.signature[0]);
    let sharing = sharing.filter(|scheme| !scheme.signs_as(strongest));
    let readable = sharing.filter(|scheme| scheme.is_present(headers)).find_map(|scheme| {
        let claim = scheme.claim_of(headers, body);
        claim.is_ok().then_some((scheme, claim))
    });
    Some(readable.unwrap_or((strongest, claim)))
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
                    Some(age) => diagnose::off_clock(form, age, policy.tolerance),
                    None => holds(form, secret),
                };
            }
            Ok(false) => {}
            Err(error) => bad.push((secret, error)),
        }
    }
    if let Some((form, flaw)) = flaw {
        return diagnose::no_claim(form, flaw, &delivery.headers);
    }
    // One unusable secret among several says nothing about why the others do not match.
    match bad.as_slice() {
        [(secret, error), ..] if bad.len() == policy.secrets.len() => diagnose::bad_key(scheme, secret, *error),
        _ => {
            let tried =
                || policy.secrets.iter().filter(|secret| bad.iter().all(|(other, _)| !std::ptr::eq(*other, *secret)));
            let form = tried().next().map_or(scheme, |secret| scheme.for_secret(secret));
            diagnose::no_match(form, tried().count())
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

#[cfg(test)]
mod tests;
