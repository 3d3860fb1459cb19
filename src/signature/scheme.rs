//! The type of a signature scheme, which is data: headers, signed content, the encodings of proof and key, the clock rule.
//! The rows are in `rows.rs`; `engine.rs` signs and verifies with any of them. A *proof* is the digest, signature or secret
//! in the signature header.

use std::borrow::Cow;

/// A signature scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The name on the command line.
    pub name: &'static str,
    /// The scheme in words: `HMAC-SHA256 of the body, in hex`.
    pub(crate) summary: &'static str,
    /// Names of the header with the proof. `sign` writes the first; `claim` reads any.
    pub(crate) signature: &'static [&'static str],
    pub(crate) form: SignatureFormat,
    pub(crate) timestamp: TimestampSource,
    /// The signed parts, joined without a separator. Empty when the header contains the secret itself.
    pub(crate) signed: &'static [SignedPart],
    pub(crate) proof: ProofEncoding,
    pub(crate) key: KeyEncoding,
    pub(crate) clock: ClockRule,
    pub(crate) on_retry: OnRetry,
    /// The same scheme for a secret that is half of a key pair.
    pub(crate) with_key_pair: Option<&'static Scheme>,
}

/// The format of the signature header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignatureFormat {
    /// One proof.
    One {
        /// The prefix that is written.
        writes: &'static str,
        /// Prefixes that are accepted, longer ones first.
        reads: &'static [&'static str],
    },
    /// Space-separated `version,proof`; other versions are ignored.
    List {
        version: &'static str,
        /// Whether a proof without a version is accepted.
        bare: bool,
    },
    /// Comma-separated `key=value`; the proof may occur several times.
    Pairs {
        /// The key of the time stamp.
        time: &'static str,
        /// The key of the proof.
        proof: &'static str,
    },
}

/// The place of the time stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimestampSource {
    None,
    /// In a header of one of these names; the first is written.
    Header(&'static [&'static str]),
    /// Among the pairs of the signature header.
    Pair,
}

/// A part of the signed content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignedPart {
    Body,
    /// The time stamp in the sender's spelling.
    Timestamp,
    /// The message id, a header of one of these names; the first is written.
    Id(&'static [&'static str]),
    Text(&'static str),
    /// SHA-256 of the body in lower-case hex.
    BodySha256,
    /// The account, a header of one of these names; the first is written.
    Account(&'static [&'static str]),
    /// A field of the JSON body: the first of these paths with a value.
    Field(&'static [&'static str]),
}

/// The kind and encoding of a proof. Hex is lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofEncoding {
    HmacHex,
    HmacBase64,
    /// The secret itself.
    Secret,
    Ed25519Hex,
    Ed25519Base64,
}

impl ProofEncoding {
    pub(crate) fn is_asymmetric(self) -> bool {
        matches!(self, ProofEncoding::Ed25519Hex | ProofEncoding::Ed25519Base64)
    }
}

/// How the key is encoded in a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyEncoding {
    /// The key is the text of the secret.
    Text,
    /// Base64, with or without the prefix `whsec_`.
    Base64,
    /// Base64 after `whsec_`; the text of a secret without the prefix.
    Base64IfPrefixed,
    /// Half of an Ed25519 key pair, `whpk_` or `whsk_` and base64.
    KeyPair,
}

/// The allowed difference between a time stamp and the receiver's clock. The last second of the tolerance still passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockRule {
    /// Any.
    Free,
    /// At most this many seconds before or after.
    BothWays(u64),
    /// At most this many seconds old; a time stamp in the future passes.
    AgeOnly(u64),
}

/// The signature of a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnRetry {
    /// The same headers go out again.
    Keep,
    /// The same id, a new time stamp and so a new signature.
    Renew,
}

/// Why a secret cannot be used with a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The scheme expects base64.
    #[error("is not base64: this scheme expects base64, after an optional whsec_")]
    NotBase64,
    /// The scheme expects base64, and the decoded key is empty.
    #[error("is an empty key: there is nothing after whsec_")]
    Empty,
    /// The scheme expects half of a key pair.
    #[error("is not half of a key pair: this scheme expects whpk_… or whsk_… and base64")]
    NotAKeyPair,
    /// A public key cannot sign, and as an HMAC key it would verify nothing: anybody may know it.
    #[error("is the public half of a key pair, which anybody may know: it can only verify Ed25519 signatures")]
    PublicHalf,
    /// The scheme sends the secret in a header, which cannot contain one of its characters.
    #[error("contains a character that is not allowed in an HTTP header, such as a newline")]
    NotAHeader,
    /// The scheme signs a field that the body does not have.
    #[error("cannot be signed: the body lacks the field that this scheme signs, such as taskId")]
    NoField,
}

/// The parts of a delivery that a scheme reads, before any secret is tried.
#[derive(Debug)]
pub struct Claim {
    pub(crate) proofs: Vec<Vec<u8>>,
    /// The time stamp in seconds, and in the sender's spelling.
    pub(crate) timestamp: Option<(i64, String)>,
    pub(crate) id: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) account: Option<String>,
}

impl Claim {
    /// The time stamp in the sender's spelling.
    pub(crate) fn time(&self) -> Option<&str> {
        self.timestamp.as_ref().map(|(_, text)| text.as_str())
    }
}

/// Why a delivery has no claim under a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoClaim {
    /// A header that the scheme needs is missing.
    Missing {
        /// The header's usual name.
        header: &'static str,
        /// Whether the missing header is the signature header, and not the header of a time stamp, id or account.
        signature: bool,
    },
    /// A header does not have the scheme's format.
    Malformed {
        /// The header's usual name.
        header: &'static str,
        /// The problem, as the end of a sentence that starts with the header.
        how: Cow<'static, str>,
    },
    /// The proof has another encoding than the scheme's.
    Encoding {
        /// The encoding that was found: `upper-case hex`.
        how: &'static str,
    },
}
