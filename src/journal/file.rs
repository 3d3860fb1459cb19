//! The file of a journal, opened for appending: bytes that count as written are in it.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::tail::identity;
use crate::error::Error;

/// How often a write checks that the file is still at its path. Lines written before that check are in the file that was
/// moved away; a deleted file is noticed with the next write.
const PATH_CHECK: Duration = Duration::from_millis(100);

/// Appends lines, each call in one write, so that a crash can tear the last line only.
///
/// One program writes to a file at a time: when the disk is full, a writer leaves part of a line, which it ends before its
/// next line; the line of another program would continue the torn one.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// Whether bytes count as written only once they are on the disk.
    sync: bool,
    /// `None` while the file cannot be opened.
    opened: Option<Opened>,
    /// Whether the last write failed, maybe within a line.
    failed: bool,
    /// Whether the file ended within a line when it was opened.
    torn: bool,
}

#[derive(Debug)]
struct Opened {
    file: File,
    /// A pipe or a device has no end to be torn, and cannot be replaced.
    regular: bool,
    identity: Option<(u64, u64)>,
    checked: Instant,
}

/// The result of a write.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// How many bytes are in the journal, from the first on.
    pub(crate) bytes: usize,
    /// Why not all bytes are in the journal.
    pub(crate) error: Option<Error>,
    /// Whether the file was no longer at its path, and a new file was begun.
    pub(crate) begun_again: bool,
}

impl Written {
    /// Adds the result of an earlier write that was not reported yet.
    pub(crate) fn after(self, begun_again: bool) -> Self {
        Written { begun_again: self.begun_again || begun_again, ..self }
    }
}

impl Journal {
    /// Opens the file for appending, or creates it, readable by its owner alone. After a torn last line the next record
    /// starts on a new line. With `sync`, bytes count as written only once they are on the disk.
    pub(crate) fn open(path: &Path, sync: bool) -> Result<Self, Error> {
        let mut journal = Journal { path: path.to_owned(), sync, opened: None, failed: false, torn: false };
        journal.reopen()?;
        Ok(journal)
    }

    /// A note for the user about the state of the file when it was opened.
    pub(crate) fn note(&self) -> Option<String> {
        let path = self.path.display();
        self.torn.then(|| format!("{path} ended within a line, as after a crash: the next record starts on a new line"))
    }

    /// Whether the file has lines.
    pub(crate) fn is_begun(&self) -> bool {
        let length = |opened: &Opened| opened.file.metadata().map_or(0, |found| found.len());
        self.opened.as_ref().is_some_and(|opened| opened.regular && length(opened) > 0)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a write may block for long: to a pipe, or to a file that is synced after each write.
    pub(crate) fn is_slow(&self) -> bool {
        self.sync || self.opened.as_ref().is_none_or(|opened| !opened.regular)
    }

    /// Appends lines with their newlines. After a write that failed within a line they start on a new line: a full disk
    /// must not cost the delivery after it.
    pub(crate) fn write(&mut self, lines: &[u8]) -> Written {
        let mut begun_again = self.opened.as_mut().is_some_and(|opened| opened.is_elsewhere(&self.path));
        if begun_again {
            self.opened = None;
        }
        let (mut bytes, mut result) = self.append(lines);
        if bytes > 0 && self.opened.as_ref().is_some_and(Opened::is_deleted) {
            self.opened = None;
            begun_again = true;
            (bytes, result) = self.append(lines);
        }
        self.failed = result.is_err();
        if self.failed && self.opened.as_ref().is_some_and(|opened| !opened.regular) {
            // A pipe whose reader has gone may get another.
            self.opened = None;
        }
        begun_again &= result.is_ok();
        Written { bytes, error: result.err(), begun_again }
    }

    /// Writes lines to the file that is open now. Returns how many of their bytes are in it.
    fn append(&mut self, lines: &[u8]) -> (usize, Result<(), Error>) {
        if self.opened.is_none()
            && let Err(error) = self.reopen()
        {
            return (0, Err(error));
        }
        let Some(Opened { file, regular, .. }) = &mut self.opened else { return (0, Ok(())) };
        let mut bytes = 0;
        let ended = if self.failed && *regular { end_line(file) } else { Ok(false) };
        let written = ended.and_then(|_| write(file, lines, &mut bytes));
        let synced = written.and_then(|()| if self.sync { file.sync_data() } else { Ok(()) });
        if self.sync && synced.is_err() {
            bytes = 0;
        }
        (bytes, synced.map_err(|source| self.error(source)))
    }

    fn reopen(&mut self) -> Result<(), Error> {
        let is_other = std::fs::metadata(&self.path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        let opening = if is_other { open_other(&self.path) } else { open_file(&self.path) };
        let mut file = opening.map_err(|source| self.error(source))?;
        let metadata = file.metadata().map_err(|source| self.error(source))?;
        let regular = metadata.is_file();
        if regular {
            self.lock(&file)?;
            self.torn = end_line(&mut file).map_err(|source| self.error(source))?;
        }
        if self.sync {
            sync_all(&file, regular, &self.path).map_err(|source| self.error(source))?;
        }
        self.failed = false;
        self.opened = Some(Opened { file, regular, identity: identity(&metadata), checked: Instant::now() });
        Ok(())
    }

    /// Locks the file against other writers, on systems whose locks do not keep readers out.
    fn lock(&self, file: &File) -> Result<(), Error> {
        match cfg!(unix).then(|| file.try_lock()) {
            Some(Err(TryLockError::WouldBlock)) => Err(Error::JournalInUse { path: self.path.display().to_string() }),
            // A file system without locks is used without one.
            Some(Ok(()) | Err(TryLockError::Error(_))) | None => Ok(()),
        }
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Journal { path: self.path.display().to_string(), source }
    }
}

impl Opened {
    /// Whether the path leads to no file or to another file; checked now and then.
    fn is_elsewhere(&mut self, path: &Path) -> bool {
        if !self.regular || self.checked.elapsed() < PATH_CHECK {
            return false;
        }
        self.checked = Instant::now();
        match std::fs::metadata(path) {
            Ok(metadata) => identity(&metadata) != self.identity,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Whether the file has no name any more: bytes written to it are lost.
    fn is_deleted(&self) -> bool {
        self.regular && self.file.metadata().is_ok_and(|metadata| is_nameless(&metadata))
    }
}

fn is_nameless(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(metadata) == 0;
    #[cfg(not(unix))]
    {
        // A file that is open cannot be deleted on other systems.
        let _ = metadata;
        false
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens a pipe or a device write-only: with a read end of its own, hookctl would get no error when the last reader closes.
fn open_other(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    {
        use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
        // `O_NONBLOCK` for `open` only, which would otherwise block until a process opens the pipe for reading.
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, OFlags::NONBLOCK.bits().cast_signed());
        let file = options.open(path).map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => {
                io::Error::other("no process has the pipe open for reading")
            }
            _ => error,
        })?;
        let flags = fcntl_getfl(&file)?;
        fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// Syncs a new file to the disk, and the folder that has its name.
fn sync_all(file: &File, regular: bool, path: &Path) -> io::Result<()> {
    if !regular {
        return Err(io::Error::other("it is no file on a disk, which --record-sync asks for"));
    }
    file.sync_all()?;
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Writes all bytes, and counts them as they are written.
fn write(file: &mut File, mut bytes: &[u8], written: &mut usize) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                *written += count;
                bytes = &bytes[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Ends a torn last line with a newline, and returns whether it was torn. On an error nothing may be appended: it could
/// continue a torn line.
fn end_line(file: &mut File) -> io::Result<bool> {
    let mut last = *b"\n";
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let torn = last != *b"\n";
    if torn {
        file.write_all(b"\n")?;
    }
    Ok(torn)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[track_caller]
    fn append(journal: &mut Journal, line: &[u8]) {
        let written = journal.write(line);
        assert!(written.error.is_none(), "{written:?}");
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooks.jsonl");
        (folder, path)
    }

    #[test]
    fn a_torn_last_line_is_not_continued() {
        let (_folder, path) = folder();
        fs::write(&path, "{\"a\":1}\n{\"b\":").unwrap();
        let mut journal = Journal::open(&path, false).unwrap();
        assert!(journal.note().unwrap().contains("ended within a line"));
        append(&mut journal, b"{\"c\":3}\n");
        drop(journal);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\":\n{\"c\":3}\n");
        let mut journal = Journal::open(&path, false).unwrap();
        assert_eq!(journal.note(), None);
        append(&mut journal, b"{\"d\":4}\n");
        assert!(fs::read_to_string(&path).unwrap().ends_with("{\"c\":3}\n{\"d\":4}\n"));
    }

    #[test]
    fn nothing_is_appended_when_the_end_of_the_file_cannot_be_read() {
        let (_folder, path) = folder();
        fs::write(&path, "{\"b\":").unwrap();
        let mut journal = Journal::open(&path, false).unwrap();
        fs::write(&path, "{\"b\":").unwrap();
        // For writing alone.
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let good = std::mem::replace(&mut journal.opened.as_mut().unwrap().file, file);
        journal.failed = true;
        for _ in 0..2 {
            let written = journal.write(b"{\"c\":3}\n");
            assert!(written.bytes == 0 && written.error.is_some(), "{written:?}");
        }
        journal.opened.as_mut().unwrap().file = good;
        append(&mut journal, b"{\"c\":3}\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"b\":\n{\"c\":3}\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_journal_belongs_to_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = folder();
        Journal::open(&path, false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_has_one_writer() {
        let (_folder, path) = folder();
        let journal = Journal::open(&path, false).unwrap();
        let second = Journal::open(&path, false).unwrap_err();
        assert!(matches!(second, Error::JournalInUse { .. }), "{second}");
        drop(journal);
        Journal::open(&path, false).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_deleted_file_is_begun_again_with_the_next_write() {
        for sync in [false, true] {
            let (_folder, path) = folder();
            let mut journal = Journal::open(&path, sync).unwrap();
            assert!(!journal.write(b"1\n").begun_again);
            fs::remove_file(&path).unwrap();
            let written = journal.write(b"2\n");
            assert!(written.begun_again && written.error.is_none(), "{written:?}");
            assert!(!journal.write(b"3\n").begun_again);
            assert_eq!(fs::read_to_string(&path).unwrap(), "2\n3\n");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_moved_file_is_begun_again_soon() {
        let (folder, path) = folder();
        let mut journal = Journal::open(&path, false).unwrap();
        append(&mut journal, b"1\n");
        fs::rename(&path, folder.path().join("old")).unwrap();
        let mut lines = 1;
        while !journal.write(b"2\n").begun_again {
            lines += 1;
        }
        // Lines written before the check are in the moved file: no line is lost.
        assert_eq!(fs::read_to_string(folder.path().join("old")).unwrap().lines().count(), lines);
        assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_gone_is_an_error_until_it_is_back() {
        let (folder, path) = folder();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let path = inner.join(path.file_name().unwrap());
        let mut journal = Journal::open(&path, false).unwrap();
        fs::remove_dir_all(&inner).unwrap();
        for _ in 0..2 {
            let written = journal.write(b"1\n");
            assert!(written.bytes == 0 && written.error.is_some(), "{written:?}");
        }
        fs::create_dir(&inner).unwrap();
        assert!(journal.write(b"2\n").error.is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_cannot_be_synced() {
        let error = Journal::open(Path::new("/dev/null"), true).unwrap_err();
        assert!(error.to_string().contains("--record-sync"), "{error}");
    }
}
