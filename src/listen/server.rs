//! Accepts connections, serves HTTP/1 on them, and shuts down gracefully.

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

use super::handler::Handler;
use super::limits::{
    ACCEPT_CALM, ACCEPT_PAUSE, FINISH_TIME, HEAD_BYTES, ListenLimits, RESERVED_DESCRIPTORS, STALL_TIME,
};
use super::response::ResponseBody;
use super::socket::{ConnectionState, Socket};
use super::tls::{Tls, TlsStart};
use crate::event::{Note, Sink};

pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    handler: Arc<Handler>,
    task: JoinHandle<GracefulShutdown>,
}

/// How many connections may be open at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimit {
    limit: usize,
    /// Why the limit is not higher, for a note.
    reason: &'static str,
}

impl ConnectionLimit {
    /// [`ListenLimits::connections`], or fewer if the file descriptors do not suffice.
    pub(crate) fn of(handler: &Handler) -> Self {
        let connections = handler.limits.connections;
        // A connection may need a second descriptor for the connection to the app, and a third to notice that its sender
        // has closed. The connections to the app, idle ones included, are never more than the deliveries in flight at once.
        let descriptors = 1 + usize::from(handler.forwards()) + usize::from(handler.may_hang());
        let limit = affordable(connections, descriptors);
        let reason =
            if limit < connections { "file descriptors allow (ulimit -n)" } else { "hookctl accepts at a time" };
        ConnectionLimit { limit, reason }
    }
}

/// Starts to accept connections, over TLS if there is a certificate.
pub(crate) fn start(
    listener: TcpListener,
    tls: Option<Tls>,
    handler: Arc<Handler>,
    sink: Sink,
    limit: ConnectionLimit,
) -> Server {
    let (stop, stopped) = oneshot::channel();
    let limits = handler.limits;
    let permits = Arc::new(Semaphore::new(limit.limit));
    let watches = handler.may_hang();
    let acceptor = Acceptor { listener, limit, permits, was_full: false, watches, sink, last_failure: None };
    let task = tokio::spawn(accept(acceptor, tls.map(Arc::new), Arc::clone(&handler), limits, stopped));
    Server { stop, handler, task }
}

impl Server {
    /// Stops accepting, and waits until the requests in flight are answered. Delays of a script end at once. An incomplete
    /// request is waited for as long as more bytes come.
    pub(crate) async fn finish(self) {
        // The task ends by itself only in a panic; then there is no request to finish.
        let _ = self.stop.send(());
        self.handler.begin_shutdown();
        if let Ok(connections) = self.task.await {
            let _ = timeout(FINISH_TIME, connections.shutdown()).await;
        }
    }
}

/// The number of connections, at most `connections`, if each may need `descriptors`. Raises the process's descriptor limit
/// (`ulimit -n`) as far as allowed and needed. Child processes inherit the raised limit, which does them no harm.
fn affordable(connections: usize, descriptors: usize) -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        // Where /dev/fd cannot be listed, about 16 descriptors are taken.
        let taken = std::fs::read_dir("/dev/fd").map_or(16, Iterator::count) as u64;
        let wanted = (connections * descriptors) as u64 + taken + RESERVED_DESCRIPTORS;
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_some_and(|current| current < wanted) {
            let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
            // A failure leaves the limit as it was.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
        }
        let Some(current) = getrlimit(Resource::Nofile).current else { return connections };
        let free = usize::try_from(current.saturating_sub(taken + RESERVED_DESCRIPTORS)).unwrap_or(usize::MAX);
        (free / descriptors).clamp(1, connections)
    }
    #[cfg(not(unix))]
    {
        // Sockets have no limit of their own there.
        let _ = descriptors;
        connections
    }
}

struct Acceptor {
    listener: TcpListener,
    limit: ConnectionLimit,
    permits: Arc<Semaphore>,
    /// Whether the note about the connection limit was sent.
    was_full: bool,
    /// Whether a connection must notice that its sender has closed.
    watches: bool,
    sink: Sink,
    /// The last failed accept, until accepting has worked for a while.
    last_failure: Option<Instant>,
}

impl Acceptor {
    async fn next(&mut self) -> (TcpStream, SocketAddr, ConnectionState, Option<OwnedSemaphorePermit>) {
        loop {
            let permit = self.permit().await;
            let calm = self.last_failure.map(|failure| failure + ACCEPT_CALM);
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = sleep_until(calm.unwrap_or_else(Instant::now)), if calm.is_some() => {
                    self.last_failure = None;
                    self.sink.note(Note::info("connections are accepted again")).await;
                    continue;
                }
            };
            match accepted {
                Ok((stream, remote)) => {
                    let state = self.state(&stream).await;
                    return (stream, remote, state, permit);
                }
                Err(error) => self.failed(error).await,
            }
        }
    }

    /// The state of a connection. When descriptors run out, waits for the second descriptor with the pause and the note of a
    /// failed accept.
    async fn state(&mut self, stream: &TcpStream) -> ConnectionState {
        while self.watches {
            match ConnectionState::watched(stream) {
                Ok(state) => return state,
                Err(error) => self.failed(error).await,
            }
        }
        ConnectionState::default()
    }

    /// Notes that no connection can be accepted, and waits a little.
    async fn failed(&mut self, error: io::Error) {
        if self.last_failure.replace(Instant::now()).is_none() {
            let text = format!("cannot accept connections: {error}; new connections wait until this is over");
            self.sink.note(Note::warning(text)).await;
        }
        sleep(ACCEPT_PAUSE).await;
    }

    /// A permit for one more connection. Until a permit is free, senders wait in the system's accept queue.
    async fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        if self.permits.available_permits() == 0 && !self.was_full {
            self.was_full = true;
            let ConnectionLimit { limit, reason } = self.limit;
            let text = format!("{limit} connections are open, as many as {reason}: further connections wait");
            self.sink.note(Note::warning(text)).await;
        }
        // The semaphore is never closed, so a permit always comes.
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }
}

async fn accept(
    mut acceptor: Acceptor,
    tls: Option<Arc<Tls>>,
    handler: Arc<Handler>,
    limits: ListenLimits,
    mut stopped: oneshot::Receiver<()>,
) -> GracefulShutdown {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_time).max_buf_size(HEAD_BYTES).half_close(true);
    if handler.responds_briefly() {
        // Copying a short body after the head takes less time than a vectored write.
        http.writev(false);
    }
    let connections = GracefulShutdown::new();
    loop {
        let (stream, remote, state, permit) = tokio::select! {
            accepted = acceptor.next() => accepted,
            _ = &mut stopped => return connections,
        };
        // A response is one small packet; waiting to fill the packet only adds delay.
        let _ = stream.set_nodelay(true);
        let handler = Arc::clone(&handler);
        let watcher = connections.watcher();
        let remote = remote.to_string().into();
        let connection = AcceptedConnection { http: http.clone(), handler, remote, state, watcher };
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => connection.serve_plain(stream).await,
                Some(tls) => connection.serve_tls(stream, &tls).await,
            }
            drop(permit);
        });
    }
}

struct AcceptedConnection {
    http: http1::Builder,
    handler: Arc<Handler>,
    remote: Arc<str>,
    state: ConnectionState,
    watcher: Watcher,
}

impl AcceptedConnection {
    async fn serve_plain(self, stream: TcpStream) {
        let state = self.state.clone();
        let time = self.handler.limits.answer_time;
        self.serve_deliveries(Socket::new(stream, state, time)).await;
    }

    /// Serves deliveries over TLS, and answers a sender that comes without TLS.
    async fn serve_tls(self, stream: TcpStream, tls: &Tls) {
        let handler = Arc::clone(&self.handler);
        let state = self.state.clone();
        let time = handler.limits.answer_time;
        let begun = tokio::select! {
            begun = tls.begin(stream, state.clone(), time) => begun,
            // When the listener ends, a connection without a completed handshake is closed.
            () = handler.shutdown_begun() => TlsStart::Nothing,
        };
        match begun {
            TlsStart::Secured(stream) => self.serve_deliveries(stream).await,
            TlsStart::Plain(stream) => {
                let remote = Arc::clone(&self.remote);
                let service = service_fn(move |_| Arc::clone(&handler).reject_plain_http(Arc::clone(&remote)));
                self.serve(Socket::new(stream, state, time), service).await;
            }
            TlsStart::Nothing => {}
            TlsStart::Failed(reason) => handler.unreadable(&self.remote, &reason).await,
        }
    }

    async fn serve_deliveries(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let (handler, remote, state) = (Arc::clone(&self.handler), Arc::clone(&self.remote), self.state.clone());
        let service =
            service_fn(move |request| Arc::clone(&handler).receive(request, Arc::clone(&remote), state.clone()));
        self.serve(stream, service).await;
    }

    async fn serve<S>(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, service: S)
    where
        S: HttpService<Incoming, ResBody = ResponseBody>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let AcceptedConnection { http, handler, remote, state, watcher } = self;
        let served = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::pin!(served);
        // A connection that breaks off concerns its sender alone. A request that hyper could not parse never reached the
        // handler, so the note is sent here.
        tokio::select! {
            biased;
            served = &mut served => match served {
                Err(error) if error.is_parse() => handler.unreadable(&remote, &error.to_string()).await,
                _ => {}
            },
            () = stalled(&handler, &state) => {
                handler.unreadable(&remote, "it was incomplete when the listener stopped").await;
            }
        }
    }
}

/// Resolves when the listener ends and an incomplete request brings no more bytes.
async fn stalled(handler: &Handler, state: &ConnectionState) {
    handler.shutdown_begun().await;
    loop {
        let before = state.reads_if_mid_request();
        sleep(STALL_TIME).await;
        if before.is_some() && state.reads_if_mid_request() == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
