//! `hookctl listen`: receives deliveries, verifies and records them, and answers.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::sync::watch;

use crate::clock::Now;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Ready, Sink};
use crate::http::curl::quote;
use crate::journal::Redaction;
use crate::journal::file::Journal;
use crate::payload::events::Events;
use crate::sys::junit::JunitReport;
use crate::sys::signals::Signals;

pub(crate) mod body;
pub(crate) mod child;
pub(crate) mod config;
pub(crate) mod expectations;
pub(crate) mod forward;
pub(crate) mod handler;
pub mod limits;
pub(crate) mod pending;
pub(crate) mod recorder;
pub(crate) mod response;
pub(crate) mod run_state;
pub(crate) mod save_outputs;
pub mod script;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod stop_conditions;
pub(crate) mod summary;
pub(crate) mod tls;
pub(crate) mod tunnel;
pub(crate) mod verify;

use child::Child;
use handler::Handler;
use limits::BACKLOG;
use stop_conditions::{ListenProgress, StopCause};
use summary::RunSummary;
use tls::Tls;
use tunnel::Tunnel;

pub(crate) use config::Config;

/// Runs the listener until a stop condition is met or a signal comes.
pub(crate) async fn run(config: Config, sink: Sink, clock: Now, signals: &mut Signals) -> Result<Exit, Error> {
    let journal = config.record.as_deref().map(|path| Journal::open(path, config.record_sync)).transpose()?;
    let torn = journal.as_ref().and_then(Journal::note);
    let report = config.report.as_deref().map(|path| JunitReport::create(path, &config.policy.secrets)).transpose()?;
    let (progress, progressed) = watch::channel(ListenProgress::default());
    let recorder = recorder::start(&config, journal, sink.clone(), progress)?;
    let handler = Arc::new(Handler::new(&config, recorder.clone(), sink.clone(), clock)?);
    let tls = config.certificate.as_ref().map(|certificate| Tls::new(certificate, &config.host)).transpose()?;
    let listener = bind(&config.host, config.port).await?;
    let address = listener.local_addr().map_err(|source| Error::Bind { addr: config.host.clone(), source })?;
    let tunnel = match config.tunnel {
        None => None,
        Some(client) => tokio::select! {
            opened = Tunnel::open(client, reachable(address)) => Some(opened?),
            exit = signals.next() => return Ok(exit),
        },
    };
    let ready = ready(&config, address, tls.as_ref(), tunnel.as_ref());
    // The limit is counted before the first sender learns the address.
    let connections = server::ConnectionLimit::of(&handler);
    let started = Instant::now();
    // Fails when the writer has ended; then `StopConditions::for_end` ends the run. The same below.
    let _ = sink.send(Event::Ready(ready.clone())).await;
    for note in notes(&config, tls.as_ref()).chain(torn.map(Note::warning)) {
        let _ = sink.send(note).await;
    }
    let server = server::start(listener, tls, Arc::clone(&handler), sink.clone(), connections);
    let tunnel = tunnel.map(|tunnel| tunnel.watch(sink.clone()));
    let child = match config.command.split_first() {
        Some((program, arguments)) => {
            let secret = config.policy.secrets.first();
            Some(Child::start(program, arguments, &ready, secret, config.data_on_stdout)?)
        }
        None => None,
    };

    let (cause, child) = config.wait.for_end(progressed.clone(), child, &sink, signals).await;
    let end = async {
        if let Some(child) = child {
            child.stop().await;
        }
        server.finish().await;
        if let Some(tunnel) = tunnel {
            tunnel.close().await;
        }
        let until = progressed.borrow().until;
        let result = recorder.close().await?;
        let summary = RunSummary { config: &config, cause, until, elapsed: started.elapsed() };
        summary.finish(result, report, &sink).await
    };
    tokio::pin!(end);
    let stopped = matches!(cause, StopCause::Signal { .. });
    loop {
        tokio::select! {
            exit = &mut end => return exit,
            // A first signal while the run ends anyway changes nothing.
            again = signals.next() => if stopped || signals.is_urgent() { return Ok(again) },
        }
    }
}

fn ready(config: &Config, address: SocketAddr, tls: Option<&Tls>, tunnel: Option<&Tunnel>) -> Ready {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", reachable(address));
    let cacert = tls.and_then(Tls::shared).map(Path::to_owned);
    Ready {
        send_command: config.send_command.as_ref().map(|command| whole_command(command, &url, cacert.as_deref())),
        url,
        port: address.port(),
        public_url: tunnel.map(|tunnel| tunnel.url.clone()),
        cacert,
        exposed: !address.ip().is_loopback(),
        verifies: !config.policy.secrets.is_empty(),
    }
}

/// The command that sends to the listener, with `--to` and `--cacert`.
fn whole_command(command: &str, url: &str, cacert: Option<&Path>) -> String {
    let cacert = cacert.map(|path| format!(" --cacert {}", quote(path.as_os_str().as_encoded_bytes())));
    format!("{command} --to {url}{}", cacert.unwrap_or_default())
}

/// The notes about the configuration that the user should read before the first delivery comes.
fn notes(config: &Config, tls: Option<&Tls>) -> impl Iterator<Item = Event> {
    let tls = tls.map(|tls| Note::info(tls.note()));
    let app = config.forward_to.as_ref().map(|app| {
        if config.script.forwards() {
            let redaction = Redaction::of(&config.policy.secrets, config.policy.scheme);
            Note::info(format!("deliveries are passed on to {}", redaction.text(app.to_string())))
        } else {
            Note::warning("no delivery is forwarded: --respond has no forward item; add one, or omit --respond")
        }
    });
    let until = config.wait.until.as_ref().and_then(|until| {
        let near = until.nearest_known()?;
        Some(Note::warning(format!("--until {until}: no known provider sends that; did you mean {near}?")))
    });
    let events = config.events.iter().flat_map(Events::possible_typos).map(|(name, near)| {
        Note::warning(format!("--events {name}: no known provider sends that; did you mean {near}?"))
    });
    tls.into_iter().chain(app).chain(until).chain(events)
}

async fn bind(host: &str, port: u16) -> Result<TcpListener, Error> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let bind_error = |source| Error::Bind { addr: format!("{host}:{port}"), source };
    let mut last_error = io::ErrorKind::AddrNotAvailable.into();
    for address in lookup_host((host, port)).await.map_err(bind_error)? {
        match bind_address(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last_error = error,
        }
    }
    Err(bind_error(last_error))
}

/// Binds with a longer accept queue than usual: many senders may begin at once.
fn bind_address(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Old connections of an earlier listener must not keep the port. On Windows the option would let two processes share a
    // port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The address by which this machine reaches the listener.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
