//! Files that grow while they are read.

use std::fs::Metadata;
use std::io::{self, Read};
use std::path::Path;

/// Counts the bytes that are read from an input, and may end the input early.
#[derive(Debug)]
pub(crate) struct CountingReader<R> {
    input: R,
    count: u64,
    /// The bytes from this offset on are not read.
    end: u64,
}

impl<R> CountingReader<R> {
    pub(crate) fn new(input: R) -> Self {
        CountingReader { input, count: 0, end: u64::MAX }
    }

    pub(crate) fn get(&self) -> &R {
        &self.input
    }

    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.input
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Ends the input at this offset.
    pub(crate) fn end_at(&mut self, offset: u64) {
        self.end = offset;
    }
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.count)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let length = self.input.read(&mut buffer[..wanted])?;
        self.count += length as u64;
        Ok(length)
    }
}

/// The identity of a file when it was opened.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    path: String,
    identity: Option<(u64, u64)>,
}

impl OpenedFile {
    /// Identifies the file that is at this path now.
    pub(crate) fn at(path: &str) -> Self {
        let identity = std::fs::metadata(path).ok().as_ref().and_then(identity);
        OpenedFile { path: path.to_owned(), identity }
    }

    /// Whether another file is at the path, or a file shorter than the bytes that were read. A missing file may come
    /// back.
    pub(crate) fn is_replaced(&self, read: u64) -> bool {
        let Ok(now) = std::fs::metadata(&self.path) else { return false };
        now.is_file() && (now.len() < read || identity(&now) != self.identity)
    }
}

/// Whether two paths lead to one file.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| std::fs::metadata(path).ok().as_ref().and_then(identity);
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    let is_same_file = identity(one).is_some_and(|one| identity(other) == Some(one));
    is_same_file || canonical(one).is_some_and(|one| canonical(other) == Some(one))
}

/// The device and inode of a file; `None` where the system has neither.
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
    fn a_file_that_was_truncated_or_replaced_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooks.jsonl");
        fs::write(&path, "12345").unwrap();
        let opened = OpenedFile::at(path.to_str().unwrap());
        assert!(!opened.is_replaced(5));
        assert!(opened.is_replaced(6), "shorter than the bytes that were read");
        // Not deleted, so that the new file gets another inode.
        fs::rename(&path, folder.path().join("old")).unwrap();
        assert!(!opened.is_replaced(5), "it may come back");
        fs::write(&path, "1234567").unwrap();
        assert_eq!(opened.is_replaced(5), cfg!(unix));
    }
}
