//! The objects of `inspect`: timelines, statistics, differences.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::lines::LatencyLine;
use crate::event::{Counts, Diff, FieldChange, Latencies, Stats, Timeline, TimelineDelivery};
use crate::journal::record::{Answer, Duplicate, VERSION};
use crate::payload::Status;
use crate::payload::lint::Warning;
use crate::signature::Verdict;

/// A time in the form of records.
fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// `{"type":"timeline",…}`
#[derive(Serialize)]
pub(crate) struct TimelineLine<'a> {
    r#type: &'static str,
    v: u32,
    provider: Option<&'static str>,
    id: Option<&'a str>,
    direction: &'static str,
    /// The final status.
    end: Option<&'static str>,
    from: String,
    ms: f64,
    deliveries: Vec<DeliveryLine<'a>>,
    warnings: &'a [Warning],
}

#[derive(Serialize)]
struct DeliveryLine<'a> {
    number: usize,
    at: String,
    /// Since the first delivery.
    offset_ms: f64,
    event: Option<&'a str>,
    status: Option<&'static str>,
    raw_status: Option<&'a str>,
    signature: &'a Verdict,
    attempt: Option<u32>,
    repeat: Option<RepeatLine<'a>>,
    answer: Option<&'a Answer>,
    warnings: &'a [Warning],
}

#[derive(Serialize)]
struct RepeatLine<'a> {
    /// The number of the first delivery; `None` if only its record is known.
    of: Option<u64>,
    id: &'a str,
    answered: Option<u16>,
    same_body: Option<bool>,
}

impl<'a> From<&'a Timeline> for TimelineLine<'a> {
    fn from(timeline: &'a Timeline) -> Self {
        let (from, to) = timeline.span();
        TimelineLine {
            r#type: "timeline",
            v: VERSION,
            provider: timeline.provider.map(|provider| provider.name),
            id: timeline.id.as_deref(),
            direction: if timeline.sent { "sent" } else { "received" },
            end: timeline.end().map(Status::name),
            from: time(from),
            ms: milliseconds(from, to),
            deliveries: timeline.deliveries.iter().map(|delivery| DeliveryLine::of(delivery, from)).collect(),
            warnings: &timeline.warnings,
        }
    }
}

impl<'a> DeliveryLine<'a> {
    fn of(delivery: &'a TimelineDelivery, from: Timestamp) -> Self {
        DeliveryLine {
            number: delivery.number,
            at: time(delivery.at),
            offset_ms: milliseconds(from, delivery.at),
            event: delivery.event.as_deref(),
            status: delivery.status.map(Status::name),
            raw_status: delivery.raw_status.as_deref(),
            signature: &delivery.verdict,
            attempt: delivery.attempt.map(|(attempt, _)| attempt),
            repeat: delivery.duplicate.as_deref().map(RepeatLine::from),
            answer: delivery.answer.as_ref(),
            warnings: &delivery.warnings,
        }
    }
}

impl<'a> From<&'a Duplicate> for RepeatLine<'a> {
    fn from(Duplicate { id, seen }: &'a Duplicate) -> Self {
        RepeatLine {
            of: seen.as_ref().map(|seen| seen.seq),
            id,
            answered: seen.as_ref().and_then(|seen| seen.answered),
            same_body: seen.as_ref().map(|seen| seen.same_body),
        }
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_micros() as f64 / 1000.0
}

/// `{"type":"stats",…}`
#[derive(Serialize)]
pub(crate) struct StatsLine<'a> {
    r#type: &'static str,
    v: u32,
    deliveries: u64,
    repeats: u64,
    from: Option<String>,
    to: Option<String>,
    providers: &'a Counts,
    statuses: &'a Counts,
    verdicts: &'a Counts,
    reasons: &'a Counts,
    answers: &'a Counts,
    warnings: &'a Counts,
    /// Of received deliveries.
    latency_ms: Option<MeasuredLine>,
    /// Of sent deliveries.
    round_trip_ms: Option<MeasuredLine>,
    over_time: Vec<IntervalLine>,
}

#[derive(Serialize)]
struct MeasuredLine {
    count: u64,
    #[serde(flatten)]
    latency: LatencyLine,
    histogram: Vec<BucketLine>,
}

#[derive(Serialize)]
struct BucketLine {
    /// `null` for the last bucket, which has no upper limit.
    up_to: Option<f64>,
    count: u64,
}

#[derive(Serialize)]
struct IntervalLine {
    at: String,
    seconds: i64,
    count: u64,
}

impl<'a> From<&'a Stats> for StatsLine<'a> {
    fn from(stats: &'a Stats) -> Self {
        let seconds = stats.rate.seconds;
        let part = |(at, count): &(Timestamp, u64)| IntervalLine { at: time(*at), seconds, count: *count };
        StatsLine {
            r#type: "stats",
            v: VERSION,
            deliveries: stats.deliveries,
            repeats: stats.repeats,
            from: stats.span.map(|(from, _)| time(from)),
            to: stats.span.map(|(_, to)| time(to)),
            providers: &stats.providers,
            statuses: &stats.statuses,
            verdicts: &stats.verdicts,
            reasons: &stats.reasons,
            answers: &stats.answers,
            warnings: &stats.warnings,
            latency_ms: stats.latency.as_ref().map(MeasuredLine::from),
            round_trip_ms: stats.round_trip.as_ref().map(MeasuredLine::from),
            over_time: stats.rate.parts.iter().map(part).collect(),
        }
    }
}

impl From<&Latencies> for MeasuredLine {
    fn from(latencies: &Latencies) -> Self {
        let [p50, p90, p99, max] = latencies.percentiles.map(|(_, ms)| ms);
        let bucket = |(ms, count): &(f64, u64)| BucketLine { up_to: ms.is_finite().then_some(*ms), count: *count };
        MeasuredLine {
            count: latencies.count,
            latency: LatencyLine { p50, p90, p99, max },
            histogram: latencies.histogram.iter().map(bucket).collect(),
        }
    }
}

/// `{"type":"diff",…}`
#[derive(Serialize)]
pub(crate) struct DiffLine<'a> {
    r#type: &'static str,
    v: u32,
    a: usize,
    b: usize,
    changes: Vec<ChangeLine<'a>>,
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    path: &'a str,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<Box<RawValue>>,
    volatile: bool,
}

impl<'a> From<&'a Diff> for DiffLine<'a> {
    fn from(diff: &'a Diff) -> Self {
        let [a, b] = diff.numbers;
        DiffLine { r#type: "diff", v: VERSION, a, b, changes: diff.changes.iter().map(ChangeLine::from).collect() }
    }
}

impl<'a> From<&'a FieldChange> for ChangeLine<'a> {
    fn from(change: &'a FieldChange) -> Self {
        let kind = match (&change.before, &change.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        // Numbers keep the spelling of the sender: none is rounded.
        let raw = |json: &Option<String>| json.clone().and_then(|json| RawValue::from_string(json).ok());
        ChangeLine {
            path: &change.path,
            change: kind,
            a: raw(&change.before),
            b: raw(&change.after),
            volatile: change.volatile,
        }
    }
}
