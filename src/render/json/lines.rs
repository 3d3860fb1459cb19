//! The objects of `listen` and `send`.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::event::{DrillResult, DrillTally, DrillVerdict, LoadReport, PlannedRetry, Ready, Saved, SentTally, Tally};
use crate::journal::record::VERSION;

#[derive(Serialize)]
pub(crate) struct ReadyLine<'a> {
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
pub(crate) struct SavedLine<'a> {
    r#type: &'static str,
    v: u32,
    seq: u64,
    file: Cow<'a, str>,
    media_type: Option<&'a str>,
    bytes: u64,
}

#[derive(Serialize)]
pub(crate) struct CurlLine<'a> {
    r#type: &'static str,
    v: u32,
    command: &'a str,
}

/// A planned retry.
#[derive(Serialize)]
pub(crate) struct AttemptLine<'a> {
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
pub(crate) struct ReceivedLine {
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
            refused: tally.not_accepted,
            unmet: tally.unmet,
            statuses: map(&tally.statuses),
            verdicts: map(&tally.verdicts),
            elapsed_ms: tally.elapsed.as_millis() as u64,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct SentLine {
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
pub(crate) struct LoadLine {
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

/// Percentiles in milliseconds.
#[derive(Serialize)]
pub(crate) struct LatencyLine {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
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

#[derive(Serialize)]
pub(crate) struct DrillLine<'a> {
    r#type: &'static str,
    v: u32,
    case: &'static str,
    sent: &'a str,
    expect_status: &'static str,
    why: &'static str,
    verdict: &'static str,
    /// Why the case failed or was skipped.
    reason: Option<&'a str>,
    /// A note about a passed case whose responses do not prove everything.
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
pub(crate) struct DrillEndLine {
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

impl<'a> From<&'a Saved> for SavedLine<'a> {
    fn from(saved: &'a Saved) -> Self {
        SavedLine {
            r#type: "saved",
            v: VERSION,
            seq: saved.seq,
            file: saved.file.to_string_lossy(),
            media_type: saved.media_type.as_deref(),
            bytes: saved.bytes,
        }
    }
}

impl<'a> From<&'a str> for CurlLine<'a> {
    fn from(command: &'a str) -> Self {
        CurlLine { r#type: "curl", v: VERSION, command }
    }
}

impl From<&DrillTally> for DrillEndLine {
    fn from(tally: &DrillTally) -> Self {
        DrillEndLine {
            r#type: "summary",
            v: VERSION,
            passed: tally.passed,
            failed: tally.failed,
            skipped: tally.skipped,
        }
    }
}
