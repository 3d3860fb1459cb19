//! A journal as one page that needs nothing but itself: no network, no framework, and no markup from outside.
//!
//! The data stands in the page as JSON, and its script puts it on the screen as text. A policy in the page's head lets
//! nothing run or load but what is in these files.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Show;
use super::fields;
use super::json::TimelineLine;
use super::paint::Paint;
use crate::event::{Entry, Event, Timeline};
use crate::payload::encoding;
use crate::payload::lint::Warning;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Where the data stands in the page.
const DATA: &str = "{{data}}";

/// The sink that writes a page.
pub struct Html<W> {
    out: W,
    /// Whether the beginning is out.
    begun: bool,
    deliveries: usize,
    timelines: Vec<String>,
}

/// A delivery in the page, beside its record.
#[derive(Serialize)]
struct Beside<'a> {
    number: usize,
    /// What a compressed body holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    warnings: &'a [Warning],
    repeat: Option<String>,
}

impl<W: Write> Html<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Html { out, begun: false, deliveries: 0, timelines: Vec::new() }
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.out.write_all(around_data().0.as_bytes())?;
        self.out.write_all(b"{\"deliveries\":[\n")
    }

    fn delivery(&mut self, entry: &Entry) -> io::Result<()> {
        self.begin()?;
        let record = &entry.record;
        let is_encoded = !encoding::named(&record.delivery.headers).is_empty();
        let held = is_encoded.then(|| record.delivery.held());
        let beside = Beside {
            number: entry.number,
            text: held.map(|held| String::from_utf8_lossy(&held).into_owned()),
            warnings: &record.warnings,
            repeat: fields::repeat(record.duplicate.as_ref(), Paint::new(false)),
        };
        let lead = if self.deliveries == 0 { "" } else { ",\n" };
        self.deliveries += 1;
        let beside = serde_json::to_string(&beside)?;
        // Not its line: what others wrote need not say what its body means.
        let line = record.to_line();
        let line = String::from_utf8_lossy(&line);
        write!(self.out, "{lead}{{\"about\":{},\"record\":{}}}", harmless(&beside), harmless(line.trim_end()))
    }

    fn timeline(&mut self, timeline: &Timeline) -> io::Result<()> {
        self.timelines.push(harmless(&serde_json::to_string(&TimelineLine::from(timeline))?));
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.begin()?;
        let made = format!("hookctl {}", env!("CARGO_PKG_VERSION"));
        let (made, timelines) = (serde_json::to_string(&made)?, self.timelines.join(",\n"));
        write!(self.out, "\n],\"timelines\":[\n{timelines}\n],\"made_by\":{made}}}")?;
        self.out.write_all(around_data().1.as_bytes())
    }
}

impl<W: Write> Show for Html<W> {
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

/// JSON that no reader of HTML takes for markup. In JSON these characters stand within strings only.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}
