//! A journal as one self-contained HTML page: no network, no framework, no markup from outside.
//!
//! The page holds the data as JSON, which its script shows as text. A content security policy in the head allows only the
//! page's own style and script.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::fields;
use super::paint::Paint;
use super::show::Show;
use crate::event::{Event, JournalRow, Timeline};
use crate::json::string::{HexCase, push_escaped};
use crate::payload::lint::Warning;
use crate::payload::{Status, encoding};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The JSON between the deliveries and the timelines.
const SEPARATOR: &str = "\n],\"timelines\":[\n";

/// The place of the data in the page.
const DATA: &str = "{{data}}";

/// The sink that writes a page.
pub(crate) struct HtmlPage<W> {
    out: W,
    /// Whether the start of the page has been written.
    has_begun: bool,
    deliveries: usize,
    timelines: usize,
}

/// Facts about a delivery that its record does not hold.
#[derive(Serialize)]
struct PageDelivery {
    number: usize,
    /// The provider's name in its own spelling.
    label: Option<&'static str>,
    /// The decoded text of a compressed body.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    repeat: Option<String>,
    /// Whether the answer was expected; `None` without an expectation.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<bool>,
}

/// A timeline; its deliveries are in the list of deliveries.
#[derive(Serialize)]
struct PageTimeline<'a> {
    label: Option<&'static str>,
    id: Option<&'a str>,
    sent: bool,
    end: Option<&'static str>,
    ms: f64,
    /// Number, and milliseconds since the first delivery.
    deliveries: Vec<(usize, f64)>,
    warnings: &'a [Warning],
}

impl<W: Write> HtmlPage<W> {
    pub(crate) fn new(out: W) -> Self {
        HtmlPage { out, has_begun: false, deliveries: 0, timelines: 0 }
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        self.out.write_all(around_data().0.as_bytes())?;
        self.out.write_all(b"{\"deliveries\":[\n")
    }

    fn delivery(&mut self, entry: &JournalRow) -> io::Result<()> {
        self.begin()?;
        let record = &entry.record;
        let is_encoded = !encoding::named(&record.delivery.headers).is_empty();
        let decoded = is_encoded.then(|| record.delivery.decoded_body());
        let about = PageDelivery {
            number: entry.number,
            label: record.payload.as_ref().map(|payload| payload.provider.label),
            text: decoded.map(|decoded| String::from_utf8_lossy(&decoded).into_owned()),
            repeat: fields::repeat(record.duplicate.as_ref(), Paint::new(false)),
            expected: record.is_expected(),
        };
        let lead = if self.deliveries == 0 { "" } else { ",\n" };
        self.deliveries += 1;
        let about = serde_json::to_string(&about)?;
        // The record is serialised again: a line that another program wrote may lack the field `payload`.
        let line = record.to_line();
        let line = String::from_utf8_lossy(&line);
        write!(self.out, "{lead}{{\"about\":")?;
        write_escaped(&mut self.out, &about)?;
        self.out.write_all(b",\"record\":")?;
        write_escaped(&mut self.out, line.trim_end())?;
        self.out.write_all(b"}")
    }

    fn timeline(&mut self, timeline: &Timeline) -> io::Result<()> {
        self.begin()?;
        let (from, to) = timeline.span();
        let since = |at: Timestamp| at.duration_since(from).as_micros() as f64 / 1000.0;
        let timeline = PageTimeline {
            label: timeline.provider.map(|provider| provider.label),
            id: timeline.id.as_deref(),
            sent: timeline.sent,
            end: timeline.end().map(Status::name),
            ms: since(to),
            deliveries: timeline.deliveries.iter().map(|delivery| (delivery.number, since(delivery.at))).collect(),
            warnings: &timeline.warnings,
        };
        // All timelines follow after the last delivery.
        let lead = if self.timelines == 0 { SEPARATOR } else { ",\n" };
        self.timelines += 1;
        self.out.write_all(lead.as_bytes())?;
        write_escaped(&mut self.out, &serde_json::to_string(&timeline)?)
    }

    fn end(&mut self) -> io::Result<()> {
        self.begin()?;
        let made = format!("hookctl {}", env!("CARGO_PKG_VERSION"));
        let lead = if self.timelines == 0 { SEPARATOR } else { "" };
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

/// The page before and after its data.
fn around_data() -> (String, String) {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let (before, behind) = PAGE.split_once(DATA).unwrap_or((PAGE, ""));
    let before = before.replace("{{style-hash}}", &hash(STYLE)).replace("{{script-hash}}", &hash(SCRIPT));
    (before.replace("{{style}}", STYLE), behind.replace("{{script}}", SCRIPT))
}

/// Writes JSON with the characters of HTML markup escaped. In JSON these characters occur in strings only.
fn write_escaped(out: &mut impl Write, json: &str) -> io::Result<()> {
    let mut rest = json;
    while let Some(place) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let (before, behind) = rest.split_at(place);
        let mut chars = behind.chars();
        let mut escaped = String::new();
        if let Some(character) = chars.next() {
            push_escaped(character, HexCase::Lower, &mut escaped);
        }
        out.write_all(before.as_bytes())?;
        out.write_all(escaped.as_bytes())?;
        rest = chars.as_str();
    }
    out.write_all(rest.as_bytes())
}
