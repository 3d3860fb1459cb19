//! What `send` has to say.

use std::time::Duration;

use crate::journal::Record;
use crate::signature::trace::Trace;

/// A retry that was decided on.
#[derive(Clone, Debug)]
pub struct PlannedRetry {
    /// The prediction, or the source where that is not known.
    pub subject: String,
    /// The number of the retry, from 1.
    pub retry: u32,
    /// How many there are at most.
    pub of: u32,
    /// How long the provider would wait.
    pub provider_waits: Duration,
    /// How long is really waited, at the chosen speed.
    pub wait: Duration,
    /// Who waits so.
    pub label: String,
}

/// A request as it would be sent.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it came from.
    pub source: String,
    /// Where to.
    pub url: String,
    /// The record that would be written of it.
    pub record: Record,
    /// How it is signed, by each of its schemes.
    pub accounts: Vec<Trace>,
}

/// Counts over a sender's run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentTally {
    /// Deliveries.
    pub deliveries: u64,
    /// Of these, acknowledged with 2xx.
    pub acknowledged: u64,
    /// Of these, answered as expected (the same unless `--expect-status` says otherwise).
    pub expected: u64,
    /// Requests in all, retries included.
    pub attempts: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// How far a sender of many has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// Deliveries that have ended.
    pub done: u64,
    /// Deliveries in all.
    pub of: u64,
    /// Of those that have ended, not answered as expected.
    pub failed: u64,
    /// Since the first.
    pub elapsed: Duration,
}

/// What a sender of many measured.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    /// How many deliveries were asked for.
    pub asked: u64,
    /// How many ended.
    pub deliveries: u64,
    /// Of these, acknowledged with 2xx.
    pub acknowledged: u64,
    /// Of these, answered as expected.
    pub expected: u64,
    /// Requests in all, retries included.
    pub attempts: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// How long answers took; `None` when there were none.
    pub latency: Option<Latency>,
    /// The last answer of each delivery by status, in the order of their first coming.
    pub statuses: Vec<(u16, u64)>,
    /// Why others got none, likewise.
    pub errors: Vec<(String, u64)>,
}

impl LoadReport {
    /// Deliveries a second.
    pub fn per_second(&self) -> f64 {
        self.deliveries as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// How long deliveries took, from when each was due to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Half of them at most.
    pub p50: Duration,
    /// Nine of ten at most.
    pub p90: Duration,
    /// 99 of a hundred at most.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// What a good handler answers to a case of the drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrillExpectation {
    /// 2xx.
    Accepted,
    /// 4xx.
    Refused,
    /// 2xx or 4xx: anything but an error of its own.
    Survived,
}

impl DrillExpectation {
    /// Whether it is such an answer.
    pub fn allows(self, status: u16) -> bool {
        match self {
            DrillExpectation::Accepted => (200..300).contains(&status),
            DrillExpectation::Refused => (400..500).contains(&status),
            DrillExpectation::Survived => (200..300).contains(&status) || (400..500).contains(&status),
        }
    }

    /// The statuses, as `--expect-status` has them.
    pub fn statuses(self) -> &'static str {
        match self {
            DrillExpectation::Accepted => "2xx",
            DrillExpectation::Refused => "4xx",
            DrillExpectation::Survived => "2xx,4xx",
        }
    }
}

/// How a handler did in one case of the drill.
#[derive(Clone, Debug, PartialEq)]
pub struct DrillResult {
    /// The case's name.
    pub name: &'static str,
    /// What a good handler answers.
    pub wants: DrillExpectation,
    /// What was sent, in words.
    pub what: String,
    /// Why a good handler answers so.
    pub why: &'static str,
    /// What this one answered to each request.
    pub answers: Vec<DrillResponse>,
    /// What they leave open, though right.
    pub remark: Option<&'static str>,
    /// Whether that was right.
    pub judgement: DrillVerdict,
}

/// One answer of a handler under drill.
#[derive(Clone, Debug, PartialEq)]
pub struct DrillResponse {
    /// Its status, or why there was none.
    pub status: Result<u16, String>,
    /// How long it took, milliseconds.
    pub ms: f64,
}

/// Whether a handler did right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrillVerdict {
    /// It did.
    Passed,
    /// It did not, in this way.
    Failed(String),
    /// The case does not apply, for this reason.
    Skipped(String),
}

impl From<Option<String>> for DrillVerdict {
    /// Right where there is no fault.
    fn from(fault: Option<String>) -> Self {
        fault.map_or(DrillVerdict::Passed, DrillVerdict::Failed)
    }
}

/// Counts over a drill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrillTally {
    /// Cases in which the handler did right.
    pub passed: u64,
    /// Cases in which it did not.
    pub failed: u64,
    /// Cases that did not apply.
    pub skipped: u64,
}

impl DrillTally {
    /// Adds one case.
    pub fn add(&mut self, judgement: &DrillVerdict) {
        match judgement {
            DrillVerdict::Passed => self.passed += 1,
            DrillVerdict::Failed(_) => self.failed += 1,
            DrillVerdict::Skipped(_) => self.skipped += 1,
        }
    }
}
