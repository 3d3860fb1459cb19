//! Retry profiles as data, and the decision after an attempt.

use std::str::FromStr;
use std::time::Duration;

use super::leak::leak;

pub(crate) mod general;

/// When a provider retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetryProfile {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// The name of the service, for messages.
    pub(crate) label: &'static str,
    /// The description in the help.
    pub(crate) summary: &'static str,
    /// The wait before each retry; their number is the number of retries.
    pub(crate) waits: &'static [Duration],
    pub(crate) retried_statuses: RetriedStatuses,
    /// Whether a refused connection, a timeout or a lost response is retried.
    pub(crate) retry_without_response: bool,
    pub(crate) retry_after: RetryAfter,
    /// Whether only terminal deliveries are retried.
    pub(crate) terminal_only: bool,
    /// How long an attempt waits for a response, where documented.
    pub(crate) response_timeout: Option<Duration>,
}

/// Response statuses that lead to a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetriedStatuses {
    /// Every status but 2xx.
    AllButSuccess,
    /// Every status but 2xx and these ranges, first and last included.
    AllBut(&'static [(u16, u16)]),
    Listed(&'static [u16]),
}

/// How a sender treats `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Ignored,
    /// The header replaces the profile's wait, except for 0 seconds.
    Honored {
        /// A status that is retried too when the response has the header.
        also_on: u16,
        /// The longest wait.
        at_most: Duration,
    },
    /// The wait is at least the seconds in the header.
    AtLeast,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Answered {
        status: u16,
        /// The wait from `Retry-After`, in seconds or until a date.
        retry_after: Option<Duration>,
    },
    /// No connection: nothing was delivered.
    Unreachable,
    /// The request was sent without a response: it may have been processed.
    Unknown,
}

/// The decision after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Acknowledged.
    Done,
    /// Another attempt after this wait, before `--speed` is applied.
    Retry(Duration),
    GiveUp(StopReason),
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// No retries are left, or the profile has none.
    Exhausted,
    /// The profile does not retry this status.
    NotRetried,
}

/// A set of response statuses, such as `--expect-status` accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Ranges of statuses, first and last included.
    pub(crate) fn new(ranges: Vec<(u16, u16)>) -> Self {
        Statuses(ranges)
    }

    /// 4xx: the response of a correct receiver to a delivery with an invalid signature.
    pub(crate) fn client_errors() -> Self {
        Statuses(vec![(400, 499)])
    }

    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl FromStr for Statuses {
    type Err = String;

    /// Parses `2xx`, `200,202`, `4xx`.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "write statuses as 2xx, 200,202 or 4xx";
        let one = |item: &str| {
            let item = item.trim();
            if let Some(class) = item.strip_suffix("xx") {
                return class
                    .parse()
                    .ok()
                    .filter(|class| (1..=5).contains(class))
                    .map(|c: u16| (c * 100, c * 100 + 99));
            }
            item.parse().ok().filter(|status| (100..=599).contains(status)).map(|status: u16| (status, status))
        };
        text.split(',').map(one).collect::<Option<Vec<_>>>().map(Statuses::new).ok_or_else(|| FORMS.to_owned())
    }
}

impl std::fmt::Display for Statuses {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let names = self.0.iter().map(
            |(first, last)| {
                if first == last { first.to_string() } else { format!("{}xx", first / 100) }
            },
        );
        out.write_str(&names.collect::<Vec<_>>().join(","))
    }
}

/// One attempt and no retry; the base of the other profiles.
pub(crate) static ONCE: RetryProfile = RetryProfile {
    name: "none",
    label: "hookctl",
    summary: "one attempt",
    waits: &[],
    retried_statuses: RetriedStatuses::AllButSuccess,
    retry_without_response: true,
    retry_after: RetryAfter::Ignored,
    terminal_only: false,
    response_timeout: None,
};

impl RetryProfile {
    /// A profile from the command line: these waits, after anything but 2xx.
    pub(crate) fn custom(waits: Vec<Duration>) -> Self {
        RetryProfile { name: "custom", label: "the given profile", waits: leak(waits), ..ONCE.clone() }
    }

    /// The largest number of attempts for a delivery.
    pub(crate) fn attempts(&self, terminal: bool) -> u32 {
        1 + if self.terminal_only && !terminal { 0 } else { self.waits.len() as u32 }
    }

    /// Decides after attempt number `attempt` (from 1). `terminal`: whether the delivery ends a prediction.
    pub(crate) fn next(&self, attempt: u32, terminal: bool, outcome: AttemptOutcome) -> NextStep {
        let requested = match outcome {
            AttemptOutcome::Answered { retry_after, .. } => retry_after,
            AttemptOutcome::Unreachable | AttemptOutcome::Unknown => None,
        };
        let retried = match outcome {
            AttemptOutcome::Answered { status, .. } if (200..300).contains(&status) => return NextStep::Done,
            AttemptOutcome::Answered { status, .. } => self.retries(status, requested.is_some()),
            AttemptOutcome::Unreachable | AttemptOutcome::Unknown => self.retry_without_response,
        };
        if !retried {
            return NextStep::GiveUp(StopReason::NotRetried);
        }
        if attempt >= self.attempts(terminal) {
            return NextStep::GiveUp(StopReason::Exhausted);
        }
        let wait = self.waits[attempt as usize - 1];
        NextStep::Retry(match (self.retry_after, requested) {
            (RetryAfter::Ignored, _) | (_, None) => wait,
            (RetryAfter::Honored { .. }, Some(Duration::ZERO)) => wait,
            (RetryAfter::Honored { at_most, .. }, Some(requested)) => requested.min(at_most),
            (RetryAfter::AtLeast, Some(requested)) => requested.max(wait),
        })
    }

    fn retries(&self, status: u16, has_retry_after: bool) -> bool {
        let listed = match self.retried_statuses {
            RetriedStatuses::AllButSuccess => true,
            RetriedStatuses::AllBut(ranges) => !ranges.iter().any(|(first, last)| (*first..=*last).contains(&status)),
            RetriedStatuses::Listed(statuses) => statuses.contains(&status),
        };
        listed
            || (has_retry_after && matches!(self.retry_after, RetryAfter::Honored { also_on, .. } if also_on == status))
    }
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[cfg(test)]
mod tests;
