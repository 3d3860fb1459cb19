//! From arguments to a running `inspect`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Seek};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use jiff::tz::TimeZone;

use super::{Screen, policy, secrets, swallowed, with_sink_and};
use crate::cli::{self, InspectArgs};
use crate::clock::{Clock, System};
use crate::error::{Error, Exit};
use crate::event::Note;
use crate::inspect;
use crate::inspect::export::ExportForm;
use crate::inspect::view::View;
use crate::journal::tail::is_same;
use crate::render::Show;
use crate::render::html::HtmlPage;
use crate::signature::Secret;

/// Reads what there is to inspect.
pub(crate) fn start(args: &InspectArgs, known: &mut Vec<Secret>) -> Result<Exit, Error> {
    let mut sources = args.sources.clone();
    let mut taken = None;
    if sources.is_empty() {
        // Where something is piped in, that is the source, whatever the secret looks like.
        taken = swallowed(&args.signing);
        if let Some(name) = taken.clone().filter(|_| io::stdin().is_terminal()) {
            return Err(Error::SwallowedSource { command: "inspect", name });
        }
        if io::stdin().is_terminal() {
            return Err(Error::NoSource { names: Vec::new() });
        }
        sources.push(crate::journal::input::STDIN.to_owned());
    }
    *known = asked_for(args)?;
    let config = inspect::Config {
        sources,
        headers: args.headers.clone(),
        signature: args.signature.clone(),
        provider: args.provider.named(),
        policy: policy(&args.signing, &args.checking, known.clone())?,
        now: args.now,
        explain: args.explain,
        query: query(args),
        view: view(&args.views),
        redact: args.views.redact.iter().map(|path| redact_path(path)).collect::<Result<_, _>>()?,
        follow: args.filters.follow,
        zone: TimeZone::system(),
    };
    let page = args.views.html.as_deref().map(|path| Page::begin(path, &config.sources)).transpose()?;
    let page_sink = page.as_ref().map(Page::sink).transpose()?;
    let screen = Screen { pages: !args.filters.follow, ..Screen::default() };
    let exit = with_sink_and(&args.output, screen, known, page_sink, async |sink, signals| {
        if taken.is_some() {
            let text = "the value of --secret is the name of a payload; if it is meant to be read: hookctl inspect \
                        FILE --secret …";
            // A writer that has gone has said why.
            let _ = sink.send(Note::warning(text)).await;
        }
        let exit = inspect::run(config, sink.clone(), &System, signals).await?;
        // A writer that has gone has said why.
        if let Some(path) = &args.views.html {
            let _ = sink.send(Note::info(format!("the report is in {}", path.display()))).await;
        }
        if args.explain && args.output.json {
            let _ = sink.send(Note::info("--explain is for people: --json leaves it out")).await;
        }
        Ok(exit)
    })?;
    page.map_or(Ok(()), Page::finish)?;
    Ok(exit)
}

/// The secrets of an inspection. A variable that happens to be set must not make every unsigned file an invalid one: alone
/// it counts where there is something to verify.
fn asked_for(args: &InspectArgs) -> Result<Vec<Secret>, Error> {
    let verifies = !args.signing.secret.is_empty() || !args.headers.is_empty() || args.signature.is_some();
    if verifies { secrets(&args.signing) } else { Ok(Vec::new()) }
}

fn query(args: &InspectArgs) -> inspect::query::Query {
    let filters = &args.filters;
    inspect::query::Query {
        id: filters.id.clone(),
        status: filters.status.clone(),
        events: filters.event.clone(),
        provider: args.provider.named(),
        verdict: filters.verdict.clone(),
        since: filters.since.map(|since| since.from(System.now(), &TimeZone::system())),
        search: filters.search.clone(),
        filters: filters.filters.clone(),
        last: filters.last,
    }
}

/// The one view that was asked for; the parser lets through no two.
fn view(views: &cli::ViewArgs) -> View {
    let show = views.show.clone().filter(|_| views.export.is_none()).map(View::Whole);
    let timeline = views.timeline.then_some(View::Timeline);
    let stats = views.stats.then_some(View::Stats);
    let diff = views.diff.as_deref().and_then(|pair| <[String; 2]>::try_from(pair.to_vec()).ok()).map(View::Diff);
    let export = views.export.map(|form| View::Export(form.into(), views.show.clone()));
    let page = views.html.as_ref().map(|_| View::Page);
    show.or(timeline).or(stats).or(diff).or(export).or(page).unwrap_or(View::Table)
}

impl From<cli::ExportFormat> for ExportForm {
    fn from(form: cli::ExportFormat) -> Self {
        match form {
            cli::ExportFormat::Curl => ExportForm::Curl,
            cli::ExportFormat::Har => ExportForm::Har,
            cli::ExportFormat::Fixture => ExportForm::Fixture,
        }
    }
}

fn redact_path(text: &str) -> Result<inspect::redact::RedactPath, Error> {
    inspect::redact::RedactPath::parse(text).map_err(|error| Error::Usage(format!("--redact: {error}")))
}

/// A page that is written beside everything else, and takes its place when all of it is there: what goes wrong costs no
/// page that was there before.
struct Page {
    path: PathBuf,
    written: File,
}

impl Page {
    /// A page for this path, which must not be one of the sources.
    fn begin(path: &Path, sources: &[String]) -> Result<Self, Error> {
        if let Some(source) = sources.iter().find(|source| is_same(path, Path::new(source))) {
            return Err(Error::Usage(format!("--html {source} would overwrite what it is made of: name another file")));
        }
        let written = tempfile::tempfile_in(folder(path)).map_err(|source| unwritable(path, source))?;
        Ok(Page { path: path.to_owned(), written })
    }

    /// The sink that writes it.
    fn sink(&self) -> Result<Box<dyn Show + Send>, Error> {
        let file = self.written.try_clone().map_err(|source| unwritable(&self.path, source))?;
        Ok(Box::new(HtmlPage::new(BufWriter::new(file))))
    }

    /// Puts it in its place.
    fn finish(mut self) -> Result<(), Error> {
        let failed = |source| unwritable(&self.path, source);
        self.written.rewind().map_err(failed)?;
        // What a link leads to is replaced, not the link; a device or a pipe is written to.
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            let mut device = File::options().write(true).open(&path).map_err(failed)?;
            return io::copy(&mut self.written, &mut device).map(drop).map_err(failed);
        }
        // Readable by its owner alone, as the journal is: it holds what the journal holds.
        let mut file = NamedTempFile::new_in(folder(&path)).map_err(failed)?;
        io::copy(&mut self.written, &mut file).map_err(failed)?;
        file.persist(&path).map(drop).map_err(|error| failed(error.error))
    }
}

/// The folder of a file.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unwritable(path: &Path, source: io::Error) -> Error {
    Error::Report { path: path.display().to_string(), source }
}
