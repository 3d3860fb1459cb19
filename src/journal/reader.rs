//! Reads a journal in batches of whole lines: a file, a pipe, or a file that grows.

use std::io::{self, Chain, Cursor, Read};

use jiff::Timestamp;
use memchr::{memchr, memrchr};

use super::input::{self, Input, InputHead, MAX_LINE};
use super::parse::Parsed;
use super::record::Record;
use super::summary::Summary;
use super::tail::{CountingReader, OpenedFile};
use crate::error::Error;

/// Bytes of a file in one batch: enough to be worth a thread, and little memory.
const BATCH: usize = 1 << 20;

/// The smallest size of one read, in bytes.
const CHUNK: usize = 64 * 1024;

/// Lines of a journal, each with its newline; the last line of a file may lack it.
#[derive(Debug, Default)]
pub(crate) struct LineBatch {
    pub(crate) bytes: Vec<u8>,
    /// Whether the batch is empty and counts as one line, skipped because the line exceeds `MAX_LINE`.
    pub(crate) is_too_long: bool,
}

/// The state between two batches.
#[derive(Debug, Default)]
struct Rest {
    /// The beginning of a line that has not ended yet.
    line: Vec<u8>,
    /// Whether the next bytes belong to a line that exceeds `MAX_LINE`.
    is_skipping: bool,
}

#[derive(Debug)]
pub(crate) struct JournalReader {
    /// The name of the source in messages.
    pub(crate) name: String,
    source: String,
    input: CountingReader<Chain<Cursor<Vec<u8>>, Input>>,
    rest: Rest,
    /// The number of processed lines, for messages: the caller adds the lines of each batch.
    pub(crate) lines: usize,
    /// When the first delivery came.
    pub(crate) begins: Option<Timestamp>,
    opened: OpenedFile,
    /// The size of the file when it was opened; `None` for a pipe.
    pub(crate) size: Option<u64>,
}

impl JournalReader {
    /// Reads a journal from an input whose head was read already.
    pub(crate) fn new(source: &str, head: InputHead, input: Input) -> Self {
        let head = head.lines();
        JournalReader {
            name: input::name(source).to_owned(),
            source: source.to_owned(),
            begins: first_time(&head),
            input: CountingReader::new(Read::chain(Cursor::new(head), input)),
            rest: Rest::default(),
            lines: 0,
            opened: OpenedFile::at(source),
            size: input::size(source),
        }
    }

    /// Reads the file that is at the path now, from its beginning.
    pub(crate) fn reopen(&mut self) -> Result<(), Error> {
        *self = JournalReader::new(&self.source, InputHead::default(), Input::open(&self.source)?);
        Ok(())
    }

    /// Whether the file was truncated, or another file is at its path.
    pub(crate) fn is_replaced(&self) -> bool {
        self.opened.is_replaced(self.bytes_read())
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.input.count()
    }

    /// Ends the journal at this offset, even within a line.
    pub(crate) fn end_at(&mut self, offset: u64) {
        self.input.end_at(offset);
    }

    /// The offset after the last line of the last batch.
    pub(crate) fn lines_end(&self) -> u64 {
        self.bytes_read() - self.rest.line.len() as u64
    }

    /// Whether the journal is a file: it can be read ahead, and it may grow. A pipe is not read ahead, so that no line
    /// is held back.
    pub(crate) fn is_file(&self) -> bool {
        self.size.is_some()
    }

    /// Whether the pipe is open: more lines may come.
    pub(crate) fn is_open(&self) -> bool {
        self.input.get().get_ref().1.is_open()
    }

    /// Waits until there is more to read, or the pipe is closed.
    pub(crate) async fn wait(&mut self) {
        self.input.get_mut().get_mut().1.wait().await;
    }

    /// The next lines, in a buffer that is used again; `None` when there are no more for now. The last line of a file
    /// that `is_followed` is kept back until its newline comes.
    pub(crate) fn next_batch(&mut self, buffer: Vec<u8>, is_followed: bool) -> Result<Option<LineBatch>, Error> {
        let wanted = if self.is_file() { BATCH } else { 0 };
        let left = self.size.unwrap_or_default().saturating_sub(self.bytes_read());
        let chunk = usize::try_from(left).unwrap_or(BATCH).saturating_add(1).clamp(CHUNK, BATCH);
        let may_grow = is_followed && self.is_file();
        let batch = read(&mut self.input, &mut self.rest, buffer, Limits { wanted, chunk, line: MAX_LINE, may_grow });
        batch.map_err(|source| Error::Read { what: self.name.clone(), source })
    }

    /// Returns the last line, kept back by `next_batch` because the line has no newline.
    pub(crate) fn take_unfinished(&mut self) -> Option<LineBatch> {
        let bytes = std::mem::take(&mut self.rest.line);
        (!bytes.is_empty()).then_some(LineBatch { bytes, is_too_long: false })
    }
}

/// The note about a line that was skipped for its length.
pub(crate) fn too_long(name: &str, line: usize) -> String {
    format!("{name}, line {line} is longer than 256 MiB and left out")
}

#[derive(Clone, Copy)]
struct Limits {
    /// A batch is complete with this many bytes and the end of a line.
    wanted: usize,
    /// The size of one read, in bytes.
    chunk: usize,
    /// A longer line is skipped.
    line: usize,
    /// Whether a last line without a newline is kept back, as its writer may append to the line.
    may_grow: bool,
}

/// Reads lines into the buffer, without a copy where the input has none of them buffered: a large file is read straight
/// from the system. The buffer keeps the content of its last use, so that a read need not clear it again.
fn read(input: &mut dyn Read, rest: &mut Rest, mut bytes: Vec<u8>, limits: Limits) -> io::Result<Option<LineBatch>> {
    let mut filled = rest.line.len();
    if bytes.capacity() == 0 {
        // A new allocation is zeroed by the system: no second pass over the memory.
        bytes = vec![0; filled + limits.chunk];
    }
    bytes.resize(bytes.len().max(filled), 0);
    bytes[..filled].copy_from_slice(&rest.line);
    rest.line.clear();
    let mut end = None;
    let mut may_grow = limits.may_grow;
    while end.is_none() || filled < limits.wanted {
        let start = filled;
        bytes.resize(bytes.len().max(start + limits.chunk), 0);
        match input.read(&mut bytes[start..start + limits.chunk]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // The pipe is empty for now.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                may_grow = true;
                break;
            }
            Err(error) => return Err(error),
        }
        if rest.is_skipping {
            let newline = memchr(b'\n', &bytes[start..filled]);
            rest.is_skipping = newline.is_none();
            let skipped = newline.map_or(filled, |newline| start + newline + 1);
            bytes.copy_within(skipped..filled, start);
            filled -= skipped - start;
        }
        end = memrchr(b'\n', &bytes[start..filled]).map(|newline| start + newline + 1).or(end);
        if end.is_none() && filled > limits.line {
            rest.is_skipping = true;
            return Ok(Some(LineBatch { bytes: Vec::new(), is_too_long: true }));
        }
    }
    if end.is_none() && !may_grow {
        end = (filled > 0).then_some(filled);
    }
    rest.line.extend_from_slice(&bytes[end.unwrap_or(0)..filled]);
    bytes.truncate(end.unwrap_or(0));
    Ok(end.map(|_| LineBatch { bytes, is_too_long: false }))
}

/// When the first delivery among these lines came.
fn first_time(lines: &[u8]) -> Option<Timestamp> {
    lines.split(|byte| *byte == b'\n').find_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let of_record = || match Record::parse(line) {
            Ok(Parsed::Delivery(record)) => Some(record.at),
            _ => None,
        };
        Summary::parse_any(line).map(|summary| summary.at).or_else(of_record)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that comes a few bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.1);
            self.0.read(&mut buffer[..length])
        }
    }

    /// The batches of a text that comes `piece` bytes at a time, and the line that was kept back.
    fn batches(text: &str, piece: usize, wanted: usize, may_grow: bool) -> (Vec<String>, String) {
        let mut input = Pieces(text.as_bytes(), piece);
        let (mut rest, mut found) = (Rest::default(), Vec::new());
        let limits = Limits { wanted, chunk: 10, line: 7, may_grow };
        while let Some(batch) = read(&mut input, &mut rest, Vec::new(), limits).unwrap() {
            let lines = String::from_utf8(batch.bytes).unwrap();
            found.push(if batch.is_too_long { "too long".to_owned() } else { lines });
        }
        (found, String::from_utf8(rest.line).unwrap())
    }

    #[test]
    fn a_batch_holds_whole_lines() {
        assert_eq!(batches("a\nb\nc\n", 3, 0, false).0, ["a\n", "b\nc\n"]);
        assert_eq!(batches("a\nb\nc\n", 3, 3, false).0, ["a\n", "b\nc\n"]);
        assert_eq!(batches("a\nb\nc\n", 3, 4, false).0, ["a\nb\nc\n"]);
    }

    #[test]
    fn a_line_that_may_go_on_is_kept_back() {
        assert_eq!(batches("a\nbc", 3, 0, true), (vec!["a\n".into()], "bc".into()));
        assert_eq!(batches("a\nbc", 3, 0, false), (vec!["a\n".into(), "bc".into()], String::new()));
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        for piece in 1..10 {
            let (found, _) = batches("a\n123456789012\nb\n12345678901\n", piece, 0, false);
            let lines: String = found.iter().filter(|batch| *batch != "too long").map(String::as_str).collect();
            assert!(lines.starts_with("a\n") && lines.contains("b\n"), "{found:?}");
        }
        assert_eq!(batches("a\n123456789012\nb\n", 2, 0, false).0, ["a\n", "too long", "b\n"]);
    }
}
