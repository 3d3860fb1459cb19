//! Scans lines on several threads: parses each line, and applies the filters that need no other line.

use jiff::Timestamp;

use super::check::update_verdict;
use super::config::Config;
use super::stats::Statistics;
use crate::event::JournalRow;
use crate::journal::fast::{FastLine, RawRequest};
use crate::journal::parse::line_text;
use crate::journal::prefilter::Prefilter;
use crate::journal::reader::LineBatch;
use crate::journal::{Parsed, Record, Summary};
use crate::payload::Provider;
use crate::signature::Checker;
use crate::signature::verdict::VERIFIED;

/// The state of one thread: scans the lines of a batch, one after the other.
pub(crate) struct LineScanner<'a> {
    prefilter: Prefilter,
    /// With the secrets of the user.
    checker: Checker<'a>,
    /// A buffer for the bytes of one body.
    body: Vec<u8>,
    /// Counts over all batches so far, where the view counts.
    pub(crate) statistics: Statistics,
    /// The result of the last batch.
    pub(crate) scanned: ScannedBatch,
}

#[derive(Default)]
pub(crate) struct ScannedBatch {
    /// How many lines the batch has.
    pub(crate) lines: usize,
    /// How many lines are deliveries, whatever the filters select.
    pub(crate) deliveries: usize,
    /// How many deliveries were counted.
    pub(crate) counted: usize,
    /// When the newest of the scanned deliveries came.
    pub(crate) newest: Option<Timestamp>,
    /// Lines that are left to the pipeline, in their order.
    pub(crate) found: Vec<ScannedLine>,
}

pub(crate) struct ScannedLine {
    /// The number of the line within the batch, from 1.
    pub(crate) line: usize,
    /// How many deliveries the batch has up to this line.
    pub(crate) delivery: usize,
    pub(crate) result: LineResult,
}

pub(crate) enum LineResult {
    /// The reason why the line is damaged.
    Damaged(String),
    /// A delivery whose summary is selected: it is parsed only where it will be shown.
    Unparsed(String),
    /// A delivery that only the filters of `--where` decide about. They read the line itself.
    Undecided(String),
    /// A delivery that all filters select, but for those of `--where`.
    Selected(Box<JournalRow>),
    /// A delivery that is part of a session, and whether its summary is selected.
    InSession(Box<JournalRow>, bool),
}

/// The same for every line of a batch.
#[derive(Clone, Copy)]
pub(crate) struct ScanTask<'a> {
    pub(crate) config: &'a Config,
    /// Whether deliveries are kept until the end, when most of them will not be shown.
    pub(crate) keeps_back: bool,
    /// How many deliveries came before the batch, where a view selects by number.
    pub(crate) before: usize,
}

impl ScanTask<'_> {
    /// Whether deliveries are counted by their summaries. With secrets, the signature must be valid too.
    fn is_counting(&self) -> bool {
        let Config { view, query, .. } = self.config;
        view.counts() && !query.needs_record() && query.last.is_none()
    }

    /// Whether only the filters of `--where` need more than a summary, and read the line as it is.
    fn needs_only_where(&self) -> bool {
        let Config { query, policy, .. } = self.config;
        !query.filters.is_empty() && query.verdict.is_none() && query.search.is_none() && policy.secrets.is_empty()
    }
}

impl<'a> LineScanner<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        LineScanner {
            prefilter: config.query.prefilter(config.view.needs_sessions()),
            checker: Checker::new(&config.policy),
            body: Vec::new(),
            statistics: Statistics::new(config.zone.clone()),
            scanned: ScannedBatch::default(),
        }
    }

    pub(crate) fn scan(&mut self, batch: &LineBatch, task: ScanTask<'_>) {
        self.scanned = ScannedBatch::default();
        if batch.is_too_long {
            self.scanned.lines = 1;
        }
        for line in lines(&batch.bytes) {
            self.scanned.lines += 1;
            let found = self.scan_line(line, task).unwrap_or_else(|damage| Some(LineResult::Damaged(damage)));
            let ScannedBatch { lines, deliveries, .. } = self.scanned;
            self.scanned.found.extend(found.map(|result| ScannedLine { line: lines, delivery: deliveries, result }));
        }
    }

    fn scan_line(&mut self, line: &[u8], task: ScanTask<'_>) -> Result<Option<LineResult>, String> {
        if self.prefilter.rules_out(line) {
            self.scanned.deliveries += 1;
            return Ok(None);
        }
        let Some(text) = line_text(line).map_err(|damage| damage.0)? else { return Ok(None) };
        if let Some(FastLine { summary, request }) = FastLine::parse(text) {
            self.scanned.deliveries += 1;
            return self.decide(summary, text, ParsedSoFar::Request(request), task);
        }
        if let Some(summary) = Summary::parse_any(text) {
            self.scanned.deliveries += 1;
            return self.decide(summary, text, ParsedSoFar::Summary, task);
        }
        match Record::parse(text) {
            Ok(Parsed::Delivery(record)) => {
                self.scanned.deliveries += 1;
                self.decide(Summary::from(&*record), text, ParsedSoFar::Record(&record), task)
            }
            Ok(Parsed::Other(_)) => Ok(None),
            Err(damage) => Err(damage.0),
        }
    }

    /// Decides by the summary, and parses the record only where that is not enough.
    fn decide(
        &mut self,
        summary: Summary<'_>,
        text: &str,
        known: ParsedSoFar<'_>,
        task: ScanTask<'_>,
    ) -> Result<Option<LineResult>, String> {
        let Config { query, view, policy, .. } = task.config;
        self.scanned.newest = self.scanned.newest.max(Some(summary.at));
        // A delivery that a filter excludes is still part of the session of its prediction.
        let is_in_session = view.needs_sessions() && query.matches_id(&summary);
        let number = task.before + self.scanned.deliveries;
        let is_selected = query.matches_summary(&summary) && view.selects(number, &summary);
        let (counted, record) = match (is_selected && task.is_counting(), known) {
            (true, ParsedSoFar::Request(request)) => (self.verified(summary, request, task.config), None),
            (true, _) if policy.secrets.is_empty() => (Some(summary), None),
            (false, ParsedSoFar::Request(_)) if is_selected && !is_in_session && task.needs_only_where() => {
                return Ok(Some(LineResult::Undecided(text.to_owned())));
            }
            (_, ParsedSoFar::Record(record)) => (None, Some(record)),
            (_, ParsedSoFar::Request(_) | ParsedSoFar::Summary) => (None, None),
        };
        if let Some(summary) = &counted {
            self.scanned.counted += 1;
            self.statistics.add(summary);
        }
        if !is_in_session && (!is_selected || counted.is_some()) {
            return Ok(None);
        }
        if !is_in_session && task.keeps_back && !query.needs_record() {
            return Ok(Some(LineResult::Unparsed(text.to_owned())));
        }
        let mut record = match record {
            Some(record) => record.clone(),
            None => *parse(text)?,
        };
        // Before the session is updated: a forgery is not part of one.
        update_verdict(&mut record, task.config);
        let row = Box::new(JournalRow { number, record, line: Some(text.to_owned()), trace: None });
        if is_in_session {
            return Ok(Some(LineResult::InSession(row, is_selected)));
        }
        Ok(query.matches_record(&row.record).then_some(LineResult::Selected(row)))
    }

    /// The summary with the verdict `verified`, where secrets were given and the signature is valid. `None` for any other
    /// verdict: finding the reason takes the whole record.
    fn verified<'s>(&mut self, summary: Summary<'s>, request: RawRequest<'_>, config: &Config) -> Option<Summary<'s>> {
        if config.policy.secrets.is_empty() {
            return Some(summary);
        }
        let provider = Provider::named(summary.provider.as_ref()?)?;
        let signed = request.signed_parts().filter(|_| summary.body_was_read())?;
        signed.write_body(&mut self.body)?;
        let now = config.now.unwrap_or(summary.at).as_second();
        let is_valid = self.checker.verifies(&signed.headers, &self.body, now, Some(provider));
        is_valid.then(|| Summary { verdict: VERIFIED.into(), reason: None, ..summary })
    }
}

/// The parts of a delivery that are parsed, besides its summary.
enum ParsedSoFar<'a> {
    Request(RawRequest<'a>),
    Record(&'a Record),
    Summary,
}

/// The lines of a batch, without their newlines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', bytes).chain((bytes.last() != Some(&b'\n')).then_some(bytes.len()));
    ends.filter(|_| !bytes.is_empty()).map(move |end| {
        let line = &bytes[start..end];
        start = end + 1;
        line
    })
}

/// Parses a line that has a summary.
pub(crate) fn parse(line: &str) -> Result<Box<Record>, String> {
    match Record::parse(line) {
        Ok(Parsed::Delivery(record)) => Ok(record),
        Ok(Parsed::Other(kind)) => Err(format!("it is of type {kind}")),
        Err(damage) => Err(damage.0),
    }
}

#[cfg(test)]
mod tests;
