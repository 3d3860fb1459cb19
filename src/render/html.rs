//! A journal as one page that needs nothing but itself: no network, no framework, and no markup from outside.
//!
//! The data stands in the page as JSON, and its script puts it on the screen as text. A policy in the page's head lets
//! nothing run or load but what is in these files.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Show;
use super::fields;
use super::paint::Paint;
use crate::event::{Event, JournalRow, Timeline};
use crate::json::string::{HexCase, push_escaped};
use crate::payload::lint::Warning;
use crate::payload::{Status, encoding};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// What stands between the deliveries and the timelines.
const BETWEEN: &str = "\n],\"timelines\":[\n";

/// Where the data stands in the page.
const DATA: &str = "{{data}}";

/// The sink that writes a page.
pub(crate) struct HtmlPage<W> {
    out: W,
    /// Whether the beginning is out.
    begun: bool,
    deliveries: usize,
    timelines: usize,
}

/// A delivery in the page, beside its record.
#[derive(Serialize)]
struct PageDelivery {
    number: usize,
    /// The provider's name as its owner writes it.
    label: Option<&'static str>,
    /// What a compressed body holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    repeat: Option<String>,
    /// Whether it was answered as it should be, where its sender said how.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<bool>,
}

/// A timeline in the page. What there is to say of its deliveries stands with them.
#[derive(Serialize)]
struct PageTimeline<'a> {
    label: Option<&'static str>,
    id: Option<&'a str>,
    sent: bool,
    end: Option<&'static str>,
    ms: f64,
    /// Numbers, and milliseconds since the first.
    deliveries: Vec<(usize, f64)>,
    warnings: &'a [Warning],
}

impl<W: Write> HtmlPage<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W) -> Self {
        HtmlPage { out, begun: false, deliveries: 0, timelines: 0 }
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.out.write_all(around_data().0.as_bytes())?;
        self.out.write_all(b"{\"deliveries\":[\n")
    }

    fn delivery(&mut self, entry: &JournalRow) -> io::Result<()> {
        self.begin()?;
        let record = &entry.record;
        let is_encoded = !encoding::named(&record.delivery.headers).is_empty();
        let held = is_encoded.then(|| record.delivery.decoded_body());
        let beside = PageDelivery {
            number: entry.number,
            label: record.payload.as_ref().map(|payload| payload.provider.label),
            text: held.map(|held| String::from_utf8_lossy(&held).into_owned()),
            repeat: fields::repeat(record.duplicate.as_ref(), Paint::new(false)),
            expected: record.is_expected(),
        };
        let lead = if self.deliveries == 0 { "" } else { ",\n" };
        self.deliveries += 1;
        let beside = serde_json::to_string(&beside)?;
        // Not its line: what others wrote need not say what its body means.
        let line = record.to_line();
        let line = String::from_utf8_lossy(&line);
        write!(self.out, "{lead}{{\"about\":")?;
        harmless(&mut self.out, &beside)?;
        self.out.write_all(b",\"record\":")?;
        harmless(&mut self.out, line.trim_end())?;
        self.out.write_all(b"}")
    }

    fn timeline(&mut self, timeline: &Timeline) -> io::Result<()> {
        self.begin()?;
        let (from, to) = timeline.span();
        let since = |at: Timestamp| at.duration_since(from).as_micros() as f64 / 1000.0;
        let story = PageTimeline {
            label: timeline.provider.map(|provider| provider.label),
            id: timeline.id.as_deref(),
            sent: timeline.sent,
            end: timeline.end().map(Status::name),
            ms: since(to),
            deliveries: timeline.deliveries.iter().map(|moment| (moment.number, since(moment.at))).collect(),
            warnings: &timeline.warnings,
        };
        // They come when all deliveries have come.
        let lead = if self.timelines == 0 { BETWEEN } else { ",\n" };
        self.timelines += 1;
        self.out.write_all(lead.as_bytes())?;
        harmless(&mut self.out, &serde_json::to_string(&story)?)
    }

    fn end(&mut self) -> io::Result<()> {
        self.begin()?;
        let made = format!("hookctl {}", env!("CARGO_PKG_VERSION"));
        let lead = if self.timelines == 0 { BETWEEN } else { "" };
        write!(self.out, "{lead}\n],\"made_by\":{}}}", serde_json::to_string(&made)?)?;
        self.out.write_all(around_data().1.as_bytes())
    }
}

impl<W: Write> Show for HtmlPage<W> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Row(entry) => self.delivery(entry),
            Event::Timeline(timeline) => self.timeline(timeline),
            Event::End => self.end(),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The page before and behind its data.
fn around_data() -> (String, String) {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let (before, behind) = PAGE.split_once(DATA).unwrap_or((PAGE, ""));
    let before = before.replace("{{style-hash}}", &hash(STYLE)).replace("{{script-hash}}", &hash(SCRIPT));
    (before.replace("{{style}}", STYLE), behind.replace("{{script}}", SCRIPT))
}

/// Writes JSON that no reader of HTML takes for markup. In JSON these characters stand within strings only.
fn harmless(out: &mut impl Write, json: &str) -> io::Result<()> {
    let mut rest = json;
    while let Some(place) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let (before, behind) = rest.split_at(place);
        let mut chars = behind.chars();
        let mut escaped = String::new();
        chars.next().into_iter().for_each(|c| push_escaped(c, HexCase::Lower, &mut escaped));
        out.write_all(before.as_bytes())?;
        out.write_all(escaped.as_bytes())?;
        rest = chars.as_str();
    }
    out.write_all(rest.as_bytes())
}
