//! The records of a journal, one after the other.

use super::parse::{Damage, Parsed, line_text};
use super::reader::{JournalReader, LineBatch, too_long};
use super::record::Record;
use crate::error::Error;

/// Reads the records of a journal with blocking reads. Holds one batch of lines in memory.
#[derive(Debug)]
pub(crate) struct RecordReader {
    journal: JournalReader,
    batch: LineBatch,
    /// Where the next line of the batch starts.
    start: usize,
}

/// A line that [`RecordReader::next_record`] returns.
pub(crate) enum RecordLine {
    Delivery(Box<Record>),
    /// The note about a line that was left out.
    LeftOut(String),
}

impl RecordReader {
    pub(crate) fn new(journal: JournalReader) -> Self {
        RecordReader { journal, batch: LineBatch::default(), start: 0 }
    }

    /// Whether the journal is a file, which can be read again.
    pub(crate) fn is_file(&self) -> bool {
        self.journal.is_file()
    }

    /// Whether the file was truncated, or another file is at its path.
    pub(crate) fn is_replaced(&self) -> bool {
        self.journal.is_replaced()
    }

    /// The offset of the first byte whose line was not parsed yet.
    pub(crate) fn position(&self) -> u64 {
        self.journal.lines_end() - (self.batch.bytes.len() - self.start) as u64
    }

    /// Ends the journal at this offset, even within a line.
    pub(crate) fn end_at(&mut self, position: u64) {
        self.journal.end_at(position);
    }

    /// The next delivery or line that was left out; `None` at the end.
    pub(crate) fn next_record(&mut self) -> Result<Option<RecordLine>, Error> {
        loop {
            let rest = &self.batch.bytes[self.start..];
            if rest.is_empty() {
                let buffer = std::mem::take(&mut self.batch.bytes);
                self.start = 0;
                let Some(batch) = self.journal.next_batch(buffer, false)? else { return Ok(None) };
                self.batch = batch;
                if self.batch.is_too_long {
                    self.journal.lines += 1;
                    return Ok(Some(RecordLine::LeftOut(too_long(&self.journal.name, self.journal.lines))));
                }
                continue;
            }
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let parsed = parse(&rest[..end]);
            self.start = (self.start + end + 1).min(self.batch.bytes.len());
            self.journal.lines += 1;
            match parsed {
                Ok(Some(Parsed::Delivery(record))) => return Ok(Some(RecordLine::Delivery(record))),
                Ok(Some(Parsed::Other(_)) | None) => {}
                Err(damage) => {
                    let place = format!("{}, line {}", self.journal.name, self.journal.lines);
                    return Ok(Some(RecordLine::LeftOut(damaged(&place, &damage.0))));
                }
            }
        }
    }
}

/// The note about the damaged line at this place: `hooks.jsonl, line 3`.
pub(crate) fn damaged(place: &str, damage: &str) -> String {
    format!("{place} is damaged and left out: {damage}")
}

/// `None` for a blank line.
fn parse(line: &[u8]) -> Result<Option<Parsed>, Damage> {
    line_text(line)?.map(Record::parse).transpose()
}
