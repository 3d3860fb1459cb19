//! The journal: records appended line by line, and read back.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::Error;

/// The longest line that is read: a body of 64 MiB with every byte escaped is not a webhook any more.
pub const MAX_LINE: u64 = 256 * 1024 * 1024;

/// A journal that is appended to. Every record goes out in one write, so that a crash can tear the last line only.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: String,
    /// Whether the last write failed, maybe within a line.
    failed: bool,
}

impl Journal {
    /// Opens it for appending; makes it, readable by its owner alone, when it is not there. Behind a torn last line the
    /// next record starts on a new one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let failed = |source| Error::Journal { path: shown.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        if is_torn(&mut file) {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Journal { file, path: shown, failed: false })
    }

    /// Appends one line, which brings its newline along. Behind a write that failed within a line, it starts on a new
    /// one: a full disk must not cost the delivery after it.
    pub fn append(&mut self, line: &[u8]) -> Result<(), Error> {
        let written = if self.failed && is_torn(&mut self.file) {
            self.file.write_all(&[b"\n", line].concat())
        } else {
            self.file.write_all(line)
        };
        self.failed = written.is_err();
        written.map_err(|source| Error::Journal { path: self.path.clone(), source })
    }
}

/// Whether the file ends within a line. A pipe or a device has no end to be torn.
fn is_torn(file: &mut File) -> bool {
    let mut last = [0];
    let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    regular && file.seek(SeekFrom::End(-1)).is_ok() && file.read_exact(&mut last).is_ok() && last != *b"\n"
}

/// What a reader of lines came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A line, without its newline.
    Line,
    /// The beginning of one that the file does not end yet.
    Torn,
    /// One beyond [`MAX_LINE`], which was passed over.
    TooLong,
    /// There is nothing more.
    End,
}

/// Reads the next line, of which `line` may hold the beginning.
pub fn next_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Next> {
    next_within(MAX_LINE, input, line)
}

fn next_within(limit: u64, input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Next> {
    let room = limit.saturating_sub(line.len() as u64);
    Read::take(&mut *input, room).read_until(b'\n', line)?;
    match line.last() {
        None => Ok(Next::End),
        Some(b'\n') => {
            line.pop();
            Ok(Next::Line)
        }
        Some(_) if line.len() as u64 == limit => {
            input.skip_until(b'\n')?;
            Ok(Next::TooLong)
        }
        Some(_) => Ok(Next::Torn),
    }
}

/// The sentence about a line that was passed over for its length.
pub fn too_long(name: &str, number: usize) -> String {
    format!("{name}, line {number} is longer than 256 MiB and left out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_not_continued() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hooks.jsonl");
        std::fs::write(&path, "{\"a\":1}\n{\"b\":").unwrap();
        Journal::open(&path).unwrap().append(b"{\"c\":3}\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\":\n{\"c\":3}\n");
        Journal::open(&path).unwrap().append(b"{\"d\":4}\n").unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("{\"c\":3}\n{\"d\":4}\n"));
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let mut input = &b"one\n123456\n1234567\n\ntwo\nthr"[..];
        let mut found = Vec::new();
        loop {
            let mut line = Vec::new();
            match next_within(7, &mut input, &mut line).unwrap() {
                Next::End => break,
                next => found.push((next, String::from_utf8(line).unwrap())),
            }
        }
        let text = |next, text: &str| (next, text.to_owned());
        let expected = [
            text(Next::Line, "one"),
            text(Next::Line, "123456"),
            text(Next::TooLong, "1234567"),
            text(Next::Line, ""),
            text(Next::Line, "two"),
            text(Next::Torn, "thr"),
        ];
        assert_eq!(found, expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_journal_belongs_to_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hooks.jsonl");
        Journal::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
