//! What deliveries tell together: repeats, and the life of each prediction.

use crate::payload::history::History;
use crate::payload::history::lifecycle::{Lifecycles, Unfinished};
use crate::payload::lint;
use crate::payload::record::{Duplicate, Record};

/// What was received and what was sent are stories of their own: a delivery that was recorded on both sides came once.
#[derive(Debug, Default)]
pub struct Stories {
    received: Story,
    sent: Story,
}

#[derive(Debug, Default)]
struct Story {
    history: History,
    lifecycles: Lifecycles,
}

impl Stories {
    /// Takes note of a delivery with this number, and enters into its record what that tells: which one it repeats, and
    /// every warning, those that were recorded and are not found any more included.
    pub fn note(&mut self, record: &mut Record, number: usize) {
        let story = if record.sent.is_some() { &mut self.sent } else { &mut self.received };
        // A further attempt is the same delivery, and its sender knows that.
        if record.sent.as_ref().is_some_and(|sent| sent.attempt > 1) {
            return;
        }
        let Some(payload) = &record.payload else { return };
        let status = record.answer.as_ref().and_then(|answer| answer.status);
        let seq = number as u64;
        let repeat = story.history.note(payload, &record.delivery.body, &record.verdict, seq, &record.id, status);
        let mut warnings = lint::warnings(payload);
        // One whose signature does not hold is anybody's, and says nothing about a prediction.
        if !record.verdict.is_invalid() {
            warnings.extend(story.lifecycles.note(payload, repeat.as_ref(), seq));
        }
        let recorded = std::mem::take(&mut record.warnings).into_iter();
        let unknown: Vec<_> =
            recorded.filter(|warning| warnings.iter().all(|known| known.code != warning.code)).collect();
        warnings.extend(unknown);
        record.warnings = warnings;
        record.duplicate = repeat.map(Duplicate::from).or(record.duplicate.take());
    }

    /// The predictions whose end did not come.
    pub fn unfinished(&self) -> Vec<Unfinished> {
        [&self.received, &self.sent].into_iter().flat_map(|story| story.lifecycles.unfinished()).collect()
    }
}
