//! `hookctl listen`: receive, verify, record, answer, say.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Error, Exit};
use crate::event::{Closed, Event, Note, Ready, Sink, Tally};
use crate::io::journal::Journal;
use crate::io::signals::Signals;
use crate::payload::Provider;
use crate::payload::signature::Policy;

pub mod answer;
mod body;
mod books;
mod child;
mod desk;
mod forward;
pub mod limits;
mod reply;
mod server;
mod socket;
mod wait;

use answer::Script;
use child::Child;
use desk::Desk;
use wait::{Cause, Wait};

/// What the listener was asked to do.
#[derive(Debug)]
pub struct Config {
    /// Address or name to listen on.
    pub host: String,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// The provider, when the user named it.
    pub provider: Option<&'static Provider>,
    /// What signatures are checked with.
    pub policy: Policy,
    /// Whether a signature that does not hold is answered as usual.
    pub allow_invalid: bool,
    /// What to answer.
    pub script: Script,
    /// Whether every distinct delivery starts the script from its beginning.
    pub respond_each: bool,
    /// The app whose answers are given.
    pub forward_to: Option<Url>,
    /// How long an answer may take, instead of the provider's own limit.
    pub ack_budget: Option<Duration>,
    /// The journal.
    pub record: Option<PathBuf>,
    /// Whether header values that are secrets stay in records.
    pub keep_secrets: bool,
    /// The largest body in bytes.
    pub max_body: u64,
    /// How many deliveries to wait for.
    pub count: Option<u64>,
    /// How long to wait.
    pub timeout: Option<Duration>,
    /// Whether a delivery that did not verify is a failure.
    pub require_valid: bool,
    /// What to run once ready; empty for nothing.
    pub command: Vec<OsString>,
    /// Whether standard output belongs to data, so that the command must not write there.
    pub data_on_stdout: bool,
}

/// Listens until the end that the configuration or the user sets.
pub async fn run(config: Config, sink: Sink, clock: Arc<dyn Clock>, signals: &mut Signals) -> Result<Exit, Error> {
    let journal = config.record.as_deref().map(Journal::open).transpose()?;
    let (counter, counted) = watch::channel(0);
    let desk = Arc::new(Desk::new(&config, journal, sink.clone(), clock, counter)?);
    let listener = bind(&config.host, config.port).await?;
    let address = listener.local_addr().map_err(|source| Error::Bind { addr: config.host.clone(), source })?;
    let ready = Ready {
        url: url(address),
        port: address.port(),
        exposed: !address.ip().is_loopback(),
        checks: !config.policy.secrets.is_empty(),
    };

    let started = Instant::now();
    if sink.say(Event::Ready(ready.clone())).await.is_err() {
        return Ok(Exit::Done);
    }
    if let Some(app) = &config.forward_to {
        let text = match config.script.forwards() {
            true => Note::info(format!("deliveries are passed on to {app}")),
            false => Note::warning("--forward-to gets nothing: --respond never says forward"),
        };
        // A writer that has gone ends the listener by itself.
        let _ = sink.say(text).await;
    }
    let server = server::start(listener, Arc::clone(&desk), sink.clone());
    let child = match config.command.split_first() {
        Some((program, arguments)) => Some(Child::start(program, arguments, &ready.url, &config)?),
        None => None,
    };

    let wait = Wait { count: config.count, timeout: config.timeout };
    let (cause, child) = wait.for_end(counted, child, &sink, signals).await;
    let end = async {
        if let Some(child) = child {
            child.stop().await;
        }
        server.finish().await;
        let tally = desk.tally(config.count, started.elapsed()).await;
        let (mut exit, said) = wait.judge(cause, tally.deliveries);
        if config.require_valid && tally.unproven() > 0 {
            exit = exit.and(Exit::Signature);
        }
        // When the writer has gone there is nobody to tell, and nothing left to do.
        let _ = say_end(&sink, said, tally).await;
        exit
    };
    tokio::pin!(end);
    let stopped = matches!(cause, Cause::Signal { .. });
    loop {
        tokio::select! {
            exit = &mut end => return Ok(exit),
            // The first wish to stop, while it is ending anyway, is already being fulfilled.
            again = signals.next() => if stopped || signals.is_urgent() { return Ok(again) },
        }
    }
}

async fn say_end(sink: &Sink, said: Option<String>, tally: Tally) -> Result<(), Closed> {
    let skipped = sink.take_skipped();
    if skipped > 0 {
        sink.say(Event::Skipped(skipped)).await?;
    }
    if let Some(said) = said {
        sink.say(Note::warning(said)).await?;
    }
    sink.say(Event::Received(tally)).await
}

async fn bind(host: &str, port: u16) -> Result<TcpListener, Error> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let failed = |source| Error::Bind { addr: format!("{host}:{port}"), source };
    TcpListener::bind((host, port)).await.map_err(failed)
}

/// The URL by which this machine reaches the listener.
fn url(address: std::net::SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}
