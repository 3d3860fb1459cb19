//! The result of checking a signature.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The word for a signature that holds.
pub(crate) const VERIFIED: &str = "verified";

/// What is said of a delivery's signature, as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// A keyed digest that covers the body matches.
    Verified {
        /// By this scheme.
        scheme: Cow<'static, str>,
        /// With the secret of this label.
        secret: String,
    },
    /// The right secret came along, but the body is not covered by it.
    Authenticated {
        /// By this scheme.
        scheme: Cow<'static, str>,
        /// With the secret of this label.
        secret: String,
    },
    /// It does not hold.
    Invalid {
        /// The scheme by which it was checked; none when there was nothing to tell one from.
        scheme: Option<String>,
        /// Why.
        reason: Reason,
        /// What to change, in a sentence.
        hint: String,
    },
    /// Nothing to check, and no secret to check it with.
    Unsigned,
    /// A signature, but no secret to check it with.
    Unchecked,
}

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A header that carries it, or goes along with it, is not there.
    MissingSignature,
    /// It is there and does not have the scheme's form.
    MalformedSignature,
    /// Base64 for hex and the like.
    WrongEncoding,
    /// It matches as another scheme.
    WrongScheme,
    /// The body went through a serialiser between signing and sending.
    BodyReserialized,
    /// A newline, CRLF or byte order mark was added or lost.
    BodyNewline,
    /// White space or quotes around the secret.
    SecretWhitespace,
    /// The secret is not in the form that the scheme's keys have.
    SecretEncoding,
    /// The signature is right and too old.
    TimestampExpired,
    /// The signature is right and from a time to come.
    TimestampInFuture,
    /// The time stamp counts milliseconds.
    TimestampUnit,
    /// The time stamp is not part of what was signed.
    TimestampNotSigned,
    /// Nothing that was tried matches: another secret, or another body.
    WrongSecret,
    /// A reason of a newer hookctl, in a journal.
    #[serde(other)]
    Other,
}

impl Reason {
    /// All that are given, in the order in which they are looked for.
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

    /// What it means, and where to look.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Reason::MissingSignature => {
                "a header of the scheme is not there: the sender does not sign, or something on the way drops it"
            }
            Reason::MalformedSignature => {
                "the header is not as the scheme writes it: a prefix is missing, or the value is cut or escaped"
            }
            Reason::WrongEncoding => "the right signature in another spelling, such as base64 for hex",
            Reason::WrongScheme => "it holds by another scheme: choose that with --scheme, or sign by this one",
            Reason::BodyReserialized => {
                "what was signed is the same JSON in another spelling: sign the very bytes that are sent, and verify \
                 the bytes that arrive, before anything parses them"
            }
            Reason::BodyNewline => {
                "a newline, a carriage return or a byte order mark was added or lost: keep the bytes as they are"
            }
            Reason::SecretWhitespace => {
                "one side has the secret with white space or quotes around it, as echo and .env files leave them"
            }
            Reason::SecretEncoding => {
                "one side takes the secret as text, the other as the bytes that it encodes: whsec_… is base64"
            }
            Reason::TimestampExpired => {
                "right, but older than the scheme allows: a clock is off, or the delivery waited on its way"
            }
            Reason::TimestampInFuture => "right, but from a time to come: a clock is off",
            Reason::TimestampUnit => "right, but the time stamp counts milliseconds where seconds are meant",
            Reason::TimestampNotSigned => "the body alone was signed: the scheme signs the time stamp too",
            Reason::WrongSecret => {
                "nothing that was tried matches: another secret, or a body that was changed, which looks the same"
            }
            Reason::Other => "a reason that this version of hookctl does not know",
        }
    }

    /// The name in records, readable as it stands.
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
    /// The words for all of them.
    pub(crate) const NAMES: [&str; 5] = [VERIFIED, "authenticated", "invalid", "unsigned", "unchecked"];

    /// Why it does not hold.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Verdict::Invalid { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// Whether this is its word, or that of its reason. Case does not count.
    pub(crate) fn is(&self, word: &str) -> bool {
        let reason = self.reason().map(Reason::name);
        [Some(self.name()), reason].into_iter().flatten().any(|name| name.eq_ignore_ascii_case(word))
    }

    /// Whether a handler that checks would refuse it.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Verdict::Invalid { .. })
    }

    /// The word in records.
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
