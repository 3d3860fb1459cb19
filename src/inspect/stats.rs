//! Counts over deliveries, in a memory that does not grow with them.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::event::{Counts, Latencies, Rate, Stats, TableTotals};
use crate::journal::{Record, Summary};
use crate::payload::Provider;

pub(crate) struct Statistics {
    stats: Stats,
    /// The last deliveries in a row with equal words, not yet added to `stats`.
    same_run: SameRun,
    received: Option<Times>,
    sent: Option<Times>,
    over_time: OverTime,
}

/// Deliveries in a row with equal words. Most deliveries equal the previous delivery, and cost one comparison.
#[derive(Default)]
struct SameRun {
    count: u64,
    provider: &'static str,
    status: String,
    verdict: String,
    answer: Option<u16>,
}

impl SameRun {
    fn matches(&self, words: (&'static str, &str, &str, Option<u16>)) -> bool {
        (self.provider, self.status.as_str(), self.verdict.as_str(), self.answer) == words
    }

    fn add_to(&self, stats: &mut Stats) {
        if self.count == 0 {
            return;
        }
        let answer = self.answer.map_or_else(|| "none".to_owned(), |status| status.to_string());
        add(&mut stats.providers, self.provider, self.count);
        add(&mut stats.statuses, &self.status, self.count);
        add(&mut stats.verdicts, &self.verdict, self.count);
        add(&mut stats.answers, &answer, self.count);
    }
}

/// The largest number of words with a count of their own: a forged journal may hold any number.
const WORDS: usize = 100;

/// The name for all other words.
const OTHERS: &str = "others";

/// Upper bounds of the latency histogram, in milliseconds.
const BOUNDS: [f64; 20] = [
    0.1,
    0.2,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
    100.0,
    200.0,
    500.0,
    1e3,
    2e3,
    5e3,
    1e4,
    2e4,
    5e4,
    1e5,
    f64::INFINITY,
];

impl Statistics {
    /// Days are those of this time zone.
    pub(crate) fn new(zone: TimeZone) -> Self {
        Statistics {
            stats: Stats::default(),
            same_run: SameRun::default(),
            received: None,
            sent: None,
            over_time: OverTime::new(zone),
        }
    }

    pub(crate) fn add(&mut self, summary: &Summary<'_>) {
        let stats = &mut self.stats;
        stats.deliveries += 1;
        stats.repeats += u64::from(summary.is_repeat);
        let (first, last) = stats.span.unwrap_or((summary.at, summary.at));
        stats.span = Some((first.min(summary.at), last.max(summary.at)));
        let provider = summary.provider.as_ref().map(|name| Provider::named(name).map_or(OTHERS, |known| known.name));
        let answer = summary.answer.as_ref();
        let words = (
            provider.unwrap_or("not JSON"),
            status(summary),
            &*summary.verdict,
            answer.and_then(|answer| answer.status),
        );
        if !self.same_run.matches(words) {
            let (provider, status, verdict, answer) = words;
            self.same_run.add_to(stats);
            self.same_run = SameRun { count: 0, provider, status: status.into(), verdict: verdict.into(), answer };
        }
        self.same_run.count += 1;
        summary.reason.iter().for_each(|reason| count(&mut stats.reasons, reason));
        summary.warnings.iter().for_each(|code| count(&mut stats.warnings, code));
        if let Some(answer) = answer.filter(|answer| answer.status.is_some()) {
            // The time to answer and the time to wait for an answer are measured at different ends.
            let times = if summary.is_sent { &mut self.sent } else { &mut self.received };
            times.get_or_insert_with(Times::new).add(answer.ms);
        }
        self.over_time.add(summary.at);
    }

    /// Adds the counts of other deliveries.
    pub(crate) fn merge(&mut self, mut other: Statistics) {
        other.same_run.add_to(&mut other.stats);
        let stats = &mut self.stats;
        let more = other.stats;
        stats.deliveries += more.deliveries;
        stats.repeats += more.repeats;
        let spans = stats.span.into_iter().chain(more.span);
        stats.span = spans.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
        let counts = [
            (&mut stats.providers, more.providers),
            (&mut stats.statuses, more.statuses),
            (&mut stats.verdicts, more.verdicts),
            (&mut stats.reasons, more.reasons),
            (&mut stats.warnings, more.warnings),
            (&mut stats.answers, more.answers),
        ];
        for (counts, more) in counts {
            more.iter().for_each(|(word, n)| add(counts, word, *n));
        }
        for (times, more) in [(&mut self.received, other.received), (&mut self.sent, other.sent)] {
            match (times, more) {
                (Some(times), Some(more)) => times.merge(more),
                (times, Some(more)) => *times = Some(more),
                (_, None) => {}
            }
        }
        self.over_time.merge(other.over_time);
    }

    /// Returns the counts and starts anew.
    pub(crate) fn end(&mut self) -> Stats {
        std::mem::take(&mut self.same_run).add_to(&mut self.stats);
        Stats {
            latency: self.received.as_ref().map(Times::end),
            round_trip: self.sent.as_ref().map(Times::end),
            rate: self.over_time.end(),
            ..std::mem::take(&mut self.stats)
        }
    }
}

/// Adds a row of a table to its totals.
pub(crate) fn add_row(totals: &mut TableTotals, record: &Record) {
    let summary = Summary::from(record);
    totals.deliveries += 1;
    totals.repeats += u64::from(summary.is_repeat);
    totals.warned += u64::from(!summary.warnings.is_empty());
    count(&mut totals.statuses, status(&summary));
    count(&mut totals.verdicts, &summary.verdict);
}

/// The word for a status. The provider's own word is not used: senders may write any number of words.
fn status<'s>(summary: &'s Summary<'_>) -> &'s str {
    match (&summary.provider, &summary.status, &summary.raw_status) {
        (None, ..) => "not JSON",
        (_, Some(status), _) => status,
        (_, None, Some(_)) => "unknown status",
        (_, None, None) => "no status",
    }
}

fn count(counts: &mut Counts, word: &str) {
    add(counts, word, 1);
}

fn add(counts: &mut Counts, word: &str, more: u64) {
    match counts.get_mut(word) {
        Some(n) => *n += more,
        None => *counts.entry(if counts.len() < WORDS { word } else { OTHERS }.to_owned()).or_default() += more,
    }
}

struct Times {
    /// Microseconds, from one to an hour, with three significant digits.
    histogram: Histogram<u64>,
    /// Counts of the times up to the bound with the same index, and above the bound before.
    buckets: [u64; BOUNDS.len()],
    max: f64,
}

impl Times {
    fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, 3_600_000_000, 3);
        let histogram = histogram.expect("the bounds are in order and three digits are allowed");
        Times { histogram, buckets: [0; BOUNDS.len()], max: 0.0 }
    }

    fn add(&mut self, ms: f64) {
        let ms = ms.max(0.0);
        self.histogram.saturating_record((ms * 1000.0).round() as u64);
        self.buckets[BOUNDS.partition_point(|bound| *bound < ms).min(BOUNDS.len() - 1)] += 1;
        self.max = self.max.max(ms);
    }

    fn merge(&mut self, other: Times) {
        // Cannot fail: both histograms have the same bounds.
        self.histogram.add(other.histogram).unwrap_or_default();
        self.buckets.iter_mut().zip(other.buckets).for_each(|(count, more)| *count += more);
        self.max = self.max.max(other.max);
    }

    fn end(&self) -> Latencies {
        // The histogram returns the upper end of a bucket, which may exceed the longest time.
        let at = |percent: u8| {
            let micros = self.histogram.value_at_quantile(f64::from(percent) / 100.0);
            if percent == 100 { self.max } else { (micros as f64 / 1000.0).min(self.max) }
        };
        // Without the empty buckets at both ends.
        let first = self.buckets.iter().position(|count| *count > 0).unwrap_or_default();
        let last = self.buckets.iter().rposition(|count| *count > 0).map_or(first, |last| last + 1);
        Latencies {
            count: self.buckets.iter().sum(),
            percentiles: [50, 90, 99, 100].map(|percent| (percent, at(percent))),
            histogram: BOUNDS.into_iter().zip(self.buckets).take(last).skip(first).collect(),
        }
    }
}

/// Deliveries over time, in parts of equal length. The parts get longer as the journal does.
struct OverTime {
    /// The time zone whose days parts begin with.
    zone: TimeZone,
    seconds: i64,
    parts: BTreeMap<i64, u64>,
}

/// The largest number of parts in memory.
const KEPT: usize = 512;

/// The largest number of parts that are shown.
const SHOWN: usize = 24;

/// The next usual length, a multiple of this one.
fn longer(seconds: i64) -> i64 {
    const LENGTHS: [i64; 13] = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400];
    LENGTHS.into_iter().find(|length| *length > seconds).unwrap_or(seconds.saturating_mul(2))
}

impl OverTime {
    fn new(zone: TimeZone) -> Self {
        OverTime { zone, seconds: 1, parts: BTreeMap::new() }
    }

    fn add(&mut self, at: Timestamp) {
        let local = at.as_second() + i64::from(self.zone.to_offset(at).seconds());
        *self.parts.entry(local.div_euclid(self.seconds)).or_default() += 1;
        self.shrink(KEPT);
    }

    /// Lengthens the parts until there are no more than `to`.
    fn shrink(&mut self, to: usize) {
        while self.width() > to {
            self.lengthen();
        }
    }

    fn lengthen(&mut self) {
        let seconds = longer(self.seconds);
        let factor = seconds / self.seconds;
        let mut parts = BTreeMap::new();
        for (part, count) in std::mem::take(&mut self.parts) {
            *parts.entry(part.div_euclid(factor)).or_default() += count;
        }
        self.seconds = seconds;
        self.parts = parts;
    }

    /// Adds the parts of another, after the shorter parts of both are lengthened.
    fn merge(&mut self, mut other: OverTime) {
        while self.seconds < other.seconds {
            self.lengthen();
        }
        while other.seconds < self.seconds {
            other.lengthen();
        }
        for (part, count) in other.parts {
            *self.parts.entry(part).or_default() += count;
        }
        self.shrink(KEPT);
    }

    /// The number of parts from the first to the last, with empty parts.
    fn width(&self) -> usize {
        let ends = self.parts.first_key_value().zip(self.parts.last_key_value());
        ends.map_or(0, |((first, _), (last, _))| usize::try_from(last - first + 1).unwrap_or(usize::MAX))
    }

    fn end(&mut self) -> Rate {
        self.shrink(SHOWN);
        let Some((&first, _)) = self.parts.first_key_value() else { return Rate::default() };
        let part = |part: i64| (self.start_of(part), self.parts.get(&part).copied().unwrap_or_default());
        Rate { seconds: self.seconds, parts: (first..).take(self.width()).map(part).collect() }
    }

    fn start_of(&self, part: i64) -> Timestamp {
        let local = Timestamp::from_second(part.saturating_mul(self.seconds)).unwrap_or(Timestamp::MIN);
        let local = local.to_zoned(TimeZone::UTC).datetime();
        local.to_zoned(self.zone.clone()).map_or(Timestamp::MIN, |at| at.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::journal::Record;
    use crate::journal::record::{Answer, AnsweredBy};
    use crate::payload::{Delivery, Headers};

    /// Length, first start and counts of the parts.
    fn rate(zone: TimeZone, times: &[i64]) -> (i64, String, Vec<u64>) {
        let mut over_time = OverTime::new(zone);
        times.iter().for_each(|at| over_time.add(Timestamp::from_second(*at).unwrap()));
        assert!(over_time.width() <= KEPT);
        let Rate { seconds, parts } = over_time.end();
        (seconds, parts[0].0.to_string(), parts.into_iter().map(|(_, count)| count).collect())
    }

    #[test]
    fn parts_get_longer_and_lose_no_delivery() {
        let utc = |times: &[i64]| rate(TimeZone::UTC, times);
        assert_eq!(utc(&[7, 5, 7]), (1, "1970-01-01T00:00:05Z".into(), vec![1, 0, 2]));
        assert_eq!(utc(&[0, 59]), (5, "1970-01-01T00:00:00Z".into(), [&[1][..], &[0; 10], &[1]].concat()));
        let (_, _, wide) = utc(&[-377_705_000_000, 0, 253_402_000_000]);
        assert!(wide.len() <= SHOWN && wide.iter().sum::<u64>() == 3, "{wide:?}");
        let (seconds, _, many) = utc(&(0..100_000).collect::<Vec<_>>());
        assert_eq!((seconds, many.iter().sum::<u64>()), (10_800, 100_000));
    }

    #[test]
    fn days_are_those_of_the_zone() {
        const DAY: i64 = 86_400;
        // 23:30 and 00:30 of two days in New York, one day in UTC.
        let times = [4 * DAY + 4 * 3600 + 1800, 4 * DAY + 5 * 3600 + 1800, 20 * DAY];
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let (seconds, from, counts) = rate(zone, &times);
        assert_eq!((seconds, from.as_str(), &counts[..2]), (DAY, "1970-01-04T05:00:00Z", &[1, 1][..]));
    }

    fn latencies(times: &[f64]) -> Latencies {
        let mut all = Times::new();
        times.iter().for_each(|ms| all.add(*ms));
        all.end()
    }

    #[test]
    fn merged_counts_are_those_of_one_thread() {
        let record = |at: i64| {
            Record::bare(Timestamp::from_second(at).unwrap(), Delivery::bare(Headers::default(), Bytes::new()))
        };
        let answered = |at: i64| Record { answer: Some(Answer::new(200, AnsweredBy::Script, at as f64)), ..record(at) };
        let records: Vec<Record> = [5, 1, 9000, 7, 3, 90_000].into_iter().map(answered).chain([record(2)]).collect();
        let counted = |records: &[Record]| {
            let mut statistics = Statistics::new(TimeZone::UTC);
            records.iter().for_each(|record| statistics.add(&Summary::from(record)));
            statistics
        };
        let whole = format!("{:?}", counted(&records).end());
        for split in 0..=records.len() {
            let mut merged = counted(&records[..split]);
            merged.merge(counted(&records[split..]));
            assert_eq!(format!("{:?}", merged.end()), whole, "{split}");
        }
    }

    #[test]
    fn a_latency_on_a_bound_is_in_the_bucket_below() {
        let Latencies { count, histogram, percentiles } = latencies(&[0.1, 0.4, 1.0, 1.001, 90.0]);
        assert_eq!((count, percentiles[3]), (5, (100, 90.0)));
        assert_eq!(
            histogram,
            [(0.1, 1), (0.2, 0), (0.5, 1), (1.0, 1), (2.0, 1), (5.0, 0), (10.0, 0), (20.0, 0), (50.0, 0), (100.0, 1)]
        );
    }

    #[test]
    fn no_latency_is_counted_twice_or_exceeds_the_longest() {
        let Latencies { count, histogram, percentiles } = latencies(&[2000.5, 10.003, 5000.9, 100.01, 35_000.0]);
        assert_eq!((count, histogram.iter().map(|(_, count)| count).sum()), (5, 5));
        assert_eq!(histogram[0], (20.0, 1));
        assert_eq!(percentiles[3], (100, 35_000.0));
        assert_eq!(latencies(&[2000.5]).percentiles[0], (50, 2000.5));
        assert_eq!(latencies(&[f64::MAX]).histogram, [(f64::INFINITY, 1)]);
    }

    #[test]
    fn words_beyond_the_limit_are_counted_together() {
        let mut counts = Counts::new();
        (0..WORDS * 2).for_each(|word| count(&mut counts, &word.to_string()));
        assert_eq!((counts.len(), counts[OTHERS]), (WORDS + 1, WORDS as u64));
    }
}
