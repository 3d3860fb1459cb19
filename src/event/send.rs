//! What `send` has to say.

use std::time::Duration;

use crate::journal::Record;
use crate::signature::Trace;

/// A retry that was decided on.
#[derive(Clone, Debug)]
pub struct PlannedRetry {
    /// The prediction, or the source where that is not known.
    pub(crate) subject: String,
    /// The number of the retry, from 1.
    pub(crate) retry: u32,
    /// How many there are at most.
    pub(crate) of: u32,
    /// How long the provider would wait.
    pub(crate) provider_waits: Duration,
    /// How long is really waited, at the chosen speed.
    pub(crate) wait: Duration,
    /// Who waits so.
    pub(crate) label: String,
}

/// A request as it would be sent.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The record that would be written of it.
    pub(crate) record: Record,
    /// How it is signed, by each of its schemes.
    pub(crate) traces: Vec<Trace>,
}

/// Counts over a sender's run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentTally {
    /// Deliveries.
    pub(crate) deliveries: u64,
    /// Of these, acknowledged with 2xx.
    pub(crate) acknowledged: u64,
    /// Of these, answered as expected (the same unless `--expect-status` says otherwise).
    pub(crate) expected: u64,
    /// Requests in all, retries included.
    pub(crate) attempts: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

/// How far a sender of many has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// Deliveries that have ended.
    pub(crate) done: u64,
    /// Deliveries in all.
    pub(crate) of: u64,
    /// Of those that have ended, not answered as expected.
    pub(crate) failed: u64,
    /// Since the first.
    pub(crate) elapsed: Duration,
}

/// What a sender of many measured.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    /// How many deliveries were asked for.
    pub(crate) requested: u64,
    /// How many ended.
    pub(crate) deliveries: u64,
    /// Of these, acknowledged with 2xx.
    pub(crate) acknowledged: u64,
    /// Of these, answered as expected.
    pub(crate) expected: u64,
    /// Requests in all, retries included.
    pub(crate) attempts: u64,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// How long answers took; `None` when there were none.
    pub(crate) latency: Option<Latency>,
    /// The last answer of each delivery by status, in the order of their first coming.
    pub(crate) statuses: Vec<(u16, u64)>,
    /// Why others got none, likewise.
    pub(crate) errors: Vec<(String, u64)>,
}

impl LoadReport {
    /// Deliveries a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.deliveries as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// How long deliveries took, from when each was due to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latency {
    /// Half of them at most.
    pub(crate) p50: Duration,
    /// Nine of ten at most.
    pub(crate) p90: Duration,
    /// 99 of a hundred at most.
    pub(crate) p99: Duration,
    /// The longest.
    pub(crate) max: Duration,
}

/// What a good handler answers to a case of the drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrillExpectation {
    /// 2xx.
    Accepted,
    /// 4xx.
    Refused,
    /// 2xx or 4xx: anything but an error of its own.
    Survived,
}

impl DrillExpectation {
    /// Whether it is such an answer.
    pub(crate) fn allows(self, status: u16) -> bool {
        match self {
            DrillExpectation::Accepted => (200..300).contains(&status),
            DrillExpectation::Refused => (400..500).contains(&status),
            DrillExpectation::Survived => (200..300).contains(&status) || (400..500).contains(&status),
        }
    }

    /// The statuses, as `--expect-status` has them.
    pub(crate) fn statuses(self) -> &'static str {
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
    pub(crate) name: &'static str,
    /// What a good handler answers.
    pub(crate) expectation: DrillExpectation,
    /// What was sent, in words.
    pub(crate) sent: String,
    /// Why a good handler answers so.
    pub(crate) why: &'static str,
    /// What this one answered to each request.
    pub(crate) answers: Vec<DrillResponse>,
    /// What they leave open, though right.
    pub(crate) note: Option<&'static str>,
    /// Whether that was right.
    pub(crate) verdict: DrillVerdict,
}

/// One answer of a handler under drill.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DrillResponse {
    /// Its status, or why there was none.
    pub(crate) status: Result<u16, String>,
    /// How long it took, milliseconds.
    pub(crate) ms: f64,
}

/// Whether a handler did right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DrillVerdict {
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
    pub(crate) passed: u64,
    /// Cases in which it did not.
    pub(crate) failed: u64,
    /// Cases that did not apply.
    pub(crate) skipped: u64,
}

impl DrillTally {
    /// Adds one case.
    pub(crate) fn add(&mut self, verdict: &DrillVerdict) {
        match verdict {
            DrillVerdict::Passed => self.passed += 1,
            DrillVerdict::Failed(_) => self.failed += 1,
            DrillVerdict::Skipped(_) => self.skipped += 1,
        }
    }
}
