//! A journal whose received deliveries are sent again.

use crate::error::Error;
use crate::journal::Record;
use crate::journal::input::{self, Input, InputHead};
use crate::journal::reader::JournalReader;
use crate::journal::records::{RecordLine, RecordReader};
use crate::payload::headers::REDACTED;

/// Reads the received deliveries of a journal, in the journal's order, and counts the deliveries for the notes.
#[derive(Debug)]
pub(crate) struct Replay {
    source: String,
    records: RecordReader,
    /// Notes about lines that were left out.
    left_out: Vec<String>,
    /// Deliveries whose body exceeded a limit of the listener.
    without_body: usize,
    /// Deliveries with a header value that was redacted.
    redacted: usize,
    /// Deliveries whose signature was invalid when they were recorded.
    invalid: usize,
}

impl Replay {
    pub(crate) fn new(source: &str, head: InputHead, input: Input) -> Self {
        Replay {
            source: source.to_owned(),
            records: RecordReader::new(JournalReader::new(source, head, input)),
            left_out: Vec::new(),
            without_body: 0,
            redacted: 0,
            invalid: 0,
        }
    }

    /// Whether the journal can be read again: it is a file, not a pipe.
    pub(crate) fn is_file(&self) -> bool {
        self.records.is_file()
    }

    /// Reads the journal again from its beginning, to the byte where this pass is now: the notes of this pass stay true,
    /// though lines were appended since, or a torn last line was completed.
    pub(crate) fn again(&self) -> Result<Self, Error> {
        if self.records.is_replaced() {
            let source = std::io::Error::other("another file took its place while it was read");
            return Err(Error::Read { what: input::name(&self.source).to_owned(), source });
        }
        let mut input = Input::open(&self.source)?;
        let head = InputHead::read(input::name(&self.source), &mut input)?;
        let mut replay = Replay::new(&self.source, head, input);
        replay.records.end_at(self.records.position());
        Ok(replay)
    }

    pub(crate) fn next_record(&mut self) -> Result<Option<Box<Record>>, Error> {
        while let Some(line) = self.records.next_record()? {
            match line {
                RecordLine::LeftOut(note) => self.left_out.push(note),
                RecordLine::Delivery(record) if record.sent.is_some() => {}
                RecordLine::Delivery(record) if !record.body_was_read() => self.without_body += 1,
                RecordLine::Delivery(record) => {
                    let is_redacted = record.delivery.headers.iter().any(|(_, value)| value == REDACTED);
                    self.redacted += usize::from(is_redacted);
                    self.invalid += usize::from(record.verdict.is_invalid());
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }

    /// The notes after all deliveries were read. With a secret, deliveries with an invalid signature get a valid one.
    pub(crate) fn notes(&self, has_secret: bool) -> Vec<String> {
        let name = input::name(&self.source);
        let mut notes = self.left_out.clone();
        let mut add = |count: usize, text: &str| {
            if count > 0 {
                notes.push(format!("{name}: {count} of the deliveries {text}"));
            }
        };
        add(self.without_body, "cannot be sent again: their bodies exceeded a limit and were not recorded");
        add(self.redacted, "are sent without the header values that were redacted when they were recorded");
        if self.invalid > 0 && has_secret {
            notes.push(format!(
                "{name}: {} of the deliveries failed verification when they were recorded, and are now signed with your \
                 secret; to leave them out: hookctl inspect {} --verdict verified --json | hookctl send -",
                self.invalid, self.source
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn bodies(replay: &mut Replay) -> Vec<String> {
        let mut bodies = Vec::new();
        while let Some(record) = replay.next_record().unwrap() {
            bodies.push(String::from_utf8_lossy(&record.delivery.body).into_owned());
        }
        bodies
    }

    fn line(body: &str) -> String {
        serde_json::json!({"type": "delivery", "v": 1, "at": "2026-11-20T21:23:10Z", "method": "POST",
                           "target": "/", "http": "1.1", "headers": [], "body": body})
        .to_string()
    }

    #[test]
    fn the_second_pass_reads_the_bytes_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooks.jsonl");
        let (first, second, third) = (line("1"), line("2"), line("3"));
        // The last line is torn, or complete but for its newline.
        for (length, expected) in [(second.len() / 2, vec!["1"]), (second.len(), vec!["1", "2"])] {
            fs::write(&path, format!("{first}\n{}", &second[..length])).unwrap();
            let source = path.to_str().unwrap();
            let mut input = Input::open(source).unwrap();
            let head = InputHead::read(source, &mut input).unwrap();
            let mut replay = Replay::new(source, head, input);
            assert_eq!(bodies(&mut replay), expected);
            fs::write(&path, format!("{first}\n{second}\n{third}\n")).unwrap();
            let mut again = replay.again().unwrap();
            assert_eq!(bodies(&mut again), expected);
            assert_eq!(again.notes(false), replay.notes(false));
        }
    }
}
