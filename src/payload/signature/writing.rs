//! How proofs and keys are written: headers' values taken apart and put together, digests and secrets decoded.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::keypair;
use super::scheme::{BadKey, Form, Key, Proof};
use super::secret::Secret;

/// Base64 as keys are passed around: with or without padding, and when they were made up, as often as not with bits left
/// over in the last character. The libraries of Standard Webhooks read them all.
pub(super) const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Base64 as proofs are written. The libraries compare the text, or want its padding to decode it.
const BASE64: GeneralPurpose = STANDARD;

/// A digest however it is written, and how, where that is not as `wanted`.
pub(super) fn decode_loosely(text: &str, wanted: Proof) -> Option<(Vec<u8>, Option<&'static str>)> {
    if let Some(bytes) = wanted.decode(text) {
        return Some((bytes, None));
    }
    let digest = |bytes: Vec<u8>| (bytes.len() == SHA256_LENGTH).then_some(bytes);
    let lower = || digest(base16ct::lower::decode_vec(text).ok()?);
    let upper = || digest(base16ct::mixed::decode_vec(text).ok()?);
    let base64 = || digest(BASE64.decode(text).ok()?);
    let unpadded = || digest(KEY_BASE64.decode(text).ok()?);
    let url = || digest(KEY_BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()?);
    let twice = || digest(base16ct::mixed::decode_vec(BASE64.decode(text).ok()?).ok()?);
    let named = |how| move |bytes| (bytes, Some(how));
    lower()
        .map(named("hex"))
        .or_else(|| upper().map(named("upper-case hex")))
        .or_else(|| base64().map(named("base64")))
        .or_else(|| unpadded().map(named("base64 without its padding")))
        .or_else(|| url().map(named("base64 in its URL alphabet")))
        .or_else(|| twice().map(named("the base64 of hex text")))
}

const SHA256_LENGTH: usize = 32;
const ED25519_LENGTH: usize = 64;

/// The pairs of a header's value. White space around one belongs to it: neither Stripe's libraries nor ElevenLabs' take
/// any off, so that a pair behind a space is none that they know.
pub(super) fn pairs(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(',').filter_map(|pair| pair.split_once('='))
}

impl Form {
    /// The proofs in a header's value, as they are written.
    pub(super) fn proofs<'a>(&self, value: &'a str) -> Vec<&'a str> {
        match self {
            Form::One { reads, .. } => reads.iter().find_map(|prefix| value.strip_prefix(prefix)).into_iter().collect(),
            Form::List { version, bare } => value
                .split(' ')
                .filter_map(|item| match item.split_once(',') {
                    Some((other, proof)) => (other == *version).then_some(proof),
                    None => bare.then_some(item),
                })
                .collect(),
            Form::Pairs { proof, .. } => pairs(value).filter(|(key, _)| key == proof).map(|(_, text)| text).collect(),
        }
    }

    /// What a value without any proof lacks, continuing "it …".
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Form::One { .. } => "does not start as this scheme's signatures do",
            Form::List { .. } => "holds no signature of version v1",
            Form::Pairs { .. } => "holds no pair with a signature",
        }
    }

    /// What a value looks like, for a hint.
    pub(super) fn example(&self, proof: Proof) -> String {
        let what = match proof {
            Proof::HmacHex => "<64 lower-case hex characters>",
            Proof::HmacBase64 | Proof::Ed25519Base64 => "<base64>",
            Proof::Ed25519Hex => "<128 lower-case hex characters>",
            Proof::Secret => "<secret>",
        };
        String::from_utf8_lossy(&self.write(what.as_bytes(), "<time>")).into_owned()
    }

    pub(super) fn write(&self, proof: &[u8], timestamp: &str) -> Zeroizing<Vec<u8>> {
        let start = match self {
            Form::One { writes, .. } => (*writes).to_owned(),
            Form::List { version, .. } => format!("{version},"),
            Form::Pairs { time, proof } => format!("{time}={timestamp},{proof}="),
        };
        Zeroizing::new([start.as_bytes(), proof].concat())
    }
}

impl Proof {
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        let bytes = match self {
            Proof::Secret => return Some(text.as_bytes().to_vec()),
            Proof::HmacHex => base16ct::lower::decode_vec(text).ok()?,
            // A digest is compared as text, a signature is decoded to be checked.
            Proof::Ed25519Hex => base16ct::mixed::decode_vec(text).ok()?,
            Proof::HmacBase64 | Proof::Ed25519Base64 => BASE64.decode(text).ok()?,
        };
        let length = if self.is_asymmetric() { ED25519_LENGTH } else { SHA256_LENGTH };
        (bytes.len() == length).then_some(bytes)
    }

    pub(super) fn encode(self, digest: &[u8]) -> String {
        match self {
            Proof::HmacBase64 | Proof::Ed25519Base64 => BASE64.encode(digest),
            Proof::HmacHex | Proof::Ed25519Hex | Proof::Secret => base16ct::lower::encode_string(digest),
        }
    }

    /// What a proof of so many characters that cannot be read lacks, continuing "it …".
    pub(super) fn expected(self, length: usize) -> String {
        let looks = match (self, length) {
            (Proof::HmacHex, 40) => ", as many as a SHA-1 digest",
            (Proof::HmacHex, 128) => ", as many as a SHA-512 digest",
            _ => "",
        };
        match self {
            Proof::HmacHex => format!("is not 64 characters of hex, but {length} characters{looks}"),
            Proof::HmacBase64 => format!("is not 44 characters of base64, but {length} characters"),
            Proof::Ed25519Hex => format!("is not 128 characters of hex, but {length} characters"),
            Proof::Ed25519Base64 => format!("is not 88 characters of base64, but {length} characters"),
            Proof::Secret => "holds nothing".to_owned(),
        }
    }
}

impl Key {
    /// The key that a secret is.
    pub(super) fn bytes(self, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        const PREFIX: &[u8] = b"whsec_";
        let text = secret.expose();
        let stripped = text.strip_prefix(PREFIX);
        match (self, stripped) {
            // The halves of a pair have their own readers; nothing else may take them for a key.
            (Key::KeyPair, _) => Err(BadKey::NotAKeyPair),
            _ if keypair::is_public(secret) => Err(BadKey::PublicHalf),
            (Key::Text, _) | (Key::Base64IfPrefixed, None) => Ok(Zeroizing::new(text.to_vec())),
            (Key::Base64, _) | (Key::Base64IfPrefixed, Some(_)) => {
                let key = KEY_BASE64.decode(stripped.unwrap_or(text)).map(Zeroizing::new);
                key.map_err(|_| BadKey::NotBase64)
                    .and_then(|key| if key.is_empty() { Err(BadKey::Empty) } else { Ok(key) })
            }
        }
    }
}
