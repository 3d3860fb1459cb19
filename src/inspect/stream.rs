//! One journal under way.

use std::io::{self, BufRead, Cursor};

use memchr::memrchr;

use crate::error::Error;
use crate::io::tail::{Counted, Opened};
use crate::io::{input, journal};

/// How much of a file is looked at together: enough to be worth a thread, too little to be noticed in memory.
const BATCH: usize = 1 << 20;

/// Lines of a journal, each with its newline; at the end of a file that may be missing.
#[derive(Default)]
pub struct Batch {
    /// The lines.
    pub bytes: Vec<u8>,
    /// Whether a line that is too long to be read stood here.
    pub is_too_long: bool,
}

/// One journal under way.
pub struct Stream {
    /// How to speak of it.
    pub name: String,
    source: String,
    input: Counted<Box<dyn BufRead>>,
    /// The beginning of a line that did not end yet.
    rest: Vec<u8>,
    /// How many lines were taken from it.
    pub number: usize,
    opened: Opened,
    /// How large it was when it was opened, where that is known.
    pub size: Option<u64>,
}

impl Stream {
    /// A journal of which `head` was read already.
    pub fn new(source: &str, head: Vec<u8>, input: Box<dyn BufRead>) -> Self {
        Stream {
            name: input::name(source).to_owned(),
            source: source.to_owned(),
            input: Counted::new(Box::new(std::io::Read::chain(Cursor::new(head), input))),
            rest: Vec::new(),
            number: 0,
            opened: Opened::at(source),
            size: input::size(source),
        }
    }

    /// Begins again with the file that is at its path now.
    pub fn turn(&mut self) -> Result<(), Error> {
        *self = Stream::new(&self.source, Vec::new(), input::open(&self.source)?);
        Ok(())
    }

    /// Whether its file was cut, or another is at its path now.
    pub fn is_replaced(&self) -> bool {
        self.opened.is_replaced(self.input.read())
    }

    /// How many bytes were read of it.
    pub fn read(&self) -> u64 {
        self.input.read()
    }

    /// Whether it is a file, which can be read ahead: whoever waits for a pipe must not keep back what has come.
    pub fn is_file(&self) -> bool {
        self.size.is_some()
    }

    /// The next lines; `None` when there are no more. One that may go on is kept where the journal `may_grow`.
    pub fn batch(&mut self, spare: Vec<u8>, may_grow: bool) -> Result<Option<Batch>, Error> {
        let wanted = if self.is_file() { BATCH } else { 0 };
        let read = read(&mut self.input, &mut self.rest, spare, wanted, journal::MAX_LINE as usize, may_grow);
        read.map_err(|source| Error::Read { what: self.name.clone(), source })
    }
}

/// Reads `wanted` bytes or what is at hand, and to the end of a line.
fn read(
    input: &mut dyn BufRead,
    rest: &mut Vec<u8>,
    mut bytes: Vec<u8>,
    wanted: usize,
    limit: usize,
    may_grow: bool,
) -> io::Result<Option<Batch>> {
    bytes.clear();
    bytes.append(rest);
    let mut end = None;
    while end.is_none() || bytes.len() < wanted {
        let new = match input.fill_buf() {
            Ok([]) => break,
            Ok(new) => new,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (before, length) = (bytes.len(), new.len());
        bytes.extend_from_slice(new);
        input.consume(length);
        end = memrchr(b'\n', &bytes[before..]).map(|place| before + place + 1).or(end);
        if end.is_none() && bytes.len() > limit {
            input.skip_until(b'\n')?;
            bytes.clear();
            return Ok(Some(Batch { bytes, is_too_long: true }));
        }
    }
    if end.is_none() && !may_grow {
        end = (!bytes.is_empty()).then_some(bytes.len());
    }
    rest.extend_from_slice(&bytes[end.unwrap_or(0)..]);
    bytes.truncate(end.unwrap_or(0));
    Ok(end.map(|_| Batch { bytes, is_too_long: false }))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// The batches of a text that comes in pieces of `piece` bytes, and what was kept.
    fn batches(text: &str, piece: usize, wanted: usize, may_grow: bool) -> (Vec<String>, String) {
        let mut input = BufReader::with_capacity(piece, text.as_bytes());
        let (mut rest, mut found) = (Vec::new(), Vec::new());
        while let Some(batch) = read(&mut input, &mut rest, Vec::new(), wanted, 7, may_grow).unwrap() {
            let lines = String::from_utf8(batch.bytes).unwrap();
            found.push(if batch.is_too_long { "too long".to_owned() } else { lines });
        }
        (found, String::from_utf8(rest).unwrap())
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
