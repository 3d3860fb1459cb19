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
use super::limits::{ACCEPT_PAUSE, FINISH_TIME, HEADER_TIME};
use super::reply::Content;
use super::socket::{Reset, Socket};
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
        let connection =
            Connection { http: http.clone(), desk: Arc::clone(&desk), remote, watcher: connections.watcher() };
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
    watcher: Watcher,
}

impl Connection {
    /// Serves deliveries.
    async fn deliveries(self, stream: TcpStream) {
        let reset = Reset::default();
        self.through(Socket::new(stream, reset.clone()), reset).await;
    }

    /// Serves deliveries over TLS, and tells those who come without it.
    async fn secured(self, stream: TcpStream, tls: &Tls) {
        let (desk, reset) = (Arc::clone(&self.desk), Reset::default());
        let begun = tokio::select! {
            begun = tls.begin(stream, reset.clone()) => begun,
            // Whoever has not said anything by then is not waited for.
            () = desk.ended() => Begun::Nothing,
        };
        match begun {
            Begun::Secured(stream) => self.through(stream, reset).await,
            Begun::Plain(stream) => {
                let remote = self.remote;
                self.serve(stream, service_fn(move |_| Arc::clone(&desk).in_plain_text(remote))).await;
            }
            Begun::Nothing => {}
            Begun::Failed(why) => desk.refused(self.remote, &why).await,
        }
    }

    async fn through(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, reset: Reset) {
        let (desk, remote) = (Arc::clone(&self.desk), self.remote);
        let service = service_fn(move |request| Arc::clone(&desk).receive(request, remote, reset.clone()));
        self.serve(stream, service).await;
    }

    async fn serve<S>(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, service: S)
    where
        S: HttpService<Incoming, ResBody = Content>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        // A connection that breaks off concerns nobody else; a request that hyper had to refuse never reached the
        // desk, so it is said here.
        if let Err(error) = self.watcher.watch(connection).await
            && error.is_parse()
        {
            self.desk.refused(self.remote, &error.to_string()).await;
        }
    }
}
