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

/// How the waiting ended.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    /// The exit code.
    pub exit: Exit,
    /// What to say of it, where it is not as it should be.
    pub said: Option<String>,
}

impl End {
    fn done() -> Self {
        End { exit: Exit::Done, said: None }
    }

    fn with(exit: Exit, said: impl Into<String>) -> Self {
        End { exit, said: Some(said.into()) }
    }
}

impl Wait {
    /// Waits for the end. The deliveries that are counted can come after the command has ended, because whatever it set
    /// off may take its time; without `--timeout` there is nothing to bound that, so then its end is the end.
    pub async fn for_end(
        self,
        mut counted: watch::Receiver<u64>,
        mut child: Option<Child>,
        sink: &Sink,
        signals: &mut Signals,
    ) -> End {
        let deadline = async {
            match self.timeout {
                Some(timeout) => sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        loop {
            let have = *counted.borrow_and_update();
            let missing = self.count.filter(|count| have < *count);
            if self.count.is_some() && missing.is_none() && child.is_none() {
                return End::done();
            }
            tokio::select! {
                changed = counted.changed() => if changed.is_err() { return End::done() },
                ended = Child::ended(&mut child) => {
                    child = None;
                    match (ended, missing) {
                        (0, None) => return End::done(),
                        (0, Some(_)) if self.timeout.is_some() => {}
                        (0, Some(count)) => {
                            let said = format!("the command ended after {have} of {count} deliveries");
                            return End::with(Exit::TimedOut, said);
                        }
                        (code, _) => return End::with(Exit::Command(code), format!("the command ended with {code}")),
                    }
                }
                () = &mut deadline => return self.too_late(have, missing, child.is_some()),
                signal = signals.next() => {
                    let pending = missing.is_some() || child.is_some();
                    return End { exit: if pending { signal } else { Exit::Done }, said: None };
                }
                () = sink.closed() => return End::done(),
            }
        }
    }

    fn too_late(self, have: u64, missing: Option<u64>, running: bool) -> End {
        let timeout = self.timeout.unwrap_or_default();
        match (missing, running) {
            (Some(count), _) => {
                End::with(Exit::TimedOut, format!("waited {timeout:?}: {have} of {count} deliveries came"))
            }
            (None, true) => End::with(Exit::TimedOut, format!("waited {timeout:?}: the command was still running")),
            (None, false) => End::done(),
        }
    }
}
