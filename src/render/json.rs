//! Data for programs: one JSON object a line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::Show;
use super::escape;
use crate::event::{Event, Retry, SentTally, Tally};
use crate::payload::record::VERSION;

/// The JSON Lines sink.
pub struct Json<W> {
    out: W,
    /// Whether a terminal reads along: then no control character goes out raw, not even where JSON allows it.
    terminal: bool,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W, terminal: bool) -> Self {
        Json { out, terminal }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end_matches('\n');
        if self.terminal { writeln!(self.out, "{}", escape::json(line)) } else { writeln!(self.out, "{line}") }
    }

    fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(object)?;
        self.line(&text)
    }
}

impl<W: Write> Show for Json<W> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Ready(ready) => {
                self.object(&ReadyLine { r#type: "ready", v: VERSION, url: &ready.url, port: ready.port })
            }
            Event::Delivery(record) => self.line(&String::from_utf8_lossy(&record.to_line())),
            Event::Plan(plan) => self.line(&String::from_utf8_lossy(&plan.record.to_line())),
            Event::Curl(command) => self.object(&CurlLine { r#type: "curl", v: VERSION, command }),
            Event::Payload(examined) => self.line(&String::from_utf8_lossy(&examined.record.to_line())),
            Event::Row(entry) | Event::Entry(entry) => self.line(&entry.line),
            Event::Retry(retry) => self.object(&AttemptLine::from(retry)),
            Event::Received(tally) => self.object(&ReceivedLine::from(tally)),
            Event::Sent(tally) => self.object(&SentLine::from(tally)),
            // For people.
            Event::Note(_) | Event::Skipped(_) | Event::End => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[derive(Serialize)]
struct ReadyLine<'a> {
    r#type: &'static str,
    v: u32,
    url: &'a str,
    port: u16,
}

#[derive(Serialize)]
struct CurlLine<'a> {
    r#type: &'static str,
    v: u32,
    command: &'a str,
}

/// What comes after an attempt that is retried.
#[derive(Serialize)]
struct AttemptLine<'a> {
    r#type: &'static str,
    v: u32,
    subject: &'a str,
    retry: u32,
    of: u32,
    wait_ms: f64,
    provider_waits_ms: f64,
}

impl<'a> From<&'a Retry> for AttemptLine<'a> {
    fn from(retry: &'a Retry) -> Self {
        AttemptLine {
            r#type: "attempt",
            v: VERSION,
            subject: &retry.subject,
            retry: retry.retry,
            of: retry.of,
            wait_ms: retry.wait.as_secs_f64() * 1000.0,
            provider_waits_ms: retry.provider_waits.as_secs_f64() * 1000.0,
        }
    }
}

#[derive(Serialize)]
struct ReceivedLine {
    r#type: &'static str,
    v: u32,
    deliveries: u64,
    awaited: Option<u64>,
    duplicates: u64,
    refused: u64,
    statuses: Map<String, Value>,
    verdicts: Map<String, Value>,
    elapsed_ms: u64,
}

impl From<&Tally> for ReceivedLine {
    fn from(tally: &Tally) -> Self {
        let map =
            |counts: &[(&str, u64)]| counts.iter().map(|(name, n)| ((*name).to_owned(), Value::from(*n))).collect();
        ReceivedLine {
            r#type: "summary",
            v: VERSION,
            deliveries: tally.deliveries,
            awaited: tally.awaited,
            duplicates: tally.duplicates,
            refused: tally.refused,
            statuses: map(&tally.statuses),
            verdicts: map(&tally.verdicts),
            elapsed_ms: tally.elapsed.as_millis() as u64,
        }
    }
}

#[derive(Serialize)]
struct SentLine {
    r#type: &'static str,
    v: u32,
    deliveries: u64,
    acknowledged: u64,
    expected: u64,
    attempts: u64,
    elapsed_ms: u64,
}

impl From<&SentTally> for SentLine {
    fn from(tally: &SentTally) -> Self {
        SentLine {
            r#type: "summary",
            v: VERSION,
            deliveries: tally.deliveries,
            acknowledged: tally.acknowledged,
            expected: tally.expected,
            attempts: tally.attempts,
            elapsed_ms: tally.elapsed.as_millis() as u64,
        }
    }
}
