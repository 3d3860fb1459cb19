//! Deliveries by prediction.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::event::{JournalRow, Timeline, TimelineDelivery};
use crate::payload::history::lifecycle::Unfinished;
use crate::payload::lint::Warning;
use crate::signature::Verdict;

/// Deliveries with the same key are one timeline: whether they were sent, the provider, and the prediction.
type Key = (bool, Option<&'static str>, Option<String>);

/// In the order of their first deliveries.
#[derive(Debug, Default)]
pub(crate) struct Timelines {
    indices: HashMap<Key, usize>,
    timelines: Vec<Timeline>,
    /// The last verdicts, the newest first.
    verdicts: VecDeque<Arc<Verdict>>,
}

/// How many of the last verdicts are compared with a new one.
const VERDICTS: usize = 16;

impl Timelines {
    /// Adds a delivery. It is `about` this prediction, even where its id is blanked.
    pub(crate) fn add(&mut self, JournalRow { number, record, .. }: &JournalRow, about: Option<String>) {
        let payload = record.payload.as_ref();
        let provider = payload.map(|payload| payload.provider);
        let sent = record.sent.is_some();
        let id = payload.and_then(|payload| payload.id.clone());
        let key = (sent, provider.map(|provider| provider.name), about);
        let index = *self.indices.entry(key).or_insert_with(|| {
            // Most predictions end with their first delivery.
            let deliveries = Vec::with_capacity(1);
            self.timelines.push(Timeline { provider, id, sent, deliveries, warnings: Vec::new() });
            self.timelines.len() - 1
        });
        let verdict = self.shared_verdict(&record.verdict);
        self.timelines[index].deliveries.push(TimelineDelivery {
            number: *number,
            at: record.at,
            event: payload.and_then(|payload| payload.event.as_ref()).map(|event| event.name.to_string()),
            status: payload.and_then(|payload| payload.status),
            raw_status: payload.and_then(|payload| payload.raw_status.clone()),
            verdict,
            answer: record.answer.clone(),
            attempt: record.sent.as_ref().map(|sent| (sent.attempt, sent.of)),
            case: record.sent.as_ref().and_then(|sent| sent.case.as_deref()).map(Box::from),
            expected: record.is_expected(),
            duplicate: record.duplicate.clone().map(Box::new),
            warnings: record.warnings.clone(),
        });
    }

    /// Shares an equal verdict of a recent delivery.
    fn shared_verdict(&mut self, verdict: &Verdict) -> Arc<Verdict> {
        if let Some(known) = self.verdicts.iter().find(|known| ***known == *verdict) {
            return Arc::clone(known);
        }
        let new = Arc::new(verdict.clone());
        self.verdicts.truncate(VERDICTS - 1);
        self.verdicts.push_front(Arc::clone(&new));
        new
    }

    /// All timelines, with a warning where the terminal event did not come.
    pub(crate) fn end(mut self, unfinished: &[Unfinished]) -> Vec<Timeline> {
        let last: HashMap<u64, &Unfinished> = unfinished.iter().map(|open| (open.seq, open)).collect();
        for timeline in &mut self.timelines {
            if timeline.sent {
                // Of concurrent attempts the first answered is recorded first, not the first sent.
                timeline.deliveries.sort_by_key(|delivery| delivery.at);
            }
            let open = timeline.deliveries.iter().find_map(|delivery| last.get(&(delivery.number as u64)));
            timeline.warnings.extend(open.map(|open| {
                let text = format!("the end did not come: its last was {} in #{}", open.status, open.seq);
                Warning::new("no_terminal_event", "", text)
            }));
        }
        self.timelines
    }
}
