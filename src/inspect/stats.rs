//! Counts over deliveries, in a memory that does not grow with them.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use jiff::Timestamp;

use crate::event::{Counts, Latencies, Rate, Stats};
use crate::payload::Provider;
use crate::payload::record::Glance;

/// Counting under way.
#[derive(Default)]
pub struct Statistics {
    stats: Stats,
    /// Microseconds.
    latencies: Option<Histogram<u64>>,
    flow: Flow,
}

/// How many words are counted apart; a journal that was forged may hold any number.
const WORDS: usize = 100;

/// The word for all others.
const OTHERS: &str = "others";

/// Bounds of the latency histogram, milliseconds.
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
    /// Adds one delivery.
    pub fn add(&mut self, glance: &Glance<'_>) {
        let stats = &mut self.stats;
        stats.deliveries += 1;
        stats.repeats += u64::from(glance.is_repeat);
        let (first, last) = stats.span.unwrap_or((glance.at, glance.at));
        stats.span = Some((first.min(glance.at), last.max(glance.at)));
        let provider = glance.provider.as_ref().map(|name| Provider::named(name).map_or(OTHERS, |known| known.name));
        count(&mut stats.providers, provider.unwrap_or("not JSON"));
        // A provider's own word is not counted: the words are as many as senders please.
        count(
            &mut stats.statuses,
            match (&glance.provider, &glance.status, &glance.raw_status) {
                (None, ..) => "not JSON",
                (_, Some(status), _) => status,
                (_, None, Some(_)) => "unknown status",
                (_, None, None) => "no status",
            },
        );
        count(&mut stats.verdicts, &glance.verdict);
        glance.warnings.iter().for_each(|code| count(&mut stats.warnings, code));
        let answer = glance.answer.as_ref();
        match answer.and_then(|answer| answer.status) {
            Some(status) => count(&mut stats.answers, &status.to_string()),
            None => count(&mut stats.answers, "none"),
        }
        if let Some(answer) = answer.filter(|answer| answer.status.is_some()) {
            let histogram = self.latencies.get_or_insert_with(new_histogram);
            histogram.saturating_record((answer.ms * 1000.0).round().max(0.0) as u64);
        }
        self.flow.add(glance.at);
    }

    /// Adds what was counted of other deliveries.
    pub fn merge(&mut self, other: Statistics) {
        let (stats, more) = (&mut self.stats, other.stats);
        stats.deliveries += more.deliveries;
        stats.repeats += more.repeats;
        let spans = stats.span.into_iter().chain(more.span);
        stats.span = spans.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
        let counts = [
            (&mut stats.providers, more.providers),
            (&mut stats.statuses, more.statuses),
            (&mut stats.verdicts, more.verdicts),
            (&mut stats.warnings, more.warnings),
            (&mut stats.answers, more.answers),
        ];
        for (counts, more) in counts {
            more.iter().for_each(|(word, n)| add(counts, word, *n));
        }
        match (&mut self.latencies, other.latencies) {
            // Of the same bounds, so that it always fits.
            (Some(latencies), Some(more)) => latencies.add(more).unwrap_or_default(),
            (None, more) => self.latencies = more,
            (Some(_), None) => {}
        }
        self.flow.merge(other.flow);
    }

    /// The finished counts.
    pub fn end(self) -> Stats {
        Stats { latency: self.latencies.map(|histogram| latencies(&histogram)), rate: self.flow.end(), ..self.stats }
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

/// From a microsecond to an hour, to a thousandth.
fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("the bounds are in order and three digits are allowed")
}

fn latencies(histogram: &Histogram<u64>) -> Latencies {
    let ms = |micros: u64| micros as f64 / 1000.0;
    let micros = |ms: f64| if ms.is_finite() { (ms * 1000.0) as u64 } else { u64::MAX };
    let mut from = 0;
    let buckets = BOUNDS.map(|bound| {
        let count = histogram.count_between(from, micros(bound));
        from = micros(bound).saturating_add(1);
        (bound, count)
    });
    // Without the empty ones at both ends.
    let first = buckets.iter().position(|(_, count)| *count > 0).unwrap_or_default();
    let last = buckets.iter().rposition(|(_, count)| *count > 0).map_or(first, |last| last + 1);
    Latencies {
        count: histogram.len(),
        percentiles: [50, 90, 99, 100].map(|p| (p, ms(histogram.value_at_quantile(f64::from(p) / 100.0)))),
        histogram: buckets[first..last].to_vec(),
    }
}

/// Deliveries over time, in equal parts that grow with the time there is to show.
struct Flow {
    seconds: i64,
    parts: BTreeMap<i64, u64>,
}

/// How many parts are kept at most.
const KEPT: usize = 512;

/// How many parts are shown at most.
const SHOWN: usize = 24;

impl Default for Flow {
    fn default() -> Self {
        Flow { seconds: 1, parts: BTreeMap::new() }
    }
}

/// The next length that people think in, a multiple of this one.
fn longer(seconds: i64) -> i64 {
    const LENGTHS: [i64; 13] = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400];
    LENGTHS.into_iter().find(|length| *length > seconds).unwrap_or(seconds.saturating_mul(2))
}

impl Flow {
    fn add(&mut self, at: Timestamp) {
        *self.parts.entry(at.as_second().div_euclid(self.seconds)).or_default() += 1;
        self.shrink(KEPT);
    }

    /// Lengthens the parts until there are no more than so many.
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
        *self = Flow { seconds, parts };
    }

    /// Adds another's parts, both made as long as the longer ones.
    fn merge(&mut self, mut other: Flow) {
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

    /// How many parts there are from the first to the last, empty ones included.
    fn width(&self) -> usize {
        let ends = self.parts.first_key_value().zip(self.parts.last_key_value());
        ends.map_or(0, |((first, _), (last, _))| usize::try_from(last - first + 1).unwrap_or(usize::MAX))
    }

    fn end(mut self) -> Rate {
        self.shrink(SHOWN);
        let Some((&first, _)) = self.parts.first_key_value() else { return Rate::default() };
        let counts = (first..).take(self.width()).map(|part| self.parts.get(&part).copied().unwrap_or_default());
        let from = Timestamp::from_second(first.saturating_mul(self.seconds)).unwrap_or(Timestamp::MIN);
        Rate { from, seconds: self.seconds, counts: counts.collect() }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::payload::record::{Answer, By, Record};
    use crate::payload::{Delivery, Headers};

    #[test]
    fn parts_grow_with_the_time_and_lose_nothing() {
        let rate = |times: &[i64]| {
            let mut flow = Flow::default();
            times.iter().for_each(|at| flow.add(Timestamp::from_second(*at).unwrap()));
            assert!(flow.width() <= KEPT);
            flow.end()
        };
        let second = |at| Timestamp::from_second(at).unwrap();
        assert_eq!(rate(&[7, 5, 7]), Rate { from: second(5), seconds: 1, counts: vec![1, 0, 2] });
        assert_eq!(rate(&[0, 59]), Rate { from: second(0), seconds: 5, counts: [&[1][..], &[0; 10], &[1]].concat() });
        let wide = rate(&[-377_705_000_000, 0, 253_402_000_000]);
        assert!(wide.counts.len() <= SHOWN && wide.counts.iter().sum::<u64>() == 3, "{wide:?}");
        let many: Vec<i64> = (0..100_000).collect();
        let many = rate(&many);
        assert_eq!((many.seconds, many.counts.iter().sum::<u64>()), (10_800, 100_000));
    }

    #[test]
    fn what_was_counted_apart_comes_together() {
        let record = |at: i64| {
            Record::unsent(Timestamp::from_second(at).unwrap(), Delivery::bare(Headers::default(), Bytes::new()))
        };
        let answered = |at: i64| Record { answer: Some(Answer::new(200, By::Script, at as f64)), ..record(at) };
        let records: Vec<Record> = [5, 1, 9000, 7, 3, 90_000].into_iter().map(answered).chain([record(2)]).collect();
        let counted = |records: &[Record]| {
            let mut statistics = Statistics::default();
            records.iter().for_each(|record| statistics.add(&Glance::from(record)));
            statistics
        };
        let whole = format!("{:?}", counted(&records).end());
        for place in 0..=records.len() {
            let mut merged = counted(&records[..place]);
            merged.merge(counted(&records[place..]));
            assert_eq!(format!("{:?}", merged.end()), whole, "{place}");
        }
    }

    #[test]
    fn latencies_are_counted_where_they_belong() {
        let mut histogram = new_histogram();
        [100, 400, 1000, 1001, 90_000].into_iter().for_each(|micros| histogram.saturating_record(micros));
        let Latencies { count, histogram, percentiles } = latencies(&histogram);
        assert_eq!(count, 5);
        assert_eq!((histogram[0], *histogram.last().unwrap()), ((0.1, 1), (100.0, 1)));
        assert_eq!(histogram.iter().map(|(_, count)| count).sum::<u64>(), 5);
        assert!((percentiles[3].1 - 90.0).abs() < 0.1, "{percentiles:?}");
    }

    #[test]
    fn words_are_counted_up_to_a_number() {
        let mut counts = Counts::new();
        (0..WORDS * 2).for_each(|word| count(&mut counts, &word.to_string()));
        assert_eq!((counts.len(), counts[OTHERS]), (WORDS + 1, WORDS as u64));
    }
}
