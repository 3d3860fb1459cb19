//! The deliveries of a prediction over time, gaps drawn to scale.

use std::time::Duration;

use console::measure_text_width;
use jiff::tz::TimeZone;

use super::block::{Block, cut};
use super::paint::Paint;
use super::table::{answer, mark, pad};
use super::time::{duration, milliseconds};
use super::{escape, fields};
use crate::event::{Moment, Timeline};
use crate::payload::signature::Verdict;

/// Columns of everything but the track.
const REST: usize = 55;

/// The track: no narrower, no wider, and where nothing is known of the width.
const TRACK: (usize, usize, usize) = (8, 60, 30);

/// Columns of an event.
const EVENT: usize = 11;

/// Where remarks stand.
const INDENT: usize = 19;

/// A heading and a line each, with what is remarkable below it.
pub fn text(timeline: &Timeline, paint: Paint, width: Option<usize>, zone: &TimeZone) -> String {
    let room = width.map_or(TRACK.2, |width| width.saturating_sub(REST).clamp(TRACK.0, TRACK.1));
    let mut text = cut(&heading(timeline, paint, zone), width).into_owned() + "\n";
    let (first, last) = timeline.span();
    let span = last.duration_since(first).as_secs_f64();
    let mut before = None;
    for moment in &timeline.moments {
        let since = moment.at.duration_since(first).as_secs_f64();
        let place = if span > 0.0 { (since / span * (room - 1) as f64).round() as usize } else { 0 };
        let track = track(moment, before.replace(place), place, room, paint);
        let line = line(moment, since, &track, paint);
        text.push_str(&cut(line.trim_end(), width));
        text.push('\n');
        text.push_str(&remarks(moment, paint, width));
    }
    let mut block = Block::new("", INDENT, width);
    for warning in &timeline.warnings {
        warn(&mut block, &warning.code, &warning.message, paint);
    }
    text + &block.into_text() + "\n"
}

/// `Cog  piter-success  succeeded  9 deliveries in 2.4 s, 11-20 21:23:16`
fn heading(timeline: &Timeline, paint: Paint, zone: &TimeZone) -> String {
    let label = timeline.provider.map_or("not JSON", |provider| provider.label);
    let id = timeline.id.as_deref().map_or_else(|| paint.quiet("without an id"), |id| paint.strong(escape::line(id)));
    let end = match timeline.end() {
        Some(status) => fields::status_name(Some(status), status.name(), paint),
        None if timeline.warnings.is_empty() => String::new(),
        None => paint.warn("no end"),
    };
    let (first, last) = timeline.span();
    let count = timeline.moments.len();
    let noun = match (timeline.sent, count) {
        (false, 1) => "delivery",
        (false, _) => "deliveries",
        (true, 1) => "attempt",
        (true, _) => "attempts",
    };
    let span =
        if count > 1 { format!(" in {}", length(last.duration_since(first).as_secs_f64())) } else { String::new() };
    let from = first.to_zoned(zone.clone()).strftime("%m-%d %H:%M:%S").to_string();
    let about = paint.quiet(format!("{count} {noun}{span}, {from}"));
    let parts = [label.to_owned(), id, end, about];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

fn length(seconds: f64) -> String {
    if seconds.abs() < 60.0 { milliseconds(seconds * 1000.0) } else { duration(Duration::from_secs_f64(seconds)) }
}

/// The gap since the delivery before, and a mark where this one came.
fn track(moment: &Moment, before: Option<usize>, place: usize, room: usize, paint: Paint) -> String {
    let from = before.filter(|before| *before < place).map_or(place, |before| before + 1);
    let gap = paint.quiet("─".repeat(place - from));
    let dot = match (&moment.verdict, &moment.duplicate, moment.status) {
        (Verdict::Invalid { .. }, ..) => paint.bad("✗"),
        (_, Some(_), _) => paint.warn("○"),
        (.., Some(status)) if status.is_terminal() => fields::status_name(Some(status), "◆", paint),
        (.., status) => fields::status_name(status, "●", paint),
    };
    format!("{:from$}{gap}{dot}{:rest$}", "", "", rest = room - place - 1)
}

fn line(moment: &Moment, since: f64, track: &str, paint: Paint) -> String {
    let number = format!("#{}", moment.number);
    let since = if since == 0.0 { "0".to_owned() } else { format!("+{}", length(since)) };
    let word = moment.status.map(|status| status.name()).or(moment.raw_status.as_deref()).unwrap_or("-");
    let status = fields::status_name(moment.status, &pad(&escape::line(word), fields::STATUS), paint);
    let what = match moment.attempt {
        Some((attempt, of)) => format!("try {attempt}/{of}"),
        None => escape::line(moment.event.as_deref().unwrap_or("-")).into_owned(),
    };
    let (mark, answer) = (mark(&moment.verdict, paint), answer(moment.answer.as_ref(), 3, paint));
    let gap = 9_usize.saturating_sub(measure_text_width(&since));
    let since = paint.quiet(since);
    format!("{number:>6} {:gap$}{since}  {track}  {}  {status}  {mark}  {answer}", "", pad(&what, EVENT))
}

fn remarks(moment: &Moment, paint: Paint, width: Option<usize>) -> String {
    let mut block = Block::new("", INDENT, width);
    if let Verdict::Invalid { reason, hint, .. } = &moment.verdict {
        warn(&mut block, reason.name(), hint, paint);
    }
    if let Some(repeat) = fields::repeat(moment.duplicate.as_ref(), paint) {
        block.line(&repeat);
    }
    for warning in &moment.warnings {
        warn(&mut block, &warning.code, &warning.message, paint);
    }
    block.into_text()
}

fn warn(block: &mut Block, code: &str, message: &str, paint: Paint) {
    let text = format!("{}: {}", paint.warn(escape::line(code)), escape::line(message));
    block.wrapped_line(&text);
}
