//! Signs and verifies with any scheme.

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

    /// Whether the signature covers the body.
    pub(crate) fn covers_body(&self) -> bool {
        self.signed.contains(&SignedPart::Body) || self.signed.contains(&SignedPart::BodySha256)
    }

    /// Whether both schemes sign the same parts. The header names of the message id may differ.
    pub(crate) fn signs_as(&self, other: &Scheme) -> bool {
        let same = |(one, two): (&SignedPart, &SignedPart)| {
            one == two || matches!((one, two), (SignedPart::Id(_), SignedPart::Id(_)))
        };
        self.signed.len() == other.signed.len() && self.signed.iter().zip(other.signed).all(same)
    }

    /// The form of the scheme for this secret: some schemes have another form for key pairs.
    pub fn for_secret(&self, secret: &Secret) -> &Scheme {
        self.with_key_pair.filter(|_| keypair::is_key_pair(secret)).unwrap_or(self)
    }

    /// Every header of the scheme: the signature, time stamp, id and account.
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

    /// Whether the request has every header that the scheme needs.
    pub(crate) fn has_all_headers(&self, headers: &impl Lookup) -> bool {
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
        // `Authorization: Basic …` is not a bearer token.
        let readable = |name: &&str| headers.all(name).any(|value| !self.form.proofs(&value).is_empty());
        let signature = match self.proof {
            ProofEncoding::Secret => self.signature.iter().any(readable),
            _ => any(self.signature),
        };
        signature && time() && ids()
    }

    /// Whether the request has the signature header; other headers may be missing.
    pub(crate) fn has_signature_header(&self, headers: &impl Lookup) -> bool {
        self.proof != ProofEncoding::Secret && self.signature.iter().any(|name| headers.has(name))
    }

    /// Reads the claim of a delivery.
    pub(crate) fn claim(&self, delivery: &Delivery) -> Result<Claim, NoClaim> {
        self.claim_of(&delivery.headers, &delivery.body)
    }

    /// Like [`claim`](Self::claim), for headers and a body that are not in a [`Delivery`].
    pub(crate) fn claim_of(&self, headers: &impl Lookup, body: &[u8]) -> Result<Claim, NoClaim> {
        let values: Vec<Cow<'_, str>> = self.signature.iter().flat_map(|name| headers.all(name)).collect();
        if values.is_empty() {
            return Err(NoClaim::Missing { header: self.signature[0], signature: true });
        }
        let texts: Vec<&str> = values.iter().flat_map(|value| self.form.proofs(value)).collect();
        if texts.is_empty() {
            return Err(NoClaim::Malformed { header: self.signature[0], how: self.form.expected().into() });
        }
        // Rotation needs two; the limit bounds the work for an endless list.
        const MAX_PROOFS: usize = 32;
        let proofs: Vec<Vec<u8>> = texts.iter().filter_map(|text| self.proof.decode(text)).take(MAX_PROOFS).collect();
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
                    let how = || "signs a field that this body does not have".into();
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
                let missing = NoClaim::Malformed { header: self.signature[0], how: "has no time stamp, t=".into() };
                (self.signature[0], found.ok_or(missing)?.1.to_owned())
            }
            (TimestampSource::Pair, SignatureFormat::One { .. } | SignatureFormat::List { .. }) => return Ok(None),
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = digits.then(|| text.parse().ok()).flatten();
        match seconds {
            Some(seconds) => Ok(Some((seconds, text))),
            None => Err(NoClaim::Malformed { header, how: "is a time stamp, but not in Unix seconds".into() }),
        }
    }

    /// Whether one of the claim's proofs was made with `secret`. Every comparison is constant-time.
    pub(crate) fn verifies(&self, claim: &Claim, body: &[u8], secret: &Secret) -> Result<bool, BadKey> {
        let digest = self.body_digest(body);
        let verifier = self.verifier(secret)?;
        Ok(verifier.matches(&claim.proofs, self.signed, body, SignedInputs::of(claim, digest.as_deref())))
    }

    pub(crate) fn verifier(&self, secret: &Secret) -> Result<VerificationKey, BadKey> {
        if self.proof.is_asymmetric() {
            keypair::public(secret).map(VerificationKey::PublicKey)
        } else {
            self.key.bytes(secret).map(|key| self.symmetric_verifier(key))
        }
    }

    /// The verifier of a scheme without key pairs.
    pub(crate) fn symmetric_verifier(&self, key: Zeroizing<Vec<u8>>) -> VerificationKey {
        if self.proof == ProofEncoding::Secret { VerificationKey::Secret(key) } else { VerificationKey::Hmac(key) }
    }

    /// The signature headers for `body`, made at `now` (Unix seconds) for a message with this id.
    pub fn sign(
        &self,
        body: &[u8],
        secret: &Secret,
        now: i64,
        id: &str,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, BadKey> {
        let timestamp = now.to_string();
        let (field, digest) = (self.signed_field(body)?, self.body_digest(body));
        let inputs = SignedInputs {
            id: Some(id),
            timestamp: Some(&timestamp),
            field: field.as_deref(),
            account: Some(ACCOUNT),
            digest: digest.as_deref(),
        };
        let proof = self.make_proof(body, secret, inputs)?;
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

    /// The value of the signature header that this secret makes for a claim.
    pub(crate) fn expected(&self, claim: &Claim, body: &[u8], secret: &Secret) -> Result<String, BadKey> {
        let digest = self.body_digest(body);
        let proof = self.make_proof(body, secret, SignedInputs::of(claim, digest.as_deref()))?;
        let written = self.form.write(&proof, claim.time().unwrap_or_default());
        Ok(String::from_utf8_lossy(&written).into_owned())
    }

    /// The encoded proof that this secret makes.
    fn make_proof(&self, body: &[u8], secret: &Secret, inputs: SignedInputs<'_>) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let encoded = |bytes: &[u8]| Zeroizing::new(self.proof.encode(bytes).into_bytes());
        Ok(match self.proof {
            ProofEncoding::Secret => self.key.bytes(secret)?,
            ProofEncoding::HmacHex | ProofEncoding::HmacBase64 => {
                let hmac = update(hmac_with_key(&self.key.bytes(secret)?), self.signed, body, inputs);
                encoded(&hmac.finalize().into_bytes())
            }
            ProofEncoding::Ed25519Hex | ProofEncoding::Ed25519Base64 => {
                encoded(&keypair::sign(&keypair::private(secret)?, &signed_bytes(self.signed, body, inputs)))
            }
        })
    }

    /// The body's digest in hex, where the scheme signs the digest.
    pub(crate) fn body_digest(&self, body: &[u8]) -> Option<String> {
        Scheme::digest_in(self.signed, body)
    }

    /// The body's digest in hex, where these parts contain the digest.
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

    /// The age of the claim's time stamp in seconds, if the clock rule forbids that age: positive for too old, negative for
    /// too far in the future. `tolerance` (seconds) replaces the scheme's own.
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

/// The signed inputs besides the body.
#[derive(Clone, Copy)]
pub(crate) struct SignedInputs<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) field: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    /// The body's digest in hex, where the digest is signed.
    pub(crate) digest: Option<&'a str>,
}

impl<'a> SignedInputs<'a> {
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

/// The account of a simulated sender.
const ACCOUNT: &str = "hookctl";

/// The key to verify with.
#[derive(PartialEq, Eq)]
pub(crate) enum VerificationKey {
    Hmac(Zeroizing<Vec<u8>>),
    PublicKey(VerifyingKey),
    /// The secret that the sender puts into the header.
    Secret(Zeroizing<Vec<u8>>),
}

impl VerificationKey {
    /// Whether one of the proofs matches these parts.
    pub(crate) fn matches(
        &self,
        proofs: &[Vec<u8>],
        signed: &[SignedPart],
        body: &[u8],
        inputs: SignedInputs<'_>,
    ) -> bool {
        match self {
            VerificationKey::Hmac(key) => hmac_matches(&hmac_with_key(key), proofs, signed, body, inputs),
            VerificationKey::Secret(secret) => is_among(proofs, secret),
            VerificationKey::PublicKey(key) => {
                let message = signed_bytes(signed, body, inputs);
                proofs.iter().any(|proof| keypair::verifies(key, &message, proof))
            }
        }
    }
}

/// The signed bytes in one piece, for Ed25519 and for display.
pub(crate) fn signed_bytes(signed: &[SignedPart], body: &[u8], inputs: SignedInputs<'_>) -> Vec<u8> {
    let parts = signed.iter().map(|part| part_bytes(part, body, inputs));
    parts.collect::<Vec<_>>().concat()
}

fn part_bytes<'a>(part: &'a SignedPart, body: &'a [u8], inputs: SignedInputs<'a>) -> &'a [u8] {
    match part {
        SignedPart::Body => body,
        SignedPart::Timestamp => inputs.timestamp.unwrap_or_default().as_bytes(),
        SignedPart::Id(_) => inputs.id.unwrap_or_default().as_bytes(),
        SignedPart::Text(text) => text.as_bytes(),
        SignedPart::Field(_) => inputs.field.unwrap_or_default().as_bytes(),
        SignedPart::Account(_) => inputs.account.unwrap_or_default().as_bytes(),
        SignedPart::BodySha256 => inputs.digest.unwrap_or_default().as_bytes(),
    }
}

/// Whether one of the proofs is the SHA-256 of these parts, without a key.
pub(crate) fn is_plain(proofs: &[Vec<u8>], parts: &[&[u8]]) -> bool {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let digest = hash.finalize();
    proofs.iter().any(|proof| proof.as_slice() == digest.as_slice())
}

pub(crate) type HmacSha256 = Hmac<Sha256>;

pub(crate) fn hmac_with_key(key: &[u8]) -> HmacSha256 {
    // HMAC accepts a key of any length, so `new_from_slice` cannot fail; the fallback could only make a check fail.
    HmacSha256::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

/// Whether one of the proofs is the HMAC of these parts. `hmac` has its key and no input yet.
pub(crate) fn hmac_matches(
    hmac: &HmacSha256,
    proofs: &[Vec<u8>],
    signed: &[SignedPart],
    body: &[u8],
    inputs: SignedInputs<'_>,
) -> bool {
    is_among(proofs, &update(hmac.clone(), signed, body, inputs).finalize().into_bytes())
}

/// Constant-time: compares every proof, even after a match.
fn is_among(proofs: &[Vec<u8>], expected: &[u8]) -> bool {
    proofs.iter().fold(Choice::from(0), |found, proof| found | proof.as_slice().ct_eq(expected)).into()
}

/// Updates the HMAC part by part, without a copy of the body.
fn update(mut hmac: HmacSha256, signed: &[SignedPart], body: &[u8], inputs: SignedInputs<'_>) -> HmacSha256 {
    for part in signed {
        hmac.update(part_bytes(part, body, inputs));
    }
    hmac
}

fn required(headers: &impl Lookup, names: &'static [&'static str]) -> Result<String, NoClaim> {
    let value = names.iter().find_map(|name| headers.get(name));
    // An empty header counts as missing, as in the libraries of Standard Webhooks.
    let value = value.filter(|value| !value.is_empty());
    value.map(|value| value.into_owned()).ok_or(NoClaim::Missing { header: names[0], signature: false })
}

/// The first of these fields with a value.
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
        // An HMAC is two of these hashes, each initialised with the key.
        wiped::<Sha256>();
        wiped::<Zeroizing<Vec<u8>>>();
        wiped::<ed25519_dalek::SigningKey>();
    }
}
