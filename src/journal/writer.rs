//! Journal writes from an async task. A slow disk or an unread pipe does not block other tasks.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::file::{Journal, Written};
use crate::error::Error;

/// Time for the journal to take lines, where it is a pipe or each write is synced to the disk.
pub(crate) const WRITE_TIME: Duration = Duration::from_secs(5);

/// Why nothing is written any more.
const STOPPED: &str = "its writer stopped";

/// Writes lines to the journal, each write within a time limit.
pub(crate) struct AsyncWriter {
    state: WriterState,
    limit: Duration,
    path: String,
}

/// Whether a write is under way.
enum WriterState {
    /// No write is under way.
    Idle(Journal),
    /// A blocking thread writes to a pipe, or to a file that is synced, and returns the journal.
    Writing(JoinHandle<(Journal, Written)>),
    /// The writing thread has panicked, and the journal is lost.
    Dead,
}

impl AsyncWriter {
    pub(crate) fn new(journal: Journal, limit: Duration) -> Self {
        let path = journal.path().display().to_string();
        AsyncWriter { state: WriterState::Idle(journal), limit, path }
    }

    /// Writes lines. A write that exceeds the time limit counts as not written, though its bytes may still arrive. A
    /// caller that stops waiting loses nothing: the next write finds this one under way.
    pub(crate) async fn write(&mut self, lines: &Bytes) -> Written {
        let mut begun_again = false;
        if matches!(self.state, WriterState::Writing(_)) {
            // The write before this one has used up its time already.
            match self.finish(Duration::ZERO).await {
                // The late write was counted as not written; a new file that it began was not reported yet.
                Ok(late) => begun_again = late.begun_again,
                Err(source) => return self.failed(source),
            }
        }
        let WriterState::Idle(mut journal) = std::mem::replace(&mut self.state, WriterState::Dead) else {
            return self.failed(io::Error::other(STOPPED));
        };
        if !journal.is_slow() {
            let written = journal.write(lines).after(begun_again);
            self.state = WriterState::Idle(journal);
            return written;
        }
        let lines = lines.clone();
        self.state = WriterState::Writing(spawn_blocking(move || {
            let written = journal.write(&lines).after(begun_again);
            (journal, written)
        }));
        self.finish(self.limit).await.unwrap_or_else(|source| self.failed(source))
    }

    /// Waits for the write under way.
    async fn finish(&mut self, limit: Duration) -> io::Result<Written> {
        let WriterState::Writing(writing) = &mut self.state else { return Err(io::Error::other(STOPPED)) };
        let Ok(done) = timeout(limit, writing).await else {
            let text = format!("it takes longer than {:?}", self.limit);
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        };
        self.state = WriterState::Dead;
        let (journal, written) = done.map_err(io::Error::other)?;
        self.state = WriterState::Idle(journal);
        Ok(written)
    }

    fn failed(&self, source: io::Error) -> Written {
        Written { error: Some(Error::Journal { path: self.path.clone(), source }), ..Written::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_a_late_write_began_again_is_reported_with_the_next_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooks.jsonl");
        for sync in [false, true] {
            let late = Written { begun_again: true, ..Written::default() };
            let journal = Journal::open(&path, sync).unwrap();
            let other = Journal::open(&folder.path().join("other.jsonl"), false).unwrap();
            let mut writer = AsyncWriter::new(other, Duration::from_secs(60));
            let writing = spawn_blocking(move || (journal, late));
            while !writing.is_finished() {
                tokio::task::yield_now().await;
            }
            writer.state = WriterState::Writing(writing);
            let first = writer.write(&Bytes::from_static(b"1\n")).await;
            let second = writer.write(&Bytes::from_static(b"2\n")).await;
            assert!(first.error.is_none() && second.error.is_none(), "{first:?} {second:?}");
            assert_eq!((first.begun_again, second.begun_again), (true, false));
        }
    }
}
