//! Events of `send`.

use std::time::Duration;

use crate::journal::Record;
use crate::signature::Trace;

/// A planned retry.
#[derive(Clone, Debug)]
pub struct PlannedRetry {
    /// The id of the prediction, or the source if the id is not known.
    pub(crate) subject: String,
    /// The number of the retry, from 1.
    pub(crate) retry: u32,
    /// The most retries.
    pub(crate) of: u32,
    /// The wait of the provider.
    pub(crate) provider_waits: Duration,
    /// The real wait, at the speed of `--speed`.
    pub(crate) wait: Duration,
    /// The name of the provider or profile.
    pub(crate) label: String,
}

/// A request of `--dry-run`.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) record: Record,
    /// How the request is signed, for each of its schemes.
    pub(crate) traces: Vec<Trace>,
}

/// The counters of a sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentTally {
    /// Deliveries.
    pub(crate) deliveries: u64,
    /// Of these, acknowledged with 2xx.
    pub(crate) acknowledged: u64,
    /// Deliveries that were answered with a status of `--expect-status`, by default 2xx.
    pub(crate) expected: u64,
    /// Requests in all, retries included.
    pub(crate) attempts: u64,
    pub(crate) elapsed: Duration,
}

/// The progress of a load test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// Deliveries that have ended.
    pub(crate) done: u64,
    /// Deliveries in all.
    pub(crate) of: u64,
    /// Ended deliveries that were not answered as expected.
    pub(crate) failed: u64,
    /// Since the first request.
    pub(crate) elapsed: Duration,
}

/// The results of a load test.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    /// The number of `--count`.
    pub(crate) requested: u64,
    /// Deliveries that ended.
    pub(crate) deliveries: u64,
    /// Of these, acknowledged with 2xx.
    pub(crate) acknowledged: u64,
    /// Deliveries that were answered with an expected status.
    pub(crate) expected: u64,
    /// Requests in all, retries included.
    pub(crate) attempts: u64,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// `None` without answers.
    pub(crate) latency: Option<Latency>,
    /// The last answer of each delivery by status, in the order of their first answer.
    pub(crate) statuses: Vec<(u16, u64)>,
    /// Errors of deliveries without an answer, in the same order.
    pub(crate) errors: Vec<(String, u64)>,
}

impl LoadReport {
    /// Deliveries a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.deliveries as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// Times from the due time of a delivery to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(crate) p50: Duration,
    pub(crate) p90: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// The statuses that a good handler returns in a case of the drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrillExpectation {
    /// 2xx.
    Accepted,
    /// 4xx.
    Refused,
    /// 2xx or 4xx: anything but an error of the handler.
    Survived,
}

impl DrillExpectation {
    pub(crate) fn allows(self, status: u16) -> bool {
        match self {
            DrillExpectation::Accepted => (200..300).contains(&status),
            DrillExpectation::Refused => (400..500).contains(&status),
            DrillExpectation::Survived => (200..300).contains(&status) || (400..500).contains(&status),
        }
    }

    /// The statuses, in the form of `--expect-status`.
    pub(crate) fn statuses(self) -> &'static str {
        match self {
            DrillExpectation::Accepted => "2xx",
            DrillExpectation::Refused => "4xx",
            DrillExpectation::Survived => "2xx,4xx",
        }
    }
}

/// The result of one case of a drill.
#[derive(Clone, Debug, PartialEq)]
pub struct DrillResult {
    pub(crate) name: &'static str,
    /// The answer of a good handler.
    pub(crate) expectation: DrillExpectation,
    /// A description of the requests.
    pub(crate) sent: String,
    /// The reason for the expected response.
    pub(crate) why: &'static str,
    /// One for each request.
    pub(crate) answers: Vec<DrillResponse>,
    /// A note about a passed case whose responses do not prove everything.
    pub(crate) note: Option<&'static str>,
    pub(crate) verdict: DrillVerdict,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DrillResponse {
    /// The status, or the error.
    pub(crate) status: Result<u16, String>,
    /// Milliseconds.
    pub(crate) ms: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DrillVerdict {
    Passed,
    /// With the fault.
    Failed(String),
    /// With the reason why the case does not apply.
    Skipped(String),
}

impl From<Option<String>> for DrillVerdict {
    /// Passed without a fault.
    fn from(fault: Option<String>) -> Self {
        fault.map_or(DrillVerdict::Passed, DrillVerdict::Failed)
    }
}

/// The counters of a drill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrillTally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl DrillTally {
    pub(crate) fn add(&mut self, verdict: &DrillVerdict) {
        match verdict {
            DrillVerdict::Passed => self.passed += 1,
            DrillVerdict::Failed(_) => self.failed += 1,
            DrillVerdict::Skipped(_) => self.skipped += 1,
        }
    }
}
