//! The events of all commands.

use std::sync::Arc;

use bytes::Bytes;

use super::inspect::{Diff, Examined, JournalRow, ReadProgress, Stats, TableTotals, Timeline};
use super::listen::{Ready, Saved, Tally};
use super::send::{DrillResult, DrillTally, LoadProgress, LoadReport, Plan, PlannedRetry, SentTally};
use crate::journal::Record;

/// An event that a command sends to its sinks.
#[derive(Clone, Debug)]
pub enum Event {
    /// The listener accepts connections.
    Ready(Ready),
    /// A delivery was received and answered, or an attempt to send a delivery has ended.
    Delivery(Arc<Record>),
    /// Deliveries as lines of a journal, for programs.
    Lines(Vec<u8>),
    /// A delivery of a load test was not answered as expected.
    Failed(Arc<Record>),
    /// A file of an output was saved.
    Saved(Saved),
    /// Another attempt follows after a wait.
    Retry(PlannedRetry),
    /// A request of `--dry-run`.
    Plan(Box<Plan>),
    /// The command of `--curl`.
    Curl(String),
    /// One payload of `inspect`.
    Payload(Box<Examined>),
    /// A delivery of a journal, as a row of the table.
    Row(Box<JournalRow>),
    /// A delivery of a journal, in full.
    Entry(Box<JournalRow>),
    /// The totals below a table.
    Listed(Box<TableTotals>),
    /// The deliveries of one prediction.
    Timeline(Box<Timeline>),
    /// Statistics over deliveries.
    Stats(Box<Stats>),
    /// The differences between two deliveries.
    Diff(Box<Diff>),
    /// A part of an export, printed unchanged.
    Export(Bytes),
    /// The progress of reading journals.
    Reading(ReadProgress),
    /// A note or a warning.
    Note(Note),
    /// The numbers of events left out because the terminal was too slow.
    Skipped(Skipped),
    /// The summary of a listener.
    Received(Tally),
    /// The summary of a sender.
    Sent(SentTally),
    /// The progress of a load test.
    Progress(LoadProgress),
    /// The results of a load test.
    Load(Box<LoadReport>),
    /// A drill starts.
    DrillBegin,
    /// The result of one case of a drill.
    Drilled(Box<DrillResult>),
    /// The totals of a drill.
    DrillEnd(DrillTally),
    /// No event follows.
    End,
}

/// A note or a warning for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub(crate) is_warning: bool,
    pub(crate) text: String,
}

impl Note {
    pub(crate) fn info(text: impl Into<String>) -> Event {
        Event::Note(Note { is_warning: false, text: text.into() })
    }

    pub(crate) fn warning(text: impl Into<String>) -> Event {
        Event::Note(Note { is_warning: true, text: text.into() })
    }
}

/// The numbers of events that a slow writer left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub(crate) deliveries: u64,
    pub(crate) notes: u64,
}

impl Skipped {
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Skipped::default()
    }
}
