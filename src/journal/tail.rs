//! Files that grow while they are read.

use std::fs::Metadata;
use std::io::{self, BufRead, Read};
use std::path::Path;

/// An input that knows how many bytes were taken from it.
pub(crate) struct CountingReader<R> {
    input: R,
    read: u64,
}

impl<R: BufRead> CountingReader<R> {
    /// Nothing was taken yet.
    pub(crate) fn new(input: R) -> Self {
        CountingReader { input, read: 0 }
    }

    /// What is counted.
    pub(crate) fn inner(&mut self) -> &mut R {
        &mut self.input
    }

    /// The same, to look at.
    pub(crate) fn get(&self) -> &R {
        &self.input
    }

    /// How many bytes were taken.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }
}

impl<R: BufRead> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for CountingReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount as u64;
        self.input.consume(amount);
    }
}

/// A file as it was when it was opened.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    path: String,
    identity: Option<(u64, u64)>,
}

impl OpenedFile {
    /// The file that is at this path now.
    pub(crate) fn at(path: &str) -> Self {
        let identity = std::fs::metadata(path).ok().as_ref().and_then(identity);
        OpenedFile { path: path.to_owned(), identity }
    }

    /// Whether there is another file at its path now, or it is shorter than what was read of it. One that is gone may
    /// come back.
    pub(crate) fn is_replaced(&self, read: u64) -> bool {
        let Ok(now) = std::fs::metadata(&self.path) else { return false };
        now.is_file() && (now.len() < read || identity(&now) != self.identity)
    }
}

/// Whether two paths lead to one file.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let known = |path: &Path| std::fs::metadata(path).ok().as_ref().and_then(identity);
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    known(one).is_some_and(|one| known(other) == Some(one)) || place(one).is_some_and(|one| place(other) == Some(one))
}

/// What tells a file from every other; nothing where the system has no such thing.
pub(crate) fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_was_cut_or_replaced_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooks.jsonl");
        fs::write(&path, "12345").unwrap();
        let opened = OpenedFile::at(path.to_str().unwrap());
        assert!(!opened.is_replaced(5));
        assert!(opened.is_replaced(6), "it is shorter than what was read");
        // Kept, so that its place in the file system is not taken again.
        fs::rename(&path, folder.path().join("old")).unwrap();
        assert!(!opened.is_replaced(5), "it may come back");
        fs::write(&path, "1234567").unwrap();
        assert_eq!(opened.is_replaced(5), cfg!(unix));
    }
}
