//! A journal as a table: a row a delivery, printed as it is read, so the columns are fixed.

use console::{measure_text_width, truncate_str};
use jiff::Zoned;
use jiff::civil::Date;

use super::block::cut;
use super::escape;
use super::fields;
use super::paint::Paint;
use super::time::Zone;
use crate::event::Entry;
use crate::payload::record::{Answer, Record};
use crate::payload::signature::Verdict;

/// Below so many columns a table leaves out what the status tells as well, so that ids stay readable.
const WIDE: usize = 100;

const PROVIDER: usize = 10;
const STATUS: usize = 10;
const EVENT: usize = 18;
const VERDICT: usize = 13;
const ANSWER: usize = 6;

/// A table under way.
pub struct Table {
    width: Option<usize>,
    zone: Zone,
    day: Option<Date>,
}

impl Table {
    /// A table without rows. Rows are cut at `width`.
    pub fn new(width: Option<usize>, zone: Zone) -> Self {
        Table { width, zone, day: None }
    }

    fn is_wide(&self) -> bool {
        self.width.is_none_or(|width| width >= WIDE)
    }

    /// The next row, with a heading before the first, and the date where it changes.
    pub fn row(&mut self, entry: &Entry, paint: Paint) -> String {
        let at = entry.record.at.to_zoned((**self.zone).clone());
        let mut text = String::new();
        if self.day.is_none() {
            self.push(&mut text, &paint.quiet(self.heading()));
        }
        if self.day.replace(at.date()) != Some(at.date()) {
            self.push(&mut text, &paint.quiet(at.date()));
        }
        let line = self.line(entry, &at, paint);
        self.push(&mut text, &line);
        text
    }

    fn heading(&self) -> String {
        if self.is_wide() {
            format!(
                "{:>4}  {:12}  {:STATUS$}  {:PROVIDER$}  {:EVENT$}  {:VERDICT$}  {:ANSWER$}  id",
                "#", "time", "status", "provider", "event", "signature", "answer"
            )
        } else {
            format!("{:>4}  {:8}  {:STATUS$}  {:PROVIDER$}  sig  ans  id", "#", "time", "status", "provider")
        }
    }

    fn line(&self, entry: &Entry, at: &Zoned, paint: Paint) -> String {
        let record = &entry.record;
        let payload = record.payload.as_ref();
        let number = entry.number;
        let status = fields::status(payload, paint);
        let provider = pad(payload.map_or("-", |payload| payload.provider.label), PROVIDER);
        let id = escape::line(payload.and_then(|payload| payload.id.as_deref()).unwrap_or("-"));
        let remarks = remarks(record, paint);
        if !self.is_wide() {
            let time = paint.quiet(at.strftime("%H:%M:%S"));
            let (mark, answer) = (mark(&record.verdict, paint), answer(record.answer.as_ref(), 3, paint));
            return format!("{number:>4}  {time}  {status}  {provider}  {mark}    {answer}  {id}{remarks}");
        }
        let time = paint.quiet(at.strftime("%H:%M:%S%.3f"));
        let event = payload.and_then(|payload| payload.event.as_ref());
        let event = pad(&escape::line(event.map_or("-", |event| &event.name)), EVENT);
        let (verdict, answer) = (verdict(&record.verdict, paint), answer(record.answer.as_ref(), ANSWER, paint));
        format!("{number:>4}  {time}  {status}  {provider}  {event}  {verdict}  {answer}  {id}{remarks}")
    }

    fn push(&self, text: &mut String, line: &str) {
        text.push_str(&cut(line, self.width));
        text.push('\n');
    }
}

/// What else there is to say of a delivery, behind its id.
fn remarks(record: &Record, paint: Paint) -> String {
    let mut remarks = String::new();
    if let Verdict::Invalid { reason, .. } = &record.verdict {
        remarks += &paint.bad(format!("  {}", reason.name()));
    }
    if let Some(sent) = &record.sent {
        remarks += &paint.quiet(format!("  sent {}/{}", sent.attempt, sent.of));
    }
    if record.duplicate.is_some() {
        remarks += &paint.warn("  repeat");
    }
    remarks
}

/// A text in so many columns, cut or filled up.
pub fn pad(text: &str, columns: usize) -> String {
    let cut = truncate_str(text, columns, "…");
    let gap = columns.saturating_sub(measure_text_width(&cut));
    format!("{cut}{:gap$}", "")
}

fn verdict(verdict: &Verdict, paint: Paint) -> String {
    let word = format!("{:VERDICT$}", verdict.name());
    match verdict {
        Verdict::Verified { .. } | Verdict::Authenticated { .. } => paint.good(word),
        Verdict::Invalid { .. } => paint.bad(word),
        Verdict::Unsigned | Verdict::Unchecked => paint.quiet(word),
    }
}

/// A verdict in one character.
pub fn mark(verdict: &Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Verified { .. } | Verdict::Authenticated { .. } => paint.good("✓"),
        Verdict::Invalid { .. } => paint.bad("✗"),
        Verdict::Unchecked => paint.quiet("?"),
        Verdict::Unsigned => paint.quiet("-"),
    }
}

/// An answer in a word, in so many columns.
pub fn answer(answer: Option<&Answer>, columns: usize, paint: Paint) -> String {
    let Some(answer) = answer else { return format!("{:columns$}", "-") };
    let outcome = fields::outcome(answer, paint);
    let gap = columns.saturating_sub(measure_text_width(&outcome));
    format!("{outcome}{:gap$}", "")
}
