//! What a listener has written down: the journal, the history, the counts. One delivery after the other.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::reply::Reply;
use crate::error::Error;
use crate::event::Tally;
use crate::io::journal::Journal;
use crate::payload::events::Events;
use crate::payload::history::History;
use crate::payload::history::lifecycle::{Lifecycles, Unfinished};
use crate::payload::lint::Warning;
use crate::payload::record::{By, Duplicate, Record};
use crate::payload::signature::Verdict;
use crate::payload::{Delivery, Payload};

/// A request of which everything is known, its answer included.
pub struct Judged {
    /// The request.
    pub delivery: Delivery,
    /// What its body says.
    pub payload: Option<Payload>,
    /// What is said of its signature.
    pub verdict: Verdict,
    /// What is suspicious about it.
    pub warnings: Vec<Warning>,
    /// How it ends.
    pub reply: Reply,
    /// Who sent it.
    pub remote: SocketAddr,
    /// When it was complete.
    pub at: Timestamp,
    /// From its last byte to the answer being ready.
    pub ms: f64,
}

/// Everything that must change together.
pub struct Books {
    seq: u64,
    journal: Option<Journal>,
    journal_fails: bool,
    /// How many deliveries the journal lacks.
    unrecorded: u64,
    history: History,
    lifecycles: Lifecycles,
    tally: Tally,
    /// Which deliveries are shown and counted.
    events: Option<Events>,
}

/// How many unfinished predictions are told at the end: who left more has stopped in the middle of a load test.
const UNFINISHED: usize = 10;

/// What is to be done about a record.
pub struct Counted {
    /// Whether it is shown.
    pub shown: bool,
    /// Whether it is one that `--count` waits for, and of which anything is expected.
    pub counted: bool,
}

impl Books {
    /// Empty books.
    pub fn new(journal: Option<Journal>, events: Option<Events>) -> Self {
        Books {
            seq: 0,
            journal,
            journal_fails: false,
            unrecorded: 0,
            history: History::default(),
            lifecycles: Lifecycles::default(),
            tally: Tally::default(),
            events,
        }
    }

    /// The counts.
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    /// How many deliveries could not be written to the journal.
    pub fn unrecorded(&self) -> u64 {
        self.unrecorded
    }

    /// Counts a request that never became a delivery.
    pub fn refuse(&mut self) {
        self.tally.refused += 1;
    }

    /// Numbers a delivery and makes its record under this id.
    pub fn record(&mut self, id: String, judged: Judged) -> Record {
        let Judged { delivery, payload, verdict, mut warnings, reply, remote, at, ms } = judged;
        self.seq += 1;
        let status = reply.status();
        let repeat = payload
            .as_ref()
            .and_then(|payload| self.history.note(payload, &delivery.body, &verdict, self.seq, &id, status));
        // One whose signature does not hold is anybody's, and says nothing about a prediction.
        if let Some(payload) = payload.as_ref().filter(|_| !verdict.is_invalid()) {
            warnings.extend(self.lifecycles.note(payload, repeat.as_ref(), self.seq));
        }
        Record {
            seq: self.seq,
            id,
            at,
            remote: Some(remote.to_string()),
            delivery,
            payload,
            verdict,
            duplicate: repeat.map(Duplicate::from),
            warnings,
            answer: Some(reply.recorded(ms)),
            sent: None,
        }
    }

    /// What did not come to its end.
    pub fn unfinished(&self) -> Vec<Unfinished> {
        let mut unfinished = self.lifecycles.unfinished();
        unfinished.truncate(UNFINISHED);
        unfinished
    }

    /// Writes a record to the journal. The error says for the first time since it last worked that it cannot be written;
    /// `Err(None)` says it again.
    pub fn keep(&mut self, record: &Record) -> Result<(), Option<Error>> {
        let written = match &mut self.journal {
            Some(journal) => journal.append(&record.to_line()),
            None => Ok(()),
        };
        self.unrecorded += u64::from(written.is_err());
        let failed_before = std::mem::replace(&mut self.journal_fails, written.is_err());
        written.map_err(|error| (!failed_before).then_some(error))
    }

    /// Corrects the answer of a record that was made.
    pub fn correct(&mut self, record: &mut Record, reply: &Reply) {
        let ms = record.answer.as_ref().map_or(0.0, |answer| answer.ms);
        record.answer = Some(reply.recorded(ms));
        self.history.answered(record.payload.as_ref(), &record.delivery.body, &record.verdict, reply.status());
    }

    /// Counts a record: a delivery counts whose answer is neither a limit's nor that it could not be recorded.
    pub fn count(&mut self, record: &Record) -> Counted {
        let shown = self.events.as_ref().is_none_or(|events| events.take(record.payload.as_ref()));
        let answer = record.answer.as_ref();
        let status = answer.and_then(|answer| answer.status);
        self.tally.refused += u64::from(!status.is_some_and(|status| (200..300).contains(&status)));
        let unrecorded = |by| by == By::Refused && status == Some(503);
        let counted = shown && answer.is_some_and(|answer| answer.by != By::Limit && !unrecorded(answer.by));
        if counted {
            self.tally.add(record);
        }
        Counted { shown, counted }
    }
}
