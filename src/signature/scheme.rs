//! What a signature scheme is: data. Which headers, what is signed, how the proof is written, what the secret's bytes
//! are, what the clock must say. The rows are in `rows.rs`; `interpret.rs` signs and checks with any of them.

use std::borrow::Cow;

/// How deliveries are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The name on the command line.
    pub name: &'static str,
    /// What it does, in words: `HMAC-SHA256 of the body, in hex`.
    pub(crate) summary: &'static str,
    /// Names of the header with the proof. The first is written, any is read.
    pub(crate) signature: &'static [&'static str],
    /// How that header's value holds the proof.
    pub(crate) form: SignatureFormat,
    /// Where the time stamp is.
    pub(crate) timestamp: TimestampSource,
    /// What is signed, joined without anything between. Empty when the header holds the secret itself.
    pub(crate) signed: &'static [SignedPart],
    /// How the proof is written.
    pub(crate) proof: ProofEncoding,
    /// What the secret's bytes are.
    pub(crate) key: KeyEncoding,
    /// What the receiver's clock must say.
    pub(crate) clock: ClockRule,
    /// What becomes of the signature when a delivery is sent again.
    pub(crate) on_retry: OnRetry,
    /// The same scheme for a secret that is half of a key pair.
    pub(crate) with_key_pair: Option<&'static Scheme>,
}

/// How a header's value holds proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignatureFormat {
    /// One proof.
    One {
        /// What is written in front of it.
        writes: &'static str,
        /// What may stand in front of it when read; the longer ones first.
        reads: &'static [&'static str],
    },
    /// Space-separated `version,proof`; other versions are passed over.
    List {
        /// The version of these proofs.
        version: &'static str,
        /// Whether a proof without any version is one too.
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

/// Where a time stamp is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimestampSource {
    /// There is none.
    None,
    /// In a header of one of these names; the first is written.
    Header(&'static [&'static str]),
    /// Among the pairs of the signature header.
    Pair,
}

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignedPart {
    /// The bytes of the body.
    Body,
    /// The time stamp as it was spelled.
    Timestamp,
    /// The message id, a header of one of these names; the first is written.
    Id(&'static [&'static str]),
    /// This text.
    Text(&'static str),
    /// SHA-256 of the body in lower-case hex.
    BodySha256,
    /// The account, a header of one of these names; the first is written.
    Account(&'static [&'static str]),
    /// A field of the JSON body, the first of these paths that has one.
    Field(&'static [&'static str]),
}

/// How a proof is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofEncoding {
    /// HMAC-SHA256 in lower-case hex.
    HmacHex,
    /// HMAC-SHA256 in base64.
    HmacBase64,
    /// The secret itself.
    Secret,
    /// An Ed25519 signature in lower-case hex.
    Ed25519Hex,
    /// An Ed25519 signature in base64.
    Ed25519Base64,
}

impl ProofEncoding {
    /// Whether it is made with a private key and checked with a public one.
    pub(crate) fn is_asymmetric(self) -> bool {
        matches!(self, ProofEncoding::Ed25519Hex | ProofEncoding::Ed25519Base64)
    }
}

/// What a secret's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyEncoding {
    /// The text as it stands.
    Text,
    /// Base64, with or without `whsec_` in front.
    Base64,
    /// Base64 after `whsec_`; without that, the text as it stands.
    Base64IfPrefixed,
    /// Half of an Ed25519 key pair, `whpk_` or `whsk_` and base64.
    KeyPair,
}

/// What the receiver's clock must say. The last second of the tolerance still passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockRule {
    /// Nothing.
    Free,
    /// At most so many seconds before or after.
    BothWays(u64),
    /// At most so many seconds old; a time stamp in the future passes.
    AgeOnly(u64),
}

/// What becomes of a signature when a delivery is sent again.
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
    /// The scheme wants base64 and this is none.
    #[error("is not base64, which this scheme's secrets are (after an optional whsec_)")]
    NotBase64,
    /// The scheme wants base64 and this is base64 of nothing.
    #[error("is an empty key: there is nothing after whsec_")]
    Empty,
    /// The scheme wants half of a key pair and this is none.
    #[error("is not a key pair's half, which is written whpk_… or whsk_… in base64")]
    NotAKeyPair,
    /// The public half signs nothing, and as the key of a digest it would prove nothing.
    #[error("is the public half of a key pair, which everybody may know: it can only check Ed25519 signatures")]
    PublicHalf,
    /// The secret travels in a header and holds a character that cannot.
    #[error("holds a character that an HTTP header cannot carry, such as a newline")]
    NotAHeader,
    /// The scheme signs a field of the body, and it is not there.
    #[error("cannot be signed: the body lacks the field that this scheme signs, such as taskId")]
    NoField,
}

/// What a delivery claims under a scheme, before any secret is tried.
#[derive(Debug)]
pub struct Claim {
    pub(crate) proofs: Vec<Vec<u8>>,
    /// The time stamp in seconds, and as it was spelled.
    pub(crate) timestamp: Option<(i64, String)>,
    pub(crate) id: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) account: Option<String>,
}

impl Claim {
    /// The time stamp as it was spelled.
    pub(crate) fn time(&self) -> Option<&str> {
        self.timestamp.as_ref().map(|(_, text)| text.as_str())
    }
}

/// Why there is no claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoClaim {
    /// A header that the scheme needs is not there.
    Missing {
        /// Its usual name.
        header: &'static str,
        /// Whether it is the one with the signature, not one that goes along with it.
        signature: bool,
    },
    /// A header is there and does not have the scheme's form.
    Malformed {
        /// Its usual name.
        header: &'static str,
        /// What is wrong, continuing "it …".
        how: Cow<'static, str>,
    },
    /// The proof is written in another encoding than the scheme's.
    Encoding {
        /// How it is written: `upper-case hex`.
        how: &'static str,
    },
}
