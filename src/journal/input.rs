//! Files, pipes and standard input, read within limits.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;

use super::parse::is_journal_line;
use super::pipe::Pipe;
use crate::error::Error;
use crate::payload::builtin;

/// The largest payload that is read from a file or standard input: 64 MiB. Providers stay below 20 MB.
pub(crate) const MAX_PAYLOAD: u64 = 64 * 1024 * 1024;

/// The longest line that is read: 256 MiB. A body of 64 MiB with every byte escaped is not a webhook any more.
pub(crate) const MAX_LINE: usize = 256 * 1024 * 1024;

/// Bytes read from a file at a time.
const BUFFER: usize = 256 * 1024;

/// The name of standard input on the command line.
pub(crate) const STDIN: &str = "-";

/// The name of an input in messages.
pub(crate) fn name(source: &str) -> &str {
    if source == STDIN { "standard input" } else { source }
}

/// Opens a file, standard input for `-`, or a built-in payload where no file has its name.
pub(crate) fn open(source: &str) -> Result<Box<dyn BufRead>, Error> {
    if source == STDIN {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let failed = |error| Error::Read { what: source.to_owned(), source: error };
    let file = match (File::open(source), builtin::find(source)) {
        (Err(error), Some(builtin)) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Box::new(builtin.text().as_bytes()));
        }
        (file, _) => file.map_err(failed)?,
    };
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
}

/// A source of `inspect`, whose reads do not block.
pub(crate) enum Input {
    File(Box<dyn BufRead>),
    Pipe(Pipe),
}

impl fmt::Debug for Input {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if matches!(self, Input::File(_)) { "File" } else { "Pipe" })
    }
}

impl Input {
    /// Opens a source as [`open`] does.
    pub(crate) fn open(source: &str) -> Result<Self, Error> {
        if source == STDIN {
            return Ok(Input::Pipe(Pipe::open(io::stdin())));
        }
        let is_special = std::fs::metadata(source).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if is_special {
            let file = File::open(source).map_err(|error| Error::Read { what: source.to_owned(), source: error })?;
            return Ok(Input::Pipe(Pipe::open(file)));
        }
        Ok(Input::File(open(source)?))
    }

    /// Whether the source is a pipe that is open.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Input::Pipe(pipe) if pipe.is_open())
    }

    /// Waits until there is more to read, or the pipe is closed.
    pub(crate) async fn wait(&mut self) {
        if let Input::Pipe(pipe) = self {
            pipe.wait().await;
        }
    }

    fn inner(&mut self) -> &mut dyn BufRead {
        match self {
            Input::File(file) => file,
            Input::Pipe(pipe) => pipe,
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner().read(buffer)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner().fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner().consume(amount);
    }
}

/// The size of a file; `None` for standard input, a pipe or a device.
pub(crate) fn size(source: &str) -> Option<u64> {
    let metadata = std::fs::metadata(source).ok().filter(|metadata| source != STDIN && metadata.is_file());
    metadata.map(|metadata| metadata.len())
}

/// Reads a file or standard input whole.
pub(crate) fn payload(source: &str) -> Result<Bytes, Error> {
    rest(name(source), Vec::new(), &mut *open(source)?)
}

fn rest(name: &str, mut bytes: Vec<u8>, input: &mut dyn BufRead) -> Result<Bytes, Error> {
    let read = Read::take(input, MAX_PAYLOAD + 1).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { what: name.to_owned(), source })?;
    if bytes.len() as u64 > MAX_PAYLOAD {
        return Err(Error::TooLarge { what: name.to_owned(), limit: MAX_PAYLOAD });
    }
    Ok(Bytes::from(bytes))
}

/// The first lines of a source, to distinguish a journal from a payload.
#[derive(Default)]
pub(crate) struct InputHead {
    pub(crate) bytes: Vec<u8>,
    /// Whether one of the lines is a journal line.
    pub(crate) is_journal: bool,
}

/// Limits of the head in lines and in bytes. One line is not enough: the first line of a journal may be damaged.
const HEAD_LINES: usize = 100;
const HEAD_BYTES: usize = 1 << 20;

/// Some editors write it before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The number of lines that are JSON by themselves, up to two: a source with two such lines is JSON Lines.
pub(crate) fn json_lines(lines: &[u8]) -> usize {
    let is_json = |line: &&[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    lines.split(|byte| *byte == b'\n').filter(is_json).take(2).count()
}

impl InputHead {
    /// Reads the head of an input that blocks.
    pub(crate) fn read(name: &str, input: &mut dyn BufRead) -> Result<Self, Error> {
        let mut reading = HeadReader::default();
        let read = reading.read(input);
        read.map_err(|source| Error::Read { what: name.to_owned(), source })?;
        Ok(reading.head)
    }

    /// Reads the head of an input that does not block.
    pub(crate) async fn wait(name: &str, input: &mut Input) -> Result<Self, Error> {
        let mut reading = HeadReader::default();
        loop {
            match reading.read(input) {
                Ok(()) => return Ok(reading.head),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => input.wait().await,
                Err(source) => return Err(Error::Read { what: name.to_owned(), source }),
            }
        }
    }

    /// The lines without a byte order mark.
    pub(crate) fn lines(mut self) -> Vec<u8> {
        if self.bytes.starts_with(BYTE_ORDER_MARK) {
            self.bytes.drain(..BYTE_ORDER_MARK.len());
        }
        self.bytes
    }

    /// Reads the whole payload from an input that blocks.
    pub(crate) fn rest(self, name: &str, input: &mut dyn BufRead) -> Result<Bytes, Error> {
        rest(name, self.bytes, input)
    }

    /// Reads the whole payload from an input that does not block.
    pub(crate) async fn wait_for_rest(self, name: &str, input: &mut Input) -> Result<Bytes, Error> {
        let mut bytes = self.bytes;
        loop {
            let limit = (MAX_PAYLOAD + 1).saturating_sub(bytes.len() as u64);
            match Read::take(&mut *input, limit).read_to_end(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => input.wait().await,
                Err(source) => return Err(Error::Read { what: name.to_owned(), source }),
                Ok(_) => return rest(name, bytes, &mut io::empty()),
            }
        }
    }
}

#[derive(Default)]
struct HeadReader {
    head: InputHead,
    /// How many lines are whole.
    lines: usize,
    /// Where the next line begins.
    start: usize,
}

impl HeadReader {
    /// Reads on where the last call returned `WouldBlock`.
    fn read(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        while self.lines < HEAD_LINES && self.start < HEAD_BYTES {
            let bytes = &mut self.head.bytes;
            let limit = MAX_LINE.saturating_sub(bytes.len() - self.start) as u64;
            Read::take(&mut *input, limit).read_until(b'\n', bytes)?;
            let line = &bytes[self.start..];
            let text = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| self.start == 0).unwrap_or(line);
            self.head.is_journal = is_journal_line(text);
            if self.head.is_journal || line.is_empty() {
                break;
            }
            self.lines += 1;
            self.start = bytes.len();
        }
        Ok(())
    }
}
