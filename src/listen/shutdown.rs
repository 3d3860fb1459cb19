//! What ends a listener, and with which code.

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

/// What is waited for: all of it.
#[derive(Clone, Debug)]
pub(crate) struct StopConditions {
    /// So many deliveries.
    pub(crate) count: Option<u64>,
    /// One delivery like this.
    pub(crate) until: Option<Until>,
    /// At most so long.
    pub(crate) timeout: Option<Duration>,
}

/// The delivery that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The last one of a prediction.
    Terminal,
    /// One with this status or event.
    Word(String),
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListenProgress {
    /// Deliveries that count.
    pub(crate) deliveries: u64,
    /// Whether the one that is waited for came.
    pub(crate) until: bool,
}

/// What ended the waiting. The exit code is decided only when the requests in flight have been answered: they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// All that was waited for came, or nobody reads the output any more.
    Enough,
    /// The command ended with this code.
    Command(u8),
    /// The time was up.
    TimeUp {
        /// Whether the command was still running.
        running: bool,
    },
    /// The user's wish.
    Signal {
        /// Which.
        exit: Exit,
        /// Whether the command was still running.
        running: bool,
    },
}

impl ListenProgress {
    /// Whether it is any.
    pub(crate) fn is_any(self) -> bool {
        self.deliveries > 0 || self.until
    }

    /// Goes on by so much.
    pub(crate) fn add(&mut self, step: ListenProgress) {
        self.deliveries += step.deliveries;
        self.until |= step.until;
    }
}

impl Until {
    /// Reads `terminal`, or a status or event.
    pub(crate) fn of(word: &str) -> Self {
        if word == "terminal" { Until::Terminal } else { Until::Word(word.to_owned()) }
    }

    /// Whether this delivery is the one. What was refused for its signature is anybody's.
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

    /// The word that was probably meant, where no known provider has this one.
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
    /// Waits for the end, and gives back the command that is still running.
    ///
    /// With a command, the end is its end: its exit code must not be lost. What else is waited for can come after that,
    /// because whatever it set off may take its time; without `--timeout` nothing bounds that, so then its end is the
    /// end.
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
            let missing = !self.missing(*progress.borrow_and_update()).is_empty();
            if awaits && !missing && child.is_none() {
                let cause = if had_command { StopCause::Command(0) } else { StopCause::Enough };
                return (cause, None);
            }
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { return (StopCause::Enough, child) },
                code = Child::ended(&mut child) => {
                    child = None;
                    if code != 0 || !missing || self.timeout.is_none() {
                        return (StopCause::Command(code), None);
                    }
                }
                () = &mut deadline => return (StopCause::TimeUp { running: child.is_some() }, child),
                exit = signals.next() => return (StopCause::Signal { exit, running: child.is_some() }, child),
                () = sink.closed() => return (StopCause::Enough, child),
            }
        }
    }

    /// The exit code, and what to say of it where it is not as it should be, with what came in the end.
    pub(crate) fn exit(&self, cause: StopCause, progress: ListenProgress) -> (Exit, Option<String>) {
        let missing = self.missing(progress);
        let time = self.timeout.unwrap_or_default();
        let short = |how: &str| (Exit::TimedOut, Some(format!("{how}: {}", missing.join(", and "))));
        match (cause, missing.is_empty()) {
            (StopCause::Enough, _) | (StopCause::Command(0), true) => (Exit::Done, None),
            (StopCause::Command(0), false) => short("the command ended"),
            (StopCause::Command(code), _) => (Exit::Command(code), Some(format!("the command ended with code {code}"))),
            (StopCause::TimeUp { .. }, false) => short(&format!("waited {time:?}")),
            (StopCause::TimeUp { running: true }, true) => {
                (Exit::TimedOut, Some(format!("waited {time:?}: the command was still running")))
            }
            (StopCause::TimeUp { running: false }, true) => (Exit::Done, None),
            (StopCause::Signal { exit, running }, came) => (if running || !came { exit } else { Exit::Done }, None),
        }
    }

    /// What was waited for as cases of a report.
    pub(crate) fn cases(&self, progress: ListenProgress) -> impl Iterator<Item = JunitCase> {
        let count = self.count.map(|count| JunitCase::new(format!("--count {count}"), self.missing_count(progress)));
        let until =
            self.until.as_ref().map(|until| JunitCase::new(format!("--until {until}"), self.missing_until(progress)));
        count.into_iter().chain(until)
    }

    /// What there is to say against the command of a listener that ended so.
    pub(crate) fn against_command(cause: StopCause) -> Option<String> {
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

    /// What did not come, in words.
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
    fn all_that_is_waited_for_must_come_and_what_did_not_is_said() {
        let wait = wait(Some(2), Some("terminal"));
        let judged =
            |deliveries, until| wait.exit(StopCause::TimeUp { running: false }, ListenProgress { deliveries, until });
        assert_eq!(judged(2, true), (Exit::Done, None));
        let said = |deliveries, until| judged(deliveries, until).1.unwrap();
        assert_eq!(said(1, true), "waited 30s: 1 of 2 deliveries came");
        assert_eq!(said(2, false), "waited 30s: no delivery came that is terminal");
        assert_eq!(said(0, false), "waited 30s: 0 of 2 deliveries came, and no delivery came that is terminal");
    }

    #[test]
    fn a_word_that_nobody_has_is_doubted() {
        let meant = |word| Until::of(word).nearest_known();
        assert_eq!(meant("succeded"), Some("succeeded"));
        assert_eq!(meant("terminl"), Some("terminal"));
        for word in ["succeeded", "success", "completed", "start", "output", "terminal", "order.paid"] {
            assert_eq!(meant(word), None, "{word}");
        }
    }
}
