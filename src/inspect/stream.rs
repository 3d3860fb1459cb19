//! One journal under way.

use std::io::{self, BufRead, Chain, Cursor, Read};

use jiff::Timestamp;
use memchr::memrchr;

use crate::error::Error;
use crate::journal::Record;
use crate::journal::file;
use crate::journal::input;
use crate::journal::input::{Input, InputHead};
use crate::journal::tail::{CountingReader, OpenedFile};
use crate::journal::{Parsed, Summary};

/// How much of a file is looked at together: enough to be worth a thread, too little to be noticed in memory.
const BATCH: usize = 1 << 20;

/// Lines of a journal, each with its newline; at the end of a file that may be missing.
#[derive(Default)]
pub(crate) struct LineBatchRead {
    /// The lines.
    pub(crate) bytes: Vec<u8>,
    /// Whether a line that is too long to be read stood here.
    pub(crate) is_too_long: bool,
}

/// What is left between two batches.
#[derive(Default)]
struct Rest {
    /// The beginning of a line that did not end yet.
    line: Vec<u8>,
    /// Whether we are within a line that is too long.
    is_skipped: bool,
}

/// One journal under way.
pub(crate) struct JournalStream {
    /// How to speak of it.
    pub(crate) name: String,
    source: String,
    input: CountingReader<Chain<Cursor<Vec<u8>>, Input>>,
    rest: Rest,
    /// How many lines were taken from it.
    pub(crate) number: usize,
    /// When its first delivery came.
    pub(crate) begins: Option<Timestamp>,
    opened: OpenedFile,
    /// How large it was when it was opened, where that is known.
    pub(crate) size: Option<u64>,
}

impl JournalStream {
    /// A journal of which the head was read already.
    pub(crate) fn new(source: &str, head: InputHead, input: Input) -> Self {
        let head = head.lines();
        JournalStream {
            name: input::name(source).to_owned(),
            source: source.to_owned(),
            begins: first_time(&head),
            input: CountingReader::new(Read::chain(Cursor::new(head), input)),
            rest: Rest::default(),
            number: 0,
            opened: OpenedFile::at(source),
            size: input::size(source),
        }
    }

    /// Begins again with the file that is at its path now.
    pub(crate) fn turn(&mut self) -> Result<(), Error> {
        *self = JournalStream::new(&self.source, InputHead::default(), Input::open(&self.source)?);
        Ok(())
    }

    /// Whether its file was cut, or another is at its path now.
    pub(crate) fn is_replaced(&self) -> bool {
        self.opened.is_replaced(self.input.read())
    }

    /// How many bytes were read of it.
    pub(crate) fn read(&self) -> u64 {
        self.input.read()
    }

    /// Whether it is a file: that can be read ahead, and lines may be added to it. Whoever waits for a pipe must not keep
    /// back what has come.
    pub(crate) fn is_file(&self) -> bool {
        self.size.is_some()
    }

    /// Whether more of it may come through a pipe.
    pub(crate) fn is_open(&self) -> bool {
        self.input.get().get_ref().1.is_open()
    }

    /// Waits until more has come through the pipe, or no more will.
    pub(crate) async fn wait(&mut self) {
        self.input.inner().get_mut().1.wait().await;
    }

    /// The next lines; `None` when there are no more for now. A last one without its end is kept where the journal
    /// `is_followed`.
    pub(crate) fn batch(&mut self, spare: Vec<u8>, is_followed: bool) -> Result<Option<LineBatchRead>, Error> {
        let wanted = if self.is_file() { BATCH } else { 0 };
        let may_go_on = is_followed && self.is_file();
        let read = read(&mut self.input, &mut self.rest, spare, wanted, file::MAX_LINE as usize, may_go_on);
        read.map_err(|source| Error::Read { what: self.name.clone(), source })
    }

    /// A last line that was left without its end.
    pub(crate) fn last(&mut self) -> Option<LineBatchRead> {
        let bytes = std::mem::take(&mut self.rest.line);
        (!bytes.is_empty()).then_some(LineBatchRead { bytes, is_too_long: false })
    }
}

/// Reads `wanted` bytes or what is at hand, and to the end of a line.
fn read(
    input: &mut dyn BufRead,
    rest: &mut Rest,
    mut bytes: Vec<u8>,
    wanted: usize,
    limit: usize,
    may_go_on: bool,
) -> io::Result<Option<LineBatchRead>> {
    bytes.clear();
    bytes.append(&mut rest.line);
    let (mut end, mut may_go_on) = (None, may_go_on);
    while end.is_none() || bytes.len() < wanted {
        let new = match input.fill_buf() {
            Ok([]) => break,
            Ok(new) => new,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // Nothing more for now: it comes through a pipe.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                may_go_on = true;
                break;
            }
            Err(error) => return Err(error),
        };
        if rest.is_skipped {
            let newline = memchr::memchr(b'\n', new);
            let length = newline.map_or(new.len(), |place| place + 1);
            rest.is_skipped = newline.is_none();
            input.consume(length);
            continue;
        }
        let (before, length) = (bytes.len(), new.len());
        bytes.extend_from_slice(new);
        input.consume(length);
        end = memrchr(b'\n', &bytes[before..]).map(|place| before + place + 1).or(end);
        if end.is_none() && bytes.len() > limit {
            bytes.clear();
            rest.is_skipped = true;
            return Ok(Some(LineBatchRead { bytes, is_too_long: true }));
        }
    }
    if end.is_none() && !may_go_on {
        end = (!bytes.is_empty()).then_some(bytes.len());
    }
    rest.line.extend_from_slice(&bytes[end.unwrap_or(0)..]);
    bytes.truncate(end.unwrap_or(0));
    Ok(end.map(|_| LineBatchRead { bytes, is_too_long: false }))
}

/// When the first delivery came of which these are the first lines.
fn first_time(lines: &[u8]) -> Option<Timestamp> {
    lines.split(|byte| *byte == b'\n').find_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let whole = || match Record::parse(line) {
            Ok(Parsed::Delivery(record)) => Some(record.at),
            _ => None,
        };
        Summary::parse(line).map(|glance| glance.at).or_else(whole)
    })
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// The batches of a text that comes in pieces of `piece` bytes, and what was kept.
    fn batches(text: &str, piece: usize, wanted: usize, may_grow: bool) -> (Vec<String>, String) {
        let mut input = BufReader::with_capacity(piece, text.as_bytes());
        let (mut rest, mut found) = (Rest::default(), Vec::new());
        while let Some(batch) = read(&mut input, &mut rest, Vec::new(), wanted, 7, may_grow).unwrap() {
            let lines = String::from_utf8(batch.bytes).unwrap();
            found.push(if batch.is_too_long { "too long".to_owned() } else { lines });
        }
        (found, String::from_utf8(rest.line).unwrap())
    }

    #[test]
    fn lines_come_whole_and_together() {
        assert_eq!(batches("a\nb\nc\n", 3, 0, false).0, ["a\n", "b\nc\n"]);
        assert_eq!(batches("a\nb\nc\n", 3, 3, false).0, ["a\n", "b\nc\n"]);
        assert_eq!(batches("a\nb\nc\n", 3, 4, false).0, ["a\nb\nc\n"]);
    }

    #[test]
    fn a_line_that_may_go_on_is_kept() {
        assert_eq!(batches("a\nbc", 3, 0, true), (vec!["a\n".into()], "bc".into()));
        assert_eq!(batches("a\nbc", 3, 0, false), (vec!["a\n".into(), "bc".into()], String::new()));
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        assert_eq!(batches("a\n123456789012\nb\n", 2, 0, false).0, ["a\n", "too long", "b\n"]);
    }
}
