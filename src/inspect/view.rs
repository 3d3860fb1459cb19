//! The views of the selected deliveries.

use jiff::tz::TimeZone;

use super::diff;
use super::export::{ExportForm, Exporter};
use super::stats::{self, Statistics};
use super::timeline::Timelines;
use crate::error::Error;
use crate::event::{Event, JournalRow, OutputState, Sink, TableTotals};
use crate::journal::Summary;
use crate::payload::history::lifecycle::Unfinished;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// A row for each delivery.
    Table,
    /// The delivery with this number or id.
    Whole(String),
    /// The deliveries of each prediction.
    Timeline,
    Stats,
    /// The changes between two deliveries: numbers or ids.
    Diff([String; 2]),
    /// All deliveries, or the one with this number or id, for another program.
    Export(ExportForm, Option<String>),
    /// An HTML page.
    Page,
}

impl View {
    /// The flag of the view, where it applies to journals only.
    pub(crate) fn flag(&self) -> Option<&'static str> {
        match self {
            View::Table => None,
            View::Whole(_) => Some("--show"),
            View::Timeline => Some("--timeline"),
            View::Stats => Some("--stats"),
            View::Diff(_) => Some("--diff"),
            View::Export(..) => Some("--export"),
            View::Page => Some("--html"),
        }
    }

    /// Whether the view needs state across deliveries.
    pub(crate) fn needs_sessions(&self) -> bool {
        matches!(self, View::Timeline | View::Page)
    }

    /// Whether the view is made for others: it shows no secret, even where the journal keeps secrets.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, View::Export(..) | View::Page)
    }

    /// Whether the view counts deliveries in place of showing them.
    pub(crate) fn counts(&self) -> bool {
        *self == View::Stats
    }

    /// Whether a delivery is shown as soon as it is read.
    pub(crate) fn is_shown_while_read(&self) -> bool {
        matches!(self, View::Table | View::Whole(_) | View::Export(..))
    }

    /// Whether the view selects deliveries by number: a number is known only once all lines before it are scanned.
    pub(crate) fn selects_by_number(&self) -> bool {
        matches!(self, View::Whole(_) | View::Diff(_) | View::Export(_, Some(_)))
    }

    /// Whether the view shows the delivery with this number.
    pub(crate) fn selects(&self, number: usize, summary: &Summary<'_>) -> bool {
        match self {
            View::Whole(which) | View::Export(_, Some(which)) => is(which, number, summary),
            View::Diff(pair) => pair.iter().any(|which| is(which, number, summary)),
            View::Table | View::Timeline | View::Stats | View::Export(_, None) | View::Page => true,
        }
    }
}

fn is(which: &str, number: usize, summary: &Summary<'_>) -> bool {
    number_of(which) == Some(number) || summary.has_id(which)
}

/// Parses `3` and `#3`.
fn number_of(which: &str) -> Option<usize> {
    which.strip_prefix('#').unwrap_or(which).parse().ok()
}

/// The error where the view of one delivery is empty.
fn missing(which: &str, count: usize) -> Error {
    match number_of(which) {
        Some(number) if (1..=count).contains(&number) => {
            Error::Usage(format!("the filters leave delivery {number} out"))
        }
        _ => Error::NoSuchDelivery { which: which.to_owned(), count },
    }
}

pub(crate) struct Viewer<'a> {
    view: &'a View,
    sink: &'a Sink,
    statistics: Statistics,
    totals: TableTotals,
    timelines: Timelines,
    export: Exporter,
    pair: [Option<JournalRow>; 2],
    is_empty: bool,
}

impl<'a> Viewer<'a> {
    pub(crate) fn new(view: &'a View, zone: &TimeZone, sink: &'a Sink) -> Self {
        Viewer {
            view,
            sink,
            statistics: Statistics::new(zone.clone()),
            totals: TableTotals::default(),
            timelines: Timelines::default(),
            export: Exporter::default(),
            pair: [None, None],
            is_empty: true,
        }
    }

    /// Adds the counts of a scanner.
    pub(crate) fn merge(&mut self, statistics: Statistics) {
        self.statistics.merge(statistics);
    }

    /// Shows a delivery, or adds it to a view that is shown at the end. It is `about` this prediction, even where its id
    /// is blanked.
    pub(crate) async fn show(&mut self, row: JournalRow, about: Option<String>) -> Result<OutputState, Error> {
        self.is_empty = false;
        let event = match self.view {
            View::Table => {
                stats::add_row(&mut self.totals, &row.record);
                Event::Row(Box::new(row))
            }
            View::Whole(_) => Event::Entry(Box::new(row)),
            View::Page => {
                self.timelines.add(&row, about);
                Event::Row(Box::new(row))
            }
            View::Export(form, _) => match self.export.add(*form, row)? {
                Some(event) => event,
                None => return Ok(OutputState::Open),
            },
            View::Timeline => {
                self.timelines.add(&row, about);
                return Ok(OutputState::Open);
            }
            View::Stats => {
                self.statistics.add(&Summary::from(&row.record));
                return Ok(OutputState::Open);
            }
            View::Diff(which) => {
                self.keep(which, &row);
                return Ok(OutputState::Open);
            }
        };
        Ok(self.send(event).await)
    }

    /// Keeps the first delivery of each id; of one id given twice, the first two.
    fn keep(&mut self, which: &[String; 2], row: &JournalRow) {
        let summary = Summary::from(&row.record);
        let is_one_id = which[0] == which[1];
        for (which, kept) in which.iter().zip(&mut self.pair) {
            if kept.is_none() && is(which, row.number, &summary) {
                *kept = Some(row.clone());
                if is_one_id && which.parse::<usize>().is_err() {
                    return;
                }
            }
        }
    }

    /// Shows the views that need all `count` deliveries.
    pub(crate) async fn end(&mut self, unfinished: Vec<Unfinished>, count: usize) -> Result<OutputState, Error> {
        match self.view {
            View::Table if self.is_empty => {}
            View::Table => {
                let totals = TableTotals { of: count as u64, ..std::mem::take(&mut self.totals) };
                return Ok(self.send(Event::Listed(Box::new(totals))).await);
            }
            View::Whole(which) | View::Export(_, Some(which)) if self.is_empty => return Err(missing(which, count)),
            View::Whole(_) => {}
            View::Timeline | View::Page => {
                for timeline in std::mem::take(&mut self.timelines).end(&unfinished) {
                    if self.send(Event::Timeline(Box::new(timeline))).await.is_closed() {
                        return Ok(OutputState::Closed);
                    }
                }
            }
            View::Stats => {
                let stats = self.statistics.end();
                return Ok(self.send(Event::Stats(Box::new(stats))).await);
            }
            View::Diff([first, second]) => {
                let [Some(a), Some(b)] = &self.pair else {
                    return Err(missing(if self.pair[0].is_none() { first } else { second }, count));
                };
                return Ok(self.send(Event::Diff(Box::new(diff::between(a, b)))).await);
            }
            View::Export(form, _) => {
                if let Some(event) = self.export.end(*form)? {
                    return Ok(self.send(event).await);
                }
            }
        }
        Ok(OutputState::Open)
    }

    async fn send(&self, event: Event) -> OutputState {
        OutputState::of(self.sink.send(event).await)
    }
}
