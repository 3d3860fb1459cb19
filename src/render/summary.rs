//! Summaries at the end of a command.

use super::block::Block;
use super::escape;
use super::fields;
use super::fold;
use super::paint::Paint;
use super::time::{duration, milliseconds};
use crate::event::{Counts, LoadReport, Saved, SentTally, TableTotals, Tally};

/// The indent of the fields of a delivery, below the time of day.
const INDENT: usize = 14;

/// `saved    out/abc123-0.png, image/png, 1.4 MB, of #1`
pub(crate) fn saved(saved: &Saved, paint: Paint) -> String {
    let file = saved.file.to_string_lossy();
    let media_type = saved.media_type.as_deref().map(|name| format!("{}, ", escape::line(name))).unwrap_or_default();
    let what = format!("{media_type}{}, of #{}", fold::size(saved.bytes), saved.seq);
    let mut block = Block::new("", INDENT, None);
    block.field(&paint.quiet("saved"), "saved".len(), &format!("{}, {what}", paint.strong(escape::line(&file))));
    block.into_text()
}

/// The summary of a listener.
pub(crate) fn received(tally: &Tally) -> String {
    let listed =
        |counts: &[(&str, u64)]| counts.iter().map(|(name, n)| format!("{n} {name}")).collect::<Vec<_>>().join(", ");
    let mut parts = vec![match (tally.deliveries, tally.awaited) {
        (n, Some(awaited)) if n <= awaited => format!("{n} of {awaited} deliveries"),
        (n, Some(awaited)) => format!("{n} deliveries, {awaited} awaited"),
        (0, None) => "no deliveries".to_owned(),
        (n, None) => plural(n, "delivery", "deliveries"),
    }];
    if tally.deliveries > 0 {
        parts.push(listed(&tally.statuses));
        parts.push(listed(&tally.verdicts));
    }
    if tally.duplicates > 0 {
        parts.push(format!("{} repeated", tally.duplicates));
    }
    if tally.not_accepted > 0 {
        parts.push(format!("{} refused", tally.not_accepted));
    }
    if tally.unmet > 0 {
        parts.push(format!("{} failed", plural(tally.unmet, "expectation", "expectations")));
    }
    parts.join(" · ")
}

/// The totals of a table: `12 of 64 deliveries · 8 succeeded, 4 failed · 12 verified · 2 repeats · 1 with warnings`.
pub(crate) fn listed(listed: &TableTotals) -> String {
    let counted = |counts: &Counts| {
        let mut counts: Vec<_> = counts.iter().collect();
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        counts.iter().map(|(word, n)| format!("{n} {}", escape::line(word))).collect::<Vec<_>>().join(", ")
    };
    let mut parts = vec![match (listed.deliveries, listed.of) {
        (n, of) if n < of => format!("{n} of {}", plural(of, "delivery", "deliveries")),
        (n, _) => plural(n, "delivery", "deliveries"),
    }];
    parts.extend([counted(&listed.statuses), counted(&listed.verdicts)]);
    if listed.repeats > 0 {
        parts.push(plural(listed.repeats, "repeat", "repeats"));
    }
    if listed.warned > 0 {
        parts.push(format!("{} with warnings (see --timeline)", listed.warned));
    }
    parts.join(" · ")
}

/// The summary of a sender.
pub(crate) fn sent(tally: &SentTally) -> String {
    let deliveries = plural(tally.deliveries, "delivery", "deliveries");
    let attempts = plural(tally.attempts, "attempt", "attempts");
    let mut text = format!("sent {deliveries} in {attempts}: {} acknowledged", tally.acknowledged);
    if tally.expected != tally.acknowledged {
        text.push_str(&format!(", {} answered as expected", tally.expected));
    }
    text
}

/// The results of a load test.
pub(crate) fn load(report: &LoadReport, paint: Paint, width: Option<usize>) -> String {
    let mut block = Block::new("", 2, width);
    let mut head = format!(
        "{} in {}: {} a second",
        paint.strong(plural(report.deliveries, "delivery", "deliveries")),
        duration(report.elapsed),
        paint.strong(per_second(report.per_second())),
    );
    if report.deliveries < report.requested {
        head.push_str(&format!(" · {} not sent", report.requested - report.deliveries));
    }
    block.head(&head);
    let expected = format!("{} of {} as expected", report.expected, report.deliveries);
    let expected = if report.expected == report.deliveries { paint.good(&expected) } else { paint.bad(&expected) };
    let mut field = |label: &str, value: &str| block.field(&paint.quiet(label), label.len(), value);
    field("answers", &format!("{expected} · {}", plural(report.attempts, "attempt", "attempts")));
    if let Some(latency) = report.latency {
        let ms = |time: std::time::Duration| milliseconds(time.as_secs_f64() * 1000.0);
        let times = format!(
            "p50 {} · p90 {} · p99 {} · max {}",
            ms(latency.p50),
            ms(latency.p90),
            ms(latency.p99),
            ms(latency.max)
        );
        field("latency", &times);
    }
    let statuses = report.statuses.iter().map(|(status, n)| format!("{n} × {}", fields::answer_status(*status, paint)));
    if !report.statuses.is_empty() {
        field("status", &statuses.collect::<Vec<_>>().join(" · "));
    }
    for (error, n) in &report.errors {
        field("error", &format!("{n} × {}", paint.bad(escape::line(error))));
    }
    block.into_text()
}

fn per_second(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn plural(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}
