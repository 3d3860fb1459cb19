//! From arguments to a running `inspect`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Seek};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::NamedTempFile;

use super::output::{Screen, run_with_output};
use super::signing::{policy, secrets, swallowed_source};
use crate::cli::{self, InspectArgs};
use crate::error::{Error, Exit};
use crate::event::Note;
use crate::inspect;
use crate::inspect::export::ExportForm;
use crate::inspect::view::View;
use crate::journal::tail::is_same;
use crate::render::Show;
use crate::render::html::HtmlPage;
use crate::signature::Secret;

/// Runs `inspect`. `known` receives the secrets, to be redacted in an error.
pub(crate) fn start(args: &InspectArgs, known: &mut Vec<Secret>) -> Result<Exit, Error> {
    let mut sources = args.sources.clone();
    let mut swallowed = None;
    if sources.is_empty() {
        // Piped input is the source, even if the value of --secret is the name of a payload.
        swallowed = swallowed_source(&args.signing);
        if let Some(name) = swallowed.clone().filter(|_| io::stdin().is_terminal()) {
            return Err(Error::SwallowedSource { command: "inspect", name });
        }
        if io::stdin().is_terminal() {
            return Err(Error::NoSource { names: Vec::new() });
        }
        sources.push(crate::journal::input::STDIN.to_owned());
    }
    *known = verifying_secrets(args)?;
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
    let exit = run_with_output(&args.output, screen, known, page_sink, async |sink, signals| {
        if swallowed.is_some() {
            let text = "the value of --secret is the name of a payload; to read that payload: hookctl inspect FILE \
                        --secret …";
            // Why the writer ended is reported by `run_with_output`.
            let _ = sink.send(Note::warning(text)).await;
        }
        let exit = inspect::run(config, sink.clone(), Timestamp::now, signals).await?;
        if let Some(path) = &args.views.html {
            let _ = sink.send(Note::info(format!("wrote the report {}", path.display()))).await;
        }
        if args.explain && args.output.json {
            let _ = sink.send(Note::info("--explain has no effect with --json")).await;
        }
        Ok(exit)
    })?;
    page.map_or(Ok(()), Page::finish)?;
    Ok(exit)
}

/// The secrets to verify with. HOOKCTL_SECRET alone counts only if there is a header or a signature to verify: otherwise
/// every unsigned file would be invalid wherever the variable is set.
fn verifying_secrets(args: &InspectArgs) -> Result<Vec<Secret>, Error> {
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
        since: filters.since.map(|since| since.from(Timestamp::now(), &TimeZone::system())),
        search: filters.search.clone(),
        filters: filters.filters.clone(),
        last: filters.last,
    }
}

/// The view; the parser lets at most one of the flags through.
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

/// An HTML page that is written to a temporary file first, so that an error leaves the previous page as it was.
struct Page {
    path: PathBuf,
    temporary: File,
}

impl Page {
    /// Fails if the path is one of the sources.
    fn begin(path: &Path, sources: &[String]) -> Result<Self, Error> {
        if let Some(source) = sources.iter().find(|source| is_same(path, Path::new(source))) {
            return Err(Error::Usage(format!("--html {source} would overwrite its own source: name another file")));
        }
        let temporary = tempfile::tempfile_in(folder(path)).map_err(|source| unwritable(path, source))?;
        Ok(Page { path: path.to_owned(), temporary })
    }

    fn sink(&self) -> Result<Box<dyn Show + Send>, Error> {
        let file = self.temporary.try_clone().map_err(|source| unwritable(&self.path, source))?;
        Ok(Box::new(HtmlPage::new(BufWriter::new(file))))
    }

    /// Moves the page to its path.
    fn finish(mut self) -> Result<(), Error> {
        let failed = |source| unwritable(&self.path, source);
        self.temporary.rewind().map_err(failed)?;
        // A link keeps pointing to its target, which is replaced; a device or a pipe is written to.
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            let mut device = File::options().write(true).open(&path).map_err(failed)?;
            return io::copy(&mut self.temporary, &mut device).map(drop).map_err(failed);
        }
        // Readable by the owner only, like the journal that it was made from.
        let mut file = NamedTempFile::new_in(folder(&path)).map_err(failed)?;
        io::copy(&mut self.temporary, &mut file).map_err(failed)?;
        file.persist(&path).map(drop).map_err(|error| failed(error.error))
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unwritable(path: &Path, source: io::Error) -> Error {
    Error::Report { path: path.display().to_string(), source }
}
