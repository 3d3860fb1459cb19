//! The narrow waist between doing and showing: commands say events, sinks show them. Nothing else prints.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::journal::Record;
use crate::payload::Payload;
use crate::signature::Trace;

pub(crate) mod inspect;
pub(crate) mod send;
pub(crate) mod sink;

pub(crate) use inspect::{
    Counts, Diff, FieldChange, Latencies, Rate, ReadProgress, Stats, TableTotals, Timeline, TimelineDelivery,
};
pub(crate) use send::{
    DrillExpectation, DrillResponse, DrillResult, DrillTally, DrillVerdict, Latency, LoadProgress, LoadReport, Plan,
    PlannedRetry, SentTally,
};
pub use sink::{Backpressure, Closed, OutputState, QueuedEvent, Sink, Skipped, Slot, channel};

/// Something that a command has to say.
#[derive(Clone, Debug)]
pub enum Event {
    /// The listener accepts connections.
    Ready(Ready),
    /// A delivery was received and answered, or an attempt to send one has ended.
    Delivery(Arc<Record>),
    /// The same of one or several, as the lines of a journal, for a program.
    Lines(Vec<u8>),
    /// One of many that are sent was not answered as expected.
    Failed(Arc<Record>),
    /// A file that stood within an output was saved.
    Saved(Saved),
    /// Another attempt comes after a wait.
    Retry(PlannedRetry),
    /// A request as it would be sent.
    Plan(Box<Plan>),
    /// The curl command that sends the same.
    Curl(String),
    /// One payload, looked at.
    Payload(Box<Examined>),
    /// A delivery of a journal that the filters leave, as a row of a table.
    Row(Box<JournalRow>),
    /// One delivery of a journal, whole.
    Entry(Box<JournalRow>),
    /// Counts over the rows of a table that is complete.
    Listed(Box<TableTotals>),
    /// The deliveries about one prediction.
    Timeline(Box<Timeline>),
    /// Counts over deliveries.
    Stats(Box<Stats>),
    /// What changed between two deliveries.
    Diff(Box<Diff>),
    /// A part of what another program reads, as it is.
    Export(Bytes),
    /// How far a reader of journals has come.
    Reading(ReadProgress),
    /// Something that the user should know.
    Note(Note),
    /// So much was not shown because the terminal could not keep up.
    Skipped(Skipped),
    /// What a listener received in all.
    Received(Tally),
    /// What a sender sent in all.
    Sent(SentTally),
    /// How far a sender of many has come.
    Progress(LoadProgress),
    /// What a sender of many measured.
    Load(Box<LoadReport>),
    /// A drill begins.
    DrillBegin,
    /// How a handler did in one case of the drill.
    Drilled(Box<DrillResult>),
    /// How it did in all of them.
    DrillEnd(DrillTally),
    /// Nothing more will be said.
    End,
}

/// Where the listener listens.
#[derive(Clone, Debug)]
pub struct Ready {
    /// `http://127.0.0.1:8080`
    pub(crate) url: String,
    /// The port, which `--port 0` leaves open.
    pub(crate) port: u16,
    /// Where it can be reached from outside, through a tunnel.
    pub(crate) public_url: Option<String>,
    /// The file with its certificate, where that was made for this run.
    pub(crate) cacert: Option<PathBuf>,
    /// Whether it can be reached from other machines.
    pub(crate) exposed: bool,
    /// Whether signatures are checked.
    pub(crate) verifies: bool,
    /// The command that sends something to it, where a person is to try.
    pub(crate) send_command: Option<String>,
}

/// A file that stood within a delivery's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The delivery's number.
    pub(crate) seq: u64,
    /// Where it was saved.
    pub(crate) file: PathBuf,
    /// What it is, where that is known.
    pub(crate) media_type: Option<String>,
    /// How large it is.
    pub(crate) bytes: u64,
}

/// One payload, looked at.
#[derive(Clone, Debug)]
pub struct Examined {
    /// What is known of it.
    pub(crate) record: Record,
    /// How its signature was checked, when that was asked for.
    pub(crate) trace: Option<Trace>,
}

/// A delivery of a journal.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Its number among the deliveries of the files, from 1.
    pub number: usize,
    /// The record.
    pub record: Record,
    /// Its line as it stands in the file; `None` where it would be written otherwise now.
    pub line: Option<String>,
    /// How its signature was checked, when that was asked for.
    pub trace: Option<Trace>,
}

impl JournalRow {
    /// Its line, without the newline.
    pub(crate) fn line(&self) -> Cow<'_, str> {
        self.line.as_deref().map_or_else(|| line_of(&self.record).into(), Cow::Borrowed)
    }
}

/// The line of a record, without its newline.
pub(crate) fn line_of(record: &Record) -> String {
    String::from_utf8_lossy(&record.to_line()).trim_end().to_owned()
}

/// Something that the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether something is wrong.
    pub(crate) is_warning: bool,
    /// One sentence.
    pub(crate) text: String,
}

impl Note {
    /// Something worth knowing.
    pub(crate) fn info(text: impl Into<String>) -> Event {
        Event::Note(Note { is_warning: false, text: text.into() })
    }

    /// Something wrong that does not stop the program.
    pub(crate) fn warning(text: impl Into<String>) -> Event {
        Event::Note(Note { is_warning: true, text: text.into() })
    }
}

/// Counts over a listener's run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deliveries that were answered by the script, or refused for their signature.
    pub(crate) deliveries: u64,
    /// By status, in the order of their first coming.
    pub(crate) statuses: Vec<(&'static str, u64)>,
    /// By verdict, likewise.
    pub(crate) verdicts: Vec<(&'static str, u64)>,
    /// Repeats of an earlier delivery.
    pub(crate) duplicates: u64,
    /// Requests that were not acknowledged: refused for their signature, by a limit, or because they could not be read.
    pub(crate) refused: u64,
    /// Expectations that failed.
    pub(crate) unmet: u64,
    /// How many were waited for.
    pub(crate) awaited: Option<u64>,
    /// How long it ran.
    pub(crate) elapsed: Duration,
}

impl Tally {
    /// Adds one delivery.
    pub(crate) fn add(&mut self, record: &Record) {
        self.deliveries += 1;
        count(&mut self.statuses, outcome(record.payload.as_ref()));
        count(&mut self.verdicts, record.verdict.name());
        self.duplicates += u64::from(record.duplicate.is_some());
    }
}

/// Counts one more under this key; keys stay in the order of their first coming.
pub(crate) fn count<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, n)) => *n += 1,
        None => counts.push((key, 1)),
    }
}

/// What a delivery is counted under. A provider's own word is not: the words are as many as senders please.
fn outcome(payload: Option<&Payload>) -> &'static str {
    match payload.map(|payload| (payload.status, &payload.raw_status)) {
        None => "not JSON",
        Some((Some(status), _)) => status.name(),
        Some((None, Some(_))) => "unknown status",
        Some((None, None)) => "no status",
    }
}
