//! State across deliveries: repeats, and the lifecycle of each prediction.

use crate::journal::Record;
use crate::journal::record::Duplicate;
use crate::payload::history::History;
use crate::payload::history::lifecycle::{CODES, Lifecycles, Unfinished};
use crate::payload::lint;

/// Received and sent deliveries are apart: a delivery that both sides recorded is no repeat.
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
    /// Adds a delivery with this number, and updates its record: the delivery that it repeats, and the warnings about its
    /// lifecycle. Recorded ones are dropped: they name other deliveries by the numbers of their own run.
    pub(crate) fn add(&mut self, record: &mut Record, number: usize) {
        let state = if record.sent.is_some() { &mut self.sent } else { &mut self.received };
        record.duplicate = None;
        record.warnings.retain(|warning| !CODES.contains(&warning.code.as_str()));
        let Some(payload) = &record.payload else { return };
        let status = record.answer.as_ref().and_then(|answer| answer.status);
        let body = &record.delivery.body;
        let verdict = &record.verdict;
        // A further attempt is the same delivery, as its sender knows.
        if record.sent.as_ref().is_some_and(|sent| sent.attempt > 1) {
            state.history.answered(payload, body, verdict.is_invalid(), status);
            return;
        }
        let seq = number as u64;
        let repeat = state.history.note(payload, body, verdict.is_invalid(), seq, &record.id, status);
        let mut warnings = lint::warnings(payload);
        // Anybody can send a delivery with an invalid signature: it is not part of a lifecycle.
        if !verdict.is_invalid() {
            warnings.extend(state.lifecycles.note(payload, repeat.as_ref(), seq));
        }
        let recorded = std::mem::take(&mut record.warnings).into_iter();
        let unknown: Vec<_> =
            recorded.filter(|warning| warnings.iter().all(|known| known.code != warning.code)).collect();
        warnings.extend(unknown);
        record.warnings = warnings;
        record.duplicate = repeat.map(Duplicate::from);
    }

    /// The predictions without a terminal event.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        [&self.received, &self.sent].into_iter().flat_map(|state| state.lifecycles.unfinished()).collect()
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
        let mut sessions = Sessions::default();
        for number in 0..=REMEMBERED {
            let body = format!(r#"{{"id":"p{number}","status":"processing","logs":"","metrics":{{}}}}"#);
            let delivery = Delivery::bare(Default::default(), Bytes::from(body));
            let payload = delivery.payload(None);
            let mut record = Record { payload, ..Record::bare(Timestamp::UNIX_EPOCH, delivery) };
            sessions.add(&mut record, number + 1);
        }
        assert_eq!(sessions.unfinished().len(), REMEMBERED + 1);
    }
}
