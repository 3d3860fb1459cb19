//! What a listener has written down: the history, the counts, and what of it the journal took. One delivery after the other.

use super::body::MemoryShare;
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

/// A delivery on its way to the books, with the memory that it takes.
pub(crate) struct PendingDelivery {
    /// What is recorded of it, as far as that is known; its number, its id and what it repeats are for the books to say.
    pub(crate) record: Record,
    /// How much memory its body takes, unpacked.
    pub(crate) body_bytes: usize,
    /// Its share of what all bodies together may take.
    pub(crate) memory: MemoryShare,
}

/// Everything that must change together.
pub(crate) struct Session {
    seq: u64,
    /// How many deliveries the journal did not take since it last took one.
    missing: u64,
    /// How many it lacks in all.
    unrecorded: u64,
    /// From which number on the journal has not taken what was entered last.
    lost_from: u64,
    history: History,
    lifecycles: Lifecycles,
    tally: Tally,
    /// Which deliveries are shown and counted.
    events: Option<Events>,
}

/// How many unfinished predictions are told at the end: who left more has stopped in the middle of a load test.
const UNFINISHED: usize = 10;

/// What is to be done about a record.
pub(crate) struct Counted {
    /// Whether it is shown.
    pub(crate) shown: bool,
    /// Whether it is one that `--count` waits for, and of which anything is expected.
    pub(crate) counted: bool,
}

impl Session {
    /// Empty books.
    pub(crate) fn new(events: Option<Events>) -> Self {
        Session {
            seq: 0,
            missing: 0,
            unrecorded: 0,
            lost_from: u64::MAX,
            history: History::default(),
            lifecycles: Lifecycles::default(),
            tally: Tally::default(),
            events,
        }
    }

    /// The counts.
    pub(crate) fn tally(&self) -> Tally {
        self.tally.clone()
    }

    /// How many deliveries could not be written to the journal.
    pub(crate) fn unrecorded(&self) -> u64 {
        self.unrecorded
    }

    /// Counts a request that never became a delivery.
    pub(crate) fn count_unreadable(&mut self) {
        self.tally.refused += 1;
    }

    /// Numbers a delivery under this id, and completes its record.
    pub(crate) fn number(&mut self, id: String, pending: &mut PendingDelivery) {
        // From here on it is little, and the queue of the writer counts it.
        drop(std::mem::take(&mut pending.memory));
        self.seq += 1;
        let record = &mut pending.record;
        let Record { delivery, payload, verdict, answer, .. } = &*record;
        let status = answer.as_ref().and_then(|answer| answer.status);
        let repeat = payload.as_ref().and_then(|payload| {
            self.history.note(payload, &delivery.body, verdict.is_invalid(), self.seq, &id, status)
        });
        // One whose signature does not hold is anybody's, and says nothing about a prediction.
        if let Some(payload) = payload.as_ref().filter(|_| !verdict.is_invalid()) {
            record.warnings.extend(self.lifecycles.note(payload, repeat.as_ref(), self.seq));
        }
        (record.seq, record.id) = (self.seq, id);
        record.duplicate = repeat.map(Duplicate::from);
    }

    /// What did not come to its end.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let mut unfinished = self.lifecycles.unfinished();
        unfinished.truncate(UNFINISHED);
        unfinished
    }

    /// Takes note of what came of writing to the journal, and that it did not take so many: what is to be said of it.
    pub(crate) fn journal_wrote(&mut self, written: &Written, lost: u64) -> Vec<Event> {
        let mut said = Vec::new();
        if written.begun_again {
            said.push(Note::warning("the journal was deleted or moved away, and is begun again"));
        }
        if let Some(error) = written.error.as_ref().filter(|_| self.missing == 0) {
            said.push(Note::warning(format!(
                "{error}; until it can be written again no delivery counts, and none is acknowledged: the answer is 503"
            )));
        }
        if lost == 0 && self.missing > 0 {
            let text = format!("the journal is written again; it lacks {}", deliveries(self.missing));
            said.push(Note::info(text));
            self.missing = 0;
        }
        self.lost_from = if lost > 0 { self.seq + 1 - lost } else { u64::MAX };
        self.missing += lost;
        self.unrecorded += lost;
        said
    }

    /// What is to be said at the end of a journal that could not be written any more, and how the program ends then.
    pub(crate) fn journal_end(&self) -> (Exit, Option<String>) {
        match self.missing {
            0 => (Exit::Done, None),
            missing => {
                let text = format!("the journal could not be written to the end: it lacks {}", deliveries(missing));
                (Exit::Failure, Some(text))
            }
        }
    }

    /// Corrects a record that the journal did not take, and forgets it: its repeat is the first that is recorded. Gives
    /// whether what was decided would have acknowledged it, so that it is answered otherwise now.
    pub(crate) fn not_recorded(&mut self, record: &mut Record) -> bool {
        let acknowledged = record.answer.as_mut().filter(|answer| answer.may_acknowledge());
        let is_another = acknowledged.is_some();
        if let Some(answer) = acknowledged {
            *answer = HandlerResponse::not_recorded().recorded(answer.ms);
        }
        record.warnings.push(Warning::new("not_recorded", "", "the journal could not be written".into()));
        let first = record.duplicate.as_ref().and_then(|duplicate| duplicate.seen.as_ref());
        if first.is_some_and(|first| first.seq >= self.lost_from) {
            record.duplicate = None;
        }
        if let Some(payload) = &record.payload {
            let status = record.answer.as_ref().and_then(|answer| answer.status);
            self.history.forget(payload, &record.delivery.body, record.verdict.is_invalid(), record.seq, status);
            self.lifecycles.forget(payload, record.seq, self.lost_from);
        }
        is_another
    }

    /// Whether a record is one that is shown.
    pub(crate) fn shows(&self, record: &Record) -> bool {
        self.events.as_ref().is_none_or(|events| events.match_payload(record.payload.as_ref()))
    }

    /// Counts a record: a delivery counts whose answer is not a limit's, and that the journal took.
    pub(crate) fn count(&mut self, record: &Record, kept: bool) -> Counted {
        let shown = self.shows(record);
        let answer = record.answer.as_ref();
        let status = answer.and_then(|answer| answer.status);
        self.tally.refused += u64::from(!status.is_some_and(|status| (200..300).contains(&status)));
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
