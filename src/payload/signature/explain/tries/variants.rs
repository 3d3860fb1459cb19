//! What a secret and a body could have been on the other side.

use base64::Engine;
use zeroize::Zeroizing;

use super::Finding;
use crate::payload::signature::scheme::Key;
use crate::payload::signature::secret::Secret;
use crate::payload::signature::verdict::Reason;
use crate::payload::signature::writing::KEY_BASE64;

/// The keys that a secret could have been taken for, each with what it would mean; without the one that it is.
pub(super) fn keys(secret: &Secret, form: Key) -> Vec<(Zeroizing<Vec<u8>>, Finding)> {
    let current = form.bytes(secret).ok();
    let mut keys = around(secret, form);
    keys.extend(decodings(secret, form));
    keys.retain(|(key, _)| !key.is_empty() && Some(key) != current.as_ref());
    keys
}

/// White space or quotes around the secret, here or at the sender's. The scheme then reads it as it reads every other.
fn around(secret: &Secret, form: Key) -> Vec<(Zeroizing<Vec<u8>>, Finding)> {
    let (text, name) = (secret.expose(), secret.describe());
    let mut keys = Vec::new();
    let mut add = |other: Vec<u8>, hint: String| {
        if let (true, Ok(key)) = (other != text, form.bytes(&Secret::new(secret.label(), other))) {
            keys.push((key, Finding::new(Reason::SecretWhitespace, hint)));
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
fn decodings(secret: &Secret, form: Key) -> Vec<(Zeroizing<Vec<u8>>, Finding)> {
    const PREFIX: &[u8] = b"whsec_";
    let (text, name) = (secret.expose().trim_ascii(), secret.describe());
    let ours = match form {
        Key::Text => "this scheme takes it as text",
        Key::Base64 | Key::Base64IfPrefixed | Key::KeyPair => "this scheme decodes it as base64",
    };
    let found = |hint: String| Finding::new(Reason::SecretEncoding, format!("{hint}; {ours}"));
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

/// A way to make another body of one; `None` where it does not apply.
pub(super) type Change = fn(&[u8]) -> Option<Vec<u8>>;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// The body with its ends or line ends otherwise, each with what it would mean.
pub(super) const ENDS: &[(Change, &str)] = &[
    (|body| Some([body, b"\n"].concat()), "what was signed ends in a newline, and what arrived does not"),
    (
        |body| Some(body.strip_suffix(b"\r\n").or(body.strip_suffix(b"\n"))?.to_vec()),
        "what arrived ends in a newline, and what was signed does not",
    ),
    (|body| Some([body, b"\r\n"].concat()), "what was signed ends in CRLF, and what arrived does not"),
    (
        |body| Some([body.strip_suffix(b"\r\n")?, b"\n"].concat()),
        "what arrived ends in CRLF, and what was signed in a newline",
    ),
    (|body| Some(body.trim_ascii_end().to_vec()), "what arrived ends in white space, and what was signed does not"),
    (|body| Some([MARK, body].concat()), "what was signed starts with a byte order mark, and what arrived does not"),
    (
        |body| Some(body.strip_prefix(MARK)?.to_vec()),
        "what arrived starts with a byte order mark, and what was signed does not",
    ),
    (
        |body| body.contains(&b'\n').then(|| replace_line_ends(body, b"\n")),
        "what arrived has CRLF line ends, and what was signed has LF",
    ),
    (
        |body| body.contains(&b'\n').then(|| replace_line_ends(body, b"\r\n")),
        "what arrived has LF line ends, and what was signed has CRLF",
    ),
];

fn replace_line_ends(body: &[u8], end: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> =
        body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    lines.join(end)
}
