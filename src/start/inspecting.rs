//! From arguments to a running `inspect`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal};
use std::path::Path;

use jiff::tz::TimeZone;

use super::{Screen, policy, secrets, with_sink_and};
use crate::cli::{self, Inspect};
use crate::clock::{Clock, System};
use crate::error::{Error, Exit};
use crate::event::Note;
use crate::inspect;
use crate::inspect::export::Form;
use crate::inspect::view::View;
use crate::payload::signature::Secret;
use crate::render::Show;
use crate::render::html::Html;

/// Reads what there is to inspect.
pub fn start(args: &Inspect) -> Result<Exit, Error> {
    let mut sources = args.sources.clone();
    if sources.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Error::NoSource { names: Vec::new() });
        }
        sources.push(crate::io::input::STDIN.to_owned());
    }
    let config = inspect::Config {
        sources,
        headers: args.headers.clone(),
        signature: args.signature.clone(),
        provider: args.provider.named(),
        policy: policy(&args.signing, &args.checking, asked_for(args)?)?,
        now: args.now,
        explain: args.explain,
        query: query(args),
        view: view(&args.views),
        redact: args.views.redact.iter().map(|path| redact_path(path)).collect::<Result<_, _>>()?,
        follow: args.filters.follow,
        zone: TimeZone::system(),
    };
    let page = args.views.html.as_deref().map(page).transpose()?;
    let screen = Screen { pages: !args.filters.follow, ..Screen::default() };
    with_sink_and(&args.output, screen, page, async |sink, signals| {
        let exit = inspect::run(config, sink.clone(), &System, signals).await?;
        if let Some(path) = &args.views.html {
            // A writer that has gone has said why.
            let _ = sink.say(Note::info(format!("the report is in {}", path.display()))).await;
        }
        Ok(exit)
    })
}

/// The secrets of an inspection. A variable that happens to be set must not make every unsigned file an invalid one: alone
/// it counts where there is something to verify.
fn asked_for(args: &Inspect) -> Result<Vec<Secret>, Error> {
    let verifies = !args.signing.secret.is_empty() || !args.headers.is_empty() || args.signature.is_some();
    if verifies { secrets(&args.signing) } else { Ok(Vec::new()) }
}

fn query(args: &Inspect) -> inspect::query::Query {
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
fn view(views: &cli::Views) -> View {
    let show = views.show.clone().map(View::Whole);
    let timeline = views.timeline.then_some(View::Timeline);
    let stats = views.stats.then_some(View::Stats);
    let diff = views.diff.as_deref().and_then(|pair| <[String; 2]>::try_from(pair.to_vec()).ok()).map(View::Diff);
    let export = views.export.map(|form| View::Export(form.into()));
    let page = views.html.as_ref().map(|_| View::Page);
    show.or(timeline).or(stats).or(diff).or(export).or(page).unwrap_or(View::Table)
}

impl From<cli::Export> for Form {
    fn from(form: cli::Export) -> Self {
        match form {
            cli::Export::Curl => Form::Curl,
            cli::Export::Har => Form::Har,
            cli::Export::Fixture => Form::Fixture,
        }
    }
}

fn redact_path(text: &str) -> Result<inspect::redact::Path, Error> {
    inspect::redact::Path::parse(text).map_err(|reason| Error::Usage(format!("--redact {text}: {reason}")))
}

/// The sink that writes a page into a file.
fn page(path: &Path) -> Result<Box<dyn Show + Send>, Error> {
    let failed = |source| Error::Report { path: path.display().to_string(), source };
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    // As the journal: it holds what the journal holds.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(Box::new(Html::new(BufWriter::new(options.open(path).map_err(failed)?))))
}
