//! Retry profiles as data, and the pure decision what comes next.

use std::str::FromStr;
use std::time::Duration;

use super::leak::leak;

pub(crate) mod general;

/// When a provider tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetryProfile {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// Who waits so, for people.
    pub(crate) label: &'static str,
    /// What it does, in a line of help.
    pub(crate) summary: &'static str,
    /// The wait before each retry; their number is the number of retries.
    pub(crate) waits: &'static [Duration],
    /// Which answers are retried.
    pub(crate) again_on: RetriedAnswers,
    /// Whether a refused connection, a time-out or a lost answer is retried.
    pub(crate) again_unanswered: bool,
    /// What becomes of the receiver's `Retry-After`.
    pub(crate) retry_after: RetryAfter,
    /// Whether only a delivery that ends a prediction is retried at all.
    pub(crate) terminal_only: bool,
    /// How long an attempt waits for an answer, where that is documented.
    pub(crate) answer_within: Option<Duration>,
}

/// Which answers lead to a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetriedAnswers {
    /// Every answer but 2xx.
    AllButSuccess,
    /// Every answer but 2xx and those within one of these ranges, first and last included: they end it.
    AllBut(&'static [(u16, u16)]),
    /// These statuses; any other ends it.
    Listed(&'static [u16]),
}

/// What a sender makes of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    /// Nothing.
    Ignored,
    /// Its seconds replace the profile's wait unless they are none, up to `at_most`; this status is retried too when it
    /// carries one.
    Obeyed {
        /// The status.
        also_on: u16,
        /// The longest wait.
        at_most: Duration,
    },
    /// The wait is never shorter than its seconds.
    AtLeast,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    /// The receiver answered.
    Answered {
        /// Its status.
        status: u16,
        /// Its `Retry-After`: so many seconds, or until a date.
        retry_after: Option<Duration>,
    },
    /// No connection came about: nothing was delivered.
    Unreachable,
    /// The request went out and no answer came back: it may have been processed.
    Unknown,
}

/// What comes after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Acknowledged: nothing more.
    Done,
    /// Another attempt after this wait of the provider's time.
    Retry(Duration),
    /// No more attempts.
    GiveUp(StopReason),
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// The last retry was used up, or the profile has none.
    Exhausted,
    /// The profile does not retry this answer.
    NotRetried,
}

/// Statuses that count as right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Those within one of these ranges, first and last included.
    pub(crate) fn new(ranges: Vec<(u16, u16)>) -> Self {
        Statuses(ranges)
    }

    /// 4xx: what a good receiver answers to a delivery that it must not believe.
    pub(crate) fn client_errors() -> Self {
        Statuses(vec![(400, 499)])
    }

    /// Whether it is one of them.
    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl FromStr for Statuses {
    type Err = String;

    /// Reads `2xx`, `200,202`, `4xx`.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "statuses are written 2xx, 200,202 or 4xx";
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
        let names = self.0.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{}xx", first / 100),
        });
        out.write_str(&names.collect::<Vec<_>>().join(","))
    }
}

/// One attempt and no retry.
pub(crate) static ONCE: RetryProfile = RetryProfile {
    name: "none",
    label: "hookctl",
    summary: "one attempt",
    waits: &[],
    again_on: RetriedAnswers::AllButSuccess,
    again_unanswered: true,
    retry_after: RetryAfter::Ignored,
    terminal_only: false,
    answer_within: None,
};

impl RetryProfile {
    /// A profile of the user's own: these waits, after anything that is not 2xx.
    pub(crate) fn custom(waits: Vec<Duration>) -> Self {
        RetryProfile { name: "custom", label: "the given profile", waits: leak(waits), ..ONCE.clone() }
    }

    /// How many attempts there are at most for a delivery.
    pub(crate) fn attempts(&self, terminal: bool) -> u32 {
        1 + if self.terminal_only && !terminal { 0 } else { self.waits.len() as u32 }
    }

    /// What comes after attempt number `attempt` (from 1) of a delivery that is `terminal` or not.
    pub(crate) fn next(&self, attempt: u32, terminal: bool, outcome: AttemptOutcome) -> NextStep {
        let told = match outcome {
            AttemptOutcome::Answered { retry_after, .. } => retry_after,
            AttemptOutcome::Unreachable | AttemptOutcome::Unknown => None,
        };
        let again = match outcome {
            AttemptOutcome::Answered { status, .. } if (200..300).contains(&status) => return NextStep::Done,
            AttemptOutcome::Answered { status, .. } => self.retries(status, told.is_some()),
            AttemptOutcome::Unreachable | AttemptOutcome::Unknown => self.again_unanswered,
        };
        if !again {
            return NextStep::GiveUp(StopReason::NotRetried);
        }
        if attempt >= self.attempts(terminal) {
            return NextStep::GiveUp(StopReason::Exhausted);
        }
        let wait = self.waits[attempt as usize - 1];
        NextStep::Retry(match (self.retry_after, told) {
            (RetryAfter::Ignored, _) | (_, None) => wait,
            (RetryAfter::Obeyed { .. }, Some(Duration::ZERO)) => wait,
            (RetryAfter::Obeyed { at_most, .. }, Some(told)) => told.min(at_most),
            (RetryAfter::AtLeast, Some(told)) => told.max(wait),
        })
    }

    fn retries(&self, status: u16, told_when: bool) -> bool {
        let listed = match self.again_on {
            RetriedAnswers::AllButSuccess => true,
            RetriedAnswers::AllBut(ranges) => !ranges.iter().any(|(first, last)| (*first..=*last).contains(&status)),
            RetriedAnswers::Listed(statuses) => statuses.contains(&status),
        };
        listed || (told_when && matches!(self.retry_after, RetryAfter::Obeyed { also_on, .. } if also_on == status))
    }
}

/// Seconds, for rows of data.
pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Milliseconds, for rows of data.
pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[cfg(test)]
mod tests;
