//! Deliveries by prediction.

use std::collections::HashMap;

use crate::event::{Entry, Moment, Timeline};
use crate::payload::history::lifecycle::Unfinished;
use crate::payload::lint::Warning;

/// By which deliveries belong together: whether they were sent, who sends, and about what.
type Key = (bool, Option<&'static str>, Option<String>);

/// Timelines under way, in the order of their first deliveries.
#[derive(Debug, Default)]
pub struct Timelines {
    places: HashMap<Key, usize>,
    timelines: Vec<Timeline>,
}

impl Timelines {
    /// Adds a delivery that was told of in its record. It is `about` this prediction, even where its id is blanked.
    pub fn add(&mut self, Entry { number, record, .. }: &Entry, about: Option<String>) {
        let payload = record.payload.as_ref();
        let (provider, sent) = (payload.map(|payload| payload.provider), record.sent.is_some());
        let id = payload.and_then(|payload| payload.id.clone());
        let key = (sent, provider.map(|provider| provider.name), about);
        let place = *self.places.entry(key).or_insert_with(|| {
            self.timelines.push(Timeline { provider, id, sent, moments: Vec::new(), warnings: Vec::new() });
            self.timelines.len() - 1
        });
        self.timelines[place].moments.push(Moment {
            number: *number,
            at: record.at,
            event: payload.and_then(|payload| payload.event.as_ref()).map(|event| event.name.to_string()),
            status: payload.and_then(|payload| payload.status),
            raw_status: payload.and_then(|payload| payload.raw_status.clone()),
            verdict: record.verdict.clone(),
            answer: record.answer.clone(),
            attempt: record.sent.as_ref().map(|sent| (sent.attempt, sent.of)),
            duplicate: record.duplicate.clone(),
            warnings: record.warnings.clone(),
        });
    }

    /// All of them, those marked whose end did not come.
    pub fn end(mut self, unfinished: &[Unfinished]) -> Vec<Timeline> {
        let last: HashMap<u64, &Unfinished> = unfinished.iter().map(|open| (open.seq, open)).collect();
        for timeline in &mut self.timelines {
            let open = timeline.moments.iter().find_map(|moment| last.get(&(moment.number as u64)));
            timeline.warnings.extend(open.map(|open| {
                let text = format!("the end did not come: its last was {} in #{}", open.status, open.seq);
                Warning::new("no_terminal_event", "", text)
            }));
        }
        self.timelines
    }
}
