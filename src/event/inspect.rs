//! Events of `inspect`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::journal::Record;
use crate::journal::record::{Answer, Duplicate};
use crate::payload::lint::Warning;
use crate::payload::{Provider, Status};
use crate::signature::{Trace, Verdict};

/// One payload of `inspect`.
#[derive(Clone, Debug)]
pub struct Examined {
    pub(crate) record: Record,
    pub(crate) trace: Option<Trace>,
}

/// A delivery of a journal.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// The number among the deliveries of all files, from 1.
    pub number: usize,
    /// The record.
    pub record: Record,
    /// The line in the file; `None` if the record has changed since.
    pub line: Option<String>,
    /// How the signature was checked, with `--explain`.
    pub trace: Option<Trace>,
}

impl JournalRow {
    /// The line without its newline.
    pub(crate) fn line(&self) -> Cow<'_, str> {
        self.line.as_deref().map_or_else(|| line_of(&self.record).into(), Cow::Borrowed)
    }
}

/// The line of a record without its newline.
pub(crate) fn line_of(record: &Record) -> String {
    String::from_utf8_lossy(&record.to_line()).trim_end().to_owned()
}

/// The deliveries about one prediction, in the order of their coming.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Who sent them; `None` of those that are not JSON.
    pub(crate) provider: Option<&'static Provider>,
    /// What they are about; `None` of those that do not say.
    pub(crate) id: Option<String>,
    /// Whether they were sent from here.
    pub(crate) sent: bool,
    /// The deliveries.
    pub(crate) deliveries: Vec<TimelineDelivery>,
    /// What is suspicious about all of them together: that the end is missing.
    pub(crate) warnings: Vec<Warning>,
}

/// One delivery of a timeline.
#[derive(Clone, Debug)]
pub(crate) struct TimelineDelivery {
    /// Its number among the deliveries of the files, from 1.
    pub(crate) number: usize,
    /// When it came.
    pub(crate) at: Timestamp,
    /// What happened.
    pub(crate) event: Option<String>,
    /// The status, where its word is known.
    pub(crate) status: Option<Status>,
    /// The status as the provider spelled it.
    pub(crate) raw_status: Option<String>,
    /// What is said of its signature. Shared: many are the same, and some tell at length why not.
    pub(crate) verdict: Arc<Verdict>,
    /// What it was answered.
    pub(crate) answer: Option<Answer>,
    /// Of a sent one: which attempt, of how many.
    pub(crate) attempt: Option<(u32, u32)>,
    /// Of one of a drill: of which case.
    pub(crate) case: Option<Box<str>>,
    /// Whether it was answered as it should be, where its sender said how.
    pub(crate) expected: Option<bool>,
    /// The earlier delivery that it repeats.
    pub(crate) duplicate: Option<Box<Duplicate>>,
    /// What is suspicious about it.
    pub(crate) warnings: Vec<Warning>,
}

impl Timeline {
    /// When the first and the last came, by the clock.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        let times = || self.deliveries.iter().map(|moment| moment.at);
        (times().min().unwrap_or_default(), times().max().unwrap_or_default())
    }

    /// How it ended: the first status of those after which nothing should come.
    pub(crate) fn end(&self) -> Option<Status> {
        // A forgery ends nothing.
        let valid = self.deliveries.iter().filter(|moment| !moment.verdict.is_invalid());
        valid.filter_map(|moment| moment.status).find(|status| status.is_terminal())
    }
}

/// Counts over the deliveries that the filters leave.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// How many there are.
    pub(crate) deliveries: u64,
    /// How many repeat an earlier one.
    pub(crate) repeats: u64,
    /// When the first and the last came, by the clock.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// By provider.
    pub(crate) providers: Counts,
    /// By status.
    pub(crate) statuses: Counts,
    /// By verdict.
    pub(crate) verdicts: Counts,
    /// Of those whose signature does not hold, by the reason.
    pub(crate) reasons: Counts,
    /// By answer.
    pub(crate) answers: Counts,
    /// By the code of a warning.
    pub(crate) warnings: Counts,
    /// How long answers to what was received took.
    pub(crate) latency: Option<Latencies>,
    /// How long answers to what was sent took.
    pub(crate) round_trip: Option<Latencies>,
    /// How many came when.
    pub(crate) rate: Rate,
}

/// Counts over the deliveries of a table, for its last line.
#[derive(Clone, Debug, Default)]
pub struct TableTotals {
    /// How many there are.
    pub(crate) deliveries: u64,
    /// Of how many, before the filters.
    pub(crate) of: u64,
    /// By status.
    pub(crate) statuses: Counts,
    /// By verdict.
    pub(crate) verdicts: Counts,
    /// How many repeat an earlier one.
    pub(crate) repeats: u64,
    /// How many have warnings.
    pub(crate) warned: u64,
}

/// How often each word came. There are not many: what senders make up is not counted.
pub(crate) type Counts = BTreeMap<String, u64>;

/// How long answers took, milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Latencies {
    /// How many were measured.
    pub(crate) count: u64,
    /// 50, 90, 99 and 100 of a hundred took at most so long.
    pub(crate) percentiles: [(u8, f64); 4],
    /// How many took at most so long, and longer than the one before.
    pub(crate) histogram: Vec<(f64, u64)>,
}

/// How many deliveries came in each of a row of equal times.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rate {
    /// How long each is, in seconds.
    pub(crate) seconds: i64,
    /// When each begins, and how many came.
    pub(crate) parts: Vec<(Timestamp, u64)>,
}

/// What changed between two deliveries.
#[derive(Clone, Debug)]
pub struct Diff {
    /// Their numbers among the deliveries of the files.
    pub(crate) numbers: [usize; 2],
    /// How to speak of them: provider, status, id.
    pub(crate) titles: [String; 2],
    /// When they came.
    pub(crate) at: [Timestamp; 2],
    /// The fields that differ, in the order of the first.
    pub(crate) changes: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldChange {
    /// Where it is: `headers.content-type`, `body.output.0`.
    pub(crate) path: String,
    /// Its value in the first, as JSON; `None` when it is not there.
    pub(crate) before: Option<String>,
    /// Its value in the second.
    pub(crate) after: Option<String>,
    /// Whether it differs between any two deliveries: a time, a signature, the id of a delivery.
    pub(crate) volatile: bool,
}

/// How far a reader of journals has come, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadProgress {
    /// So many are read.
    pub(crate) done: u64,
    /// There are so many, where that is known.
    pub(crate) of: Option<u64>,
}
