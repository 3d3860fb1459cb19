//! What ends a listener, and with which code.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::child::Child;
use crate::error::Exit;
use crate::event::Sink;
use crate::io::signals::Signals;

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// So many deliveries.
    pub count: Option<u64>,
    /// At most so long.
    pub timeout: Option<Duration>,
}

/// What ended the waiting. The exit code is decided only when the requests in flight have been answered: they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Enough deliveries came, or nobody reads the output any more.
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

impl Wait {
    /// Waits for the end, and gives back the command that is still running.
    ///
    /// With a command, the end is its end: its exit code must not be lost. The deliveries that are counted can come
    /// after that, because whatever it set off may take its time; without `--timeout` nothing bounds that, so then its
    /// end is the end.
    pub async fn for_end(
        self,
        mut counted: watch::Receiver<u64>,
        mut child: Option<Child>,
        sink: &Sink,
        signals: &mut Signals,
    ) -> (Cause, Option<Child>) {
        let deadline = async {
            match self.timeout {
                Some(timeout) => sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        let had_command = child.is_some();
        loop {
            let missing = self.missing(*counted.borrow_and_update()).is_some();
            if self.count.is_some() && !missing && child.is_none() {
                let cause = if had_command { Cause::Command(0) } else { Cause::Enough };
                return (cause, None);
            }
            tokio::select! {
                changed = counted.changed() => if changed.is_err() { return (Cause::Enough, child) },
                code = Child::ended(&mut child) => {
                    child = None;
                    if code != 0 || !missing || self.timeout.is_none() {
                        return (Cause::Command(code), None);
                    }
                }
                () = &mut deadline => return (Cause::TimeUp { running: child.is_some() }, child),
                exit = signals.next() => return (Cause::Signal { exit, running: child.is_some() }, child),
                () = sink.closed() => return (Cause::Enough, child),
            }
        }
    }

    /// The exit code, and what to say of it where it is not as it should be, with the final count.
    pub fn judge(self, cause: Cause, have: u64) -> (Exit, Option<String>) {
        let missing = self.missing(have);
        let time = self.timeout.unwrap_or_default();
        let short = |how: &str, count: u64| (Exit::TimedOut, Some(format!("{how}: {have} of {count} deliveries came")));
        match (cause, missing) {
            (Cause::Enough, _) | (Cause::Command(0), None) => (Exit::Done, None),
            (Cause::Command(0), Some(count)) => short("the command ended", count),
            (Cause::Command(code), _) => (Exit::Command(code), Some(format!("the command ended with code {code}"))),
            (Cause::TimeUp { .. }, Some(count)) => short(&format!("waited {time:?}"), count),
            (Cause::TimeUp { running: true }, None) => {
                (Exit::TimedOut, Some(format!("waited {time:?}: the command was still running")))
            }
            (Cause::TimeUp { running: false }, None) => (Exit::Done, None),
            (Cause::Signal { exit, running }, missing) => {
                (if running || missing.is_some() { exit } else { Exit::Done }, None)
            }
        }
    }

    /// The count that is not reached.
    fn missing(self, have: u64) -> Option<u64> {
        self.count.filter(|count| have < *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_count_decides() {
        let wait = |count| Wait { count, timeout: Some(Duration::from_secs(30)) };
        let code = |count, cause, have| wait(count).judge(cause, have).0;
        assert_eq!(code(Some(2), Cause::Command(0), 2), Exit::Done);
        assert_eq!(code(Some(2), Cause::Command(0), 1), Exit::TimedOut);
        assert_eq!(code(Some(2), Cause::Command(7), 2), Exit::Command(7));
        assert_eq!(code(Some(2), Cause::TimeUp { running: false }, 2), Exit::Done);
        assert_eq!(code(Some(2), Cause::TimeUp { running: true }, 2), Exit::TimedOut);
        assert_eq!(code(None, Cause::TimeUp { running: false }, 0), Exit::Done);
        let signal = |running| Cause::Signal { exit: Exit::Interrupted, running };
        assert_eq!(code(Some(2), signal(false), 1), Exit::Interrupted);
        assert_eq!(code(Some(2), signal(false), 2), Exit::Done);
        assert_eq!(code(None, signal(true), 0), Exit::Interrupted);
        let (_, said) = wait(Some(2)).judge(Cause::TimeUp { running: false }, 1);
        assert_eq!(said.as_deref(), Some("waited 30s: 1 of 2 deliveries came"));
    }
}
