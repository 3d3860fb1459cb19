//! `--save-outputs`: files that stand within payloads, written to a folder.

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

/// How many deliveries wait to be looked through at most. When the disk is slower than the deliveries come, their answers
/// wait too: nothing is lost, and memory is bounded.
const WAITING: usize = 16;

/// How many files of one delivery are saved.
const FILES: usize = 256;

/// How deep in an output they are looked for.
const DEPTH: usize = 8;

/// How many files of one name are kept apart by number.
const NUMBERED: usize = 999;

/// How much of an id stands in a name.
const NAME: usize = 64;

/// The folder, and who writes into it.
pub(crate) struct Outputs {
    jobs: mpsc::Sender<OutputJob>,
}

/// Room for one delivery among those that wait.
pub(crate) struct OutputSlot<'a>(mpsc::Permit<'a, OutputJob>);

impl OutputSlot<'_> {
    /// Lets the files in a delivery's output be saved.
    pub(crate) fn save(self, record: Arc<Record>) {
        self.0.send(OutputJob::Save(record));
    }
}

enum OutputJob {
    Save(Arc<Record>),
    /// Tells when all before it are saved.
    Tell(oneshot::Sender<()>),
}

impl Outputs {
    /// Makes the folder if it is not there.
    pub(crate) fn open(folder: &Path, sink: Sink) -> Result<Self, Error> {
        let failed = |source| Error::Outputs { folder: folder.display().to_string(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        // What the user named may be a link; what is in it is not followed.
        let whole = folder.canonicalize().map_err(failed)?;
        let folder = Folder { named: folder.to_owned(), whole };
        let (jobs, todo) = mpsc::channel(WAITING);
        tokio::spawn(work(Arc::new(folder), todo, sink));
        Ok(Outputs { jobs })
    }

    /// Waits for room for one delivery. Taken before it is recorded, so that after that there is nothing to wait for.
    pub(crate) async fn reserve(&self) -> Option<OutputSlot<'_>> {
        // The other side ends only with the program.
        self.jobs.reserve().await.ok().map(OutputSlot)
    }

    /// Waits until all that was given is saved.
    pub(crate) async fn saved(&self) {
        let (tell, told) = oneshot::channel();
        let _ = self.jobs.send(OutputJob::Tell(tell)).await;
        let _ = told.await;
    }
}

async fn work(folder: Arc<Folder>, mut todo: mpsc::Receiver<OutputJob>, sink: Sink) {
    let mut failed_before = false;
    while let Some(job) = todo.recv().await {
        let record = match job {
            OutputJob::Save(record) => record,
            OutputJob::Tell(tell) => {
                // Whoever does not wait any more need not be told.
                let _ = tell.send(());
                continue;
            }
        };
        let writing = Arc::clone(&folder);
        let saved = tokio::task::spawn_blocking(move || writing.save(&record)).await;
        let Ok((saved, failure)) = saved else { continue };
        for saved in saved {
            // A writer that has gone ends the listener by itself.
            let _ = sink.send_or_skip(Event::Saved(saved)).await;
        }
        let failed = failure.is_some();
        if let Some(failure) = failure.filter(|_| !failed_before) {
            let _ = sink.send_or_skip(Note::warning(failure.to_string())).await;
        }
        failed_before = failed;
    }
}

struct Folder {
    /// As the user named it, for messages.
    named: PathBuf,
    /// Without links.
    whole: PathBuf,
}

impl Folder {
    /// Saves the files in a delivery's output: those that were not there, and what went wrong.
    fn save(&self, record: &Record) -> (Vec<Saved>, Option<Error>) {
        let Some(payload) = &record.payload else { return (Vec::new(), None) };
        let Some(output) = &payload.output else { return (Vec::new(), None) };
        let mut found = Vec::new();
        look(output.text(), DEPTH, &mut found);
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

    /// Writes a file under the first name of its kind that is free. `None` when a file with these very bytes is there:
    /// attempts repeat, and a stream's later deliveries hold its earlier outputs again.
    fn write(&self, stem: &str, extension: &str, bytes: &[u8]) -> io::Result<Option<String>> {
        for number in 1..=NUMBERED {
            let name = match number {
                1 => format!("{stem}.{extension}"),
                _ => format!("{stem}.{number}.{extension}"),
            };
            let path = self.whole.join(&name);
            // Never through a link: what exists in any form is left alone.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return fill(file, &path, bytes).map(|()| Some(name)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if holds(&path, bytes) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{NUMBERED} files {stem} are there")))
    }
}

/// Writes a file whole, or leaves none.
fn fill(mut file: File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes).inspect_err(|_| {
        // With the disk full, what was begun only takes more of it.
        let _ = fs::remove_file(path);
    })
}

/// Whether a file, and not a link to one, holds these bytes.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let is_as_long = |path| {
        let known = fs::symlink_metadata(path).ok()?;
        Some(known.is_file() && known.len() == bytes.len() as u64)
    };
    is_as_long(path) == Some(true) && fs::read(path).is_ok_and(|held| held == bytes)
}

/// Finds the strings in an output that hold files, in the sender's order.
fn look<'a>(json: &'a str, depth: usize, found: &mut Vec<Cow<'a, str>>) {
    if found.len() == FILES {
        return;
    }
    if let Some(value) = string(json) {
        if InlineFile::of(&value).is_some() {
            found.push(value);
        }
    } else if depth > 0 {
        if let Some(items) = items(json) {
            items.into_iter().for_each(|item| look(item, depth - 1, found));
        } else if let Some(object) = Object::parse(json) {
            object.into_members().into_iter().for_each(|(_, value)| look(value, depth - 1, found));
        }
    }
}

/// How the names of a delivery's files begin: nothing of an id that a path, a shell or a terminal would take for its own.
fn stem(id: Option<&str>, seq: u64) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    match id {
        Some(id) if !id.is_empty() => id.chars().take(NAME).map(safe).collect(),
        _ => format!("delivery-{seq}"),
    }
}

/// The extension of a file that its bytes do not tell.
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
