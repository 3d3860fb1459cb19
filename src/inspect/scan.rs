//! What becomes of a line as far as nothing but that line decides it: work for as many threads as there are.

use jiff::Timestamp;

use super::query::Prefilter;
use super::stats::Statistics;
use super::stream::LineBatchRead;
use super::{Config, check_again};
use crate::event::JournalRow;
use crate::journal::Record;
use crate::journal::fast::{FastLine, RawRequest};
use crate::journal::{Parsed, Summary};
use crate::payload::Provider;
use crate::signature::Checker;
use crate::signature::verdict::VERIFIED;

/// One thread's part: the lines of a batch, one after the other.
pub(crate) struct LineScanner<'a> {
    sieve: Prefilter,
    /// With the secrets that were given.
    checker: Checker<'a>,
    /// The bytes of a body, where they are wanted for a moment.
    body: Vec<u8>,
    /// Of all batches so far, where counting is all that is asked for.
    pub(crate) statistics: Statistics,
    /// Of the last batch.
    pub(crate) sifted: ScannedBatch,
}

/// What a batch has come to.
#[derive(Default)]
pub(crate) struct ScannedBatch {
    /// How many lines it has.
    pub(crate) lines: usize,
    /// How many of them are deliveries, whatever the filters say.
    pub(crate) deliveries: usize,
    /// How many were counted.
    pub(crate) counted: usize,
    /// When the newest of those came that were looked at.
    pub(crate) newest: Option<Timestamp>,
    /// What needs a look in its place among all others.
    pub(crate) found: Vec<ScannedLine>,
}

/// A line of a batch.
pub(crate) struct ScannedLine {
    /// Its number within the batch, from 1.
    pub(crate) line: usize,
    /// How many deliveries there are up to it.
    pub(crate) delivery: usize,
    /// What it is.
    pub(crate) what: LineResult,
}

/// What a line is.
pub(crate) enum LineResult {
    /// Damaged, and how.
    Damaged(String),
    /// A delivery that a glance lets pass, and that nobody may ever want to see.
    Unread(String),
    /// A delivery that all filters let pass, but for those of `--where`: they read its line, and few others need to.
    Asked(String),
    /// A delivery that all filters let pass, but for those of `--where`.
    Taken(Box<JournalRow>),
    /// One that is part of a story, and whether a glance lets it pass.
    Told(Box<JournalRow>, bool),
}

/// What is asked of every line.
#[derive(Clone, Copy)]
pub(crate) struct ScanTask<'a> {
    /// What the inspector was asked to do.
    pub(crate) config: &'a Config,
    /// Whether deliveries are kept back, as most of them will not be shown.
    pub(crate) keeps_back: bool,
    /// How many deliveries came before the batch, where a view asks for numbers.
    pub(crate) before: usize,
}

impl ScanTask<'_> {
    /// Whether nothing but a glance is needed of any delivery, and that its signature holds where that is checked.
    fn is_counting(&self) -> bool {
        let Config { view, query, .. } = self.config;
        view.counts() && !query.wants_all() && query.last.is_none()
    }

    /// Whether all that is not known at a glance is up to the filters of `--where`, and they are to see the line as it is.
    fn asks_only(&self) -> bool {
        let Config { query, policy, .. } = self.config;
        !query.filters.is_empty() && query.verdict.is_none() && query.search.is_none() && policy.secrets.is_empty()
    }
}

impl<'a> LineScanner<'a> {
    /// One that has seen nothing.
    pub(crate) fn new(config: &'a Config) -> Self {
        LineScanner {
            sieve: Prefilter::of(&config.query, config.view.tells_stories()),
            checker: Checker::new(&config.policy),
            body: Vec::new(),
            statistics: Statistics::new(config.zone.clone()),
            sifted: ScannedBatch::default(),
        }
    }

    /// Looks at a batch.
    pub(crate) fn batch(&mut self, batch: &LineBatchRead, task: ScanTask<'_>) {
        self.sifted = ScannedBatch::default();
        if batch.is_too_long {
            self.sifted.lines = 1;
        }
        for line in lines(&batch.bytes) {
            self.sifted.lines += 1;
            let found = self.line(line, task).unwrap_or_else(|damage| Some(LineResult::Damaged(damage)));
            let ScannedBatch { lines, deliveries, .. } = self.sifted;
            self.sifted.found.extend(found.map(|what| ScannedLine { line: lines, delivery: deliveries, what }));
        }
    }

    fn line(&mut self, line: &[u8], task: ScanTask<'_>) -> Result<Option<LineResult>, String> {
        if self.sieve.holds_back(line) {
            self.sifted.deliveries += 1;
            return Ok(None);
        }
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        if let Some(FastLine { summary: glance, request }) = FastLine::parse(text) {
            self.sifted.deliveries += 1;
            return self.glance(glance, text, FullRecord::Request(request), task);
        }
        if let Some(glance) = Summary::parse_any(text) {
            self.sifted.deliveries += 1;
            return self.glance(glance, text, FullRecord::Nothing, task);
        }
        match Record::parse(text) {
            Ok(Parsed::Delivery(record)) => {
                self.sifted.deliveries += 1;
                self.glance(Summary::from(&*record), text, FullRecord::Record(record.clone()), task)
            }
            Ok(Parsed::Other(_)) => Ok(None),
            Err(damage) => Err(damage.0),
        }
    }

    /// Decides by a glance, and beyond it where that is not enough.
    fn glance(
        &mut self,
        glance: Summary<'_>,
        text: &str,
        beyond: FullRecord<'_>,
        task: ScanTask<'_>,
    ) -> Result<Option<LineResult>, String> {
        let Config { query, view, policy, .. } = task.config;
        self.sifted.newest = self.sifted.newest.max(Some(glance.at));
        // What a filter leaves out is still part of its prediction's story.
        let tells = view.tells_stories() && query.is_about(&glance);
        let number = task.before + self.sifted.deliveries;
        let takes = query.takes_at_a_glance(&glance) && view.is_about(number, &glance);
        let (glance, record) = match (takes && task.is_counting(), beyond) {
            (true, FullRecord::Request(request)) => (self.checked(glance, request, task.config), None),
            (true, _) if policy.secrets.is_empty() => (Some(glance), None),
            (false, FullRecord::Request(_)) if takes && !tells && task.asks_only() => {
                return Ok(Some(LineResult::Asked(text.to_owned())));
            }
            (_, FullRecord::Record(record)) => (None, Some(record)),
            (_, FullRecord::Request(_) | FullRecord::Nothing) => (None, None),
        };
        let is_counted = glance.is_some();
        if let Some(glance) = &glance {
            self.sifted.counted += 1;
            self.statistics.add(glance);
        }
        if !tells && (!takes || is_counted) {
            return Ok(None);
        }
        if !tells && task.keeps_back && !query.wants_all() {
            return Ok(Some(LineResult::Unread(text.to_owned())));
        }
        let mut record = *record.map_or_else(|| parse(text), Ok)?;
        // Before stories are told: a forgery is no part of them.
        check(&mut record, task.config);
        let entry = Box::new(JournalRow { number, record, line: Some(text.to_owned()), trace: None });
        if tells {
            return Ok(Some(LineResult::Told(entry, takes)));
        }
        Ok(query.takes_wholly(&entry.record).then_some(LineResult::Taken(entry)))
    }

    /// A glance that says of the signature what is to be said, where secrets were given: that it holds. `None` where there
    /// is more to say, for which all has to be read.
    fn checked<'g>(&mut self, glance: Summary<'g>, request: RawRequest<'_>, config: &Config) -> Option<Summary<'g>> {
        if config.policy.secrets.is_empty() {
            return Some(glance);
        }
        let provider = Provider::named(glance.provider.as_ref()?)?;
        let sealed = request.signed_parts().filter(|_| glance.body_was_read())?;
        sealed.write_body(&mut self.body)?;
        let now = config.now.unwrap_or(glance.at).as_second();
        let holds = self.checker.verifies(&sealed.headers, &self.body, now, Some(provider));
        holds.then(|| Summary { verdict: VERIFIED.into(), reason: None, ..glance })
    }
}

/// What is at hand of a delivery beyond a glance.
enum FullRecord<'a> {
    /// Its request, passed over.
    Request(RawRequest<'a>),
    /// All of it.
    Record(Box<Record>),
    /// Nothing yet.
    Nothing,
}

/// The lines of a text, without their newlines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', bytes).chain((bytes.last() != Some(&b'\n')).then_some(bytes.len()));
    ends.filter(|_| !bytes.is_empty()).map(move |end| {
        let line = &bytes[start..end];
        start = end + 1;
        line
    })
}

/// Checks the signature of a delivery again, where secrets were given.
pub(crate) fn check(record: &mut Record, config: &Config) {
    if !config.policy.secrets.is_empty() {
        record.verdict = check_again(record, &config.policy, config.now);
    }
}

/// A record whose line was looked at already.
pub(crate) fn parse(line: &str) -> Result<Box<Record>, String> {
    match Record::parse(line) {
        Ok(Parsed::Delivery(record)) => Ok(record),
        Ok(Parsed::Other(kind)) => Err(format!("it is of type {kind}")),
        Err(damage) => Err(damage.0),
    }
}

#[cfg(test)]
mod tests;
