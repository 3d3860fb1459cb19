//! Which deliveries of a journal: the filters, the cheap ones first.

use aho_corasick::AhoCorasick;
use jiff::Timestamp;
use memchr::memmem::Finder;

use crate::filter::jq::{FilterResult, Jq};
use crate::journal::Record;
use crate::journal::Summary;
use crate::journal::write::BEGINNING;
use crate::json::value;
use crate::payload::events::Events;
use crate::payload::nearest;
use crate::payload::provider::{self, Provider};

/// Which deliveries of a journal. Everything that is set must be so.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// About this prediction, execution or track id.
    pub id: Option<String>,
    /// With one of these statuses.
    pub status: Option<Vec<String>>,
    /// Of these events.
    pub events: Option<Events>,
    /// From this provider.
    pub provider: Option<&'static Provider>,
    /// With one of these verdicts, or invalid for one of these reasons.
    pub verdict: Option<Vec<String>>,
    /// That came at this time or later.
    pub since: Option<Timestamp>,
    /// With this text in the body, a header or the target.
    pub search: Option<String>,
    /// Of whose records these filters are true.
    pub filters: Vec<Jq>,
    /// The last so many.
    pub last: Option<usize>,
}

impl Query {
    /// The first flag that makes sense for journals only, if any is set.
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

    /// The status or the event that was probably meant by one that nobody sends, behind its flag.
    pub(crate) fn meant(&self) -> Option<String> {
        let event = || self.events.as_ref()?.possible_typos().next().map(|(_, near)| format!("--event {near}"));
        self.meant_status().map(|near| format!("--status {near}")).or_else(event)
    }

    fn meant_status(&self) -> Option<&'static str> {
        let shapes = provider::ALL.iter().flat_map(|provider| provider.shapes);
        let words = shapes.flat_map(|shape| shape.statuses).map(|(word, status)| [*word, status.name()]);
        let known: Vec<&'static str> = words.flatten().collect();
        let is_known = |word: &&String| known.iter().any(|known| known.eq_ignore_ascii_case(word));
        let unknown = self.status.iter().flatten().find(|word| !is_known(word))?;
        nearest(unknown, known)
    }

    /// Whether a delivery is about what is asked for.
    pub(crate) fn is_about(&self, glance: &Summary<'_>) -> bool {
        self.id.as_ref().is_none_or(|id| glance.has_id(id))
    }

    /// Whether a delivery is taken, as far as a glance can tell.
    pub(crate) fn takes_at_a_glance(&self, glance: &Summary<'_>) -> bool {
        let has_one = |statuses: &Vec<String>| statuses.iter().any(|status| glance.has_status(status));
        let takes_event = |events: &Events| glance.event.as_ref().is_some_and(|event| events.match_name(event));
        self.is_about(glance)
            && self.status.as_ref().is_none_or(has_one)
            && self.events.as_ref().is_none_or(takes_event)
            && self.provider.is_none_or(|provider| glance.provider.as_deref() == Some(provider.name))
            && self.since.is_none_or(|since| glance.at >= since)
    }

    /// Whether a delivery that was taken at a glance stays when all of it is read, as far as no jq filter has its say.
    pub(crate) fn takes_wholly(&self, record: &Record) -> bool {
        let is_one = |verdicts: &Vec<String>| verdicts.iter().any(|verdict| record.verdict.is(verdict));
        self.verdict.as_ref().is_none_or(is_one) && self.search.as_ref().is_none_or(|text| is_in(text, record))
    }

    /// Whether a glance does not decide.
    pub(crate) fn wants_all(&self) -> bool {
        self.verdict.is_some() || self.search.is_some() || !self.filters.is_empty()
    }
}

/// The deliveries of which a filter could not judge.
#[derive(Debug, Default)]
pub(crate) struct FilterFailures {
    count: usize,
    first: String,
}

impl FilterFailures {
    /// Takes note of a finding.
    pub(crate) fn note(&mut self, FilterResult { found, failed, .. }: FilterResult) {
        if failed {
            self.count += 1;
            if self.count == 1 {
                self.first = found;
            }
        }
    }

    /// The sentence about them.
    pub(crate) fn told(&self) -> Option<String> {
        let deliveries = if self.count == 1 { "1 delivery".to_owned() } else { format!("{} deliveries", self.count) };
        let text = || format!("--where failed on {deliveries}, which it leaves out; it gave {}", self.first);
        (self.count > 0).then(text)
    }
}

/// Whether this text is in the body, as sent or as it was before it was compressed or escaped, in a header's value or in
/// the target.
fn is_in(text: &str, record: &Record) -> bool {
    let finder = Finder::new(text);
    let delivery = &record.delivery;
    let held = delivery.decoded_body();
    let written_out = || {
        let json = record.payload.as_ref().and_then(|_| std::str::from_utf8(&held).ok())?;
        finder.find(value::unescaped(json).as_bytes())
    };
    finder.find(&held).or_else(written_out).is_some()
        || delivery.headers.iter().any(|(_, value)| finder.find(value.as_bytes()).is_some())
        || finder.find(delivery.target.as_bytes()).is_some()
}

/// Texts that must stand in every line that the filters take, so that the other lines need not be parsed.
#[derive(Debug, Default)]
pub(crate) struct Prefilter {
    needles: Vec<Finder<'static>>,
    /// One of these, in whatever case.
    words: Option<AhoCorasick>,
    /// What is looked for in bodies, and by what a line shows that it may be hidden there.
    searched: Option<(Finder<'static>, Vec<Finder<'static>>)>,
}

impl Prefilter {
    /// What the filters need. What they leave out is still part of its prediction's story, where that `is_told`.
    pub(crate) fn of(query: &Query, is_told: bool) -> Self {
        // As it stands within a JSON string.
        let escaped = |text: &String| serde_json::to_string(text).ok().map(|text| text[1..text.len() - 1].to_owned());
        let finder = |word: &str| Finder::new(word).into_owned();
        let (status, search) = if is_told { (&None, &None) } else { (&query.status, &query.search) };
        let statuses = status.as_ref().map(|words| words.iter().filter_map(escaped).collect::<Vec<_>>());
        let any = |words| AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok();
        Prefilter {
            needles: query.id.iter().filter_map(escaped).map(|word| finder(&word)).collect(),
            words: statuses.and_then(any),
            searched: search.as_ref().and_then(|text| {
                // A body in base64; a character that the body's own JSON escapes, as it may any, and must some.
                let must = text.contains(|c: char| c.is_control() || matches!(c, '"' | '\\' | '/'));
                let escape = if must { r"\\" } else { r"\\u" };
                Some((finder(&escaped(text)?), vec![finder("\"body_base64\":"), finder(escape)]))
            }),
        }
    }

    /// Whether this line, as hookctl writes it, is a delivery that cannot be taken. Of lines that are spelled otherwise
    /// nothing is said: they may escape what they like.
    pub(crate) fn holds_back(&self, line: &[u8]) -> bool {
        let is_ours = line.starts_with(BEGINNING) && line.ends_with(b"}");
        let lacks = |needle: &Finder<'_>| needle.find(line).is_none();
        is_ours
            && (self.needles.iter().any(lacks)
                || self.words.as_ref().is_some_and(|words| !words.is_match(line))
                || self.searched.as_ref().is_some_and(|(text, hides)| lacks(text) && hides.iter().all(lacks)))
            // One that was torn, and went on as another, is damaged and no delivery.
            && memchr::memmem::find(&line[1..], BEGINNING).is_none()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::payload::{Delivery, Payload};

    fn record(body: &str) -> Record {
        let delivery = Delivery::bare(Default::default(), Bytes::copy_from_slice(body.as_bytes()));
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        Record { payload, ..Record::bare(Timestamp::UNIX_EPOCH, delivery) }
    }

    proptest! {
        #[test]
        fn the_sieve_holds_back_nothing_that_is_taken(
            id in "\\PC{0,6}|[\"\\\\\u{1}a]{0,4}", other in "\\PC{0,6}", ascii: bool, inside: bool,
        ) {
            let body = serde_json::json!({"id": id, "status": "Processing", "logs": other, "metrics": {}}).to_string();
            let in_ascii = |c: char| if c.is_ascii() { c.to_string() } else {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            };
            let sent: String = if ascii { body.chars().map(in_ascii).collect() } else { body.clone() };
            let record = record(&sent);
            let line = record.to_line();
            let search = if inside { other } else { sent.chars().skip(3).take(7).collect() };
            let status = Some(vec!["failed".into(), "pROCESSING".into()]);
            let query = Query { id: Some(id), status, search: Some(search), ..Query::default() };
            prop_assert!(query.takes_at_a_glance(&Summary::from(&record)));
            prop_assert!(query.takes_wholly(&record));
            prop_assert!(!Prefilter::of(&query, false).holds_back(line.trim_ascii_end()));
        }
    }

    #[test]
    fn the_sieve_holds_back_only_what_hookctl_wrote() {
        let line = record(r#"{"id":"a","status":"processing"}"#).to_line();
        let line = line.trim_ascii_end();
        let sieve = Prefilter::of(&Query { id: Some("zz".into()), ..Query::default() }, false);
        assert!(sieve.holds_back(line));
        assert!(!sieve.holds_back(&line[..line.len() - 1]), "a torn one must be reported");
        let merged = [&line[..60], line].concat();
        assert!(!sieve.holds_back(&merged), "one that was torn and went on as another too");
        assert!(!sieve.holds_back(&line[1..]) && !sieve.holds_back(b"garbage"));
        let search = Prefilter::of(&Query { search: Some("zz".into()), ..Query::default() }, false);
        let hidden = String::from_utf8_lossy(line).replace("\"body\":", "\"body_base64\":");
        assert!(search.holds_back(line) && !search.holds_back(hidden.as_bytes()));
    }
}
