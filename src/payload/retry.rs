//! Retry profiles as data, and the pure decision what comes next.

use std::time::Duration;

/// When a provider tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryProfile {
    /// The name on the command line.
    pub name: &'static str,
    /// Who waits so, for people.
    pub label: &'static str,
    /// What it does, in a line of help.
    pub summary: &'static str,
    /// The wait before each retry; their number is the number of retries.
    pub waits: &'static [Duration],
    /// Which answers are retried.
    pub again_on: Answered,
    /// Whether a refused connection, a time-out or a lost answer is retried.
    pub again_unanswered: bool,
    /// What becomes of the receiver's `Retry-After`.
    pub retry_after: RetryAfter,
    /// Whether only a delivery that ends a prediction is retried at all.
    pub terminal_only: bool,
}

/// Which answers lead to a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Every answer but 2xx.
    AllButSuccess,
    /// These statuses; any other ends it.
    Listed(&'static [u16]),
}

/// What a sender makes of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Nothing.
    Ignored,
    /// Its seconds replace the profile's wait, and this status is retried too when it carries one.
    ObeyedAlsoOn(u16),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
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
pub enum Next {
    /// Acknowledged: nothing more.
    Done,
    /// Another attempt after this wait of the provider's time.
    Retry(Duration),
    /// No more attempts.
    GiveUp(Why),
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
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
    pub fn new(ranges: Vec<(u16, u16)>) -> Self {
        Statuses(ranges)
    }

    /// Whether it is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
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
pub static ONCE: RetryProfile = RetryProfile {
    name: "none",
    label: "hookctl",
    summary: "one attempt",
    waits: &[],
    again_on: Answered::AllButSuccess,
    again_unanswered: true,
    retry_after: RetryAfter::Ignored,
    terminal_only: false,
};

impl RetryProfile {
    /// A profile of the user's own: these waits, after anything that is not 2xx.
    pub fn custom(waits: Vec<Duration>) -> Self {
        // Lives as long as the program: it is named once, on the command line.
        RetryProfile { name: "custom", label: "the given profile", waits: waits.leak(), ..ONCE.clone() }
    }

    /// How many attempts there are at most for a delivery.
    pub fn attempts(&self, terminal: bool) -> u32 {
        1 + if self.terminal_only && !terminal { 0 } else { self.waits.len() as u32 }
    }

    /// What comes after attempt number `attempt` (from 1) of a delivery that is `terminal` or not.
    pub fn next(&self, attempt: u32, terminal: bool, outcome: Outcome) -> Next {
        let obeyed = match (outcome, self.retry_after) {
            (Outcome::Answered { retry_after, .. }, RetryAfter::ObeyedAlsoOn(_)) => retry_after,
            _ => None,
        };
        let again = match outcome {
            Outcome::Answered { status, .. } if (200..300).contains(&status) => return Next::Done,
            Outcome::Answered { status, .. } => self.retries(status, obeyed.is_some()),
            Outcome::Unreachable | Outcome::Unknown => self.again_unanswered,
        };
        if !again {
            return Next::GiveUp(Why::NotRetried);
        }
        if attempt >= self.attempts(terminal) {
            return Next::GiveUp(Why::Exhausted);
        }
        let wait = self.waits[attempt as usize - 1];
        Next::Retry(obeyed.unwrap_or(wait))
    }

    fn retries(&self, status: u16, told_when: bool) -> bool {
        let listed = match self.again_on {
            Answered::AllButSuccess => true,
            Answered::Listed(statuses) => statuses.contains(&status),
        };
        listed || (told_when && self.retry_after == RetryAfter::ObeyedAlsoOn(status))
    }
}

/// Seconds, for rows of data.
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Milliseconds, for rows of data.
pub const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Every profile that can be named, [`ONCE`] included.
pub fn profiles() -> impl Iterator<Item = &'static RetryProfile> {
    let mut seen: Vec<&'static RetryProfile> = Vec::new();
    for shape in super::provider::ALL.iter().flat_map(|provider| provider.shapes) {
        if !seen.iter().any(|profile| profile.name == shape.retry.name) {
            seen.push(shape.retry);
        }
    }
    seen.into_iter().chain([&ONCE])
}

#[cfg(test)]
mod tests {
    use super::super::provider::{cog, eachlabs, modelslab};
    use super::*;

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, retry_after: None }
    }

    /// Seconds from the first attempt to each further one, when every answer is the same.
    fn schedule(profile: &RetryProfile, terminal: bool, outcome: Outcome) -> Vec<f64> {
        let mut at = Duration::ZERO;
        let mut times = vec![0.0];
        for attempt in 1.. {
            let Next::Retry(wait) = profile.next(attempt, terminal, outcome) else { break };
            at += wait;
            times.push(at.as_secs_f64());
        }
        times
    }

    #[test]
    fn schedules_are_those_that_were_measured_or_documented() {
        let coglet = [0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0, 102.2, 204.6, 307.0, 409.4];
        assert_eq!(schedule(&cog::RETRY_COGLET, true, answered(500)), coglet);
        let python = [0.0, 0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0, 102.2, 204.6, 324.6];
        assert_eq!(schedule(&cog::RETRY_PYTHON, true, answered(503)), python);
        assert_eq!(schedule(&eachlabs::RETRY_A, true, answered(500)), [0.0, 30.0, 150.0, 750.0]);
        assert_eq!(schedule(&eachlabs::RETRY_B, true, answered(404)), [0.0, 10.0, 20.0]);
        assert_eq!(schedule(&modelslab::RETRY_GENERATION, true, answered(500)), [0.0]);
        assert_eq!(schedule(&modelslab::RETRY_WORKFLOW, true, Outcome::Unreachable).len(), 4);
    }

    #[test]
    fn cog_retries_the_terminal_delivery_only_and_only_some_answers() {
        let cog = &cog::RETRY_COGLET;
        assert_eq!(cog.next(1, false, answered(500)), Next::GiveUp(Why::Exhausted));
        assert_eq!(cog.next(1, true, answered(400)), Next::GiveUp(Why::NotRetried));
        assert_eq!(cog.next(1, true, answered(429)), Next::Retry(millis(200)));
        assert_eq!(cog.next(1, true, Outcome::Unknown), Next::Retry(millis(200)));
        assert_eq!(cog.next(13, true, answered(500)), Next::GiveUp(Why::Exhausted));
    }

    #[test]
    fn retry_after_is_obeyed_by_python_alone() {
        let told = |status| Outcome::Answered { status, retry_after: Some(secs(3)) };
        assert_eq!(cog::RETRY_PYTHON.next(1, true, told(503)), Next::Retry(secs(3)));
        assert_eq!(cog::RETRY_PYTHON.next(1, true, told(413)), Next::Retry(secs(3)));
        assert_eq!(cog::RETRY_PYTHON.next(1, true, answered(413)), Next::GiveUp(Why::NotRetried));
        assert_eq!(cog::RETRY_COGLET.next(1, true, told(503)), Next::Retry(millis(200)));
        assert_eq!(cog::RETRY_COGLET.next(1, true, told(413)), Next::GiveUp(Why::NotRetried));
    }

    #[test]
    fn any_2xx_acknowledges_and_a_redirect_does_not() {
        for status in [200, 202, 204, 299] {
            assert_eq!(eachlabs::RETRY_A.next(1, true, answered(status)), Next::Done);
        }
        assert_eq!(eachlabs::RETRY_A.next(1, true, answered(302)), Next::Retry(secs(30)));
        assert_eq!(ONCE.next(1, true, answered(302)), Next::GiveUp(Why::Exhausted));
    }

    #[test]
    fn profiles_have_names_of_their_own() {
        let names: Vec<_> = profiles().map(|profile| profile.name).collect();
        assert_eq!(names, ["eachlabs", "eachlabs-b", "modelslab", "modelslab-workflow", "cog", "cog-python", "none"]);
    }
}
