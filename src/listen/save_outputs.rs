//! `--save-outputs`: writes the files within outputs (base64 and data URLs) to a folder.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::event::{Event, Note, Saved, Sink};
use crate::journal::Record;
use crate::json::Object;
use crate::json::object::items;
use crate::json::value::string;
use crate::payload::data_url::InlineFile;

/// The length of the queue, in deliveries. When the disk is slower than deliveries, responses wait too: no delivery is
/// lost, and memory is bounded.
const SAVE_QUEUE: usize = 16;

/// The most files saved of one delivery.
const MAX_FILES: usize = 256;

/// How deep in an output files are searched.
const MAX_DEPTH: usize = 8;

/// How many files with the same name get a number.
const MAX_NUMBER: usize = 999;

/// The length of an id in a file name.
const MAX_NAME: usize = 64;

pub(crate) struct Outputs {
    jobs: mpsc::Sender<OutputJob>,
}

pub(crate) struct OutputSlot<'a>(mpsc::Permit<'a, OutputJob>);

impl OutputSlot<'_> {
    pub(crate) fn save(self, record: Arc<Record>) {
        self.0.send(OutputJob::Save(record));
    }
}

enum OutputJob {
    Save(Arc<Record>),
    /// Answers when all earlier jobs are done.
    Flush(oneshot::Sender<()>),
}

impl Outputs {
    /// Opens the folder, and creates it if it is missing.
    pub(crate) fn open(folder: &Path, sink: Sink) -> Result<Self, Error> {
        let failed = |source| Error::Outputs { folder: folder.display().to_string(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        // The folder that the user named may be a link. Links within the folder are not followed.
        let path = folder.canonicalize().map_err(failed)?;
        let folder = Folder { named: folder.to_owned(), path };
        let (jobs, queue) = mpsc::channel(SAVE_QUEUE);
        tokio::spawn(work(Arc::new(folder), queue, sink));
        Ok(Outputs { jobs })
    }

    /// Waits for a queue slot.
    pub(crate) async fn reserve(&self) -> Option<OutputSlot<'_>> {
        // The task ends only with the program.
        self.jobs.reserve().await.ok().map(OutputSlot)
    }

    /// Waits until all files so far are saved.
    pub(crate) async fn flush(&self) {
        let (sender, saved) = oneshot::channel();
        let _ = self.jobs.send(OutputJob::Flush(sender)).await;
        let _ = saved.await;
    }
}

async fn work(folder: Arc<Folder>, mut queue: mpsc::Receiver<OutputJob>, sink: Sink) {
    let mut failed_before = false;
    while let Some(job) = queue.recv().await {
        let record = match job {
            OutputJob::Save(record) => record,
            OutputJob::Flush(sender) => {
                // Fails when the caller of `flush` no longer waits.
                let _ = sender.send(());
                continue;
            }
        };
        let writing = Arc::clone(&folder);
        let saved = tokio::task::spawn_blocking(move || writing.save(&record)).await;
        let Ok((saved, failure)) = saved else { continue };
        for saved in saved {
            sink.note(Event::Saved(saved)).await;
        }
        let failed = failure.is_some();
        if let Some(failure) = failure.filter(|_| !failed_before) {
            sink.note(Note::warning(failure.to_string())).await;
        }
        failed_before = failed;
    }
}

struct Folder {
    /// As the user named the folder, for messages.
    named: PathBuf,
    /// Without links.
    path: PathBuf,
}

impl Folder {
    /// Saves the files in a delivery's output. Returns the files that are new, and the error that stopped the rest.
    fn save(&self, record: &Record) -> (Vec<Saved>, Option<Error>) {
        let Some(payload) = &record.payload else { return (Vec::new(), None) };
        let Some(output) = &payload.output else { return (Vec::new(), None) };
        let mut found = Vec::new();
        find_files(output.text(), MAX_DEPTH, &mut found);
        let stem = stem(payload.id.as_deref(), record.seq);
        let mut saved = Vec::new();
        for (index, value) in found.iter().enumerate() {
            let Some((inline, bytes)) = InlineFile::of(value).and_then(|inline| Some((inline, inline.bytes()?))) else {
                continue;
            };
            let kind = infer::get(&bytes);
            let extension = kind.map_or_else(|| extension(inline.media_type), |kind| kind.extension());
            let media_type = inline.media_type.or(kind.map(|kind| kind.mime_type())).map(str::to_owned);
            match self.write(&format!("{stem}-{index}"), extension, &bytes) {
                Ok(None) => {}
                Ok(Some(name)) => saved.push(Saved {
                    seq: record.seq,
                    file: self.named.join(name),
                    media_type,
                    bytes: bytes.len() as u64,
                }),
                Err(source) => {
                    return (saved, Some(Error::Outputs { folder: self.named.display().to_string(), source }));
                }
            }
        }
        (saved, None)
    }

    /// Writes a file under the first free name. Returns `None` when a file with these bytes exists: attempts repeat, and the
    /// later deliveries of a stream hold the earlier outputs again.
    fn write(&self, stem: &str, extension: &str, bytes: &[u8]) -> io::Result<Option<String>> {
        for number in 1..=MAX_NUMBER {
            let name = match number {
                1 => format!("{stem}.{extension}"),
                _ => format!("{stem}.{number}.{extension}"),
            };
            let path = self.path.join(&name);
            // `create_new` follows no link and overwrites no file.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return write_whole(file, &path, bytes).map(|()| Some(name)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if has_bytes(&path, bytes) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{MAX_NUMBER} files {stem} are there")))
    }
}

/// Writes a whole file, or none.
fn write_whole(mut file: File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes).inspect_err(|_| {
        // On a full disk, half a file only takes space.
        let _ = fs::remove_file(path);
    })
}

/// Whether the path is a file, and no link, with these bytes.
fn has_bytes(path: &Path, bytes: &[u8]) -> bool {
    let is_as_long = |path| {
        let known = fs::symlink_metadata(path).ok()?;
        Some(known.is_file() && known.len() == bytes.len() as u64)
    };
    is_as_long(path) == Some(true) && fs::read(path).is_ok_and(|held| held == bytes)
}

/// Finds the strings in an output that are files, in the sender's order.
fn find_files<'a>(json: &'a str, depth: usize, found: &mut Vec<Cow<'a, str>>) {
    if found.len() == MAX_FILES {
        return;
    }
    if let Some(value) = string(json) {
        if InlineFile::of(&value).is_some() {
            found.push(value);
        }
    } else if depth > 0 {
        if let Some(items) = items(json) {
            items.into_iter().for_each(|item| find_files(item, depth - 1, found));
        } else if let Some(object) = Object::parse(json) {
            object.into_members().into_iter().for_each(|(_, value)| find_files(value, depth - 1, found));
        }
    }
}

/// The beginning of a delivery's file names. Characters that mean something in a path, a shell or a terminal are replaced.
fn stem(id: Option<&str>, seq: u64) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    match id {
        Some(id) if !id.is_empty() => id.chars().take(MAX_NAME).map(safe).collect(),
        _ => format!("delivery-{seq}"),
    }
}

/// The extension for a file whose type the bytes do not show.
fn extension(media_type: Option<&str>) -> &'static str {
    match media_type {
        Some("text/plain") => "txt",
        Some("text/html") => "html",
        Some("text/csv") => "csv",
        Some("application/json") => "json",
        Some("image/svg+xml") => "svg",
        _ => "bin",
    }
}
