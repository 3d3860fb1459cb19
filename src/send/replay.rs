//! A journal whose received deliveries are sent again.

use crate::error::Error;
use crate::journal::Record;
use crate::journal::input::{self, Input, InputHead};
use crate::journal::reader::JournalReader;
use crate::journal::records::{RecordLine, RecordReader};
use crate::payload::headers::REDACTED;

/// Reads the received deliveries of a journal, in its order, and counts what else the user should know.
#[derive(Debug)]
pub(crate) struct Replay {
    source: String,
    records: RecordReader,
    /// Later lines were appended since the first pass.
    last_line: usize,
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
            last_line: usize::MAX,
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

    /// Reads the journal again from its beginning, to the line where this pass is now.
    pub(crate) fn again(&self) -> Result<Self, Error> {
        if self.records.is_replaced() {
            let source = std::io::Error::other("another file took its place while it was read");
            return Err(Error::Read { what: input::name(&self.source).to_owned(), source });
        }
        let mut input = Input::open(&self.source)?;
        let head = InputHead::read(input::name(&self.source), &mut input)?;
        Ok(Replay { last_line: self.records.lines(), ..Replay::new(&self.source, head, input) })
    }

    pub(crate) fn next_record(&mut self) -> Result<Option<Box<Record>>, Error> {
        while self.records.lines() < self.last_line {
            match self.records.next_record()? {
                None => return Ok(None),
                Some(RecordLine::LeftOut(note)) => self.left_out.push(note),
                Some(RecordLine::Delivery(record)) if record.sent.is_some() => {}
                Some(RecordLine::Delivery(record)) if !record.body_was_read() => self.without_body += 1,
                Some(RecordLine::Delivery(record)) => {
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
