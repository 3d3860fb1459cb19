//! The sink that writes JSON Lines: one JSON object per line.

use std::io::{self, Write};

use memchr::memchr2;
use serde::Serialize;

use super::escape;
use super::show::Show;
use crate::event::Event;
use crate::journal::Record;

pub(crate) mod lines;
pub(crate) mod views;

use lines::{AttemptLine, CurlLine, DrillEndLine, DrillLine, LoadLine, ReadyLine, ReceivedLine, SavedLine, SentLine};
use views::{DiffLine, StatsLine, TimelineLine};

/// Bytes of the buffer for records that are kept between records.
const LINE_BYTES: usize = 64 * 1024;

/// The JSON Lines sink. Control and invisible characters are written as JSON escapes, also into a pipe: it may end at a
/// terminal, and a program reads the same text.
pub struct JsonLines<W> {
    out: W,
    /// Reused for the line of each record.
    buffer: Vec<u8>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        JsonLines { out, buffer: Vec::new() }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let line = escape::json(line.trim_end());
        // In valid JSON, `\r` and `\t` occur between tokens only.
        match memchr2(b'\r', b'\t', line.as_bytes()) {
            Some(_) => self.out.write_all(line.replace(['\r', '\t'], " ").as_bytes())?,
            None => self.out.write_all(line.as_bytes())?,
        }
        self.out.write_all(b"\n")
    }

    fn record(&mut self, record: &Record) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.buffer);
        record.write_line(&mut line);
        self.line(&String::from_utf8_lossy(&line))?;
        line.clear();
        // A large body must not keep its memory.
        line.shrink_to(LINE_BYTES);
        self.buffer = line;
        Ok(())
    }

    fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(object)?;
        self.line(&text)
    }
}

impl<W: Write> Show for JsonLines<W> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Ready(ready) => self.object(&ReadyLine::from(ready)),
            Event::Delivery(record) | Event::Failed(record) => self.record(record),
            Event::Lines(lines) => String::from_utf8_lossy(lines).lines().try_for_each(|line| self.line(line)),
            Event::Plan(plan) => self.record(&plan.record),
            Event::Curl(command) => self.object(&CurlLine::from(command.as_str())),
            Event::Payload(examined) => self.record(&examined.record),
            Event::Row(entry) | Event::Entry(entry) => self.line(&entry.line()),
            Event::Saved(saved) => self.object(&SavedLine::from(saved)),
            Event::Retry(retry) => self.object(&AttemptLine::from(retry)),
            Event::Received(tally) => self.object(&ReceivedLine::from(tally)),
            Event::Sent(tally) => self.object(&SentLine::from(tally)),
            Event::Load(report) => self.object(&LoadLine::from(&**report)),
            Event::Drilled(drilled) => self.object(&DrillLine::from(&**drilled)),
            Event::DrillEnd(tally) => self.object(&DrillEndLine::from(tally)),
            Event::Timeline(timeline) => self.object(&TimelineLine::from(&**timeline)),
            Event::Stats(stats) => self.object(&StatsLine::from(&**stats)),
            Event::Diff(diff) => self.object(&DiffLine::from(&**diff)),
            // Written by the text sink, unchanged.
            Event::Export(_) => Ok(()),
            // For people only.
            Event::Note(_)
            | Event::Listed(_)
            | Event::DrillBegin
            | Event::Skipped(_)
            | Event::Progress(_)
            | Event::Reading(_)
            | Event::End => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
