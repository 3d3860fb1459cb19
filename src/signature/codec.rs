//! How proofs and keys are written: headers' values taken apart and put together, digests and secrets decoded.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::keypair;
use super::scheme::{BadKey, KeyEncoding, ProofEncoding, SignatureFormat};
use super::secret::Secret;

/// Base64 as keys are passed around: with or without padding, and when they were made up, as often as not with bits left
/// over in the last character. The libraries of Standard Webhooks read them all.
pub(crate) const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Base64 as proofs are written. The libraries compare the text, or want its padding to decode it.
const BASE64: GeneralPurpose = STANDARD;

/// A proof however it is written, and how, where that is not as `wanted`.
pub(crate) fn decode_loosely(text: &str, wanted: ProofEncoding) -> Option<(Vec<u8>, Option<&'static str>)> {
    type Decode = fn(&str) -> Option<Vec<u8>>;
    const WAYS: [(&str, Decode); 6] = [
        ("hex", |text| base16ct::lower::decode_vec(text).ok()),
        ("upper-case hex", |text| base16ct::mixed::decode_vec(text).ok()),
        ("base64", |text| BASE64.decode(text).ok()),
        ("base64 without its padding", |text| KEY_BASE64.decode(text).ok()),
        ("base64 in its URL alphabet", |text| KEY_BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()),
        ("the base64 of hex text", |text| base16ct::mixed::decode_vec(BASE64.decode(text).ok()?).ok()),
    ];
    let length = wanted.length()?;
    if let Some(bytes) = wanted.decode(text) {
        return Some((bytes, None));
    }
    let mut ways = WAYS.into_iter().filter_map(|(how, decode)| Some((decode(text)?, Some(how))));
    ways.find(|(bytes, _)| bytes.len() == length)
}

/// The pairs of a header's value. White space around one belongs to it: neither Stripe's libraries nor ElevenLabs' take
/// any off, so that a pair behind a space is none that they know.
pub(crate) fn pairs(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(',').filter_map(|pair| pair.split_once('='))
}

impl SignatureFormat {
    /// The proofs in a header's value, as they are written.
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

    /// What a value without any proof lacks, continuing "it …".
    pub(crate) fn expected(&self) -> String {
        match self {
            SignatureFormat::One { writes, .. } => format!("does not start with {writes}"),
            SignatureFormat::List { version, .. } => format!("holds no signature of version {version}"),
            SignatureFormat::Pairs { proof, .. } => format!("holds no pair {proof}=, the signature"),
        }
    }

    /// What a value looks like, for a hint.
    pub(crate) fn example(&self, proof: ProofEncoding) -> String {
        let what = match proof {
            ProofEncoding::HmacHex => "<64 lower-case hex characters>",
            ProofEncoding::HmacBase64 | ProofEncoding::Ed25519Base64 => "<base64>",
            ProofEncoding::Ed25519Hex => "<128 lower-case hex characters>",
            ProofEncoding::Secret => "<secret>",
        };
        String::from_utf8_lossy(&self.write(what.as_bytes(), "<time>")).into_owned()
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
            // Digests are compared as text. fal's signatures could be read in either case; it writes lower case, and one
            // spelling for one proof leaves nothing to flip.
            ProofEncoding::HmacHex | ProofEncoding::Ed25519Hex => base16ct::lower::decode_vec(text).ok()?,
            ProofEncoding::HmacBase64 | ProofEncoding::Ed25519Base64 => BASE64.decode(text).ok()?,
        };
        (Some(bytes.len()) == self.length()).then_some(bytes)
    }

    /// How many bytes a proof has; a secret has as many as it likes.
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

    /// What a proof of so many characters that cannot be read lacks, continuing "it …".
    pub(crate) fn expected(self, length: usize) -> String {
        let looks = match (self, length) {
            (ProofEncoding::HmacHex, 40) => ", as many as a SHA-1 digest",
            (ProofEncoding::HmacHex, 128) => ", as many as a SHA-512 digest",
            (ProofEncoding::Ed25519Hex, 64) | (ProofEncoding::Ed25519Base64, 44) => ", as many as an HMAC-SHA256",
            _ => "",
        };
        let wanted = match self {
            ProofEncoding::HmacHex => "64 characters of hex",
            ProofEncoding::HmacBase64 => "44 characters of base64",
            ProofEncoding::Ed25519Hex => "128 characters of hex",
            ProofEncoding::Ed25519Base64 => "88 characters of base64",
            ProofEncoding::Secret => return "holds nothing".to_owned(),
        };
        format!("is not {wanted}, but {length} characters{looks}")
    }
}

impl KeyEncoding {
    /// The key that a secret is.
    pub(crate) fn bytes(self, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        const PREFIX: &[u8] = b"whsec_";
        let text = secret.expose();
        let stripped = text.strip_prefix(PREFIX);
        match (self, stripped) {
            // The halves of a pair have their own readers; nothing else may take them for a key.
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
