//! Statistics over deliveries, as bars.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::block::{cut, message};
use super::escape;
use super::paint::Paint;
use super::table::pad;
use super::time::{duration, milliseconds};
use crate::event::{Counts, Latencies, Rate, Stats};
use crate::payload::{Provider, Status};

const LABEL: usize = 11;
const WORD: usize = 22;
const COUNT: usize = 9;

/// Columns beside the bar.
const REST: usize = LABEL + WORD + COUNT + 4;

/// The least and the most columns of the longest bar.
const BAR: (usize, usize) = (4, 30);

pub(crate) fn text(stats: &Stats, paint: Paint, width: Option<usize>, zone: &TimeZone) -> String {
    let columns = width.map_or(BAR.1, |width| width.saturating_sub(REST).clamp(BAR.0, BAR.1));
    let bars = |label: &str, rows: &[(String, u64)], colour: &dyn Fn(String, &str) -> String| {
        bars(label, rows, colour, columns, paint)
    };
    let mut lines: Vec<_> = message("", &summary(stats, paint, zone), width).lines().map(str::to_owned).collect();
    lines.push(String::new());
    let providers = named(&stats.providers, |name| Provider::named(name).map_or(name, |provider| provider.label));
    lines.extend(bars("provider", &providers, &|bar, _| paint.name(bar)));
    lines.extend(bars("status", &words(&stats.statuses), &|bar, word| status(bar, word, paint)));
    lines.extend(bars("signature", &words(&stats.verdicts), &|bar, word| verdict(bar, word, paint)));
    lines.extend(bars("invalid", &words(&stats.reasons), &|bar, _| paint.bad(bar)));
    lines.extend(bars("answer", &words(&stats.answers), &|bar, word| answer(bar, word, paint)));
    lines.extend(bars("warnings", &words(&stats.warnings), &|bar, _| paint.warn(bar)));
    for (label, measured) in [("latency", &stats.latency), ("round trip", &stats.round_trip)] {
        let Some(measured) = measured else { continue };
        lines.extend(percentiles(label, measured, paint, width));
        lines.extend(bars("", &buckets(measured), &|bar, _| paint.busy(bar)));
    }
    lines.extend(bars("over time", &parts(&stats.rate, zone), &|bar, _| paint.name(bar)));
    lines.pop();
    let each = Duration::from_secs(stats.rate.seconds.unsigned_abs());
    lines.push(format!("{} {}", pad("", LABEL), paint.quiet(format!("one row per {}", duration(each)))));
    lines.iter().map(|line| cut(line.trim_end(), width).into_owned() + "\n").collect()
}

/// `12 deliveries · 2 repeats · 2026-11-20 21:23:16 to 2026-11-20 21:23:40, 24 s`
fn summary(stats: &Stats, paint: Paint, zone: &TimeZone) -> String {
    let noun = if stats.deliveries == 1 { "delivery" } else { "deliveries" };
    let mut parts = vec![paint.strong(format!("{} {noun}", stats.deliveries))];
    if stats.repeats > 0 {
        let word = if stats.repeats == 1 { "repeat" } else { "repeats" };
        parts.push(paint.warn(format!("{} {word}", stats.repeats)));
    }
    if let Some((first, last)) = stats.span {
        let day = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let length = last.duration_since(first).try_into().unwrap_or_default();
        parts.push(format!("{} to {}, {}", day(first), day(last), duration(length)));
    }
    parts.join(" · ")
}

/// Words with their counts, most frequent first.
fn named<'a>(counts: &'a Counts, name: impl Fn(&'a str) -> &'a str) -> Vec<(String, u64)> {
    let mut named: Vec<_> = counts.iter().map(|(word, n)| (escape::line(name(word)).into_owned(), *n)).collect();
    named.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    named
}

fn words(counts: &Counts) -> Vec<(String, u64)> {
    named(counts, |word| word)
}

fn bars(
    label: &str,
    rows: &[(String, u64)],
    colour: impl Fn(String, &str) -> String,
    columns: usize,
    paint: Paint,
) -> Vec<String> {
    let most = rows.iter().map(|(_, n)| *n).max().unwrap_or_default();
    let row = |(index, (word, n)): (usize, &(String, u64))| {
        let label = pad(if index == 0 { label } else { "" }, LABEL);
        format!("{} {} {n:>COUNT$}  {}", paint.quiet(label), pad(word, WORD), colour(bar(*n, most, columns), word))
    };
    rows.iter().enumerate().map(row).chain((!rows.is_empty()).then(String::new)).collect()
}

/// A bar in eighths of a column; a count above 0 has at least one.
fn bar(n: u64, most: u64, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if n == 0 {
        return String::new();
    }
    let eighths = ((n as f64 / most as f64 * (columns * 8) as f64).round() as usize).max(1);
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn status(bar: String, word: &str, paint: Paint) -> String {
    let is = |status: Status| status.name() == word;
    match word {
        _ if is(Status::Succeeded) => paint.good(bar),
        _ if is(Status::Failed) => paint.bad(bar),
        _ if is(Status::Processing) || is(Status::Starting) => paint.busy(bar),
        _ => paint.warn(bar),
    }
}

fn verdict(bar: String, word: &str, paint: Paint) -> String {
    match word {
        "verified" | "authenticated" => paint.good(bar),
        "invalid" => paint.bad(bar),
        _ => paint.quiet(bar),
    }
}

fn answer(bar: String, word: &str, paint: Paint) -> String {
    match word.as_bytes().first() {
        Some(b'2') => paint.good(bar),
        Some(b'4' | b'5') => paint.bad(bar),
        _ => paint.warn(bar),
    }
}

/// `latency     p50 0.50 ms · p90 0.50 ms · p99 0.50 ms · max 0.50 ms`
fn percentiles(label: &str, measured: &Latencies, paint: Paint, width: Option<usize>) -> Vec<String> {
    let name = |percent: u8| if percent == 100 { "max".to_owned() } else { format!("p{percent}") };
    let values = measured.percentiles.map(|(percent, ms)| format!("{} {}", name(percent), milliseconds(ms)));
    let columns = width.map_or(usize::MAX, |width| width.saturating_sub(LABEL + 1).max(1));
    let text = values.join(" · ");
    let wrapped = textwrap::wrap(&text, columns);
    let row = |(index, line)| format!("{} {line}", paint.quiet(pad(if index == 0 { label } else { "" }, LABEL)));
    wrapped.iter().enumerate().map(row).collect()
}

fn buckets(measured: &Latencies) -> Vec<(String, u64)> {
    let bound = |ms: f64| if ms.is_finite() { format!("up to {}", milliseconds(ms)) } else { "more".to_owned() };
    measured.histogram.iter().map(|(ms, n)| (bound(*ms), *n)).collect()
}

fn parts(rate: &Rate, zone: &TimeZone) -> Vec<(String, u64)> {
    let format = if rate.seconds < 86_400 { "%m-%d %H:%M:%S" } else { "%Y-%m-%d" };
    let row = |(at, n): &(Timestamp, u64)| (at.to_zoned(zone.clone()).strftime(format).to_string(), *n);
    rate.parts.iter().map(row).collect()
}
