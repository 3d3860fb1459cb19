//! Connections: accepted, served over HTTP/1, ended gracefully.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::desk::Desk;
use super::limits::{ACCEPT_PAUSE, FINISH_TIME, HEADER_TIME, STALL_TIME};
use super::reply::Content;
use super::socket::{Line, Socket};
use super::tls::{Begun, Tls};
use crate::event::{Note, Sink};

/// A server under way.
pub struct Server {
    stop: oneshot::Sender<()>,
    desk: Arc<Desk>,
    task: JoinHandle<GracefulShutdown>,
}

/// Starts to accept connections, over TLS if there is any.
pub fn start(listener: TcpListener, tls: Option<Tls>, desk: Arc<Desk>, sink: Sink) -> Server {
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(accept(listener, tls.map(Arc::new), Arc::clone(&desk), sink, stopped));
    Server { stop, desk, task }
}

impl Server {
    /// Stops accepting, and waits for the requests in flight to be answered: at once, where a script would let them wait.
    /// One that is not whole is waited for as long as more of it comes.
    pub async fn finish(self) {
        // The task ends by itself only in a panic; then there is nothing to finish.
        let _ = self.stop.send(());
        self.desk.end();
        if let Ok(connections) = self.task.await {
            let _ = timeout(FINISH_TIME, connections.shutdown()).await;
        }
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    desk: Arc<Desk>,
    sink: Sink,
    mut stopped: oneshot::Receiver<()>,
) -> GracefulShutdown {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).half_close(true);
    let connections = GracefulShutdown::new();
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return connections,
        };
        let (stream, remote) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                if !failing {
                    let _ = sink.say(Note::warning(format!("cannot accept connections: {error}"))).await;
                }
                failing = true;
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        failing = false;
        // An answer is one small packet; waiting to fill it only adds delay.
        let _ = stream.set_nodelay(true);
        let watched = if desk.lets_hang() { Line::watched(stream) } else { Ok((stream, Line::default())) };
        // Without a descriptor left for it, there is none left to serve it either.
        let Ok((stream, line)) = watched else { continue };
        let (desk, watcher) = (Arc::clone(&desk), connections.watcher());
        let connection = Connection { http: http.clone(), desk, remote, line, watcher };
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => connection.deliveries(stream).await,
                Some(tls) => connection.secured(stream, &tls).await,
            }
        });
    }
}

/// A connection that was accepted.
struct Connection {
    http: http1::Builder,
    desk: Arc<Desk>,
    remote: SocketAddr,
    line: Line,
    watcher: Watcher,
}

impl Connection {
    /// Serves deliveries.
    async fn deliveries(self, stream: TcpStream) {
        let line = self.line.clone();
        self.through(Socket::new(stream, line)).await;
    }

    /// Serves deliveries over TLS, and tells those who come without it.
    async fn secured(self, stream: TcpStream, tls: &Tls) {
        let (desk, line) = (Arc::clone(&self.desk), self.line.clone());
        let begun = tokio::select! {
            begun = tls.begin(stream, line.clone()) => begun,
            // Whoever has not said anything by then is not waited for.
            () = desk.ended() => Begun::Nothing,
        };
        match begun {
            Begun::Secured(stream) => self.through(stream).await,
            Begun::Plain(stream) => {
                let remote = self.remote;
                let service = service_fn(move |_| Arc::clone(&desk).in_plain_text(remote));
                self.serve(Socket::new(stream, line), service).await;
            }
            Begun::Nothing => {}
            Begun::Failed(why) => desk.refused(self.remote, &why).await,
        }
    }

    async fn through(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let (desk, remote, line) = (Arc::clone(&self.desk), self.remote, self.line.clone());
        let service = service_fn(move |request| Arc::clone(&desk).receive(request, remote, line.clone()));
        self.serve(stream, service).await;
    }

    async fn serve<S>(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, service: S)
    where
        S: HttpService<Incoming, ResBody = Content>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Connection { http, desk, remote, line, watcher } = self;
        let served = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::pin!(served);
        // A connection that breaks off concerns nobody else; a request that never reached the desk is said here.
        tokio::select! {
            served = &mut served => match served {
                Err(error) if error.is_parse() => desk.refused(remote, &error.to_string()).await,
                _ => {}
            },
            () = stalled(&desk, &line) => desk.refused(remote, "it was not whole when the listener ended").await,
        }
    }
}

/// Resolves when the listener ends and nothing more comes of a request.
async fn stalled(desk: &Desk, line: &Line) {
    desk.ended().await;
    loop {
        let before = line.waits_since();
        sleep(STALL_TIME).await;
        if before.is_some() && line.waits_since() == before {
            return;
        }
    }
}
