//! What deliveries tell together: repeats, and the life of each prediction.

use crate::journal::Record;
use crate::journal::record::Duplicate;
use crate::payload::history::History;
use crate::payload::history::lifecycle::{CODES, Lifecycles, Unfinished};
use crate::payload::lint;

/// What was received and what was sent are stories of their own: a delivery that was recorded on both sides came once.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    received: DirectionState,
    sent: DirectionState,
}

#[derive(Debug)]
struct DirectionState {
    history: History,
    lifecycles: Lifecycles,
}

impl Default for DirectionState {
    fn default() -> Self {
        DirectionState { history: History::unbounded(), lifecycles: Lifecycles::unbounded() }
    }
}

impl Sessions {
    /// Takes note of a delivery with this number, and enters into its record what that tells: which one it repeats, and
    /// what is suspicious. What was recorded of other deliveries counts no more: it calls them by numbers that they had
    /// in their own run.
    pub(crate) fn note(&mut self, record: &mut Record, number: usize) {
        let story = if record.sent.is_some() { &mut self.sent } else { &mut self.received };
        record.duplicate = None;
        record.warnings.retain(|warning| !CODES.contains(&warning.code.as_str()));
        let Some(payload) = &record.payload else { return };
        let status = record.answer.as_ref().and_then(|answer| answer.status);
        let (body, verdict) = (&record.delivery.body, &record.verdict);
        // A further attempt is the same delivery, and its sender knows that.
        if record.sent.as_ref().is_some_and(|sent| sent.attempt > 1) {
            story.history.answered(payload, body, verdict.is_invalid(), status);
            return;
        }
        let seq = number as u64;
        let repeat = story.history.note(payload, body, verdict.is_invalid(), seq, &record.id, status);
        let mut warnings = lint::warnings(payload);
        // One whose signature does not hold is anybody's, and says nothing about a prediction.
        if !verdict.is_invalid() {
            warnings.extend(story.lifecycles.note(payload, repeat.as_ref(), seq));
        }
        let recorded = std::mem::take(&mut record.warnings).into_iter();
        let unknown: Vec<_> =
            recorded.filter(|warning| warnings.iter().all(|known| known.code != warning.code)).collect();
        warnings.extend(unknown);
        record.warnings = warnings;
        record.duplicate = repeat.map(Duplicate::from);
    }

    /// The predictions whose end did not come.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        [&self.received, &self.sent].into_iter().flat_map(|story| story.lifecycles.unfinished()).collect()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::payload::Delivery;
    use crate::payload::history::REMEMBERED;

    #[test]
    fn no_prediction_of_a_file_is_forgotten() {
        let mut stories = Sessions::default();
        for number in 0..=REMEMBERED {
            let body = format!(r#"{{"id":"p{number}","status":"processing","logs":"","metrics":{{}}}}"#);
            let delivery = Delivery::bare(Default::default(), Bytes::from(body));
            let payload = delivery.payload(None);
            let mut record = Record { payload, ..Record::bare(Timestamp::UNIX_EPOCH, delivery) };
            stories.note(&mut record, number + 1);
        }
        assert_eq!(stories.unfinished().len(), REMEMBERED + 1);
    }
}
