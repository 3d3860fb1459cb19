//! Encodings: parses and writes signature headers, and decodes proofs and secrets.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::keypair;
use super::scheme::{BadKey, KeyEncoding, ProofEncoding, SignatureFormat};
use super::secret::Secret;

/// Base64 of keys: with or without padding, and with surplus bits in the last character, which invented secrets often have.
/// The libraries of Standard Webhooks accept all of these.
pub(crate) const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Base64 of proofs. The providers' libraries compare the text, or require the padding when they decode it.
const BASE64: GeneralPurpose = STANDARD;

/// Decodes a proof in any encoding. The second value names the encoding where it is not `expected`.
pub(crate) fn decode_loosely(text: &str, expected: ProofEncoding) -> Option<(Vec<u8>, Option<&'static str>)> {
    type Decode = fn(&str) -> Option<Vec<u8>>;
    const WAYS: [(&str, Decode); 6] = [
        ("hex", |text| base16ct::lower::decode_vec(text).ok()),
        ("upper-case hex", |text| base16ct::mixed::decode_vec(text).ok()),
        ("base64", |text| BASE64.decode(text).ok()),
        ("base64 without its padding", |text| KEY_BASE64.decode(text).ok()),
        ("base64 in its URL alphabet", |text| KEY_BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()),
        ("the base64 of hex text", |text| base16ct::mixed::decode_vec(BASE64.decode(text).ok()?).ok()),
    ];
    let length = expected.length()?;
    if let Some(bytes) = expected.decode(text) {
        return Some((bytes, None));
    }
    let mut ways = WAYS.into_iter().filter_map(|(how, decode)| Some((decode(text)?, Some(how))));
    ways.find(|(bytes, _)| bytes.len() == length)
}

/// The pairs of a header's value. White space is part of a key or value: the libraries of Stripe and ElevenLabs do not trim,
/// so they do not find a pair after a space.
pub(crate) fn pairs(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(',').filter_map(|pair| pair.split_once('='))
}

impl SignatureFormat {
    /// The encoded proofs in a header's value.
    pub(crate) fn proofs<'a>(&self, value: &'a str) -> Vec<&'a str> {
        match self {
            SignatureFormat::One { reads, .. } => {
                reads.iter().find_map(|prefix| value.strip_prefix(prefix)).into_iter().collect()
            }
            SignatureFormat::List { version, bare } => value
                .split(' ')
                .filter_map(|item| match item.split_once(',') {
                    Some((other, proof)) => (other == *version).then_some(proof),
                    None => bare.then_some(item),
                })
                .collect(),
            SignatureFormat::Pairs { proof, .. } => {
                pairs(value).filter(|(key, _)| key == proof).map(|(_, text)| text).collect()
            }
        }
    }

    /// Why a value has no proof, as the end of a sentence that starts with the header.
    pub(crate) fn expected(&self) -> String {
        match self {
            SignatureFormat::One { writes, .. } => format!("does not start with {writes}"),
            SignatureFormat::List { version, .. } => format!("has no signature of version {version}"),
            SignatureFormat::Pairs { proof, .. } => format!("has no signature, {proof}="),
        }
    }

    /// An example value for a hint.
    pub(crate) fn example(&self, proof: ProofEncoding) -> String {
        let placeholder = match proof {
            ProofEncoding::HmacHex => "<64 lower-case hex characters>",
            ProofEncoding::HmacBase64 | ProofEncoding::Ed25519Base64 => "<base64>",
            ProofEncoding::Ed25519Hex => "<128 lower-case hex characters>",
            ProofEncoding::Secret => "<secret>",
        };
        String::from_utf8_lossy(&self.write(placeholder.as_bytes(), "<time>")).into_owned()
    }

    pub(crate) fn write(&self, proof: &[u8], timestamp: &str) -> Zeroizing<Vec<u8>> {
        let start = match self {
            SignatureFormat::One { writes, .. } => (*writes).to_owned(),
            SignatureFormat::List { version, .. } => format!("{version},"),
            SignatureFormat::Pairs { time, proof } => format!("{time}={timestamp},{proof}="),
        };
        Zeroizing::new([start.as_bytes(), proof].concat())
    }
}

impl ProofEncoding {
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        let bytes = match self {
            ProofEncoding::Secret => return Some(text.as_bytes().to_vec()),
            // Libraries compare digests as text. fal's signatures could be decoded in either case; fal writes lower case,
            // and with one spelling per proof no change of a character can go unnoticed.
            ProofEncoding::HmacHex | ProofEncoding::Ed25519Hex => base16ct::lower::decode_vec(text).ok()?,
            ProofEncoding::HmacBase64 | ProofEncoding::Ed25519Base64 => BASE64.decode(text).ok()?,
        };
        (Some(bytes.len()) == self.length()).then_some(bytes)
    }

    /// The length of a proof in bytes; `None` for a secret, which may have any length.
    fn length(self) -> Option<usize> {
        match self {
            ProofEncoding::Secret => None,
            ProofEncoding::HmacHex | ProofEncoding::HmacBase64 => Some(32),
            ProofEncoding::Ed25519Hex | ProofEncoding::Ed25519Base64 => Some(64),
        }
    }

    pub(crate) fn encode(self, digest: &[u8]) -> String {
        match self {
            ProofEncoding::HmacBase64 | ProofEncoding::Ed25519Base64 => BASE64.encode(digest),
            ProofEncoding::HmacHex | ProofEncoding::Ed25519Hex | ProofEncoding::Secret => {
                base16ct::lower::encode_string(digest)
            }
        }
    }

    /// Why a text of `length` characters is not a proof, as the end of a sentence that starts with the header.
    pub(crate) fn expected(self, length: usize) -> String {
        let looks_like = match (self, length) {
            (ProofEncoding::HmacHex, 40) => ", as many as a SHA-1 digest",
            (ProofEncoding::HmacHex, 128) => ", as many as a SHA-512 digest",
            (ProofEncoding::Ed25519Hex, 64) | (ProofEncoding::Ed25519Base64, 44) => ", as many as an HMAC-SHA256",
            _ => "",
        };
        let expected = match self {
            ProofEncoding::HmacHex => "64 characters of hex",
            ProofEncoding::HmacBase64 => "44 characters of base64",
            ProofEncoding::Ed25519Hex => "128 characters of hex",
            ProofEncoding::Ed25519Base64 => "88 characters of base64",
            ProofEncoding::Secret => return "is empty".to_owned(),
        };
        format!("is not {expected}, but {length} characters{looks_like}")
    }
}

impl KeyEncoding {
    /// Decodes the key from a secret.
    pub(crate) fn bytes(self, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        const PREFIX: &[u8] = b"whsec_";
        let text = secret.expose();
        let stripped = text.strip_prefix(PREFIX);
        match (self, stripped) {
            // The halves of a key pair are parsed by `keypair`; here they must not be used as a key.
            (KeyEncoding::KeyPair, _) => Err(BadKey::NotAKeyPair),
            _ if keypair::is_public(secret) => Err(BadKey::PublicHalf),
            (KeyEncoding::Text, _) | (KeyEncoding::Base64IfPrefixed, None) => Ok(Zeroizing::new(text.to_vec())),
            (KeyEncoding::Base64, _) | (KeyEncoding::Base64IfPrefixed, Some(_)) => {
                let key = KEY_BASE64.decode(stripped.unwrap_or(text)).map(Zeroizing::new);
                key.map_err(|_| BadKey::NotBase64)
                    .and_then(|key| if key.is_empty() { Err(BadKey::Empty) } else { Ok(key) })
            }
        }
    }
}
