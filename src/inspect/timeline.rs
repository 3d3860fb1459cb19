//! Deliveries by prediction.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::event::{JournalRow, Timeline, TimelineDelivery};
use crate::payload::history::lifecycle::Unfinished;
use crate::payload::lint::Warning;
use crate::signature::Verdict;

/// By which deliveries belong together: whether they were sent, who sends, and about what.
type Key = (bool, Option<&'static str>, Option<String>);

/// Timelines under way, in the order of their first deliveries.
#[derive(Debug, Default)]
pub(crate) struct Timelines {
    places: HashMap<Key, usize>,
    timelines: Vec<Timeline>,
    /// Verdicts that came, the last first.
    verdicts: VecDeque<Arc<Verdict>>,
}

/// How many verdicts are looked through for one that is the same.
const VERDICTS: usize = 16;

impl Timelines {
    /// Adds a delivery that was told of in its record. It is `about` this prediction, even where its id is blanked.
    pub(crate) fn add(&mut self, JournalRow { number, record, .. }: &JournalRow, about: Option<String>) {
        let payload = record.payload.as_ref();
        let (provider, sent) = (payload.map(|payload| payload.provider), record.sent.is_some());
        let id = payload.and_then(|payload| payload.id.clone());
        let key = (sent, provider.map(|provider| provider.name), about);
        let place = *self.places.entry(key).or_insert_with(|| {
            // Most predictions end with their first delivery.
            let moments = Vec::with_capacity(1);
            self.timelines.push(Timeline { provider, id, sent, deliveries: moments, warnings: Vec::new() });
            self.timelines.len() - 1
        });
        let verdict = self.verdict(&record.verdict);
        self.timelines[place].deliveries.push(TimelineDelivery {
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

    /// The same verdict, where one like it came of late.
    fn verdict(&mut self, verdict: &Verdict) -> Arc<Verdict> {
        if let Some(known) = self.verdicts.iter().find(|known| ***known == *verdict) {
            return Arc::clone(known);
        }
        let new = Arc::new(verdict.clone());
        self.verdicts.truncate(VERDICTS - 1);
        self.verdicts.push_front(Arc::clone(&new));
        new
    }

    /// All of them, those marked whose end did not come.
    pub(crate) fn end(mut self, unfinished: &[Unfinished]) -> Vec<Timeline> {
        let last: HashMap<u64, &Unfinished> = unfinished.iter().map(|open| (open.seq, open)).collect();
        for timeline in &mut self.timelines {
            if timeline.sent {
                // Of several at once, what was answered first is recorded first, not what went out first.
                timeline.deliveries.sort_by_key(|moment| moment.at);
            }
            let open = timeline.deliveries.iter().find_map(|moment| last.get(&(moment.number as u64)));
            timeline.warnings.extend(open.map(|open| {
                let text = format!("the end did not come: its last was {} in #{}", open.status, open.seq);
                Warning::new("no_terminal_event", "", text)
            }));
        }
        self.timelines
    }
}
