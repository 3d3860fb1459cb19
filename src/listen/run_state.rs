//! The state of one run: sequence number, history of deliveries, counters, and the deliveries that could not be written.

use super::pending::PendingDelivery;
use super::response::HandlerResponse;
use crate::error::Exit;
use crate::event::{Event, Note, Tally};
use crate::journal::Record;
use crate::journal::file::Written;
use crate::journal::record::{AnsweredBy, Duplicate};
use crate::payload::events::Events;
use crate::payload::history::History;
use crate::payload::history::lifecycle::{Lifecycles, Unfinished};
use crate::payload::lint::Warning;

pub(crate) struct RunState {
    seq: u64,
    /// Deliveries that could not be written since the last write that succeeded.
    unwritten: u64,
    /// Deliveries of the whole run that could not be written.
    unwritten_total: u64,
    /// The first sequence number in the last batch that was not written; `u64::MAX` if all were.
    unwritten_from: u64,
    history: History,
    lifecycles: Lifecycles,
    tally: Tally,
    /// The deliveries that are shown and counted.
    events: Option<Events>,
}

/// How many unfinished predictions the last notes name: a run with more was stopped in the middle of a load test.
const UNFINISHED: usize = 10;

pub(crate) struct Counted {
    pub(crate) shown: bool,
    /// Whether the delivery counts for `--count`, and is checked against the expectations.
    pub(crate) counted: bool,
}

impl RunState {
    pub(crate) fn new(events: Option<Events>) -> Self {
        RunState {
            seq: 0,
            unwritten: 0,
            unwritten_total: 0,
            unwritten_from: u64::MAX,
            history: History::default(),
            lifecycles: Lifecycles::default(),
            tally: Tally::default(),
            events,
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally.clone()
    }

    pub(crate) fn unwritten_total(&self) -> u64 {
        self.unwritten_total
    }

    /// Counts a request that never became a delivery.
    pub(crate) fn count_unreadable(&mut self) {
        self.tally.not_accepted += 1;
    }

    /// Numbers a delivery, and completes its record.
    pub(crate) fn number(&mut self, id: String, pending: &mut PendingDelivery) {
        // From here on the writer's queue counts the memory.
        drop(std::mem::take(&mut pending.memory));
        self.seq += 1;
        let record = &mut pending.record;
        let Record { delivery, payload, verdict, answer, .. } = &*record;
        let status = answer.as_ref().and_then(|answer| answer.status);
        let repeat = payload.as_ref().and_then(|payload| {
            self.history.note(payload, &delivery.body, verdict.is_invalid(), self.seq, &id, status)
        });
        // Anybody can send an invalid signature, so such a delivery is no part of a prediction's lifecycle.
        if let Some(payload) = payload.as_ref().filter(|_| !verdict.is_invalid()) {
            record.warnings.extend(self.lifecycles.note(payload, repeat.as_ref(), self.seq));
        }
        (record.seq, record.id) = (self.seq, id);
        record.duplicate = repeat.map(Duplicate::from);
    }

    /// The predictions without a terminal event, at most [`UNFINISHED`].
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let mut unfinished = self.lifecycles.unfinished();
        unfinished.truncate(UNFINISHED);
        unfinished
    }

    /// Counts the last `unwritten` deliveries of a batch, which could not be written. Returns the notes for the user.
    pub(crate) fn journal_wrote(&mut self, written: &Written, unwritten: u64) -> Vec<Event> {
        let mut notes = Vec::new();
        if written.begun_again {
            notes.push(Note::warning("the journal was deleted or moved: a new one was started at the same path"));
        }
        if let Some(error) = written.error.as_ref().filter(|_| self.unwritten == 0) {
            notes.push(Note::warning(format!(
                "{error}; until it can be written again no delivery counts, and none is acknowledged: the answer is 503"
            )));
        }
        if unwritten == 0 && self.unwritten > 0 {
            let text = format!("the journal can be written again; it is missing {}", deliveries(self.unwritten));
            notes.push(Note::info(text));
            self.unwritten = 0;
        }
        self.unwritten_from = if unwritten > 0 { self.seq + 1 - unwritten } else { u64::MAX };
        self.unwritten += unwritten;
        self.unwritten_total += unwritten;
        notes
    }

    /// The exit code and the last note for a journal that could not be written to the end.
    pub(crate) fn journal_end(&self) -> (Exit, Option<String>) {
        if self.unwritten == 0 {
            return (Exit::Done, None);
        }
        let text = format!("the journal could not be written to the end: it lacks {}", deliveries(self.unwritten));
        (Exit::Failure, Some(text))
    }

    /// Corrects the record of a delivery that could not be written, and forgets the delivery, so that a later repeat counts as
    /// the first. Returns whether the decided response would have acknowledged the delivery: then 503 replaces the response.
    pub(crate) fn not_recorded(&mut self, record: &mut Record) -> bool {
        let acknowledged = record.answer.as_mut().filter(|answer| answer.may_acknowledge());
        let replaced = acknowledged.is_some();
        if let Some(answer) = acknowledged {
            *answer = HandlerResponse::not_recorded().recorded(answer.ms);
        }
        record.warnings.push(Warning::new("not_recorded", "", "the journal could not be written".into()));
        let first = record.duplicate.as_ref().and_then(|duplicate| duplicate.seen.as_ref());
        if first.is_some_and(|first| first.seq >= self.unwritten_from) {
            record.duplicate = None;
        }
        if let Some(payload) = &record.payload {
            let status = record.answer.as_ref().and_then(|answer| answer.status);
            self.history.forget(payload, &record.delivery.body, record.verdict.is_invalid(), record.seq, status);
            self.lifecycles.forget(payload, record.seq, self.unwritten_from);
        }
        replaced
    }

    pub(crate) fn shows(&self, record: &Record) -> bool {
        self.events.as_ref().is_none_or(|events| events.match_payload(record.payload.as_ref()))
    }

    /// Counts a delivery, unless a limit answered the request or the record could not be written.
    pub(crate) fn count(&mut self, record: &Record, kept: bool) -> Counted {
        let shown = self.shows(record);
        let answer = record.answer.as_ref();
        let status = answer.and_then(|answer| answer.status);
        self.tally.not_accepted += u64::from(!status.is_some_and(|status| (200..300).contains(&status)));
        let counted = shown && kept && answer.is_some_and(|answer| answer.by != AnsweredBy::Limit);
        if counted {
            self.tally.add(record);
        }
        Counted { shown, counted }
    }
}

fn deliveries(number: u64) -> String {
    if number == 1 { "1 delivery".into() } else { format!("{number} deliveries") }
}
