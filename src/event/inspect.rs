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
    /// The parsed line, after verification and redaction.
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

/// The deliveries of one prediction, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// `None` where the bodies are not JSON.
    pub(crate) provider: Option<&'static Provider>,
    /// The prediction; `None` where the body has no id.
    pub(crate) id: Option<String>,
    /// Whether hookctl sent the deliveries.
    pub(crate) sent: bool,
    pub(crate) deliveries: Vec<TimelineDelivery>,
    /// Warnings about the whole timeline: the terminal event is missing.
    pub(crate) warnings: Vec<Warning>,
}

/// One delivery of a timeline.
#[derive(Clone, Debug)]
pub(crate) struct TimelineDelivery {
    /// The number among the deliveries of all files, from 1.
    pub(crate) number: usize,
    pub(crate) at: Timestamp,
    pub(crate) event: Option<String>,
    /// `None` where hookctl does not know the provider's word.
    pub(crate) status: Option<Status>,
    /// The provider's word.
    pub(crate) raw_status: Option<String>,
    /// Shared by equal deliveries: the hint of an invalid signature is long.
    pub(crate) verdict: Arc<Verdict>,
    pub(crate) answer: Option<Answer>,
    /// Of a sent delivery: the attempt's number, from 1, and the number of attempts.
    pub(crate) attempt: Option<(u32, u32)>,
    /// The name of the drill's case.
    pub(crate) case: Option<Box<str>>,
    /// Whether the response has the status that `--expect-status` or the drill expects; `None` without an expectation.
    pub(crate) expected: Option<bool>,
    /// The earlier delivery that this delivery repeats.
    pub(crate) duplicate: Option<Box<Duplicate>>,
    pub(crate) warnings: Vec<Warning>,
}

impl Timeline {
    /// The times of the earliest and the latest delivery.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        let times = || self.deliveries.iter().map(|delivery| delivery.at);
        (times().min().unwrap_or_default(), times().max().unwrap_or_default())
    }

    /// The first terminal status.
    pub(crate) fn end(&self) -> Option<Status> {
        // Deliveries with an invalid signature are skipped: anyone can send a forged end.
        let valid = self.deliveries.iter().filter(|delivery| !delivery.verdict.is_invalid());
        valid.filter_map(|delivery| delivery.status).find(|status| status.is_terminal())
    }
}

/// Counts over the deliveries that pass the filters.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub(crate) deliveries: u64,
    pub(crate) repeats: u64,
    /// The times of the earliest and the latest delivery.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    pub(crate) providers: Counts,
    pub(crate) statuses: Counts,
    pub(crate) verdicts: Counts,
    /// Invalid signatures by reason.
    pub(crate) reasons: Counts,
    /// By the status of the response, or `none`.
    pub(crate) answers: Counts,
    /// By warning code.
    pub(crate) warnings: Counts,
    /// Of received deliveries.
    pub(crate) latency: Option<Latencies>,
    /// Of sent deliveries.
    pub(crate) round_trip: Option<Latencies>,
    pub(crate) rate: Rate,
}

/// Counts over the deliveries of a table, for its last line.
#[derive(Clone, Debug, Default)]
pub struct TableTotals {
    pub(crate) deliveries: u64,
    /// The number of deliveries before the filters.
    pub(crate) of: u64,
    pub(crate) statuses: Counts,
    pub(crate) verdicts: Counts,
    pub(crate) repeats: u64,
    /// Deliveries with at least one warning.
    pub(crate) warned: u64,
}

/// The number of deliveries by word. The number of words is limited: a forged journal may hold any number.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Response times in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Latencies {
    pub(crate) count: u64,
    /// The percentile (50, 90, 99, 100) and its time.
    pub(crate) percentiles: [(u8, f64); 4],
    /// The upper bound of each bucket, included, and its count.
    pub(crate) histogram: Vec<(f64, u64)>,
}

/// The number of deliveries in consecutive intervals of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rate {
    /// The length of an interval.
    pub(crate) seconds: i64,
    /// The start of each interval and its count.
    pub(crate) parts: Vec<(Timestamp, u64)>,
}

/// The differences between two deliveries.
#[derive(Clone, Debug)]
pub struct Diff {
    /// The numbers among the deliveries of all files, from 1.
    pub(crate) numbers: [usize; 2],
    /// Provider, status and id of each delivery.
    pub(crate) titles: [String; 2],
    pub(crate) at: [Timestamp; 2],
    /// The fields that differ, in the order of the first delivery.
    pub(crate) changes: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldChange {
    /// `headers.content-type`, `body.output.0`.
    pub(crate) path: String,
    /// JSON; `None` where the first delivery lacks the field.
    pub(crate) before: Option<String>,
    /// JSON; `None` where the second delivery lacks the field.
    pub(crate) after: Option<String>,
    /// Whether the field differs between any two deliveries: a time, a signature, the id of a delivery.
    pub(crate) volatile: bool,
}

/// The progress of reading journals, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadProgress {
    /// Bytes read.
    pub(crate) done: u64,
    /// The size of the files; `None` for a pipe.
    pub(crate) of: Option<u64>,
}
