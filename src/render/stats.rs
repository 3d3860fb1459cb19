//! Counts over deliveries, as bars.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::block::cut;
use super::escape;
use super::paint::Paint;
use super::table::pad;
use super::time::{duration, milliseconds};
use crate::event::{Counts, Latencies, Rate, Stats};
use crate::payload::{Provider, Status};

const LABEL: usize = 11;
const WORD: usize = 22;
const COUNT: usize = 9;

/// Columns of the longest bar.
const BAR: usize = 30;

/// Everything that was counted.
pub fn text(stats: &Stats, paint: Paint, width: Option<usize>, zone: &TimeZone) -> String {
    let mut lines = vec![summary(stats, paint, zone), String::new()];
    let providers = named(&stats.providers, |name| Provider::named(name).map_or(name, |provider| provider.label));
    lines.extend(bars("provider", &providers, |bar, _| paint.name(bar), paint));
    lines.extend(bars("status", &named(&stats.statuses, |name| name), |bar, word| status(bar, word, paint), paint));
    lines.extend(bars("signature", &named(&stats.verdicts, |name| name), |bar, word| verdict(bar, word, paint), paint));
    lines.extend(bars("answer", &named(&stats.answers, |name| name), |bar, word| answer(bar, word, paint), paint));
    lines.extend(bars("warnings", &named(&stats.warnings, |name| name), |bar, _| paint.warn(bar), paint));
    lines.extend(stats.latency.iter().flat_map(|latency| latencies(latency, paint)));
    lines.extend(rate(&stats.rate, paint, zone));
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

/// The words with their counts, the most frequent first.
fn named<'a>(counts: &'a Counts, name: impl Fn(&'a str) -> &'a str) -> Vec<(String, u64)> {
    let mut named: Vec<_> = counts.iter().map(|(word, n)| (escape::line(name(word)).into_owned(), *n)).collect();
    named.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    named
}

fn bars(label: &str, rows: &[(String, u64)], colour: impl Fn(String, &str) -> String, paint: Paint) -> Vec<String> {
    let most = rows.iter().map(|(_, n)| *n).max().unwrap_or_default();
    let row = |(index, (word, n)): (usize, &(String, u64))| {
        let label = pad(if index == 0 { label } else { "" }, LABEL);
        format!("{} {} {n:>COUNT$}  {}", paint.quiet(label), pad(word, WORD), colour(bar(*n, most), word))
    };
    rows.iter().enumerate().map(row).chain((!rows.is_empty()).then(String::new)).collect()
}

/// A bar in eighths of a column; whatever is there at all can be seen.
fn bar(n: u64, most: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if n == 0 {
        return String::new();
    }
    let eighths = ((n as f64 / most as f64 * (BAR * 8) as f64).round() as usize).max(1);
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

fn latencies(latency: &Latencies, paint: Paint) -> Vec<String> {
    let name = |percent: u8| if percent == 100 { "max".to_owned() } else { format!("p{percent}") };
    let told = latency.percentiles.map(|(percent, ms)| format!("{} {}", name(percent), milliseconds(ms)));
    let bound = |ms: f64| if ms.is_finite() { format!("up to {}", milliseconds(ms)) } else { "longer".to_owned() };
    let rows: Vec<_> = latency.histogram.iter().map(|(ms, n)| (bound(*ms), *n)).collect();
    let head = format!("{} {}", paint.quiet(pad("latency", LABEL)), told.join(" · "));
    [vec![head], bars("", &rows, |bar, _| paint.busy(bar), paint)].concat()
}

fn rate(rate: &Rate, paint: Paint, zone: &TimeZone) -> Vec<String> {
    let format = if rate.seconds < 86_400 { "%m-%d %H:%M:%S" } else { "%Y-%m-%d" };
    let row = |(index, n): (usize, &u64)| {
        let at = rate.from.as_second().saturating_add(rate.seconds.saturating_mul(index as i64));
        let at = Timestamp::from_second(at).unwrap_or(Timestamp::MAX).to_zoned(zone.clone());
        (at.strftime(format).to_string(), *n)
    };
    let rows: Vec<_> = rate.counts.iter().enumerate().map(row).collect();
    let each = std::time::Duration::from_secs(rate.seconds.unsigned_abs());
    let mut lines = bars("over time", &rows, |bar, _| paint.name(bar), paint);
    lines.pop();
    lines.push(format!("{} {}", pad("", LABEL), paint.quiet(format!("{} a row", duration(each)))));
    lines
}
