//! The record: one delivery as one JSON object on one line. The journal, `--json` and `inspect` all speak it.
//!
//! Written field by field in a fixed order; read leniently: fields and types that are not known are passed over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::payload::delivery::Delivery;
use crate::payload::history::EarlierWithKey;
use crate::payload::lint::Warning;
use crate::payload::read::Payload;
use crate::payload::retry::Statuses;
use crate::signature::Verdict;

pub(crate) use super::fast::{FastLine, RawRequest};
pub use super::parse::{Damage, Parsed, is_journal_line};
pub use super::summary::Summary;
pub(crate) use super::write::BEGINNING;

/// The version of the record's form.
pub(crate) const VERSION: u32 = 1;

/// Everything that is known of one delivery. Its headers are those that may be shown: see [`Redaction`](super::redaction::Redaction).
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number in this run, from 1.
    pub seq: u64,
    /// Unique among all runs; sorts by time (UUID version 7).
    pub id: String,
    /// When it was complete, or when the attempt began.
    pub at: Timestamp,
    /// The other side's address, of a received one.
    pub remote: Option<String>,
    /// The request.
    pub delivery: Delivery,
    /// What its body says; `None` when that is not JSON.
    pub payload: Option<Payload>,
    /// What is said of its signature.
    pub verdict: Verdict,
    /// The earlier delivery that it repeats.
    pub duplicate: Option<Duplicate>,
    /// What is suspicious about the payload.
    pub warnings: Vec<Warning>,
    /// What it was answered; `None` when nothing came back.
    pub answer: Option<Answer>,
    /// Of a sent one: which attempt, and where to.
    pub sent: Option<SentAttempt>,
}

/// An earlier delivery with the same idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The id of its record.
    pub(crate) id: String,
    /// What only the listener that saw both knows.
    pub(crate) seen: Option<EarlierDelivery>,
}

impl From<EarlierWithKey> for Duplicate {
    fn from(EarlierWithKey { of, last, answered, same_body }: EarlierWithKey) -> Self {
        Duplicate { id: of.id, seen: Some(EarlierDelivery { seq: of.seq, last, answered, same_body }) }
    }
}

/// What a listener remembers of an earlier delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlierDelivery {
    /// Its number in this run.
    pub(crate) seq: u64,
    /// The number of the last delivery before this one with the same key: its own, or that of its last repeat.
    pub(crate) last: u64,
    /// The status that the last one was answered; `None` when it got no answer.
    pub(crate) answered: Option<u16>,
    /// Whether its body is the same, byte for byte.
    pub(crate) same_body: bool,
}

/// What a delivery was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status; `None` when the connection was ended without one.
    pub(crate) status: Option<u16>,
    /// Who decided it.
    #[serde(default = "by_another")]
    pub(crate) by: AnsweredBy,
    /// What was done instead of answering whole, where a script asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) did: Option<ConnectionAction>,
    /// Received: from the request's last byte to the answer being ready. Sent: from connecting to the
    /// answer's head. Milliseconds.
    #[serde(default)]
    pub(crate) ms: f64,
    /// The first line of the answer's body, of a sent or forwarded one; of one that the app owed, why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<String>,
}

fn by_another() -> AnsweredBy {
    AnsweredBy::Other
}

impl Answer {
    /// The first line of a body that says something, without white space around it, and not endless.
    pub(crate) fn line_of(body: &[u8]) -> Option<String> {
        const LONGEST: usize = 200;
        // A character takes four bytes at most; white space that is not ASCII may stand before the first.
        const ROOM: usize = 8 * LONGEST;
        body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find_map(|line| {
            let line = String::from_utf8_lossy(&line[..line.len().min(ROOM)]);
            let line = line.trim();
            let end = line.char_indices().nth(LONGEST).map_or(line.len(), |(end, _)| end);
            (!line.is_empty()).then(|| line[..end].to_owned())
        })
    }

    /// An answer with its time to two places: finer is noise.
    pub fn new(status: u16, by: AnsweredBy, ms: f64) -> Self {
        Answer { status: Some(status), by, did: None, ms: (ms * 100.0).round() / 100.0, line: None }
    }

    /// Whether the script or the app decided it, not a limit or a signature.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self.by, AnsweredBy::Script | AnsweredBy::Forward)
    }

    /// Whether it may be taken for an acknowledgement.
    pub(crate) fn may_acknowledge(&self) -> bool {
        self.is_given() && self.status.is_some()
    }
}

/// What a script did to a connection instead of answering whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionAction {
    /// It let the sender wait.
    Hang,
    /// It closed the connection.
    Close,
    /// It reset the connection.
    Reset,
    /// It broke off within the answer.
    Truncate,
    /// Something that a newer hookctl knows.
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
    /// A limit was passed.
    Limit,
    /// The signature did not hold, or the journal could not be written.
    Refused,
    /// The receiver that a delivery was sent to.
    Receiver,
    /// Somebody that a newer hookctl knows.
    #[serde(other)]
    Other,
}

/// Which attempt of a sent delivery this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentAttempt {
    /// From 1.
    pub(crate) attempt: u32,
    /// How many there are at most.
    pub(crate) of: u32,
    /// Where to.
    pub(crate) url: String,
    /// How it ended; `None` when it was not made.
    pub(crate) outcome: Option<SentOutcome>,
    /// Why nothing came back.
    pub(crate) error: Option<String>,
    /// The case of a drill that it belongs to.
    pub(crate) case: Option<String>,
    /// The answers that are right, where others than 2xx may be.
    pub(crate) expect_status: Option<Statuses>,
}

impl SentAttempt {
    /// Whether this answer is right, where it was said which ones are.
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
    /// No connection came about: nothing was delivered.
    Unreachable,
    /// The request went out and no answer came back: it may have been processed.
    Unknown,
    /// In a way that a newer hookctl knows.
    #[serde(other)]
    Other,
}

impl Record {
    /// A record of a delivery of which nothing else is known: of a payload that was read without its request, or of a
    /// request that was not sent, or is still to be judged.
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

    /// Whether it was answered as it should be, where its sender said how.
    pub(crate) fn is_expected(&self) -> Option<bool> {
        self.sent.as_ref()?.is_expected(self.answer.as_ref())
    }

    /// Whether its body is there: one that passed a limit was not taken in.
    pub(crate) fn was_taken_in(&self) -> bool {
        self.answer.as_ref().is_none_or(|answer| answer.by != AnsweredBy::Limit)
    }

    /// Whether this is its own id, that of its prediction, or another one that its payload gives.
    pub fn has_id(&self, id: &str) -> bool {
        Summary::from(self).has_id(id)
    }

    /// Whether it has this status, in the one vocabulary or as the provider spelled it.
    pub(crate) fn has_status(&self, word: &str) -> bool {
        Summary::from(self).has_status(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_s_line_says_something_and_ends() {
        let line = |body: &str| Answer::line_of(body.as_bytes());
        assert_eq!(line("ok").as_deref(), Some("ok"));
        assert_eq!(line("\r\n \t\n  first\r\nsecond").as_deref(), Some("first"));
        assert_eq!(line(&("\u{a0}\n".repeat(500) + " \u{a0} x \ny")).as_deref(), Some("x"));
        assert_eq!(line(&"\n".repeat(5000)), None);
        assert_eq!(line(&("\u{a0}".to_owned() + &"🌅".repeat(201))), Some("🌅".repeat(200)));
        assert_eq!(Answer::line_of(b"caf\xe9").as_deref(), Some("caf\u{fffd}"));
    }
}
