//! Selects deliveries of a journal: the filters that need only a summary come first.

use jiff::Timestamp;
use memchr::memmem::Finder;

use crate::filter::jq::Jq;
use crate::journal::prefilter::Prefilter;
use crate::journal::{Record, Summary};
use crate::json::value;
use crate::payload::events::Events;
use crate::payload::nearest;
use crate::payload::provider::{self, Provider};

/// Selects deliveries of a journal: those that match every field that is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// The id of a prediction, an execution or a track.
    pub(crate) id: Option<String>,
    /// One of these statuses.
    pub(crate) status: Option<Vec<String>>,
    pub(crate) events: Option<Events>,
    pub(crate) provider: Option<&'static Provider>,
    /// One of these verdicts, or of these reasons of an invalid signature.
    pub(crate) verdict: Option<Vec<String>>,
    /// Received at this time or later.
    pub(crate) since: Option<Timestamp>,
    /// A text in the body, a header or the target.
    pub(crate) search: Option<String>,
    /// Filters of `--where`: a record must match every filter.
    pub(crate) filters: Vec<Jq>,
    /// The number of the newest deliveries to keep.
    pub(crate) last: Option<usize>,
}

impl Query {
    /// The first flag that applies to journals only.
    pub(crate) fn flag(&self) -> Option<&'static str> {
        let flags = [
            (self.id.is_some(), "--id"),
            (self.status.is_some(), "--status"),
            (self.events.is_some(), "--event"),
            (self.verdict.is_some(), "--verdict"),
            (self.since.is_some(), "--since"),
            (self.search.is_some(), "--search"),
            (!self.filters.is_empty(), "--where"),
            (self.last.is_some(), "--last"),
        ];
        flags.into_iter().find(|(set, _)| *set).map(|(_, flag)| flag)
    }

    /// The flag with the nearest known status or event, where the user gave an unknown one.
    pub(crate) fn suggestion(&self) -> Option<String> {
        let event = || self.events.as_ref()?.possible_typos().next().map(|(_, near)| format!("--event {near}"));
        self.nearest_status().map(|near| format!("--status {near}")).or_else(event)
    }

    fn nearest_status(&self) -> Option<&'static str> {
        let shapes = provider::ALL.iter().flat_map(|provider| provider.shapes);
        let words = shapes.flat_map(|shape| shape.statuses).map(|(word, status)| [*word, status.name()]);
        let known: Vec<&'static str> = words.flatten().collect();
        let is_known = |word: &&String| known.iter().any(|known| known.eq_ignore_ascii_case(word));
        let unknown = self.status.iter().flatten().find(|word| !is_known(word))?;
        nearest(unknown, known)
    }

    /// The texts that every selected line has. A `session` needs the deliveries that `--status` and `--search` exclude.
    pub(crate) fn prefilter(&self, session: bool) -> Prefilter {
        if session {
            return Prefilter::new(self.id.as_deref(), None, None);
        }
        Prefilter::new(self.id.as_deref(), self.status.as_deref(), self.search.as_deref())
    }

    pub(crate) fn matches_id(&self, summary: &Summary<'_>) -> bool {
        self.id.as_ref().is_none_or(|id| summary.has_id(id))
    }

    /// Whether a delivery matches all filters that need only a summary.
    pub(crate) fn matches_summary(&self, summary: &Summary<'_>) -> bool {
        let has_one = |statuses: &Vec<String>| statuses.iter().any(|status| summary.has_status(status));
        let is_event = |events: &Events| summary.event.as_ref().is_some_and(|event| events.match_name(event));
        self.matches_id(summary)
            && self.status.as_ref().is_none_or(has_one)
            && self.events.as_ref().is_none_or(is_event)
            && self.provider.is_none_or(|provider| summary.provider.as_deref() == Some(provider.name))
            && self.since.is_none_or(|since| summary.at >= since)
    }

    /// Whether a delivery matches the filters that need its record, but for those of `--where`.
    pub(crate) fn matches_record(&self, record: &Record) -> bool {
        let is_one = |verdicts: &Vec<String>| verdicts.iter().any(|verdict| record.verdict.is(verdict));
        self.verdict.as_ref().is_none_or(is_one) && self.search.as_ref().is_none_or(|text| contains(record, text))
    }

    /// Whether a filter needs more than a summary.
    pub(crate) fn needs_record(&self) -> bool {
        self.verdict.is_some() || self.search.is_some() || !self.filters.is_empty()
    }
}

/// Whether a text is in the body (as sent, decompressed, or with its escapes undone), in a header's value or in the target.
fn contains(record: &Record, text: &str) -> bool {
    let finder = Finder::new(text);
    let delivery = &record.delivery;
    let held = delivery.decoded_body();
    let unescaped = || {
        let json = record.payload.as_ref().and_then(|_| std::str::from_utf8(&held).ok())?;
        finder.find(value::unescaped(json).as_bytes())
    };
    finder.find(&held).or_else(unescaped).is_some()
        || delivery.headers.iter().any(|(_, value)| finder.find(value.as_bytes()).is_some())
        || finder.find(delivery.target.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::payload::{Delivery, Payload};

    proptest! {
        #[test]
        fn the_prefilter_rules_out_nothing_that_is_selected(
            id in "\\PC{0,6}|[\"\\\\\u{1}a]{0,4}", other in "\\PC{0,6}", ascii: bool, inside: bool,
        ) {
            let body = serde_json::json!({"id": id, "status": "Processing", "logs": other, "metrics": {}}).to_string();
            let in_ascii = |c: char| if c.is_ascii() { c.to_string() } else {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            };
            let sent: String = if ascii { body.chars().map(in_ascii).collect() } else { body.clone() };
            let delivery = Delivery::bare(Default::default(), Bytes::copy_from_slice(sent.as_bytes()));
            let payload = Payload::read(&delivery.body, &delivery.headers, None);
            let record = Record { payload, ..Record::bare(Timestamp::UNIX_EPOCH, delivery) };
            let line = record.to_line();
            let search = if inside { other } else { sent.chars().skip(3).take(7).collect() };
            let status = Some(vec!["failed".into(), "pROCESSING".into()]);
            let query = Query { id: Some(id), status, search: Some(search), ..Query::default() };
            prop_assert!(query.matches_summary(&Summary::from(&record)));
            prop_assert!(query.matches_record(&record));
            prop_assert!(!query.prefilter(false).rules_out(line.trim_ascii_end()));
        }
    }
}
