//! The conditions that end a listener, and the exit code.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::child::Child;
use crate::error::Exit;
use crate::event::Sink;
use crate::journal::record::AnsweredBy;
use crate::journal::{Record, Summary};
use crate::payload::{Status, nearest, provider};
use crate::sys::junit::JunitCase;
use crate::sys::signals::Signals;

/// `listen` ends when `count` and `until` are both met, or after `timeout`.
#[derive(Clone, Debug)]
pub(crate) struct StopConditions {
    /// `--count`.
    pub(crate) count: Option<u64>,
    /// `--until`.
    pub(crate) until: Option<Until>,
    /// `--timeout`.
    pub(crate) timeout: Option<Duration>,
}

/// The delivery that `--until` waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The last delivery of a prediction.
    Terminal,
    /// A delivery with this status or event.
    Word(String),
}

/// The progress toward `--count` and `--until`: of the run, or a step to add.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListenProgress {
    /// Deliveries that count.
    pub(crate) deliveries: u64,
    /// Whether the delivery of `--until` came.
    pub(crate) until: bool,
}

/// Why the run ends. The exit code is decided later, because deliveries still in flight count too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// All conditions are met, or the output was closed.
    Enough,
    /// The command ended with this code.
    Command(u8),
    /// `--timeout` expired.
    TimeUp {
        /// Whether the command was still running.
        running: bool,
    },
    /// A signal came.
    Signal {
        exit: Exit,
        /// Whether the command was still running.
        running: bool,
    },
}

impl ListenProgress {
    pub(crate) fn is_nonzero(self) -> bool {
        self.deliveries > 0 || self.until
    }

    pub(crate) fn add(&mut self, step: ListenProgress) {
        self.deliveries += step.deliveries;
        self.until |= step.until;
    }
}

impl Until {
    /// Parses `terminal`, or a status or event.
    pub(crate) fn of(word: &str) -> Self {
        if word == "terminal" { Until::Terminal } else { Until::Word(word.to_owned()) }
    }

    /// Whether a delivery meets the condition. Anybody can send an invalid signature, so a rejected delivery never does.
    pub(crate) fn is_met_by(&self, record: &Record) -> bool {
        let Some(payload) = &record.payload else { return false };
        if record.answer.as_ref().is_some_and(|answer| answer.by == AnsweredBy::Refused) {
            return false;
        }
        match self {
            Until::Terminal => payload.status.is_some_and(Status::is_terminal),
            Until::Word(word) => {
                Summary::from(record).has_status(word)
                    || payload.event.as_ref().is_some_and(|event| event.name == *word)
            }
        }
    }

    /// The nearest known word, where no known provider has this word.
    pub(crate) fn nearest_known(&self) -> Option<&'static str> {
        let Until::Word(word) = self else { return None };
        let known = || provider::words().chain(["terminal"]);
        if known().any(|known| known == word) { None } else { nearest(word, known()) }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::Terminal => out.pad("terminal"),
            Until::Word(word) => out.pad(word),
        }
    }
}

impl StopConditions {
    /// Waits until the run ends. Returns the cause, and the command if still running.
    ///
    /// With a command, met conditions end the run only after the command ends, because its exit code must not be lost.
    /// Deliveries that the command set off may come later, so the wait continues for unmet conditions. Without `--timeout`
    /// the later wait would have no bound, so the run ends with the command.
    pub(crate) async fn for_end(
        &self,
        mut progress: watch::Receiver<ListenProgress>,
        mut child: Option<Child>,
        sink: &Sink,
        signals: &mut Signals,
    ) -> (StopCause, Option<Child>) {
        let deadline = async {
            match self.timeout {
                Some(timeout) => sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        let had_command = child.is_some();
        let awaits = self.count.is_some() || self.until.is_some();
        loop {
            let is_met = self.missing(*progress.borrow_and_update()).is_empty();
            if awaits && is_met && child.is_none() {
                let cause = if had_command { StopCause::Command(0) } else { StopCause::Enough };
                return (cause, None);
            }
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { return (StopCause::Enough, child) },
                code = Child::ended(&mut child) => {
                    child = None;
                    if code != 0 || is_met || self.timeout.is_none() {
                        return (StopCause::Command(code), None);
                    }
                }
                () = &mut deadline => return (StopCause::TimeUp { running: child.is_some() }, child),
                exit = signals.next() => return (StopCause::Signal { exit, running: child.is_some() }, child),
                () = sink.closed() => return (StopCause::Enough, child),
            }
        }
    }

    /// The exit code, and a note where the conditions are not met, from the final progress.
    pub(crate) fn exit(&self, cause: StopCause, progress: ListenProgress) -> (Exit, Option<String>) {
        let missing = self.missing(progress);
        let time = self.timeout.unwrap_or_default();
        let timed_out = |how: &str| (Exit::TimedOut, Some(format!("{how}: {}", missing.join(", and "))));
        match (cause, missing.is_empty()) {
            (StopCause::Enough, _) | (StopCause::Command(0), true) => (Exit::Done, None),
            (StopCause::Command(0), false) => timed_out("the command ended"),
            (StopCause::Command(code), _) => (Exit::Command(code), Some(format!("the command ended with code {code}"))),
            (StopCause::TimeUp { .. }, false) => timed_out(&format!("waited {time:?}")),
            (StopCause::TimeUp { running: true }, true) => {
                (Exit::TimedOut, Some(format!("waited {time:?}: the command was still running")))
            }
            (StopCause::TimeUp { running: false }, true) => (Exit::Done, None),
            (StopCause::Signal { exit, running }, is_met) => (if running || !is_met { exit } else { Exit::Done }, None),
        }
    }

    /// The conditions as cases of a report.
    pub(crate) fn cases(&self, progress: ListenProgress) -> impl Iterator<Item = JunitCase> {
        let count = self.count.map(|count| JunitCase::new(format!("--count {count}"), self.missing_count(progress)));
        let until =
            self.until.as_ref().map(|until| JunitCase::new(format!("--until {until}"), self.missing_until(progress)));
        count.into_iter().chain(until)
    }

    /// The failure of the command in a report.
    pub(crate) fn command_failure(cause: StopCause) -> Option<String> {
        match cause {
            StopCause::Command(0) | StopCause::TimeUp { running: false } | StopCause::Signal { running: false, .. } => {
                None
            }
            StopCause::Command(code) => Some(format!("it ended with code {code}")),
            StopCause::Enough | StopCause::TimeUp { .. } | StopCause::Signal { .. } => {
                Some("it was still running".to_owned())
            }
        }
    }

    fn missing(&self, progress: ListenProgress) -> Vec<String> {
        self.missing_count(progress).into_iter().chain(self.missing_until(progress)).collect()
    }

    fn missing_count(&self, ListenProgress { deliveries, .. }: ListenProgress) -> Option<String> {
        let count = self.count.filter(|count| deliveries < *count)?;
        Some(format!("{deliveries} of {count} deliveries came"))
    }

    fn missing_until(&self, progress: ListenProgress) -> Option<String> {
        let until = self.until.as_ref().filter(|_| !progress.until)?;
        Some(format!("no delivery came that is {until}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(count: Option<u64>, until: Option<&str>) -> StopConditions {
        StopConditions { count, until: until.map(Until::of), timeout: Some(Duration::from_secs(30)) }
    }

    #[test]
    fn the_final_count_decides() {
        let code =
            |count, cause, deliveries| wait(count, None).exit(cause, ListenProgress { deliveries, until: false }).0;
        assert_eq!(code(Some(2), StopCause::Command(0), 2), Exit::Done);
        assert_eq!(code(Some(2), StopCause::Command(0), 1), Exit::TimedOut);
        assert_eq!(code(Some(2), StopCause::Command(7), 2), Exit::Command(7));
        assert_eq!(code(Some(2), StopCause::TimeUp { running: false }, 2), Exit::Done);
        assert_eq!(code(Some(2), StopCause::TimeUp { running: true }, 2), Exit::TimedOut);
        assert_eq!(code(None, StopCause::TimeUp { running: false }, 0), Exit::Done);
        let signal = |running| StopCause::Signal { exit: Exit::Interrupted, running };
        assert_eq!(code(Some(2), signal(false), 1), Exit::Interrupted);
        assert_eq!(code(Some(2), signal(false), 2), Exit::Done);
        assert_eq!(code(None, signal(true), 0), Exit::Interrupted);
    }

    #[test]
    fn every_condition_must_be_met_and_a_note_names_the_unmet() {
        let wait = wait(Some(2), Some("terminal"));
        let exit =
            |deliveries, until| wait.exit(StopCause::TimeUp { running: false }, ListenProgress { deliveries, until });
        assert_eq!(exit(2, true), (Exit::Done, None));
        let note = |deliveries, until| exit(deliveries, until).1.unwrap();
        assert_eq!(note(1, true), "waited 30s: 1 of 2 deliveries came");
        assert_eq!(note(2, false), "waited 30s: no delivery came that is terminal");
        assert_eq!(note(0, false), "waited 30s: 0 of 2 deliveries came, and no delivery came that is terminal");
    }

    #[test]
    fn an_unknown_word_gets_the_nearest_known() {
        let nearest = |word| Until::of(word).nearest_known();
        assert_eq!(nearest("succeded"), Some("succeeded"));
        assert_eq!(nearest("terminl"), Some("terminal"));
        for word in ["succeeded", "success", "completed", "start", "output", "terminal", "order.paid"] {
            assert_eq!(nearest(word), None, "{word}");
        }
    }
}
