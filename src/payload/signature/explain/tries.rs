//! What commonly goes wrong between signing and verifying, tried one after the other until something matches.
//!
//! Bounded: see [`Budget`]. Nothing that matches here makes a delivery count as valid.

use std::borrow::Cow;

use subtle::ConstantTimeEq;

use super::super::ALL;
use super::super::interpret::{Given, fits, is_plain};
use super::super::scheme::{Claim, Part, Proof, Scheme, Time};
use super::super::secret::Secret;
use super::super::verdict::Reason;
use super::super::writing::decode_loosely;
use crate::payload::body::Body;
use crate::payload::delivery::Delivery;
use crate::payload::respell::{Tree, spellings};

mod variants;

use variants::{ENDS, keys};

/// A cause that was found: with it, the signature fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The reason.
    pub reason: Reason,
    /// What to change.
    pub hint: String,
}

impl Finding {
    fn new(reason: Reason, hint: impl Into<String>) -> Self {
        Finding { reason, hint: hint.into() }
    }
}

/// How many bytes may be hashed to explain one delivery: some milliseconds' worth. A body of a few kilobytes gets every
/// try, one of a megabyte the first few.
#[derive(Debug)]
pub struct Budget {
    left: usize,
    /// Whether something was left untried.
    spent: bool,
    /// How many variants were tried.
    pub tried: usize,
}

/// What one family of tries may hash. Each gets as much, so that none starves those behind it.
const FAMILY: usize = 4 * 1024 * 1024;

/// A larger body is not respelled: reading and writing it again takes longer than hashing it.
const RESPELLED: usize = 64 * 1024;

impl Default for Budget {
    fn default() -> Self {
        Budget { left: FAMILY, spent: false, tried: 0 }
    }
}

impl Budget {
    fn renew(&mut self) -> &mut Self {
        self.left = FAMILY;
        self
    }

    /// Whether so many bytes may still be hashed; asked before anything is built to be hashed.
    fn allows(&mut self, bytes: usize) -> bool {
        let enough = self.left >= bytes.saturating_add(OVERHEAD);
        self.spent |= !enough;
        enough
    }

    fn take(&mut self, bytes: usize) -> bool {
        let enough = self.allows(bytes);
        self.left = self.left.saturating_sub(bytes.saturating_add(OVERHEAD));
        self.tried += usize::from(enough);
        enough
    }

    /// Whether something was left untried.
    pub fn is_spent(&self) -> bool {
        self.spent
    }
}

/// A block more or less: a hash of nothing takes time too.
const OVERHEAD: usize = 128;

/// A delivery under a scheme, with everything that the tries vary.
pub struct Case<'a> {
    /// By which it was checked.
    pub scheme: &'a Scheme,
    /// What arrived.
    pub delivery: &'a Delivery,
    /// What was tried.
    pub secrets: &'a [Secret],
    /// The receiver's clock, Unix seconds.
    pub now: i64,
}

/// What one try varies; the rest is as it arrived.
struct Variant<'a> {
    key: &'a [u8],
    signed: &'a [Part],
    body: &'a [u8],
    timestamp: Option<&'a str>,
}

impl Case<'_> {
    /// Finds the cause of a claim that no secret fits.
    pub fn of_claim(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        if self.scheme.proof == Proof::Secret {
            return self.secret(claim, budget);
        }
        // The cheap ones first; a time stamp that is there and not signed also looks like another scheme.
        self.time(claim, budget.renew())
            .or_else(|| self.other_scheme(budget.renew()))
            .or_else(|| self.other_form(budget.renew()))
            .or_else(|| self.not_keyed(claim, budget.renew()))
            .or_else(|| self.secret(claim, budget.renew()))
            .or_else(|| self.body_ends(claim, budget.renew()))
            .or_else(|| self.dropped_time(claim, budget.renew()))
            .or_else(|| self.body_respelled(claim, budget.renew()))
    }

    /// Finds the cause where the headers do not have the scheme's form.
    pub fn of_headers(&self, budget: &mut Budget) -> Option<Finding> {
        self.other_scheme(budget.renew()).or_else(|| self.encoding(budget.renew())).or_else(|| {
            let proofs = self.loose_proofs().map(|(proof, _)| proof).collect();
            self.dropped_time(&self.claim(proofs), budget.renew())
        })
    }

    fn fits(&self, claim: &Claim, variant: &Variant<'_>, budget: &mut Budget) -> bool {
        if !budget.take(variant.body.len()) {
            return false;
        }
        let given = Given { timestamp: variant.timestamp, ..Given::of(claim, None) };
        fits(&claim.proofs, variant.signed, variant.key, variant.body, given)
    }

    /// Tries a body and a time stamp with every secret as it is.
    fn any_secret(
        &self,
        claim: &Claim,
        signed: &[Part],
        body: &[u8],
        timestamp: Option<&str>,
        budget: &mut Budget,
    ) -> bool {
        self.secrets
            .iter()
            .filter_map(|secret| self.scheme.key.bytes(secret).ok())
            .any(|key| self.fits(claim, &Variant { key: &key, signed, body, timestamp }, budget))
    }

    /// A claim with these proofs and whatever else the headers hold.
    fn claim(&self, proofs: Vec<Vec<u8>>) -> Claim {
        let header = |names: &[&str]| names.iter().find_map(|name| self.delivery.headers.get(name));
        let time = match self.scheme.timestamp {
            Time::Header(names) => header(names),
            Time::None | Time::Pair => None,
        };
        let id = self.scheme.signed.iter().find_map(|part| match part {
            Part::Id(names) => header(names).map(Cow::into_owned),
            _ => None,
        });
        let timestamp = time.and_then(|text| Some((text.parse().ok()?, text.into_owned())));
        Claim { proofs, timestamp, id, field: None, account: None }
    }

    /// Another scheme fits what is there.
    fn other_scheme(&self, budget: &mut Budget) -> Option<Finding> {
        let body = &self.delivery.body;
        let mut fits = |other: &&Scheme| {
            let Ok(claim) = other.claim(self.delivery) else { return false };
            budget.take(body.len()) && self.secrets.iter().any(|secret| other.proves(&claim, body, secret) == Ok(true))
        };
        // A shared secret beside a signature that fails says nothing about how that was made.
        let others = ALL.iter().filter(|other| other.name != self.scheme.name);
        let others = others.filter(|other| other.proof != Proof::Secret || self.scheme.proof == Proof::Secret);
        let other = others.into_iter().find(|other| fits(other))?;
        if other.signs_as(self.scheme) && other.proof == self.scheme.proof && other.key != self.scheme.key {
            let hint = format!(
                "the sender takes the secret for a key as {} does, not as {}: one decodes base64, the other takes text",
                other.name, self.scheme.name
            );
            return Some(Finding::new(Reason::SecretEncoding, hint));
        }
        Some(Finding::new(
            Reason::WrongScheme,
            format!(
                "it is signed as {}: {}; check it by --scheme {}, or sign as {}",
                other.name, other.summary, other.name, self.scheme.name
            ),
        ))
    }

    /// Another scheme with the same header fits, but for the form of its signature.
    fn other_form(&self, budget: &mut Budget) -> Option<Finding> {
        let sharing = ALL.iter().filter(|other| other.name != self.scheme.name);
        let sharing = sharing.filter(|other| other.signature[0] == self.scheme.signature[0]);
        let mut present = sharing.filter(|other| other.is_present(&self.delivery.headers));
        present.find_map(|other| {
            let case = Case { scheme: other, ..*self };
            let Finding { reason, hint } = case.encoding(budget)?;
            Some(Finding::new(reason, format!("as {}, {hint}", other.name)))
        })
    }

    /// It is a plain SHA-256, with the secret put before or behind the body or not at all.
    fn not_keyed(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        let body = &self.delivery.body;
        let found = self.secrets.iter().any(|secret| {
            let secret = secret.expose();
            let orders: [&[&[u8]]; 3] = [&[body], &[secret, body], &[body, secret]];
            orders.into_iter().any(|parts| budget.take(body.len()) && is_plain(&claim.proofs, parts))
        });
        let hint = format!("it is a plain SHA-256 and no HMAC; {} wants {}", self.scheme.name, self.scheme.summary);
        found.then(|| Finding::new(Reason::WrongScheme, hint))
    }

    /// A relay has dropped the header with the time stamp: one of the last minutes fits.
    fn dropped_time(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        const MINUTES: i64 = 300;
        let timed = ALL.iter().find(|scheme| {
            scheme.signature[0] == self.scheme.signature[0]
                && scheme.signed.contains(&Part::Body)
                && matches!(scheme.timestamp, Time::Header(names) if !names.iter().any(|n| self.delivery.headers.has(n)))
        })?;
        let Time::Header(names) = timed.timestamp else { return None };
        for back in -10..MINUTES {
            let text = (self.now - back).to_string();
            if self.any_secret(claim, timed.signed, &self.delivery.body, Some(&text), budget) {
                let when = if back < 0 { format!("{} s ahead", -back) } else { format!("{back} s ago") };
                return Some(Finding::new(
                    Reason::MissingSignature,
                    format!(
                        "signed as {} {when}, but its header {} did not arrive: see which proxy or relay drops it",
                        timed.name, names[0]
                    ),
                ));
            }
        }
        None
    }

    /// The time stamp was left out of what is signed, or counted otherwise.
    fn time(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        let text = claim.time()?;
        let body = &self.delivery.body;
        let bare: &[Part] = &[Part::Body];
        let id = self.scheme.signed.iter().find(|part| matches!(part, Part::Id(_)));
        let with_id: Vec<Part> = id.into_iter().cloned().chain([Part::Text("."), Part::Body]).collect();
        let left_out = [bare, &with_id].into_iter().any(|signed| self.any_secret(claim, signed, body, None, budget));
        if left_out {
            return Some(Finding::new(
                Reason::TimestampNotSigned,
                format!("the time stamp is not part of what was signed; {} signs {}", self.scheme.name, self.signs()),
            ));
        }
        for joint in [".", "", ":", "\n", ","] {
            let signed = [Part::Timestamp, Part::Text(joint), Part::Body];
            if self.scheme.signed != signed && self.any_secret(claim, &signed, body, Some(text), budget) {
                let hint =
                    format!("time stamp and body are joined otherwise; {} signs {}", self.scheme.name, self.signs());
                return Some(Finding::new(Reason::WrongScheme, hint));
            }
        }
        let seconds = text.strip_suffix("000").map(str::to_owned);
        let other = [seconds, Some(format!("{text}000"))].into_iter().flatten();
        for other in other {
            if self.any_secret(claim, self.scheme.signed, body, Some(&other), budget) {
                return Some(Finding::new(
                    Reason::TimestampUnit,
                    format!("the header says {text} and what was signed says {other}: send Unix seconds in both"),
                ));
            }
        }
        None
    }

    /// What the scheme signs, in words.
    fn signs(&self) -> String {
        let parts = self.scheme.signed.iter().map(|part| match part {
            Part::Body => "body",
            Part::Timestamp => "timestamp",
            Part::Id(_) => "id",
            Part::Text(text) => text,
            Part::Field(_) => "field",
            Part::Account(_) => "account",
            Part::BodySha256 => "sha256(body)",
        });
        parts.collect()
    }

    /// The secret has white space or quotes around it, or is a key in another form.
    fn secret(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        for secret in self.secrets {
            for (key, finding) in keys(secret, self.scheme.key) {
                let fits = match self.scheme.proof {
                    Proof::Secret => claim.proofs.iter().any(|proof| proof.ct_eq(&key).into()),
                    _ => {
                        let timestamp = claim.time();
                        let variant =
                            Variant { key: &key, signed: self.scheme.signed, body: &self.delivery.body, timestamp };
                        self.fits(claim, &variant, budget)
                    }
                };
                if fits {
                    return Some(finding);
                }
            }
        }
        None
    }

    /// A newline or a byte order mark was added or lost.
    fn body_ends(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        let timestamp = claim.time();
        let sent = &self.delivery.body;
        for (change, what) in ENDS {
            if !self.scheme.covers_body() || !budget.allows(sent.len()) {
                return None;
            }
            let Some(body) = change(sent).filter(|body| body != sent) else { continue };
            if self.any_secret(claim, self.scheme.signed, &body, timestamp, budget) {
                let hint = format!("{what}: sign and send the same bytes (curl: --data-binary, not -d)");
                return Some(Finding::new(Reason::BodyNewline, hint));
            }
        }
        None
    }

    /// The body went through a JSON serialiser between signing and sending.
    fn body_respelled(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        if !self.scheme.covers_body() || !matches!(Body::of(&self.delivery.body), Body::Object(_) | Body::Value(_)) {
            return None;
        }
        if self.delivery.body.len() > RESPELLED {
            budget.spent = true;
            return None;
        }
        let text = std::str::from_utf8(&self.delivery.body).ok()?;
        let tree = Tree::parse(text)?;
        let timestamp = claim.time();
        for spelling in spellings() {
            if !budget.allows(text.len()) {
                return None;
            }
            let body = spelling.write(&tree);
            if self.any_secret(claim, self.scheme.signed, body.as_bytes(), timestamp, budget) {
                return Some(Finding::new(
                    Reason::BodyReserialized,
                    format!(
                        "what was signed is this JSON {}: serialise once, sign those bytes and send those bytes",
                        spelling.describe()
                    ),
                ));
            }
        }
        None
    }

    /// The proof is right but for how it is written.
    fn encoding(&self, budget: &mut Budget) -> Option<Finding> {
        let found: Vec<_> = self.loose_proofs().collect();
        for (proof, how) in found {
            let claim = self.claim(vec![proof]);
            let timestamp = claim.time();
            if self.any_secret(&claim, self.scheme.signed, &self.delivery.body, timestamp, budget) {
                let wanted = self.scheme.form.example(self.scheme.proof);
                return Some(match how {
                    Some(how) => Finding::new(
                        Reason::WrongEncoding,
                        format!("the signature is right, but it is {how}: write it as {wanted}"),
                    ),
                    None => Finding::new(
                        Reason::MalformedSignature,
                        format!("the signature is right, but not what stands around it: write it as {wanted}"),
                    ),
                });
            }
        }
        None
    }

    /// Digests in the signature header, however they are written, and how, where that is not as it should be.
    fn loose_proofs(&self) -> impl Iterator<Item = (Vec<u8>, Option<&'static str>)> {
        let values: Vec<String> = self
            .scheme
            .signature
            .iter()
            .flat_map(|name| self.delivery.headers.all(name))
            .map(Cow::into_owned)
            .collect();
        let wanted = self.scheme.proof;
        values.into_iter().flat_map(move |value| {
            let bare = value.rsplit(['=', ',', ' ', ':']).next().unwrap_or_default().to_owned();
            // The padding of base64 looks like a separator.
            let after = PREFIXES.iter().find_map(|prefix| value.strip_prefix(prefix)).unwrap_or(&value).to_owned();
            [after, value, bare].into_iter().filter_map(move |text| decode_loosely(&text, wanted)).collect::<Vec<_>>()
        })
    }
}

/// What senders put in front of a digest.
const PREFIXES: [&str; 8] = ["sha256=", "SHA256=", "sha256:", "hmac-sha256=", "v0=", "v1=", "v1,", "t="];

#[cfg(test)]
mod tests;
