//! A journal as a table. Rows are printed while the journal is read, so the columns have fixed widths.

use std::borrow::Cow;

use console::{measure_text_width, truncate_str};
use jiff::Zoned;
use jiff::civil::Date;

use super::block::{cut, cut_middle, cut_start};
use super::escape;
use super::fields;
use super::paint::Paint;
use super::time::Zone;
use crate::event::JournalRow;
use crate::journal::Record;
use crate::journal::record::Answer;
use crate::signature::Verdict;

/// Terminals from this width on have a column for the provider.
const MEDIUM: usize = 100;

/// Terminals from this width on, and outputs without a width, show verdicts as words, and times with milliseconds.
const WIDE: usize = 140;

const NUMBER: usize = 4;
const STATUS: usize = fields::STATUS;
const PROVIDER: usize = 10;

/// The least columns of an id.
const ID: usize = 10;

/// Warnings that are named in a row.
const NAMED: usize = 2;

/// The set of columns, by the width of the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TableLayout {
    Narrow,
    Medium,
    Wide,
}

pub(crate) struct Table {
    width: Option<usize>,
    layout: TableLayout,
    zone: Zone,
    day: Option<Date>,
}

impl Table {
    /// Rows are cut at `width`.
    pub(crate) fn new(width: Option<usize>, zone: Zone) -> Self {
        let layout = match width {
            Some(..MEDIUM) => TableLayout::Narrow,
            Some(..WIDE) => TableLayout::Medium,
            _ => TableLayout::Wide,
        };
        Table { width, layout, zone, day: None }
    }

    /// The next row, with the heading before the first row, and with the date where it changes.
    pub(crate) fn row(&mut self, entry: &JournalRow, paint: Paint) -> String {
        let at = entry.record.at.to_zoned((**self.zone).clone());
        let mut text = String::new();
        if self.day.is_none() {
            let heads = self.columns().map(|(head, columns)| format!("{head:columns$}"));
            self.push(&mut text, &paint.quiet(format!("{:>NUMBER$}  {}  id", "#", join(heads))));
        }
        if self.day.replace(at.date()) != Some(at.date()) {
            self.push(&mut text, &paint.quiet(at.date()));
        }
        let line = self.line(entry, &at, paint);
        self.push(&mut text, &line);
        text
    }

    /// Heading and width of time, status, provider, event, signature and answer; a width of 0 hides the column.
    fn columns(&self) -> [(&'static str, usize); 6] {
        match self.layout {
            TableLayout::Narrow => [("time", 8), ("status", STATUS), ("", 0), ("event", 10), ("sig", 3), ("ans", 5)],
            TableLayout::Medium => {
                [("time", 8), ("status", STATUS), ("provider", PROVIDER), ("event", 18), ("sig", 3), ("answer", 6)]
            }
            TableLayout::Wide => [
                ("time", 12),
                ("status", STATUS),
                ("provider", PROVIDER),
                ("event", 18),
                ("signature", 13),
                ("answer", 6),
            ],
        }
    }

    fn line(&self, entry: &JournalRow, at: &Zoned, paint: Paint) -> String {
        let record = &entry.record;
        let payload = record.payload.as_ref();
        let [_, (_, status), (_, provider), (_, event), (_, signature), (_, answered)] = self.columns();
        let number = format!("{:>NUMBER$}", entry.number);
        let named = payload.and_then(|payload| payload.event.as_ref());
        let wide = self.layout == TableLayout::Wide;
        let cells = [
            paint.quiet(at.strftime(if wide { "%H:%M:%S%.3f" } else { "%H:%M:%S" })),
            fields::status(record, &self.fit(&escape::line(&fields::status_word(payload)), status), paint),
            self.fit(payload.map_or("-", |payload| payload.provider.label), provider),
            self.fit(&self.ends(&escape::line(named.map_or("-", |event| &event.name)), event), event),
            if wide { verdict(record, signature, paint) } else { pad(&mark(&record.verdict, paint), signature) },
            answer(record.answer.as_ref(), record.is_expected(), answered, paint),
        ];
        let start = format!("{number}  {}  ", join(cells));
        let id = escape::line(payload.and_then(|payload| payload.id.as_deref()).unwrap_or("-"));
        let notes = notes(record, paint);
        let columns = self.width.map(|width| {
            let taken = measure_text_width(&start) + measure_text_width(&notes);
            width.saturating_sub(taken).max(ID)
        });
        format!("{start}{}{notes}", columns.map_or(id.clone(), |columns| cut_middle(&id, columns)))
    }

    /// Cuts a text at its start, if anything is cut.
    fn ends<'t>(&self, text: &'t str, columns: usize) -> Cow<'t, str> {
        self.width.map_or(Cow::Borrowed(text), |_| cut_start(text, columns))
    }

    /// Cuts or fills a text to the width of its column. Without a width nothing is cut.
    fn fit(&self, text: &str, columns: usize) -> String {
        match self.width {
            _ if columns == 0 => String::new(),
            Some(_) => pad(text, columns),
            None => fill(text, columns),
        }
    }

    fn push(&self, text: &mut String, line: &str) {
        text.push_str(&cut(line, self.width));
        text.push('\n');
    }
}

/// Joins the cells that are not empty.
fn join(cells: impl IntoIterator<Item = String>) -> String {
    cells.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  ")
}

/// The text after the id: drill case, reason, attempt, repeat, warnings.
fn notes(record: &Record, paint: Paint) -> String {
    let mut notes = String::new();
    let case = record.sent.as_ref().and_then(|sent| sent.case.as_deref());
    if let Some(case) = case {
        notes += &format!("  {}", escape::line(case));
    }
    if let Verdict::Invalid { reason, .. } = &record.verdict {
        let reason = format!("  {}", reason.name());
        // A forgery sent on purpose, which the handler refused.
        notes += &if record.is_expected() == Some(true) { paint.quiet(reason) } else { paint.bad(reason) };
    }
    if let Some(sent) = record.sent.as_ref().filter(|_| case.is_none()) {
        notes += &paint.quiet(format!("  sent {}/{}", sent.attempt, sent.of));
    }
    if record.duplicate.is_some() {
        notes += &paint.warn("  repeat");
    }
    for warning in record.warnings.iter().take(NAMED) {
        notes += &paint.warn(format!("  {}", escape::line(&warning.code)));
    }
    if record.warnings.len() > NAMED {
        notes += &paint.warn(format!("  +{}", record.warnings.len() - NAMED));
    }
    notes
}

/// Cuts or fills a text to exactly this many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    fill(&truncate_str(text, columns, "…"), columns)
}

/// Fills a text to at least this many columns.
pub(crate) fn fill(text: &str, columns: usize) -> String {
    let gap = columns.saturating_sub(measure_text_width(text));
    format!("{text}{:gap$}", "")
}

fn verdict(record: &Record, columns: usize, paint: Paint) -> String {
    let word = format!("{:columns$}", record.verdict.name());
    match record.verdict {
        Verdict::Invalid { .. } if record.is_expected() == Some(true) => paint.quiet(word),
        Verdict::Verified { .. } | Verdict::Authenticated { .. } => paint.good(word),
        Verdict::Invalid { .. } => paint.bad(word),
        Verdict::Unsigned | Verdict::Unchecked => paint.quiet(word),
    }
}

/// A verdict as a sign. `(✓)`: the sender is authenticated, but the body is not signed.
pub(crate) fn mark(verdict: &Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Verified { .. } => paint.good("✓"),
        Verdict::Authenticated { .. } => paint.good("(✓)"),
        Verdict::Invalid { .. } => paint.bad("✗"),
        Verdict::Unchecked => paint.quiet("?"),
        Verdict::Unsigned => paint.quiet("-"),
    }
}

/// An answer in one word.
pub(crate) fn answer(answer: Option<&Answer>, expected: Option<bool>, columns: usize, paint: Paint) -> String {
    pad(&answer.map_or("-".to_owned(), |answer| fields::outcome(answer, expected, paint)), columns)
}
