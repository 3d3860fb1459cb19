//! The result of checking a signature.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The name of [`Verdict::Verified`].
pub(crate) const VERIFIED: &str = "verified";

/// The result of checking a delivery's signature, in the form of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The signature is valid and covers the body.
    Verified {
        /// The name of the scheme.
        scheme: Cow<'static, str>,
        /// The label of the secret.
        secret: String,
    },
    /// The signature or shared secret is valid, but does not cover the body.
    Authenticated {
        /// The name of the scheme.
        scheme: Cow<'static, str>,
        /// The label of the secret.
        secret: String,
    },
    /// The signature is not valid.
    Invalid {
        /// The name of the scheme; `None` when no scheme was detected.
        scheme: Option<String>,
        /// The reason.
        reason: Reason,
        /// What to change, in a sentence.
        hint: String,
    },
    /// No signature, and no secret.
    Unsigned,
    /// A signature, but no secret.
    Unchecked,
}

/// Why a signature is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A header of the scheme is missing.
    MissingSignature,
    /// A header does not have the scheme's format.
    MalformedSignature,
    /// The right signature in another encoding, such as base64 instead of hex.
    WrongEncoding,
    /// The signature is valid under another scheme.
    WrongScheme,
    /// The body went through a serialiser between signing and sending.
    BodyReserialized,
    /// A newline, CRLF or byte order mark was added or lost.
    BodyNewline,
    /// White space or quotes around the secret.
    SecretWhitespace,
    /// The secret does not have the encoding of the scheme's keys.
    SecretEncoding,
    /// The signature is right, but too old.
    TimestampExpired,
    /// The signature is right, but its time stamp is in the future.
    TimestampInFuture,
    /// The time stamp is in milliseconds.
    TimestampUnit,
    /// The time stamp is not part of the signed content.
    TimestampNotSigned,
    /// No hypothesis matches: another secret, or another body.
    WrongSecret,
    /// A reason of a newer hookctl, in a journal.
    #[serde(other)]
    Other,
}

impl Reason {
    /// All reasons but `Other`, in the order of the help.
    pub const ALL: [Reason; 13] = [
        Reason::MissingSignature,
        Reason::MalformedSignature,
        Reason::WrongEncoding,
        Reason::WrongScheme,
        Reason::BodyReserialized,
        Reason::BodyNewline,
        Reason::SecretWhitespace,
        Reason::SecretEncoding,
        Reason::TimestampExpired,
        Reason::TimestampInFuture,
        Reason::TimestampUnit,
        Reason::TimestampNotSigned,
        Reason::WrongSecret,
    ];

    /// The explanation in the help.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Reason::MissingSignature => {
                "a header of the scheme is missing: the sender does not sign, or a proxy drops the header"
            }
            Reason::MalformedSignature => {
                "a header does not have the scheme's format: a prefix is missing, or the value is cut or escaped"
            }
            Reason::WrongEncoding => "the right signature in another encoding, such as base64 instead of hex",
            Reason::WrongScheme => {
                "the signature is valid under another scheme: choose that scheme with --scheme, or sign with this one"
            }
            Reason::BodyReserialized => {
                "the sender signed the same JSON in another spelling: sign the exact bytes that are sent, and verify \
                 the bytes that arrive, before anything parses them"
            }
            Reason::BodyNewline => {
                "a newline, a carriage return or a byte order mark was added or lost: keep the bytes as they are"
            }
            Reason::SecretWhitespace => {
                "one side has the secret with white space or quotes around it, as echo and .env files add them"
            }
            Reason::SecretEncoding => {
                "one side uses the text of the secret, the other the bytes that it encodes: whsec_… is base64"
            }
            Reason::TimestampExpired => {
                "right, but older than the scheme allows: a clock is wrong, or the delivery was delayed"
            }
            Reason::TimestampInFuture => "right, but the time stamp is in the future: a clock is wrong",
            Reason::TimestampUnit => "right, but the time stamp is in milliseconds instead of seconds",
            Reason::TimestampNotSigned => "only the body was signed: the scheme signs the time stamp too",
            Reason::WrongSecret => {
                "nothing that was tried matches: another secret, or a changed body, which looks the same"
            }
            Reason::Other => "a reason that this version of hookctl does not know",
        }
    }

    /// The name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reason::MissingSignature => "missing_signature",
            Reason::MalformedSignature => "malformed_signature",
            Reason::WrongEncoding => "wrong_encoding",
            Reason::WrongScheme => "wrong_scheme",
            Reason::BodyReserialized => "body_reserialized",
            Reason::BodyNewline => "body_newline",
            Reason::SecretWhitespace => "secret_whitespace",
            Reason::SecretEncoding => "secret_encoding",
            Reason::TimestampExpired => "timestamp_expired",
            Reason::TimestampInFuture => "timestamp_in_future",
            Reason::TimestampUnit => "timestamp_unit",
            Reason::TimestampNotSigned => "timestamp_not_signed",
            Reason::WrongSecret => "wrong_secret",
            Reason::Other => "other",
        }
    }
}

impl Verdict {
    /// The names of all verdicts.
    pub(crate) const NAMES: [&str; 5] = [VERIFIED, "authenticated", "invalid", "unsigned", "unchecked"];

    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Verdict::Invalid { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// Whether `word` is the name of the verdict or of its reason, ignoring case.
    pub(crate) fn is(&self, word: &str) -> bool {
        let reason = self.reason().map(Reason::name);
        [Some(self.name()), reason].into_iter().flatten().any(|name| name.eq_ignore_ascii_case(word))
    }

    /// Whether a handler that verifies would refuse the delivery.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Verdict::Invalid { .. })
    }

    /// The name in records.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Verified { .. } => VERIFIED,
            Verdict::Authenticated { .. } => "authenticated",
            Verdict::Invalid { .. } => "invalid",
            Verdict::Unsigned => "unsigned",
            Verdict::Unchecked => "unchecked",
        }
    }
}
