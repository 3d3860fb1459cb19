//! A journal as a table: a row a delivery, printed as it is read, so the columns are fixed.

use console::{measure_text_width, truncate_str};
use jiff::tz::TimeZone;

use super::escape;
use super::fields;
use super::paint::Paint;
use crate::event::Entry;
use crate::payload::record::Record;
use crate::payload::signature::Verdict;

const PROVIDER: usize = 10;
const EVENT: usize = 11;
const VERDICT: usize = 13;
const ANSWER: usize = 6;

/// A table under way.
pub struct Table {
    width: Option<usize>,
    zone: TimeZone,
    begun: bool,
}

impl Table {
    /// A table without rows. Rows are cut at `width`.
    pub fn new(width: Option<usize>, zone: TimeZone) -> Self {
        Table { width, zone, begun: false }
    }

    /// The next row; the first brings the heading along.
    pub fn row(&mut self, entry: &Entry, paint: Paint) -> String {
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            let heading = format!(
                "{:>4}  {:12}  {:PROVIDER$}  {:10}  {:EVENT$}  {:VERDICT$}  {:ANSWER$}  id",
                "#", "time", "provider", "status", "event", "signature", "answer"
            );
            text.push_str(&self.cut(&paint.quiet(heading)));
            text.push('\n');
        }
        let record = &entry.record;
        let payload = record.payload.as_ref();
        let time = record.at.to_zoned(self.zone.clone()).strftime("%H:%M:%S%.3f").to_string();
        let provider = pad(payload.map_or("-", |payload| payload.provider.label), PROVIDER);
        let event = payload.and_then(|payload| payload.event.as_ref());
        let event = pad(&escape::line(event.map_or("-", |event| &event.name)), EVENT);
        let id = payload.and_then(|payload| payload.id.as_deref()).unwrap_or("-");
        let line = format!(
            "{:>4}  {}  {provider}  {}  {event}  {}  {}  {}{}",
            entry.number,
            paint.quiet(time),
            fields::status(payload, paint),
            verdict(&record.verdict, paint),
            answer(record, paint),
            escape::line(id),
            if record.duplicate.is_some() { paint.warn("  repeat") } else { String::new() },
        );
        text.push_str(&self.cut(&line));
        text.push('\n');
        text
    }

    fn cut(&self, line: &str) -> String {
        match self.width {
            Some(width) => truncate_str(line, width, "…").into_owned(),
            None => line.to_owned(),
        }
    }
}

fn pad(text: &str, columns: usize) -> String {
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

fn answer(record: &Record, paint: Paint) -> String {
    match &record.answer {
        Some(answer) => {
            let gap = ANSWER.saturating_sub(answer.status.to_string().len());
            format!("{}{:gap$}", fields::answer_status(answer.status, paint), "")
        }
        None => format!("{:ANSWER$}", "-"),
    }
}
