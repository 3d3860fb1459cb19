//! `hookctl listen`: receive, verify, record, answer, say.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Url;
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Ready, Sink, Tally};
use crate::http::curl::quote;
use crate::journal::Redaction;
use crate::journal::file::Journal;
use crate::payload::Provider;
use crate::payload::events::Events;
use crate::signature::Policy;
use crate::sys::junit::{JunitCase, JunitReport};
use crate::sys::signals::Signals;

pub(crate) mod body;
pub(crate) mod child;
pub(crate) mod connection;
pub(crate) mod expectations;
pub(crate) mod forward;
pub(crate) mod handler;
pub mod limits;
pub(crate) mod outputs;
pub(crate) mod recorder;
pub(crate) mod response;
pub mod script;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod shutdown;
pub(crate) mod tls;
pub(crate) mod tunnel;
pub(crate) mod verify;

use child::Child;
use expectations::{ExpectationChecker, Expectations, IDLE};
use handler::Handler;
use limits::{BACKLOG, ListenLimits};
use script::Script;
use session::Session;
use shutdown::{ListenProgress, StopCause, StopConditions};
use tls::{Certificate, Tls};
use tunnel::{Tunnel, TunnelClient};

/// What the listener was asked to do.
#[derive(Debug)]
pub(crate) struct Config {
    /// Address or name to listen on.
    pub(crate) host: String,
    /// Port; 0 takes a free one.
    pub(crate) port: u16,
    /// The certificate, where HTTPS is spoken.
    pub(crate) certificate: Option<Certificate>,
    /// The provider, when the user named it.
    pub(crate) provider: Option<&'static Provider>,
    /// What signatures are checked with.
    pub(crate) policy: Policy,
    /// Whether a signature that does not hold is answered as usual.
    pub(crate) allow_invalid: bool,
    /// What to answer.
    pub(crate) script: Script,
    /// Whether every distinct delivery starts the script from its beginning.
    pub(crate) respond_each: bool,
    /// The app whose answers are given.
    pub(crate) forward_to: Option<Url>,
    /// How long an answer may take, instead of the provider's own limit.
    pub(crate) ack_budget: Option<Duration>,
    /// The journal.
    pub(crate) record: Option<PathBuf>,
    /// Whether every delivery is on the disk before it is answered.
    pub(crate) record_sync: bool,
    /// Where to write the files that stand within outputs.
    pub(crate) save_outputs: Option<PathBuf>,
    /// Whether header values that are secrets stay in records.
    pub(crate) keep_secrets: bool,
    /// The largest body in bytes.
    pub(crate) max_body: u64,
    /// The limits that are not the user's.
    pub(crate) limits: ListenLimits,
    /// Which deliveries to show and count; all of them without.
    pub(crate) events: Option<Events>,
    /// What to wait for.
    pub(crate) wait: StopConditions,
    /// What to expect of every delivery that counts.
    pub(crate) expectations: Expectations,
    /// Where to write what came of it as JUnit XML.
    pub(crate) report: Option<PathBuf>,
    /// What opens a tunnel to the listener.
    pub(crate) tunnel: Option<&'static TunnelClient>,
    /// The command that sends to such a listener, but for where to.
    pub(crate) sender: Option<String>,
    /// What to run once ready; empty for nothing.
    pub(crate) command: Vec<OsString>,
    /// Whether standard output belongs to data, so that the command must not write there.
    pub(crate) data_on_stdout: bool,
}

/// Listens until the end that the configuration or the user sets.
pub(crate) async fn run(
    config: Config,
    sink: Sink,
    clock: Arc<dyn Clock>,
    signals: &mut Signals,
) -> Result<Exit, Error> {
    let journal = config.record.as_deref().map(|path| Journal::open(path, config.record_sync)).transpose()?;
    let torn = journal.as_ref().and_then(Journal::remark);
    let report = config.report.as_deref().map(|path| JunitReport::create(path, &config.policy.secrets)).transpose()?;
    let (progress, progressed) = watch::channel(ListenProgress::default());
    let desk = Handler::open(&config, journal, sink.clone(), clock, progress)?;
    let tls = config.certificate.as_ref().map(|certificate| Tls::new(certificate, &config.host)).transpose()?;
    let listener = bind(&config.host, config.port).await?;
    let address = listener.local_addr().map_err(|source| Error::Bind { addr: config.host.clone(), source })?;
    let tunnel = match config.tunnel {
        None => None,
        Some(client) => tokio::select! {
            opened = Tunnel::open(client, reached(address)) => Some(opened?),
            exit = signals.next() => return Ok(exit),
        },
    };
    let url = format!("{}://{}", if tls.is_some() { "https" } else { "http" }, reached(address));
    let cacert = tls.as_ref().and_then(Tls::shared).map(Path::to_owned);
    let ready = Ready {
        send_command: config.sender.as_ref().map(|sender| try_it(sender, &url, cacert.as_deref())),
        url,
        port: address.port(),
        public_url: tunnel.as_ref().map(|tunnel| tunnel.url.clone()),
        cacert,
        exposed: !address.ip().is_loopback(),
        verifies: !config.policy.secrets.is_empty(),
    };
    // Before anybody is told to come.
    let room = server::ConnectionLimit::at(&desk);
    let started = Instant::now();
    // From here on, a writer that has gone ends the listener by itself.
    let _ = sink.send(Event::Ready(ready.clone())).await;
    for remark in remarks(&config, tls.as_ref()).chain(torn.map(Note::warning)) {
        let _ = sink.send(remark).await;
    }
    let server = server::start(listener, tls, Arc::clone(&desk), sink.clone(), room);
    let tunnel = tunnel.map(|tunnel| tunnel.watch(sink.clone()));
    let child = match config.command.split_first() {
        Some((program, arguments)) => Some(Child::start(program, arguments, &ready, &config)?),
        None => None,
    };

    let (cause, child) = config.wait.for_end(progressed.clone(), child, &sink, signals).await;
    let end = async {
        if let Some(child) = child {
            child.stop().await;
        }
        server.finish().await;
        desk.outputs_saved().await;
        if let Some(tunnel) = tunnel {
            tunnel.close().await;
        }
        let until = progressed.borrow().until;
        // Whatever is still being entered, comes before the judge rises.
        let books = desk.close().await?;
        let judge = desk.judged().await?;
        let outcome = Outcome { config: &config, cause, until, elapsed: started.elapsed() };
        outcome.conclude(&books, judge, report, &sink).await
    };
    tokio::pin!(end);
    let stopped = matches!(cause, StopCause::Signal { .. });
    loop {
        tokio::select! {
            exit = &mut end => return exit,
            // The first wish to stop, while it is ending anyway, is already being fulfilled.
            again = signals.next() => if stopped || signals.is_urgent() { return Ok(again) },
        }
    }
}

/// The whole command that sends to a listener.
fn try_it(sender: &str, url: &str, cacert: Option<&Path>) -> String {
    let cacert = cacert.map(|path| format!(" --cacert {}", quote(path.as_os_str().as_encoded_bytes())));
    format!("{sender} --to {url}{}", cacert.unwrap_or_default())
}

/// What the user should know of the configuration before the first delivery comes.
fn remarks(config: &Config, tls: Option<&Tls>) -> impl Iterator<Item = Event> {
    let tls = tls.map(|tls| Note::info(tls.remark()));
    let app = config.forward_to.as_ref().map(|app| match config.script.forwards() {
        true => {
            let redaction = Redaction::of(&config.policy.secrets, config.policy.scheme);
            Note::info(format!("deliveries are passed on to {}", redaction.text(app.to_string())))
        }
        false => Note::warning("--forward-to gets nothing: --respond never says forward"),
    });
    let until = config.wait.until.as_ref().and_then(|until| {
        let meant = until.meant()?;
        Some(Note::warning(format!("--until {until}: no known provider sends that; did you mean {meant}?")))
    });
    let events = config.events.iter().flat_map(Events::doubtful).map(|(name, near)| {
        Note::warning(format!("--events {name}: no known provider sends that; did you mean {near}?"))
    });
    tls.into_iter().chain(app).chain(until).chain(events)
}

/// How it ended, all in all.
struct Outcome<'a> {
    config: &'a Config,
    cause: StopCause,
    until: bool,
    elapsed: Duration,
}

impl Outcome<'_> {
    /// Says the end, writes the report, and gives the exit code.
    async fn conclude(
        self,
        books: &Session,
        mut judge: ExpectationChecker,
        report: Option<JunitReport>,
        sink: &Sink,
    ) -> Result<Exit, Error> {
        let wait = &self.config.wait;
        // Whoever ends it otherwise, or has got what was waited for, has seen enough.
        let waited = matches!(self.cause, StopCause::TimeUp { .. }) || (wait.until.is_some() && !self.until);
        let unfinished = if waited { books.unfinished() } else { Vec::new() };
        let unfinished: Vec<_> = unfinished.iter().map(|open| judge.unfinished(open)).collect();
        let tally = Tally { awaited: wait.count, elapsed: self.elapsed, unmet: judge.failed(), ..books.tally() };
        let progress = ListenProgress { deliveries: tally.deliveries, until: self.until };
        let (exit, said) = wait.judge(self.cause, progress);
        let (recorded, lacking) = books.journal_end();
        let idle = judge.is_idle().then(|| IDLE.to_owned());
        let skipped = sink.take_skipped();
        let skipped = (!skipped.is_nothing()).then_some(Event::Skipped(skipped));
        let notes =
            unfinished.into_iter().chain(said).chain(idle).chain(lacking).map(|said: String| Note::warning(said));
        for event in skipped.into_iter().chain(notes).chain([Event::Received(tally)]) {
            // When the writer has gone there is nobody to tell.
            let _ = sink.send(event).await;
        }
        if let Some(report) = report {
            let cases = judge.cases().into_iter().chain(wait.cases(progress)).chain(self.cases(books));
            report.write("hookctl listen", &cases.collect::<Vec<_>>(), self.elapsed)?;
        }
        Ok(exit.and(judge.exit()).and(recorded))
    }

    /// What else is a case of a report: the journal that was to be written, and the command that was to end well.
    fn cases(&self, books: &Session) -> impl Iterator<Item = JunitCase> {
        let Config { record, command, .. } = self.config;
        let missing = books.unrecorded();
        let lacking = (missing > 0).then(|| format!("deliveries that could not be recorded: {missing}"));
        let journal = record.as_ref().map(|path| JunitCase::new(format!("--record {}", path.display()), lacking));
        let command = command.first().map(|program| {
            JunitCase::new(format!("-- {}", program.to_string_lossy()), StopConditions::against_command(self.cause))
        });
        journal.into_iter().chain(command)
    }
}

async fn bind(host: &str, port: u16) -> Result<TcpListener, Error> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let failed = |source| Error::Bind { addr: format!("{host}:{port}"), source };
    let mut refused = io::ErrorKind::AddrNotAvailable.into();
    for address in lookup_host((host, port)).await.map_err(failed)? {
        match bind_at(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(failed(refused))
}

/// With a longer queue than is usual for those that have not been accepted yet: many senders may begin at once.
fn bind_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of a listener before are no reason to wait. Elsewhere it would let two take one port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The address by which this machine reaches the listener.
fn reached(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
