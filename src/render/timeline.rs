//! The deliveries of a prediction over time, with gaps to scale.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use console::measure_text_width;
use jiff::tz::TimeZone;

use super::block::{Block, cut, cut_middle, cut_start};
use super::paint::Paint;
use super::table::{answer, mark, pad};
use super::time::{duration, milliseconds};
use super::{escape, fields};
use crate::event::{Timeline, TimelineDelivery};
use crate::signature::Verdict;

/// Columns beside the track and the event.
const REST: usize = 44;

/// Columns of the track: at least, at most, and on an output without a width.
const TRACK: (usize, usize, usize) = (8, 60, 30);

/// Columns of an event: at least, and at most on a wide terminal.
const EVENT: (usize, usize) = (11, 24);

/// Columns of an answer. The last column: a longer word may be cut.
const ANSWER: usize = 6;

/// The least columns of an id.
const ID: usize = 10;

/// The indent of notes and warnings.
const INDENT: usize = 19;

/// A heading, and a line for each delivery with its notes and warnings.
pub(crate) fn text(timeline: &Timeline, paint: Paint, width: Option<usize>, zone: &TimeZone) -> String {
    let event = events(timeline, width);
    let room = width.map_or(TRACK.2, |width| width.saturating_sub(REST + event).clamp(TRACK.0, TRACK.1));
    let mut text = cut(&heading(timeline, paint, width, zone), width).into_owned() + "\n";
    let (first, last) = timeline.span();
    let span = last.duration_since(first).as_secs_f64();
    let mut before = None;
    let mut shown = HashMap::new();
    for delivery in &timeline.deliveries {
        let since = delivery.at.duration_since(first).as_secs_f64();
        let place = if span > 0.0 { (since / span * (room - 1) as f64).round() as usize } else { 0 };
        let track = track(delivery, before.replace(place), place, room, paint);
        let line = line(delivery, since, &track, event, paint);
        text.push_str(&cut(line.trim_end(), width));
        text.push('\n');
        text.push_str(&notes(delivery, &mut shown, paint, width));
    }
    let mut block = Block::new("", INDENT, width);
    for warning in &timeline.warnings {
        warn(&mut block, &warning.code, &warning.message, paint);
    }
    text + &block.into_text() + "\n"
}

/// Columns for the events: the width of the longest event, within [`EVENT`].
fn events(timeline: &Timeline, width: Option<usize>) -> usize {
    let longest =
        timeline.deliveries.iter().map(|delivery| measure_text_width(&what(delivery))).max().unwrap_or_default();
    let room = width.map_or(usize::MAX, |width| if width < REST + EVENT.1 + TRACK.2 { EVENT.0 } else { EVENT.1 });
    longest.clamp(EVENT.0, room)
}

/// The drill case, the attempt, or the event.
fn what(delivery: &TimelineDelivery) -> Cow<'_, str> {
    match delivery.attempt {
        Some(_) if delivery.case.is_some() => escape::line(delivery.case.as_deref().unwrap_or_default()),
        Some((attempt, of)) => format!("try {attempt}/{of}").into(),
        None => escape::line(delivery.event.as_deref().unwrap_or("-")),
    }
}

/// `Cog  piter-success  succeeded  9 deliveries in 2.4 s, 11-20 21:23:16`
fn heading(timeline: &Timeline, paint: Paint, width: Option<usize>, zone: &TimeZone) -> String {
    let label = timeline.provider.map_or("not JSON", |provider| provider.label);
    let end = match timeline.end() {
        Some(status) => fields::status_name(Some(status), status.name(), paint),
        None if timeline.warnings.is_empty() => String::new(),
        None => paint.warn("no end"),
    };
    let (first, last) = timeline.span();
    let count = timeline.deliveries.len();
    let singular = if timeline.sent { "attempt" } else { "delivery" };
    let plural = if timeline.sent { "attempts" } else { "deliveries" };
    let noun = if count == 1 { singular } else { plural };
    let span =
        if count > 1 { format!(" in {}", length(last.duration_since(first).as_secs_f64())) } else { String::new() };
    let from = first.to_zoned(zone.clone()).strftime("%m-%d %H:%M:%S").to_string();
    let about = paint.quiet(format!("{count} {noun}{span}, {from}"));
    let behind: String = [end, about].iter().filter(|part| !part.is_empty()).map(|part| format!("  {part}")).collect();
    // If the line is too long, the middle of the id is cut.
    let room = width.map(|width| width.saturating_sub(measure_text_width(label) + 2 + measure_text_width(&behind)));
    let id = match timeline.id.as_deref().map(escape::line) {
        Some(id) => paint.strong(room.map_or(id.clone(), |room| cut_middle(&id, room.max(ID)))),
        None => paint.quiet("no id"),
    };
    format!("{label}  {id}{behind}")
}

fn length(seconds: f64) -> String {
    if seconds.abs() < 60.0 { milliseconds(seconds * 1000.0) } else { duration(Duration::from_secs_f64(seconds)) }
}

/// A line for the gap since the delivery before, and a mark for this delivery.
fn track(delivery: &TimelineDelivery, before: Option<usize>, place: usize, room: usize, paint: Paint) -> String {
    let from = before.filter(|before| *before < place).map_or(place, |before| before + 1);
    let gap = paint.quiet("─".repeat(place - from));
    let dot = match (&*delivery.verdict, &delivery.duplicate, delivery.status) {
        (Verdict::Invalid { .. }, ..) if delivery.expected == Some(true) => paint.quiet("✗"),
        (Verdict::Invalid { .. }, ..) => paint.bad("✗"),
        (_, Some(_), _) => paint.warn("○"),
        (.., Some(status)) if status.is_terminal() => fields::status_name(Some(status), "◆", paint),
        (.., status) => fields::status_name(status, "●", paint),
    };
    format!("{:from$}{gap}{dot}{:rest$}", "", "", rest = room - place - 1)
}

fn line(delivery: &TimelineDelivery, since: f64, track: &str, event: usize, paint: Paint) -> String {
    let number = format!("#{}", delivery.number);
    let since = if since == 0.0 { "0".to_owned() } else { format!("+{}", length(since)) };
    let word = delivery.status.map(|status| status.name()).or(delivery.raw_status.as_deref()).unwrap_or("-");
    let word = pad(&escape::line(word), fields::STATUS);
    let is_invalid = delivery.verdict.is_invalid();
    let status = if is_invalid { paint.quiet(word) } else { fields::status_name(delivery.status, &word, paint) };
    let (mark, answer) =
        (pad(&mark(&delivery.verdict, paint), 3), answer(delivery.answer.as_ref(), delivery.expected, ANSWER, paint));
    let gap = 9_usize.saturating_sub(measure_text_width(&since));
    let since = paint.quiet(since);
    format!(
        "{number:>6} {:gap$}{since}  {track}  {}  {status}  {mark} {answer}",
        "",
        pad(&cut_start(&what(delivery), event), event)
    )
}

/// The delivery at which a note was first shown. A later delivery only refers to it.
type ShownWarnings<'t> = HashMap<(&'t str, &'t str), usize>;

fn notes<'t>(
    delivery: &'t TimelineDelivery,
    shown: &mut ShownWarnings<'t>,
    paint: Paint,
    width: Option<usize>,
) -> String {
    let mut block = Block::new("", INDENT, width);
    let mut add = |block: &mut Block, code: &'t str, message: &'t str| {
        let first = *shown.entry((code, message)).or_insert(delivery.number);
        let again = format!("see #{first}");
        warn(block, code, if first == delivery.number { message } else { &again }, paint);
    };
    if let Verdict::Invalid { reason, hint, .. } = &*delivery.verdict {
        add(&mut block, reason.name(), hint);
    }
    if let Some(repeat) = fields::repeat(delivery.duplicate.as_deref(), paint) {
        block.line(&repeat);
    }
    for warning in &delivery.warnings {
        add(&mut block, &warning.code, &warning.message);
    }
    block.into_text()
}

fn warn(block: &mut Block, code: &str, message: &str, paint: Paint) {
    let text = format!("{}: {}", paint.warn(escape::line(code)), escape::line(message));
    block.wrapped_line(&text);
}
