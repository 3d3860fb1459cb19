//! Data for programs: one JSON object a line.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use memchr::memchr2;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Show;
use super::escape;
use crate::event::{DrillResult, DrillVerdict, Event, LoadReport, PlannedRetry, Ready, SentTally, Tally};
use crate::journal::Record;
use crate::journal::record::VERSION;

pub(crate) mod views;

use views::{DiffLine, StatsLine, TimelineLine};

/// How much memory is kept for records, in bytes.
const LINE_BYTES: usize = 64 * 1024;

/// The JSON Lines sink. What a terminal would obey or not show is written as JSON escapes, wherever it goes: a pipe may end
/// at a screen as well, and to a program it is the same text.
pub struct JsonLines<W> {
    out: W,
    /// Where a record's line is put together.
    record: Vec<u8>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        JsonLines { out, record: Vec::new() }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let line = escape::json(line.trim_end());
        // White space between tokens: JSON has no other place for these.
        match memchr2(b'\r', b'\t', line.as_bytes()) {
            Some(_) => self.out.write_all(line.replace(['\r', '\t'], " ").as_bytes())?,
            None => self.out.write_all(line.as_bytes())?,
        }
        self.out.write_all(b"\n")
    }

    fn record(&mut self, record: &Record) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.record);
        record.write_line(&mut line);
        self.line(&String::from_utf8_lossy(&line))?;
        line.clear();
        // What a large body took is not kept for small ones.
        line.shrink_to(LINE_BYTES);
        self.record = line;
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
            Event::Curl(command) => self.object(&CurlLine { r#type: "curl", v: VERSION, command }),
            Event::Payload(examined) => self.record(&examined.record),
            Event::Row(entry) | Event::Entry(entry) => self.line(&entry.line()),
            Event::Saved(saved) => self.object(&SavedLine {
                r#type: "saved",
                v: VERSION,
                seq: saved.seq,
                file: &saved.file.to_string_lossy(),
                media_type: saved.media_type.as_deref(),
                bytes: saved.bytes,
            }),
            Event::Retry(retry) => self.object(&AttemptLine::from(retry)),
            Event::Received(tally) => self.object(&ReceivedLine::from(tally)),
            Event::Sent(tally) => self.object(&SentLine::from(tally)),
            Event::Load(report) => self.object(&LoadLine::from(&**report)),
            Event::Drilled(drilled) => self.object(&DrillLine::from(&**drilled)),
            Event::DrillEnd(tally) => self.object(&DrillEndLine {
                r#type: "summary",
                v: VERSION,
                passed: tally.passed,
                failed: tally.failed,
                skipped: tally.skipped,
            }),
            Event::Timeline(timeline) => self.object(&TimelineLine::from(&**timeline)),
            Event::Stats(stats) => self.object(&StatsLine::from(&**stats)),
            Event::Diff(diff) => self.object(&DiffLine::from(&**diff)),
            // A form of its own, which the other sink writes.
            Event::Export(_) => Ok(()),
            // For people.
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

#[derive(Serialize)]
struct ReadyLine<'a> {
    r#type: &'static str,
    v: u32,
    url: &'a str,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cacert: Option<&'a Path>,
}

impl<'a> From<&'a Ready> for ReadyLine<'a> {
    fn from(ready: &'a Ready) -> Self {
        let Ready { url, port, public_url, cacert, .. } = ready;
        ReadyLine {
            r#type: "ready",
            v: VERSION,
            url,
            port: *port,
            public_url: public_url.as_deref(),
            cacert: cacert.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct SavedLine<'a> {
    r#type: &'static str,
    v: u32,
    seq: u64,
    file: &'a str,
    media_type: Option<&'a str>,
    bytes: u64,
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

impl<'a> From<&'a PlannedRetry> for AttemptLine<'a> {
    fn from(retry: &'a PlannedRetry) -> Self {
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
    unmet: u64,
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
            unmet: tally.unmet,
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

#[derive(Serialize)]
struct LoadLine {
    r#type: &'static str,
    v: u32,
    asked: u64,
    deliveries: u64,
    acknowledged: u64,
    expected: u64,
    attempts: u64,
    elapsed_ms: u64,
    per_second: f64,
    latency_ms: Option<LatencyLine>,
    statuses: Map<String, Value>,
    errors: Map<String, Value>,
}

/// How long most answers took.
#[derive(Serialize)]
struct LatencyLine {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

impl From<&LoadReport> for LoadLine {
    fn from(report: &LoadReport) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        LoadLine {
            r#type: "summary",
            v: VERSION,
            asked: report.requested,
            deliveries: report.deliveries,
            acknowledged: report.acknowledged,
            expected: report.expected,
            attempts: report.attempts,
            elapsed_ms: report.elapsed.as_millis() as u64,
            per_second: report.per_second(),
            latency_ms: report.latency.map(|latency| LatencyLine {
                p50: ms(latency.p50),
                p90: ms(latency.p90),
                p99: ms(latency.p99),
                max: ms(latency.max),
            }),
            statuses: report.statuses.iter().map(|(status, n)| (status.to_string(), Value::from(*n))).collect(),
            errors: report.errors.iter().map(|(error, n)| (error.clone(), Value::from(*n))).collect(),
        }
    }
}

/// One case of a drill.
#[derive(Serialize)]
struct DrillLine<'a> {
    r#type: &'static str,
    v: u32,
    case: &'static str,
    sent: &'a str,
    expect_status: &'static str,
    why: &'static str,
    verdict: &'static str,
    /// What was wrong, or why it was skipped.
    reason: Option<&'a str>,
    /// What the answers leave open.
    remark: Option<&'static str>,
    answers: Vec<AnsweredLine<'a>>,
}

#[derive(Serialize)]
struct AnsweredLine<'a> {
    status: Option<u16>,
    ms: f64,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct DrillEndLine {
    r#type: &'static str,
    v: u32,
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl<'a> From<&'a DrillResult> for DrillLine<'a> {
    fn from(drilled: &'a DrillResult) -> Self {
        let (verdict, reason) = match &drilled.verdict {
            DrillVerdict::Passed => ("passed", None),
            DrillVerdict::Failed(how) => ("failed", Some(how.as_str())),
            DrillVerdict::Skipped(why) => ("skipped", Some(why.as_str())),
        };
        DrillLine {
            r#type: "drill",
            v: VERSION,
            case: drilled.name,
            sent: &drilled.sent,
            expect_status: drilled.expectation.statuses(),
            why: drilled.why,
            verdict,
            reason,
            remark: drilled.note,
            answers: drilled
                .answers
                .iter()
                .map(|answer| AnsweredLine {
                    status: answer.status.as_ref().ok().copied(),
                    ms: (answer.ms * 100.0).round() / 100.0,
                    error: answer.status.as_ref().err().map(String::as_str),
                })
                .collect(),
        }
    }
}
