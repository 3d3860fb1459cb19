//! Sends a prepared run, or prints its requests for `--dry-run` and `--curl`.

use tokio::sync::watch;

use super::config::Config;
use super::deliver::{Driver, Shown};
use super::prepare::PreparedRun;
use super::{attempt, curl, drill, load, sequence};
use crate::clock::Now;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Plan, Sink};
use crate::http::Client;
use crate::journal::file::Journal;
use crate::journal::writer::{AsyncWriter, WRITE_TIME};
use crate::sys::jwks;
use crate::sys::signals::Signals;

pub(crate) async fn run(
    config: Config,
    prepared: PreparedRun,
    sink: Sink,
    clock: Now,
    signals: &mut Signals,
) -> Result<Exit, Error> {
    for note in prepared.notes.iter().map(Note::warning).chain(prepared.facts.notes(&config)) {
        if sink.send(note).await.is_err() {
            return Ok(Exit::Done);
        }
    }
    if config.dry_run {
        return dry_run(&prepared, &config, &sink, clock).await;
    }
    if config.curl {
        return curl::print(&prepared, &config, &sink, clock).await;
    }
    let server = serve_jwks(&prepared, &config).await?;
    if let Some(server) = &server {
        // Before the first attempt: a handler fetches the keys while it verifies that attempt.
        let text = format!("the JWK set is served at {} until hookctl exits", server.url);
        if sink.send(Note::info(text)).await.is_err() {
            return Ok(Exit::Done);
        }
    }
    let client = Client::new(&config.endpoint.url, &config.connection)?;
    let journal = config.record.as_deref().map(|path| Journal::open(path, false)).transpose()?;
    if let Some(begun) = journal.as_ref().filter(|journal| config.drill && journal.is_begun()) {
        let path = begun.path().display();
        let text = format!("{path} has deliveries already; those of this drill are appended");
        if sink.send(Note::info(text)).await.is_err() {
            return Ok(Exit::Done);
        }
    }
    let (stop_sender, stop) = watch::channel(None);
    let journal = journal.map(|journal| AsyncWriter::new(journal, WRITE_TIME));
    let driver = Driver::new(&client, clock, &sink, journal, &config, Shown::of(&config), stop);
    let work = async {
        match config.load {
            Some(load) => load::run(&driver, prepared.schedules, load).await,
            None if config.drill => drill::run(&driver, prepared.schedules).await,
            None => sequence::run(&driver, prepared.schedules).await,
        }
    };
    tokio::pin!(work);
    loop {
        tokio::select! {
            exit = &mut work => return exit,
            exit = signals.next() => {
                if signals.is_urgent() {
                    return Ok(exit);
                }
                stop_sender.send_replace(Some(exit));
            }
        }
    }
}

async fn serve_jwks(prepared: &PreparedRun, config: &Config) -> Result<Option<jwks::JwksServer>, Error> {
    let Some(port) = config.serve_jwks else { return Ok(None) };
    let missing = "--serve-jwks: no key pair to serve; sign with --scheme fal, or with --secret whsk_…";
    let keys = prepared.facts.public_keys(config).ok_or_else(|| Error::Usage(missing.into()))?;
    jwks::serve(port, keys).await.map(Some)
}

async fn dry_run(prepared: &PreparedRun, config: &Config, sink: &Sink, clock: Now) -> Result<Exit, Error> {
    for (index, scheduled) in prepared.read(config).enumerate() {
        let scheduled = scheduled?;
        let request = &scheduled.prepared;
        let now = clock();
        let headers = request.headers(now)?;
        let traces = request.signing.traces(&headers, &request.body);
        let mut record = attempt::record(request, config, headers, now, 1, None);
        record.seq = index as u64 + 1;
        let plan = Plan { record, traces };
        if sink.send(Event::Plan(Box::new(plan))).await.is_err() {
            break;
        }
    }
    Ok(Exit::Done)
}
