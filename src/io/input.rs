//! Files and standard input, read whole and bounded.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;

use crate::error::Error;

/// The largest payload that is read from a file or standard input: 64 MiB. Providers stay below 20 MB.
pub const MAX_PAYLOAD: u64 = 64 * 1024 * 1024;

/// The name of standard input on the command line.
pub const STDIN: &str = "-";

/// What to call an input in a message.
pub fn name(source: &str) -> &str {
    if source == STDIN { "standard input" } else { source }
}

/// Opens a file or, for `-`, standard input.
pub fn open(source: &str) -> Result<Box<dyn BufRead>, Error> {
    if source == STDIN {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let failed = |error| Error::Read { what: source.to_owned(), source: error };
    let file = File::open(source).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    Ok(Box::new(BufReader::new(file)))
}

/// Reads a payload whole.
pub fn payload(source: &str) -> Result<Bytes, Error> {
    rest(name(source), Vec::new(), &mut *open(source)?)
}

/// Reads the rest of a payload, of which `bytes` were read already.
pub fn rest(name: &str, mut bytes: Vec<u8>, input: &mut dyn BufRead) -> Result<Bytes, Error> {
    let read = Read::take(input, MAX_PAYLOAD + 1).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { what: name.to_owned(), source })?;
    if bytes.len() as u64 > MAX_PAYLOAD {
        return Err(Error::TooLarge { what: name.to_owned(), limit: MAX_PAYLOAD });
    }
    Ok(Bytes::from(bytes))
}
