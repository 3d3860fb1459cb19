//! A journal as a table: a row a delivery, printed as it is read, so the columns are fixed.

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

/// From so many columns on a provider has a column.
const MEDIUM: usize = 100;

/// From so many columns on signatures are told in words, and times to the millisecond; where nothing is cut, too.
const WIDE: usize = 140;

const NUMBER: usize = 4;
const STATUS: usize = fields::STATUS;
const PROVIDER: usize = 10;

/// What is left of an id at least, whatever else there is to say.
const ID: usize = 10;

/// How many warnings are named in a row.
const NAMED: usize = 2;

/// Which columns there are, by the room for them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Narrow,
    Medium,
    Wide,
}

/// A table under way.
pub(crate) struct Table {
    width: Option<usize>,
    layout: Layout,
    zone: Zone,
    day: Option<Date>,
}

impl Table {
    /// A table without rows. Rows are cut at `width`.
    pub(crate) fn new(width: Option<usize>, zone: Zone) -> Self {
        let layout = match width {
            Some(..MEDIUM) => Layout::Narrow,
            Some(..WIDE) => Layout::Medium,
            _ => Layout::Wide,
        };
        Table { width, layout, zone, day: None }
    }

    /// The next row, with a heading before the first, and the date where it changes.
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

    /// Time, status, provider, event, signature and answer: how each is called, and how wide it is; 0 where it has no room.
    fn columns(&self) -> [(&'static str, usize); 6] {
        match self.layout {
            Layout::Narrow => [("time", 8), ("status", STATUS), ("", 0), ("event", 10), ("sig", 3), ("ans", 5)],
            Layout::Medium => {
                [("time", 8), ("status", STATUS), ("provider", PROVIDER), ("event", 18), ("sig", 3), ("answer", 6)]
            }
            Layout::Wide => [
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
        let wide = self.layout == Layout::Wide;
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
        let remarks = remarks(record, paint);
        let room = self.width.map(|width| {
            let taken = measure_text_width(&start) + measure_text_width(&remarks);
            width.saturating_sub(taken).max(ID)
        });
        format!("{start}{}{remarks}", room.map_or(id.clone(), |room| cut_middle(&id, room)))
    }

    /// A text of which the end says most, in so many columns.
    fn ends<'t>(&self, text: &'t str, columns: usize) -> Cow<'t, str> {
        self.width.map_or(Cow::Borrowed(text), |_| cut_start(text, columns))
    }

    /// A text in a column. Where nothing is cut it may be longer.
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

/// Cells in a row, those that are not there left out.
fn join(cells: impl IntoIterator<Item = String>) -> String {
    cells.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  ")
}

/// What else there is to say of a delivery, behind its id.
fn remarks(record: &Record, paint: Paint) -> String {
    let mut remarks = String::new();
    let case = record.sent.as_ref().and_then(|sent| sent.case.as_deref());
    if let Some(case) = case {
        remarks += &format!("  {}", escape::line(case));
    }
    if let Verdict::Invalid { reason, .. } = &record.verdict {
        let reason = format!("  {}", reason.name());
        // Forged on purpose, and found out.
        remarks += &if record.is_expected() == Some(true) { paint.quiet(reason) } else { paint.bad(reason) };
    }
    if let Some(sent) = record.sent.as_ref().filter(|_| case.is_none()) {
        remarks += &paint.quiet(format!("  sent {}/{}", sent.attempt, sent.of));
    }
    if record.duplicate.is_some() {
        remarks += &paint.warn("  repeat");
    }
    for warning in record.warnings.iter().take(NAMED) {
        remarks += &paint.warn(format!("  {}", escape::line(&warning.code)));
    }
    if record.warnings.len() > NAMED {
        remarks += &paint.warn(format!("  +{}", record.warnings.len() - NAMED));
    }
    remarks
}

/// A text in so many columns, cut or filled up.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    fill(&truncate_str(text, columns, "…"), columns)
}

/// A text in so many columns at least.
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

/// A verdict in a sign. Who is authenticated is the right one, but the body is not covered by that.
pub(crate) fn mark(verdict: &Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Verified { .. } => paint.good("✓"),
        Verdict::Authenticated { .. } => paint.good("(✓)"),
        Verdict::Invalid { .. } => paint.bad("✗"),
        Verdict::Unchecked => paint.quiet("?"),
        Verdict::Unsigned => paint.quiet("-"),
    }
}

/// An answer in a word, in so many columns.
pub(crate) fn answer(answer: Option<&Answer>, expected: Option<bool>, columns: usize, paint: Paint) -> String {
    pad(&answer.map_or("-".to_owned(), |answer| fields::outcome(answer, expected, paint)), columns)
}
