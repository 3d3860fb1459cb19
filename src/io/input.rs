//! Files and standard input, read whole and bounded.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;

use super::journal;
use crate::error::Error;
use crate::payload::builtin;
use crate::payload::record::is_journal_line;

/// The largest payload that is read from a file or standard input: 64 MiB. Providers stay below 20 MB.
pub const MAX_PAYLOAD: u64 = 64 * 1024 * 1024;

/// How much is read of a file at a time: journals are large.
const BUFFER: usize = 256 * 1024;

/// The name of standard input on the command line.
pub const STDIN: &str = "-";

/// What to call an input in a message.
pub fn name(source: &str) -> &str {
    if source == STDIN { "standard input" } else { source }
}

/// Opens a file, standard input for `-`, or a built-in payload where no file has its name.
pub fn open(source: &str) -> Result<Box<dyn BufRead>, Error> {
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

/// How large a file is; `None` of standard input, a pipe or a device.
pub fn size(source: &str) -> Option<u64> {
    let metadata = std::fs::metadata(source).ok().filter(|metadata| source != STDIN && metadata.is_file());
    metadata.map(|metadata| metadata.len())
}

/// Reads a file or standard input whole.
pub fn payload(source: &str) -> Result<Bytes, Error> {
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

/// The first lines of a source, by which a journal is told from a payload.
pub struct Head {
    /// The lines.
    pub bytes: Vec<u8>,
    /// Whether one of them is a journal's.
    pub is_journal: bool,
}

/// How many lines are looked at: the first of a journal may be damaged.
const HEAD_LINES: usize = 3;

impl Head {
    /// Reads the first lines of an input.
    pub fn read(name: &str, input: &mut dyn BufRead) -> Result<Self, Error> {
        let failed = |source| Error::Read { what: name.to_owned(), source };
        let mut head = Head { bytes: Vec::new(), is_journal: false };
        for _ in 0..HEAD_LINES {
            let before = head.bytes.len();
            Read::take(&mut *input, journal::MAX_LINE).read_until(b'\n', &mut head.bytes).map_err(failed)?;
            let line = &head.bytes[before..];
            head.is_journal = is_journal_line(line);
            if head.is_journal || line.is_empty() {
                break;
            }
        }
        Ok(head)
    }

    /// The whole payload.
    pub fn rest(self, name: &str, input: &mut dyn BufRead) -> Result<Bytes, Error> {
        rest(name, self.bytes, input)
    }
}
