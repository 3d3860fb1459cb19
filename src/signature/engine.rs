//! The one interpreter that signs and checks with any scheme.

use std::borrow::Cow;

use ed25519_dalek::VerifyingKey;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::codec::{decode_loosely, pairs};
use super::keypair;
use super::scheme::{
    BadKey, Claim, ClockRule, NoClaim, ProofEncoding, Scheme, SignatureFormat, SignedPart, TimestampSource,
};
use super::secret::Secret;
use crate::json::value;
use crate::payload::body::Body;
use crate::payload::delivery::Delivery;
use crate::payload::headers::Lookup;

impl Scheme {
    /// Finds a scheme by its name.
    pub fn named(name: &str) -> Option<&'static Scheme> {
        super::ALL.iter().find(|scheme| scheme.name == name)
    }

    /// Whether a match proves that the body is the one that was signed.
    pub(crate) fn covers_body(&self) -> bool {
        self.signed.contains(&SignedPart::Body) || self.signed.contains(&SignedPart::BodySha256)
    }

    /// Whether it signs the same as another, in whichever headers the id comes.
    pub(crate) fn signs_as(&self, other: &Scheme) -> bool {
        let same = |(one, two): (&SignedPart, &SignedPart)| {
            one == two || matches!((one, two), (SignedPart::Id(_), SignedPart::Id(_)))
        };
        self.signed.len() == other.signed.len() && self.signed.iter().zip(other.signed).all(same)
    }

    /// The scheme as it is with this secret: some have another form for key pairs.
    pub fn for_secret(&self, secret: &Secret) -> &Scheme {
        self.with_key_pair.filter(|_| keypair::is_one(secret)).unwrap_or(self)
    }

    /// Every header that goes with it: the signature, and what is signed beside the body.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &'static str> {
        let time = match self.timestamp {
            TimestampSource::Header(names) => names,
            TimestampSource::None | TimestampSource::Pair => &[],
        };
        let parts = self.signed.iter().flat_map(|part| match part {
            SignedPart::Id(names) | SignedPart::Account(names) => *names,
            _ => &[],
        });
        self.signature.iter().chain(time).chain(parts).copied()
    }

    /// Whether every header that the scheme needs is there.
    pub(crate) fn is_present(&self, headers: &impl Lookup) -> bool {
        let any = |names: &[&str]| names.iter().any(|name| headers.has(name));
        let time = || match &self.timestamp {
            TimestampSource::Header(names) => any(names),
            TimestampSource::None | TimestampSource::Pair => true,
        };
        let ids = || {
            self.signed.iter().all(|part| match part {
                SignedPart::Id(names) | SignedPart::Account(names) => any(names),
                _ => true,
            })
        };
        // A password for HTTP (`Basic …`) is no bearer token.
        let readable = |name: &&str| headers.all(name).any(|value| !self.form.proofs(&value).is_empty());
        let signature = match self.proof {
            ProofEncoding::Secret => self.signature.iter().any(readable),
            _ => any(self.signature),
        };
        signature && time() && ids()
    }

    /// Whether the header with the proof is there, whatever else is missing.
    pub(crate) fn is_begun(&self, headers: &impl Lookup) -> bool {
        self.proof != ProofEncoding::Secret && self.signature.iter().any(|name| headers.has(name))
    }

    /// Reads what the headers claim.
    pub(crate) fn claim(&self, delivery: &Delivery) -> Result<Claim, NoClaim> {
        self.claim_of(&delivery.headers, &delivery.body)
    }

    /// The same of headers and a body wherever they stand.
    pub(crate) fn claim_of(&self, headers: &impl Lookup, body: &[u8]) -> Result<Claim, NoClaim> {
        let values: Vec<Cow<'_, str>> = self.signature.iter().flat_map(|name| headers.all(name)).collect();
        if values.is_empty() {
            return Err(NoClaim::Missing { header: self.signature[0], signature: true });
        }
        let texts: Vec<&str> = values.iter().flat_map(|value| self.form.proofs(value)).collect();
        if texts.is_empty() {
            return Err(NoClaim::Malformed { header: self.signature[0], how: self.form.expected().into() });
        }
        // Rotation needs two; a list without end would be work without end.
        const MOST: usize = 32;
        let proofs: Vec<Vec<u8>> = texts.iter().filter_map(|text| self.proof.decode(text)).take(MOST).collect();
        if proofs.is_empty() {
            return Err(self.undecodable(&texts));
        }
        let mut claim =
            Claim { proofs, timestamp: self.read_time(headers, &values)?, id: None, field: None, account: None };
        for part in self.signed {
            match part {
                SignedPart::Id(names) => claim.id = Some(required(headers, names)?),
                SignedPart::Account(names) => claim.account = Some(required(headers, names)?),
                SignedPart::Field(paths) => {
                    let found = field(body, paths);
                    let how = || "goes with a field that this body has not".into();
                    claim.field =
                        Some(found.ok_or_else(|| NoClaim::Malformed { header: self.signature[0], how: how() })?);
                }
                SignedPart::Body | SignedPart::BodySha256 | SignedPart::Timestamp | SignedPart::Text(_) => {}
            }
        }
        Ok(claim)
    }

    fn undecodable(&self, texts: &[&str]) -> NoClaim {
        if let Some(how) = texts.iter().find_map(|text| decode_loosely(text, self.proof)?.1) {
            return NoClaim::Encoding { how };
        }
        let length = texts.iter().map(|text| text.chars().count()).max().unwrap_or_default();
        NoClaim::Malformed { header: self.signature[0], how: self.proof.expected(length).into() }
    }

    fn read_time(&self, headers: &impl Lookup, values: &[Cow<'_, str>]) -> Result<Option<(i64, String)>, NoClaim> {
        let (header, text) = match (&self.timestamp, &self.form) {
            (TimestampSource::None, _) => return Ok(None),
            (TimestampSource::Header(names), _) => (names[0], required(headers, names)?),
            (TimestampSource::Pair, SignatureFormat::Pairs { time, .. }) => {
                let found = values.iter().find_map(|value| pairs(value).find(|(key, _)| key == time));
                let missing = NoClaim::Malformed { header: self.signature[0], how: "has no t=, the time stamp".into() };
                (self.signature[0], found.ok_or(missing)?.1.to_owned())
            }
            (TimestampSource::Pair, SignatureFormat::One { .. } | SignatureFormat::List { .. }) => return Ok(None),
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = digits.then(|| text.parse().ok()).flatten();
        match seconds {
            Some(seconds) => Ok(Some((seconds, text))),
            None => Err(NoClaim::Malformed { header, how: "is a time stamp, and not Unix seconds".into() }),
        }
    }

    /// Whether `secret` made one of the claim's proofs. Every comparison is constant-time.
    pub(crate) fn proves(&self, claim: &Claim, body: &[u8], secret: &Secret) -> Result<bool, BadKey> {
        let digest = self.body_digest(body);
        let verifier = self.verifier(secret)?;
        Ok(verifier.fits(&claim.proofs, self.signed, body, SignedInputs::of(claim, digest.as_deref())))
    }

    /// What a secret is to this scheme.
    pub(crate) fn verifier(&self, secret: &Secret) -> Result<Verifier, BadKey> {
        match self.proof.is_asymmetric() {
            true => keypair::public(secret).map(Verifier::Public),
            false => self.key.bytes(secret).map(|key| self.verifier_of(key)),
        }
    }

    /// What a key is to this scheme, which is none of key pairs.
    pub(crate) fn verifier_of(&self, key: Zeroizing<Vec<u8>>) -> Verifier {
        if self.proof == ProofEncoding::Secret { Verifier::Itself(key) } else { Verifier::Keyed(key) }
    }

    /// The headers that prove `body`, made at `now` (Unix seconds) for a message with this id.
    pub fn sign(
        &self,
        body: &[u8],
        secret: &Secret,
        now: i64,
        id: &str,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, BadKey> {
        let timestamp = now.to_string();
        let (field, digest) = (self.signed_field(body)?, self.body_digest(body));
        let given = SignedInputs {
            id: Some(id),
            timestamp: Some(&timestamp),
            field: field.as_deref(),
            account: Some(ACCOUNT),
            digest: digest.as_deref(),
        };
        let proof = self.prove(body, secret, given)?;
        let mut headers = Vec::with_capacity(3);
        for part in self.signed {
            match part {
                SignedPart::Id(names) => headers.push(header(names[0], id.as_bytes())?),
                SignedPart::Account(names) => headers.push(header(names[0], ACCOUNT.as_bytes())?),
                _ => {}
            }
        }
        if let TimestampSource::Header(names) = self.timestamp {
            headers.push(header(names[0], timestamp.as_bytes())?);
        }
        headers.push(header(self.signature[0], &self.form.write(&proof, &timestamp))?);
        Ok(headers)
    }

    /// What this secret gives for what a claim says, as the header should have it.
    pub(crate) fn expected(&self, claim: &Claim, body: &[u8], secret: &Secret) -> Result<String, BadKey> {
        let digest = self.body_digest(body);
        let proof = self.prove(body, secret, SignedInputs::of(claim, digest.as_deref()))?;
        let written = self.form.write(&proof, claim.time().unwrap_or_default());
        Ok(String::from_utf8_lossy(&written).into_owned())
    }

    /// The proof that this secret gives, as it is written.
    fn prove(&self, body: &[u8], secret: &Secret, given: SignedInputs<'_>) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let encoded = |bytes: &[u8]| Zeroizing::new(self.proof.encode(bytes).into_bytes());
        Ok(match self.proof {
            ProofEncoding::Secret => self.key.bytes(secret)?,
            ProofEncoding::HmacHex | ProofEncoding::HmacBase64 => {
                encoded(&fed(keyed(&self.key.bytes(secret)?), self.signed, body, given).finalize().into_bytes())
            }
            ProofEncoding::Ed25519Hex | ProofEncoding::Ed25519Base64 => {
                encoded(&keypair::sign(&keypair::private(secret)?, &signed_bytes(self.signed, body, given)))
            }
        })
    }

    /// The body's digest in hex, where the scheme signs that.
    pub(crate) fn body_digest(&self, body: &[u8]) -> Option<String> {
        Scheme::digest_in(self.signed, body)
    }

    /// The body's digest in hex, where these parts hold it.
    pub(crate) fn digest_in(signed: &[SignedPart], body: &[u8]) -> Option<String> {
        let signs = signed.contains(&SignedPart::BodySha256);
        signs.then(|| base16ct::lower::encode_string(&Sha256::digest(body)))
    }

    fn signed_field(&self, bytes: &[u8]) -> Result<Option<String>, BadKey> {
        let paths = self.signed.iter().find_map(|part| match part {
            SignedPart::Field(paths) => Some(*paths),
            _ => None,
        });
        paths.map(|paths| field(bytes, paths).ok_or(BadKey::NoField)).transpose()
    }

    /// How many seconds the claim's time stamp is off, of those that the clock rule forbids: positive for too old,
    /// negative for too far ahead, `None` for within the rule. `tolerance` (seconds) replaces the scheme's own.
    pub(crate) fn off_by(&self, claim: &Claim, now: i64, tolerance: Option<u64>) -> Option<i64> {
        let (timestamp, _) = claim.timestamp.as_ref()?;
        let age = now.saturating_sub(*timestamp);
        let allowed = |own: u64| i64::try_from(tolerance.unwrap_or(own)).unwrap_or(i64::MAX);
        let outside = match self.clock {
            ClockRule::Free => false,
            ClockRule::BothWays(own) => age.saturating_abs() > allowed(own),
            ClockRule::AgeOnly(own) => age > allowed(own),
        };
        outside.then_some(age)
    }

    /// The tolerance of the scheme's own clock rule in seconds, if it has one.
    pub(crate) fn tolerance(&self) -> Option<u64> {
        match self.clock {
            ClockRule::Free => None,
            ClockRule::BothWays(own) | ClockRule::AgeOnly(own) => Some(own),
        }
    }
}

/// What is signed beside the body.
#[derive(Clone, Copy)]
pub(crate) struct SignedInputs<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) field: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    /// The body's digest in hex, where that is signed.
    pub(crate) digest: Option<&'a str>,
}

impl<'a> SignedInputs<'a> {
    /// What a claim says, and the body's digest where that is signed.
    pub(crate) fn of(claim: &'a Claim, digest: Option<&'a str>) -> Self {
        SignedInputs {
            id: claim.id.as_deref(),
            timestamp: claim.time(),
            field: claim.field.as_deref(),
            account: claim.account.as_deref(),
            digest,
        }
    }
}

/// The account that a simulated sender has.
const ACCOUNT: &str = "hookctl";

/// What a secret is to a scheme that checks by it.
#[derive(PartialEq, Eq)]
pub(crate) enum Verifier {
    /// The key of a digest.
    Keyed(Zeroizing<Vec<u8>>),
    /// The public half of a pair.
    Public(VerifyingKey),
    /// What is sent along.
    Itself(Zeroizing<Vec<u8>>),
}

impl Verifier {
    /// Whether one of the proofs is of these parts.
    pub(crate) fn fits(&self, proofs: &[Vec<u8>], signed: &[SignedPart], body: &[u8], given: SignedInputs<'_>) -> bool {
        match self {
            Verifier::Keyed(key) => fits(&keyed(key), proofs, signed, body, given),
            Verifier::Itself(secret) => is_among(proofs, secret),
            Verifier::Public(key) => {
                let message = signed_bytes(signed, body, given);
                proofs.iter().any(|proof| keypair::verifies(key, &message, proof))
            }
        }
    }
}

/// What is signed, in one piece: Ed25519 wants it so, and people do.
pub(crate) fn signed_bytes(signed: &[SignedPart], body: &[u8], given: SignedInputs<'_>) -> Vec<u8> {
    let parts = signed.iter().map(|part| part_bytes(part, body, given));
    parts.collect::<Vec<_>>().concat()
}

fn part_bytes<'a>(part: &'a SignedPart, body: &'a [u8], given: SignedInputs<'a>) -> &'a [u8] {
    match part {
        SignedPart::Body => body,
        SignedPart::Timestamp => given.timestamp.unwrap_or_default().as_bytes(),
        SignedPart::Id(_) => given.id.unwrap_or_default().as_bytes(),
        SignedPart::Text(text) => text.as_bytes(),
        SignedPart::Field(_) => given.field.unwrap_or_default().as_bytes(),
        SignedPart::Account(_) => given.account.unwrap_or_default().as_bytes(),
        SignedPart::BodySha256 => given.digest.unwrap_or_default().as_bytes(),
    }
}

/// Whether one of the proofs is the digest of these parts without any key.
pub(crate) fn is_plain(proofs: &[Vec<u8>], parts: &[&[u8]]) -> bool {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let digest = hash.finalize();
    proofs.iter().any(|proof| proof.as_slice() == digest.as_slice())
}

/// A keyed digest to which nothing was fed yet.
pub(crate) type KeyedDigest = Hmac<Sha256>;

/// The digest that a key begins.
pub(crate) fn keyed(key: &[u8]) -> KeyedDigest {
    // HMAC takes a key of any length, so this cannot fail; an empty one could only make the check fail.
    Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

/// Whether one of the proofs is the digest of these parts.
pub(crate) fn fits(
    keyed: &KeyedDigest,
    proofs: &[Vec<u8>],
    signed: &[SignedPart],
    body: &[u8],
    given: SignedInputs<'_>,
) -> bool {
    is_among(proofs, &fed(keyed.clone(), signed, body, given).finalize().into_bytes())
}

/// Constant-time: every proof is looked at, whichever it is.
fn is_among(proofs: &[Vec<u8>], expected: &[u8]) -> bool {
    proofs.iter().fold(Choice::from(0), |found, proof| found | proof.as_slice().ct_eq(expected)).into()
}

/// Feeds what is signed part by part: the body is copied nowhere.
fn fed(mut mac: Hmac<Sha256>, signed: &[SignedPart], body: &[u8], given: SignedInputs<'_>) -> Hmac<Sha256> {
    for part in signed {
        mac.update(part_bytes(part, body, given));
    }
    mac
}

fn required(headers: &impl Lookup, names: &'static [&'static str]) -> Result<String, NoClaim> {
    let value = names.iter().find_map(|name| headers.get(name));
    // A header without a value is none: the libraries of Standard Webhooks say so too.
    let value = value.filter(|value| !value.is_empty());
    value.map(|value| value.into_owned()).ok_or(NoClaim::Missing { header: names[0], signature: false })
}

/// The first of these fields that the body has.
pub(crate) fn field(bytes: &[u8], paths: &[&str]) -> Option<String> {
    let Body::Object(object) = Body::of(bytes) else { return None };
    paths.iter().filter_map(|path| object.at(path)).find_map(value::scalar).map(|text| text.into_owned())
}

fn header(name: &'static str, value: &[u8]) -> Result<(HeaderName, HeaderValue), BadKey> {
    let value = HeaderValue::from_bytes(value).map_err(|_| BadKey::NotAHeader)?;
    Ok((HeaderName::from_static(name), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_wiped_when_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        // An HMAC is two of these, each begun with the key.
        wiped::<Sha256>();
        wiped::<Zeroizing<Vec<u8>>>();
        wiped::<ed25519_dalek::SigningKey>();
    }
}
