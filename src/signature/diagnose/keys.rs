//! The sender uses the secret differently.

use base64::Engine;
use zeroize::Zeroizing;

use super::budget::Budget;
use super::failed::{Diagnosis, FailedDelivery};
use crate::signature::codec::KEY_BASE64;
use crate::signature::engine::VerificationKey;
use crate::signature::scheme::{Claim, KeyEncoding, Scheme};
use crate::signature::secret::Secret;
use crate::signature::verdict::Reason;

impl FailedDelivery<'_> {
    /// The secret has white space or quotes around it, or is decoded differently.
    pub(crate) fn keys(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let variant = self.arrived(claim);
        let keys = self.secrets.iter().flat_map(|secret| of(secret, self.scheme));
        keys.into_iter().find(|(key, _)| self.matches(claim, key, variant, budget)).map(|(_, diagnosis)| diagnosis)
    }
}

/// Other keys that the sender may have made from a secret, each with its diagnosis.
fn of(secret: &Secret, scheme: &Scheme) -> Vec<(VerificationKey, Diagnosis)> {
    let current = scheme.verifier(secret).ok();
    let mut keys = around(secret, scheme);
    if !scheme.proof.is_asymmetric() {
        let decoded = decodings(secret, scheme.key).into_iter().filter(|(key, _)| !key.is_empty());
        keys.extend(decoded.map(|(key, diagnosis)| (scheme.symmetric_verifier(key), diagnosis)));
    }
    keys.retain(|(key, _)| Some(key) != current.as_ref());
    keys
}

/// White space or quotes around the secret, here or on the sender's side. The scheme then decodes the other secret as usual.
fn around(secret: &Secret, scheme: &Scheme) -> Vec<(VerificationKey, Diagnosis)> {
    let (text, name) = (secret.expose(), secret.describe());
    let mut keys = Vec::new();
    let mut add = |other: Vec<u8>, hint: String| {
        if let (true, Ok(key)) = (other != text, scheme.verifier(&Secret::new(secret.label(), other))) {
            keys.push((key, Diagnosis::new(Reason::SecretWhitespace, hint)));
        }
    };
    let here = |what: &str| format!("{name} has {what} here, but not on the sender's side: remove that");
    let at_sender =
        |what: &str| format!("the sender's secret has {what}, but {name} here does not: trim it in the sender");
    let trimmed = text.trim_ascii();
    add(trimmed.to_vec(), here("white space around it"));
    for quote in [b'"', b'\''] {
        let unquoted = trimmed.strip_prefix(&[quote]).and_then(|inner| inner.strip_suffix(&[quote]));
        add(unquoted.unwrap_or(text).to_vec(), here("quotes around it"));
        add([&[quote], text, &[quote]].concat(), at_sender("quotes around it"));
    }
    let ends = [
        ("", "\n", "a newline at its end"),
        ("", "\r\n", "a CRLF at its end"),
        ("", " ", "a space at its end"),
        (" ", "", "a space at its start"),
    ];
    for (before, after, what) in ends {
        add([before.as_bytes(), text, after.as_bytes()].concat(), at_sender(what));
    }
    keys
}

/// The secret decoded where the scheme uses its text, and the other way round.
fn decodings(secret: &Secret, form: KeyEncoding) -> Vec<(Zeroizing<Vec<u8>>, Diagnosis)> {
    const PREFIX: &[u8] = b"whsec_";
    let (text, name) = (secret.expose().trim_ascii(), secret.describe());
    let scheme_uses = match form {
        KeyEncoding::Text => "this scheme uses its text",
        KeyEncoding::Base64 | KeyEncoding::Base64IfPrefixed | KeyEncoding::KeyPair => {
            "this scheme decodes it as base64"
        }
    };
    let found = |hint: String| Diagnosis::new(Reason::SecretEncoding, format!("{hint}; {scheme_uses}"));
    let bare = text.strip_prefix(PREFIX).unwrap_or(text);
    let mut keys = vec![
        (Zeroizing::new(text.to_vec()), found(format!("the sender uses the text of {name}"))),
        (Zeroizing::new(bare.to_vec()), found(format!("the sender uses the text of {name} without whsec_"))),
    ];
    if let Ok(decoded) = KEY_BASE64.decode(bare) {
        keys.push((Zeroizing::new(decoded), found(format!("the sender decodes {name} as base64"))));
    }
    if let Ok(decoded) = base16ct::mixed::decode_vec(bare) {
        keys.push((Zeroizing::new(decoded), found(format!("the sender decodes {name} as hex"))));
    }
    keys
}
