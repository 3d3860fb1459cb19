//! The ways to look at what the filters leave.

use jiff::tz::TimeZone;

use super::diff;
use super::export::{ExportForm, Exporter};
use super::stats::{self, Statistics};
use super::timeline::Timelines;
use crate::error::Error;
use crate::event::{Event, JournalRow, OutputState, Sink, TableTotals};
use crate::journal::Summary;
use crate::payload::history::lifecycle::Unfinished;

/// A way to look at deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// A row each.
    Table,
    /// One, whole: its number or an id.
    Whole(String),
    /// By prediction.
    Timeline,
    /// Counts.
    Stats,
    /// What changed between two: numbers or ids.
    Diff([String; 2]),
    /// For another program: all, or the one with this number or id.
    Export(ExportForm, Option<String>),
    /// A page for a browser.
    Page,
}

impl View {
    /// The flag that asks for it, where it makes sense for journals only.
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

    /// Whether it shows what deliveries tell together.
    pub(crate) fn tells_stories(&self) -> bool {
        matches!(self, View::Timeline | View::Page)
    }

    /// Whether others get to see it: then no secret stays in it, even where the journal keeps them.
    pub(crate) fn is_handed_on(&self) -> bool {
        matches!(self, View::Export(..) | View::Page)
    }

    /// Whether it does not show deliveries, but counts them.
    pub(crate) fn counts(&self) -> bool {
        *self == View::Stats
    }

    /// Whether a delivery is shown as soon as it is read.
    pub(crate) fn is_shown_while_read(&self) -> bool {
        matches!(self, View::Table | View::Whole(_) | View::Export(..))
    }

    /// Whether it shows deliveries by their numbers, which are known only where all before them are.
    pub(crate) fn asks_for_numbers(&self) -> bool {
        matches!(self, View::Whole(_) | View::Diff(_) | View::Export(_, Some(_)))
    }

    /// Whether a delivery with this number is one that it shows.
    pub(crate) fn is_about(&self, number: usize, glance: &Summary<'_>) -> bool {
        match self {
            View::Whole(which) | View::Export(_, Some(which)) => is(which, number, glance),
            View::Diff(pair) => pair.iter().any(|which| is(which, number, glance)),
            View::Table | View::Timeline | View::Stats | View::Export(_, None) | View::Page => true,
        }
    }
}

fn is(which: &str, number: usize, glance: &Summary<'_>) -> bool {
    number_of(which) == Some(number) || glance.has_id(which)
}

/// The number that is meant by `3` or `#3`.
fn number_of(which: &str) -> Option<usize> {
    which.strip_prefix('#').unwrap_or(which).parse().ok()
}

/// Why there is nothing to show where one delivery was asked for.
fn missing(which: &str, count: usize) -> Error {
    match number_of(which) {
        Some(number) if (1..=count).contains(&number) => {
            Error::Usage(format!("the filters leave delivery {number} out"))
        }
        _ => Error::NoSuchDelivery { which: which.to_owned(), count },
    }
}

/// A view under way.
pub(crate) struct Viewer<'a> {
    view: &'a View,
    sink: &'a Sink,
    statistics: Statistics,
    listed: TableTotals,
    timelines: Timelines,
    export: Exporter,
    pair: [Option<JournalRow>; 2],
    is_empty: bool,
}

impl<'a> Viewer<'a> {
    /// A view that shows nothing yet.
    pub(crate) fn new(view: &'a View, zone: &TimeZone, sink: &'a Sink) -> Self {
        Viewer {
            view,
            sink,
            statistics: Statistics::new(zone.clone()),
            listed: TableTotals::default(),
            timelines: Timelines::default(),
            export: Exporter::default(),
            pair: [None, None],
            is_empty: true,
        }
    }

    /// Takes over what was counted elsewhere.
    pub(crate) fn count(&mut self, statistics: Statistics) {
        self.statistics.merge(statistics);
    }

    /// Shows a delivery, or keeps what is needed of it for the end. It is `about` this prediction, whatever is blanked.
    pub(crate) async fn show(&mut self, entry: JournalRow, about: Option<String>) -> Result<OutputState, Error> {
        self.is_empty = false;
        let event = match self.view {
            View::Table => {
                stats::list(&mut self.listed, &entry.record);
                Event::Row(Box::new(entry))
            }
            View::Whole(_) => Event::Entry(Box::new(entry)),
            View::Page => {
                self.timelines.add(&entry, about);
                Event::Row(Box::new(entry))
            }
            View::Export(form, _) => match self.export.take(*form, entry)? {
                Some(event) => event,
                None => return Ok(OutputState::Open),
            },
            View::Timeline => {
                self.timelines.add(&entry, about);
                return Ok(OutputState::Open);
            }
            View::Stats => {
                self.statistics.add(&Summary::from(&entry.record));
                return Ok(OutputState::Open);
            }
            View::Diff(which) => {
                self.keep(which, &entry);
                return Ok(OutputState::Open);
            }
        };
        Ok(self.say(event).await)
    }

    /// The first of each; of one id that is given twice, the first and the next.
    fn keep(&mut self, which: &[String; 2], entry: &JournalRow) {
        let glance = Summary::from(&entry.record);
        let is_one_id = which[0] == which[1];
        for (which, kept) in which.iter().zip(&mut self.pair) {
            if kept.is_none() && is(which, entry.number, &glance) {
                *kept = Some(entry.clone());
                if is_one_id && which.parse::<usize>().is_err() {
                    return;
                }
            }
        }
    }

    /// Shows what can be shown only at the end of `count` deliveries.
    pub(crate) async fn end(&mut self, unfinished: Vec<Unfinished>, count: usize) -> Result<OutputState, Error> {
        match self.view {
            View::Table if self.is_empty => {}
            View::Table => {
                let listed = TableTotals { of: count as u64, ..std::mem::take(&mut self.listed) };
                return Ok(self.say(Event::Listed(Box::new(listed))).await);
            }
            View::Whole(which) | View::Export(_, Some(which)) if self.is_empty => return Err(missing(which, count)),
            View::Whole(_) => {}
            View::Timeline | View::Page => {
                for timeline in std::mem::take(&mut self.timelines).end(&unfinished) {
                    if self.say(Event::Timeline(Box::new(timeline))).await.is_closed() {
                        return Ok(OutputState::Closed);
                    }
                }
            }
            View::Stats => {
                let stats = self.statistics.end();
                return Ok(self.say(Event::Stats(Box::new(stats))).await);
            }
            View::Diff([first, second]) => {
                let [Some(a), Some(b)] = &self.pair else {
                    return Err(missing(if self.pair[0].is_none() { first } else { second }, count));
                };
                return Ok(self.say(Event::Diff(Box::new(diff::between(a, b)))).await);
            }
            View::Export(form, _) => {
                if let Some(event) = self.export.end(*form)? {
                    return Ok(self.say(event).await);
                }
            }
        }
        Ok(OutputState::Open)
    }

    async fn say(&self, event: Event) -> OutputState {
        OutputState::of(self.sink.send(event).await)
    }
}
