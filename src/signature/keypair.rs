//! Ed25519 key pairs.
//!
//! Keys have Svix's format: `whpk_` and base64 of the public key, `whsk_` and base64 of seed and public key. fal publishes
//! its keys as a JWK set (RFC 8037: `"kty":"OKP","crv":"Ed25519"`), which is converted to the same format.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::scheme::BadKey;
use super::secret::Secret;

const PUBLIC: &[u8] = b"whpk_";
const PRIVATE: &[u8] = b"whsk_";

/// Whether a secret is half of a key pair, by its prefix.
pub(crate) fn is_key_pair(secret: &Secret) -> bool {
    secret.expose().starts_with(PUBLIC) || secret.expose().starts_with(PRIVATE)
}

pub(crate) fn is_public(secret: &Secret) -> bool {
    secret.expose().starts_with(PUBLIC)
}

/// The public key of either half.
pub(crate) fn public(secret: &Secret) -> Result<VerifyingKey, BadKey> {
    if secret.expose().starts_with(PRIVATE) {
        return private(secret).map(|key| key.verifying_key());
    }
    let bytes = decoded(secret, PUBLIC)?;
    let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| BadKey::NotAKeyPair)?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| BadKey::NotAKeyPair)
}

/// The private key: its seed is the first 32 of 64 bytes, or all of 32.
pub(crate) fn private(secret: &Secret) -> Result<SigningKey, BadKey> {
    if is_public(secret) {
        return Err(BadKey::PublicHalf);
    }
    let bytes = decoded(secret, PRIVATE)?;
    let seed = bytes.get(..32).filter(|_| matches!(bytes.len(), 32 | 64)).ok_or(BadKey::NotAKeyPair)?;
    let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| BadKey::NotAKeyPair)?);
    Ok(SigningKey::from_bytes(&seed))
}

fn decoded(secret: &Secret, prefix: &[u8]) -> Result<Zeroizing<Vec<u8>>, BadKey> {
    let text = secret.expose().strip_prefix(prefix).ok_or(BadKey::NotAKeyPair)?;
    STANDARD.decode(text).map(Zeroizing::new).map_err(|_| BadKey::NotAKeyPair)
}

/// Verifies strictly: rejects weak keys, and accepts only one encoding of each signature.
pub(crate) fn verifies(key: &VerifyingKey, message: &[u8], proof: &[u8]) -> bool {
    Signature::from_slice(proof).is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    key.sign(message).to_bytes()
}

/// A key pair from 32 random bytes, in the format of a secret.
pub fn from_seed(seed: &[u8; 32]) -> Zeroizing<String> {
    let key = SigningKey::from_bytes(seed);
    let whole = Zeroizing::new([seed.as_slice(), key.verifying_key().as_bytes()].concat());
    let text = Zeroizing::new(STANDARD.encode(&*whole));
    Zeroizing::new(["whsk_", &text].concat())
}

/// The public half as a JWK set, for a handler that fetches one.
pub(crate) fn jwks(secret: &Secret) -> Result<String, BadKey> {
    let x = URL_SAFE_NO_PAD.encode(public(secret)?.as_bytes());
    Ok(format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#))
}

/// The Ed25519 keys of a JWK set, each as a secret; other kinds of keys are ignored. The error is the end of a sentence.
pub fn read_jwks(text: &str) -> Result<Vec<Secret>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Jwk>,
    }
    #[derive(Deserialize)]
    struct Jwk {
        kid: Option<String>,
        crv: Option<String>,
        x: Option<String>,
    }
    let set: Set = serde_json::from_str(text).map_err(|error| format!("it is not a JWK set: {error}"))?;
    let ed25519 = set.keys.into_iter().filter(|key| key.crv.as_deref() == Some("Ed25519"));
    let keys: Vec<Secret> = ed25519
        .enumerate()
        .map(|(index, key)| {
            let label = key.kid.unwrap_or_else(|| format!("jwks-{}", index + 1));
            let x = key.x.unwrap_or_default();
            let bytes =
                URL_SAFE_NO_PAD.decode(x.trim_end_matches('=')).map_err(|_| format!("the key {label} has no x"))?;
            let secret = Secret::new(label.as_str(), format!("whpk_{}", STANDARD.encode(bytes)));
            public(&secret).map_err(|_| format!("the key {label} is not an Ed25519 key")).map(|_| secret)
        })
        .collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("it has no Ed25519 key".into()) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_signs_and_its_public_half_verifies() {
        let pair = Secret::new("main", from_seed(&[7; 32]).as_bytes());
        let signature = sign(&private(&pair).unwrap(), b"message");
        let keys = read_jwks(&jwks(&pair).unwrap()).unwrap();
        let key = public(&keys[0]).unwrap();
        assert!(verifies(&key, b"message", &signature));
        assert!(!verifies(&key, b"massage", &signature));
        assert!(!verifies(&key, b"message", &signature[..63]));
        assert_eq!(private(&keys[0]).unwrap_err(), BadKey::PublicHalf);
    }

    #[test]
    fn invalid_keys_are_refused() {
        for text in ["whpk_", "whpk_AAAA", "whsk_AAAA", "whpk_not base64", "secret", "whsk_"] {
            assert!(public(&Secret::new("main", text)).is_err(), "{text}");
        }
        for text in [
            "{}",
            "[]",
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"RSA","n":"x"}]}"#,
            r#"{"keys":[{"crv":"Ed25519","x":"AA"}]}"#,
        ] {
            assert!(read_jwks(text).is_err(), "{text}");
        }
    }
}
