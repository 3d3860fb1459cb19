//! What a secret could have been on the other side.

use base64::Engine;
use zeroize::Zeroizing;

use super::budget::Budget;
use super::failed::{Diagnosis, FailedDelivery};
use crate::signature::codec::KEY_BASE64;
use crate::signature::engine::Verifier;
use crate::signature::scheme::{Claim, KeyEncoding, Scheme};
use crate::signature::secret::Secret;
use crate::signature::verdict::Reason;

impl FailedDelivery<'_> {
    /// The secret has white space or quotes around it, or is a key in another form.
    pub(crate) fn keys(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let variant = self.arrived(claim);
        let keys = self.secrets.iter().flat_map(|secret| of(secret, self.scheme));
        keys.into_iter().find(|(key, _)| self.matches(claim, key, variant, budget)).map(|(_, finding)| finding)
    }
}

/// The keys that a secret could have been taken for, each with what it would mean; without the one that it is.
fn of(secret: &Secret, scheme: &Scheme) -> Vec<(Verifier, Diagnosis)> {
    let current = scheme.verifier(secret).ok();
    let mut keys = around(secret, scheme);
    if !scheme.proof.is_asymmetric() {
        let decoded = decodings(secret, scheme.key).into_iter().filter(|(key, _)| !key.is_empty());
        keys.extend(decoded.map(|(key, finding)| (scheme.verifier_of(key), finding)));
    }
    keys.retain(|(key, _)| Some(key) != current.as_ref());
    keys
}

/// White space or quotes around the secret, here or at the sender's. The scheme then reads it as it reads every other.
fn around(secret: &Secret, scheme: &Scheme) -> Vec<(Verifier, Diagnosis)> {
    let (text, name) = (secret.expose(), secret.describe());
    let mut keys = Vec::new();
    let mut add = |other: Vec<u8>, hint: String| {
        if let (true, Ok(key)) = (other != text, scheme.verifier(&Secret::new(secret.label(), other))) {
            keys.push((key, Diagnosis::new(Reason::SecretWhitespace, hint)));
        }
    };
    let ours = |what: &str| format!("{name} has {what} here, and the sender's has not: take it away");
    let theirs = |what: &str| format!("the sender's secret has {what}, and {name} here has not: read it trimmed there");
    let trimmed = text.trim_ascii();
    add(trimmed.to_vec(), ours("white space around it"));
    for quote in [b'"', b'\''] {
        let unquoted = trimmed.strip_prefix(&[quote]).and_then(|inner| inner.strip_suffix(&[quote]));
        add(unquoted.unwrap_or(text).to_vec(), ours("quotes around it"));
        add([&[quote], text, &[quote]].concat(), theirs("quotes around it"));
    }
    let ends = [
        ("", "\n", "a newline at its end"),
        ("", "\r\n", "a CRLF at its end"),
        ("", " ", "a space at its end"),
        (" ", "", "a space in front"),
    ];
    for (before, after, what) in ends {
        add([before.as_bytes(), text, after.as_bytes()].concat(), theirs(what));
    }
    keys
}

/// The secret decoded where the scheme takes it as text, and the other way round.
fn decodings(secret: &Secret, form: KeyEncoding) -> Vec<(Zeroizing<Vec<u8>>, Diagnosis)> {
    const PREFIX: &[u8] = b"whsec_";
    let (text, name) = (secret.expose().trim_ascii(), secret.describe());
    let ours = match form {
        KeyEncoding::Text => "this scheme takes it as text",
        KeyEncoding::Base64 | KeyEncoding::Base64IfPrefixed | KeyEncoding::KeyPair => {
            "this scheme decodes it as base64"
        }
    };
    let found = |hint: String| Diagnosis::new(Reason::SecretEncoding, format!("{hint}; {ours}"));
    let bare = text.strip_prefix(PREFIX).unwrap_or(text);
    let mut keys = vec![
        (Zeroizing::new(text.to_vec()), found(format!("the sender takes {name} as text"))),
        (Zeroizing::new(bare.to_vec()), found(format!("the sender takes {name} as text, without whsec_"))),
    ];
    if let Ok(decoded) = KEY_BASE64.decode(bare) {
        keys.push((Zeroizing::new(decoded), found(format!("the sender decodes {name} as base64"))));
    }
    if let Ok(decoded) = base16ct::mixed::decode_vec(bare) {
        keys.push((Zeroizing::new(decoded), found(format!("the sender decodes {name} as hex"))));
    }
    keys
}
