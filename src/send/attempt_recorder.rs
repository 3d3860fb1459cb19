//! Numbers the attempts of a run and appends their records to the journal, also while the user stops the run.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use crate::error::{Error, Exit, os_reason};
use crate::journal::Record;
use crate::journal::writer::AsyncWriter;

/// Holds the exit code once the user wants to stop.
pub(crate) type Stop = watch::Receiver<Option<Exit>>;

/// Resolves when the user wants to stop.
pub(crate) async fn stopped(stop: &Stop) -> Exit {
    let mut stop = stop.clone();
    let exit = stop.wait_for(Option::is_some).await.ok().and_then(|exit| *exit);
    match exit {
        Some(exit) => exit,
        // The sender is gone, so no signal can come any more.
        None => std::future::pending().await,
    }
}

/// Time for the journal to take the records of interrupted attempts. A pipe needs some: a thread writes to it.
const GRACE: Duration = Duration::from_millis(250);

/// Shared by the deliveries in flight.
pub(crate) struct AttemptRecorder {
    journal: Option<Mutex<AsyncWriter>>,
    stop: Stop,
    state: RefCell<RecorderState>,
}

#[derive(Default)]
struct RecorderState {
    seq: u64,
    /// The number of attempts that the user's stop left out of the journal.
    unrecorded: u64,
    /// Why the first of these attempts was not recorded.
    cause: String,
}

impl AttemptRecorder {
    pub(crate) fn new(journal: Option<AsyncWriter>, stop: Stop) -> Self {
        AttemptRecorder { journal: journal.map(Mutex::new), stop, state: RefCell::default() }
    }

    pub(crate) fn has_journal(&self) -> bool {
        self.journal.is_some()
    }

    /// Numbers a record and appends the record to the journal. Returns the exit code of the user's stop if the stop ended
    /// the wait for the journal.
    pub(crate) async fn record(&self, record: &mut Record) -> Result<Option<Exit>, Error> {
        record.seq = {
            let mut state = self.state.borrow_mut();
            state.seq += 1;
            state.seq
        };
        match &self.journal {
            Some(journal) => self.append(journal, record).await,
            None => Ok(None),
        }
    }

    /// The user's stop ends the wait for a pipe that is not read, after [`GRACE`].
    async fn append(&self, journal: &Mutex<AsyncWriter>, record: &Record) -> Result<Option<Exit>, Error> {
        let line = record.to_line().into();
        let written = async { journal.lock().await.write(&line).await };
        let grace = async {
            stopped(&self.stop).await;
            sleep(GRACE).await;
        };
        let cause = tokio::select! {
            // The write comes first: a line that was written is not counted as lost.
            biased;
            written = written => match (written.error, *self.stop.borrow()) {
                (None, _) => return Ok(None),
                (Some(error), None) => return Err(error),
                (Some(Error::Journal { source, .. }), Some(_)) => os_reason(&source),
                (Some(error), Some(_)) => error.to_string(),
            },
            () = grace => format!("the write took longer than {GRACE:?}"),
        };
        let mut state = self.state.borrow_mut();
        if state.unrecorded == 0 {
            state.cause = cause;
        }
        state.unrecorded += 1;
        Ok(*self.stop.borrow())
    }

    /// The warning about attempts that the journal at `path` lacks, at the end of a run.
    pub(crate) fn unrecorded(&self, path: Option<&Path>) -> Option<String> {
        let RecorderState { unrecorded, cause, .. } = &*self.state.borrow();
        if *unrecorded == 0 {
            return None;
        }
        let path = path.unwrap_or(Path::new("the journal")).display();
        let noun = if *unrecorded == 1 { "attempt" } else { "attempts" };
        Some(format!("interrupted: {path} lacks {unrecorded} {noun}: {cause}"))
    }
}
