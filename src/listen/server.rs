//! Connections: accepted, served over HTTP/1, ended gracefully.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::connection::{ConnectionState, Socket};
use super::handler::Handler;
use super::limits::{ACCEPT_CALM, ACCEPT_PAUSE, DESCRIPTORS, FINISH_TIME, HEAD_BYTES, ListenLimits, STALL_TIME};
use super::response::ResponseBody;
use super::tls::{Tls, TlsStart};
use crate::event::{Event, Note, Sink};

/// A server under way.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    desk: Arc<Handler>,
    task: JoinHandle<GracefulShutdown>,
}

/// How many connections may be open at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimit {
    most: usize,
    /// Why no more.
    why: &'static str,
}

impl ConnectionLimit {
    /// As many as the limit allows and there are descriptors for.
    pub(crate) fn of(desk: &Handler) -> Self {
        let connections = desk.limits.connections;
        // Each connection may need one more to the app behind it, and one to notice that its sender goes.
        let each = 1 + usize::from(desk.forwards()) + usize::from(desk.may_hang());
        let most = affordable(connections, each);
        let why = if most < connections { "there are descriptors for (ulimit -n)" } else { "may be at a time" };
        ConnectionLimit { most, why }
    }
}

/// Starts to accept connections, over TLS if there is any.
pub(crate) fn start(
    listener: TcpListener,
    tls: Option<Tls>,
    desk: Arc<Handler>,
    sink: Sink,
    room: ConnectionLimit,
) -> Server {
    let (stop, stopped) = oneshot::channel();
    let limits = desk.limits;
    let (ConnectionLimit { most, why }, open) = (room, Arc::new(Semaphore::new(room.most)));
    let door = Acceptor { listener, most, why, open, was_full: false, watches: desk.may_hang(), sink, failed: None };
    let task = tokio::spawn(accept(door, tls.map(Arc::new), Arc::clone(&desk), limits, stopped));
    Server { stop, desk, task }
}

impl Server {
    /// Stops accepting, and waits for the requests in flight to be answered: at once, where a script would let them wait.
    /// One that is not whole is waited for as long as more of it comes.
    pub(crate) async fn finish(self) {
        // The task ends by itself only in a panic; then there is nothing to finish.
        let _ = self.stop.send(());
        self.desk.end();
        if let Ok(connections) = self.task.await {
            let _ = timeout(FINISH_TIME, connections.shutdown()).await;
        }
    }
}

/// How many of so many connections there are descriptors for, where each takes so many: asks for more, and counts what it
/// gets. Whatever is started after it inherits that, and is no worse off.
fn affordable(connections: usize, each: usize) -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        // Those that are taken already. Where that is not told, it is about so many.
        let taken = std::fs::read_dir("/dev/fd").map_or(16, Iterator::count) as u64;
        let wanted = (connections * each) as u64 + taken + DESCRIPTORS;
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_some_and(|current| current < wanted) {
            let more = maximum.map_or(wanted, |maximum| maximum.min(wanted));
            // Where it is refused, there are as many as before.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum });
        }
        let Some(got) = getrlimit(Resource::Nofile).current else { return connections };
        let free = usize::try_from(got.saturating_sub(taken + DESCRIPTORS)).unwrap_or(usize::MAX);
        (free / each).clamp(1, connections)
    }
    #[cfg(not(unix))]
    {
        // Sockets have no limit of their own there.
        let _ = each;
        connections
    }
}

/// Where connections come in.
struct Acceptor {
    listener: TcpListener,
    /// How many may be open at a time.
    most: usize,
    /// Why no more.
    why: &'static str,
    /// Room for those that are not.
    open: Arc<Semaphore>,
    /// Whether it was said that there is none.
    was_full: bool,
    /// Whether it must be noticed that a sender goes.
    watches: bool,
    sink: Sink,
    /// Since when none could be accepted, most lately.
    failed: Option<Instant>,
}

impl Acceptor {
    /// Waits for a connection, whatever comes between.
    async fn next(&mut self) -> (TcpStream, SocketAddr, ConnectionState, Option<OwnedSemaphorePermit>) {
        loop {
            let room = self.room().await;
            let calm = self.failed.map(|failed| failed + ACCEPT_CALM);
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = sleep_until(calm.unwrap_or_else(Instant::now)), if calm.is_some() => {
                    self.failed = None;
                    self.say(Note::info("connections are accepted again")).await;
                    continue;
                }
            };
            match accepted {
                Ok((stream, remote)) => {
                    let line = self.line(&stream).await;
                    return (stream, remote, line, room);
                }
                Err(error) => self.failed(error).await,
            }
        }
    }

    /// The line of a connection, which is waited for as the connection itself.
    async fn line(&mut self, stream: &TcpStream) -> ConnectionState {
        while self.watches {
            match ConnectionState::watched(stream) {
                Ok(line) => return line,
                Err(error) => self.failed(error).await,
            }
        }
        ConnectionState::default()
    }

    /// Says that there is no descriptor left, and waits a little.
    async fn failed(&mut self, error: io::Error) {
        if self.failed.replace(Instant::now()).is_none() {
            let text = format!("cannot accept connections: {error}; those that come wait until it can be");
            self.say(Note::warning(text)).await;
        }
        sleep(ACCEPT_PAUSE).await;
    }

    /// Room for one connection more. Where there is none, whoever comes waits in the system's queue.
    async fn room(&mut self) -> Option<OwnedSemaphorePermit> {
        if self.open.available_permits() == 0 && !self.was_full {
            self.was_full = true;
            let Acceptor { most, why, .. } = self;
            let text = format!("{most} connections are open, as many as {why}: more wait");
            self.say(Note::warning(text)).await;
        }
        // It is never closed, so there always comes one.
        Arc::clone(&self.open).acquire_owned().await.ok()
    }

    async fn say(&self, note: Event) {
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.send_or_skip(note).await;
    }
}

async fn accept(
    mut door: Acceptor,
    tls: Option<Arc<Tls>>,
    desk: Arc<Handler>,
    limits: ListenLimits,
    mut stopped: oneshot::Receiver<()>,
) -> GracefulShutdown {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_time).max_buf_size(HEAD_BYTES).half_close(true);
    if desk.responds_briefly() {
        // In one piece, which takes less than to write head and body from where they are.
        http.writev(false);
    }
    let connections = GracefulShutdown::new();
    loop {
        let (stream, remote, line, room) = tokio::select! {
            accepted = door.next() => accepted,
            _ = &mut stopped => return connections,
        };
        // An answer is one small packet; waiting to fill it only adds delay.
        let _ = stream.set_nodelay(true);
        let (desk, watcher) = (Arc::clone(&desk), connections.watcher());
        let remote = remote.to_string().into();
        let connection = AcceptedConnection { http: http.clone(), desk, remote, line, watcher };
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => connection.deliveries(stream).await,
                Some(tls) => connection.secured(stream, &tls).await,
            }
            drop(room);
        });
    }
}

/// A connection that was accepted.
struct AcceptedConnection {
    http: http1::Builder,
    desk: Arc<Handler>,
    remote: Arc<str>,
    line: ConnectionState,
    watcher: Watcher,
}

impl AcceptedConnection {
    /// Serves deliveries.
    async fn deliveries(self, stream: TcpStream) {
        let line = self.line.clone();
        let time = self.desk.limits.answer_time;
        self.through(Socket::new(stream, line, time)).await;
    }

    /// Serves deliveries over TLS, and tells those who come without it.
    async fn secured(self, stream: TcpStream, tls: &Tls) {
        let (desk, line) = (Arc::clone(&self.desk), self.line.clone());
        let time = desk.limits.answer_time;
        let begun = tokio::select! {
            begun = tls.begin(stream, line.clone(), time) => begun,
            // Whoever has not said anything by then is not waited for.
            () = desk.ended() => TlsStart::Nothing,
        };
        match begun {
            TlsStart::Secured(stream) => self.through(stream).await,
            TlsStart::Plain(stream) => {
                let remote = Arc::clone(&self.remote);
                let service = service_fn(move |_| Arc::clone(&desk).reject_plain_http(Arc::clone(&remote)));
                self.serve(Socket::new(stream, line, time), service).await;
            }
            TlsStart::Nothing => {}
            TlsStart::Failed(why) => desk.unreadable(&self.remote, &why).await,
        }
    }

    async fn through(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let (desk, remote, line) = (Arc::clone(&self.desk), Arc::clone(&self.remote), self.line.clone());
        let service = service_fn(move |request| Arc::clone(&desk).receive(request, Arc::clone(&remote), line.clone()));
        self.serve(stream, service).await;
    }

    async fn serve<S>(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, service: S)
    where
        S: HttpService<Incoming, ResBody = ResponseBody>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let AcceptedConnection { http, desk, remote, line, watcher } = self;
        let served = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::pin!(served);
        // A connection that breaks off concerns nobody else; a request that never reached the desk is said here.
        tokio::select! {
            biased;
            served = &mut served => match served {
                Err(error) if error.is_parse() => desk.unreadable(&remote, &error.to_string()).await,
                _ => {}
            },
            () = stalled(&desk, &line) => desk.unreadable(&remote, "it was not whole when the listener ended").await,
        }
    }
}

/// Resolves when the listener ends and nothing more comes of a request.
async fn stalled(desk: &Handler, line: &ConnectionState) {
    desk.ended().await;
    loop {
        let before = line.waits_since();
        sleep(STALL_TIME).await;
        if before.is_some() && line.waits_since() == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
