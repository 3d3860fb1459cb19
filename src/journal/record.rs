//! The record: one delivery as one JSON object on one line, in the journal, in `--json` and in `inspect`.
//!
//! The fields are written in a fixed order and read leniently: unknown fields and types are skipped.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::payload::delivery::Delivery;
use crate::payload::history::EarlierWithKey;
use crate::payload::lint::Warning;
use crate::payload::read::Payload;
use crate::payload::retry::Statuses;
use crate::signature::Verdict;

/// The version of the record's form.
pub(crate) const VERSION: u32 = 1;

/// Everything known of one delivery. Its headers hold no secret once a `Redaction` has blanked them.
#[derive(Clone, Debug)]
pub struct Record {
    /// The number of the delivery in its run, from 1.
    pub seq: u64,
    /// Unique among all runs; sorts by time (UUID version 7).
    pub id: String,
    /// When the request was complete, or when the attempt began.
    pub at: Timestamp,
    /// The sender's address, of a received delivery.
    pub remote: Option<String>,
    /// The request.
    pub delivery: Delivery,
    /// The fields that the provider's rules find in the body; `None` when the body is not JSON.
    pub payload: Option<Payload>,
    /// The result of the signature check.
    pub verdict: Verdict,
    /// The earlier delivery that this one repeats.
    pub duplicate: Option<Duplicate>,
    /// Suspicious fields of the payload.
    pub warnings: Vec<Warning>,
    /// The answer to the request; `None` when nothing came back.
    pub answer: Option<Answer>,
    /// Of a sent delivery: the number of the attempt, and its URL.
    pub sent: Option<SentAttempt>,
}

/// An earlier delivery with the same idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The id of the earlier record.
    pub(crate) id: String,
    /// Set by the listener that received both deliveries; `None` when the record was parsed from a journal.
    pub(crate) seen: Option<EarlierDelivery>,
}

impl From<EarlierWithKey> for Duplicate {
    fn from(EarlierWithKey { of, last, answered, same_body }: EarlierWithKey) -> Self {
        Duplicate { id: of.id, seen: Some(EarlierDelivery { seq: of.seq, last, answered, same_body }) }
    }
}

/// The part of an earlier delivery that a listener remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlierDelivery {
    /// The number of the earlier delivery in this run.
    pub(crate) seq: u64,
    /// The number of the last delivery before this one with the same key: the earlier delivery or its last repeat.
    pub(crate) last: u64,
    /// The status of the answer to that last delivery; `None` without an answer.
    pub(crate) answered: Option<u16>,
    /// Whether both bodies are the same, byte for byte.
    pub(crate) same_body: bool,
}

/// The answer to a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status; `None` when the connection ended without an answer.
    pub(crate) status: Option<u16>,
    /// Who decided the answer.
    #[serde(default = "unknown_source")]
    pub(crate) by: AnsweredBy,
    /// The action in place of a whole answer, where a script asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) did: Option<ConnectionAction>,
    /// Milliseconds. Received: from the request's last byte to the answer being ready. Sent: from connecting to the
    /// answer's head.
    #[serde(default)]
    pub(crate) ms: f64,
    /// The first line of the answer's body, of a sent or forwarded delivery; where the app gave no answer, the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<String>,
}

fn unknown_source() -> AnsweredBy {
    AnsweredBy::Other
}

impl Answer {
    /// The first line of a body that is not blank, trimmed, and cut at 200 characters.
    pub(crate) fn line_of(body: &[u8]) -> Option<String> {
        const LONGEST: usize = 200;
        // A character takes four bytes at most; white space that is not ASCII may stand before the first.
        const LONGEST_BYTES: usize = 8 * LONGEST;
        body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find_map(|line| {
            let line = String::from_utf8_lossy(&line[..line.len().min(LONGEST_BYTES)]);
            let line = line.trim();
            let end = line.char_indices().nth(LONGEST).map_or(line.len(), |(end, _)| end);
            (!line.is_empty()).then(|| line[..end].to_owned())
        })
    }

    /// Rounds the time to two places: finer is noise.
    pub fn new(status: u16, by: AnsweredBy, ms: f64) -> Self {
        Answer { status: Some(status), by, did: None, ms: (ms * 100.0).round() / 100.0, line: None }
    }

    /// Whether the script or the app decided the answer, not a limit or a signature.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self.by, AnsweredBy::Script | AnsweredBy::Forward)
    }

    /// Whether the sender may take the answer for an acknowledgement.
    pub(crate) fn may_acknowledge(&self) -> bool {
        self.is_given() && self.status.is_some()
    }
}

/// What a script did to a connection in place of a whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionAction {
    /// Kept the connection open without an answer.
    Hang,
    /// Closed the connection.
    Close,
    /// Reset the connection.
    Reset,
    /// Closed the connection within the answer.
    Truncate,
    /// An action of a newer hookctl.
    #[serde(other)]
    Other,
}

/// Who decided an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// The listener's fixed or scripted answer.
    Script,
    /// The app behind the listener.
    Forward,
    /// A limit was exceeded: the body was not read.
    Limit,
    /// The signature is invalid, or the journal could not be written.
    Refused,
    /// The receiver of a sent delivery.
    Receiver,
    /// A source that a newer hookctl knows.
    #[serde(other)]
    Other,
}

/// One attempt of a sent delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentAttempt {
    /// The number of the attempt, from 1.
    pub(crate) attempt: u32,
    /// The largest number of attempts.
    pub(crate) of: u32,
    /// The URL of the receiver.
    pub(crate) url: String,
    /// How the attempt ended; `None` when it was not made.
    pub(crate) outcome: Option<SentOutcome>,
    /// Why no answer came back.
    pub(crate) error: Option<String>,
    /// The drill case of the attempt.
    pub(crate) case: Option<String>,
    /// The statuses of `--expect-status`; `None` where 2xx passes.
    pub(crate) expect_status: Option<Statuses>,
}

impl SentAttempt {
    /// Whether `expect_status` contains the status of `answer`; `None` without `expect_status`.
    pub(crate) fn is_expected(&self, answer: Option<&Answer>) -> Option<bool> {
        let expected = self.expect_status.as_ref()?;
        Some(answer.and_then(|answer| answer.status).is_some_and(|status| expected.contains(status)))
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SentOutcome {
    /// The receiver answered.
    Answered,
    /// No connection was made: nothing was delivered.
    Unreachable,
    /// The request went out and no answer came back: the receiver may have processed it.
    Unknown,
    /// An outcome of a newer hookctl.
    #[serde(other)]
    Other,
}

impl Record {
    /// A record without payload, verdict and answer: of a payload file, of a request that was not sent, or of a delivery
    /// before its check.
    pub fn bare(at: Timestamp, delivery: Delivery) -> Self {
        Record {
            seq: 1,
            id: String::new(),
            at,
            remote: None,
            delivery,
            payload: None,
            verdict: Verdict::Unsigned,
            duplicate: None,
            warnings: Vec::new(),
            answer: None,
            sent: None,
        }
    }

    /// Whether `expect_status` contains the status of the answer; `None` without `expect_status`.
    pub(crate) fn is_expected(&self) -> Option<bool> {
        self.sent.as_ref()?.is_expected(self.answer.as_ref())
    }

    /// Whether the body is in the record: the listener does not read a body that exceeds a limit.
    pub(crate) fn body_was_read(&self) -> bool {
        body_was_read(self.answer.as_ref())
    }
}

/// Whether the listener read the body of a delivery with this answer.
pub(super) fn body_was_read(answer: Option<&Answer>) -> bool {
    answer.is_none_or(|answer| answer.by != AnsweredBy::Limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_an_answer_is_its_first_that_is_not_blank() {
        let line = |body: &str| Answer::line_of(body.as_bytes());
        assert_eq!(line("ok").as_deref(), Some("ok"));
        assert_eq!(line("\r\n \t\n  first\r\nsecond").as_deref(), Some("first"));
        assert_eq!(line(&("\u{a0}\n".repeat(500) + " \u{a0} x \ny")).as_deref(), Some("x"));
        assert_eq!(line(&"\n".repeat(5000)), None);
        assert_eq!(line(&("\u{a0}".to_owned() + &"🌅".repeat(201))), Some("🌅".repeat(200)));
        assert_eq!(Answer::line_of(b"caf\xe9").as_deref(), Some("caf\u{fffd}"));
    }
}
