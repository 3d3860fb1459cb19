//! Connections: accepted, served over HTTP/1, ended gracefully.

use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::desk::Desk;
use super::limits::{ACCEPT_PAUSE, FINISH_TIME, HEADER_TIME};
use super::socket::{Reset, Socket};
use crate::event::{Note, Sink};

/// A server under way.
pub struct Server {
    stop: oneshot::Sender<()>,
    desk: Arc<Desk>,
    task: JoinHandle<GracefulShutdown>,
}

/// Starts to accept connections.
pub fn start(listener: TcpListener, desk: Arc<Desk>, sink: Sink) -> Server {
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(accept(listener, Arc::clone(&desk), sink, stopped));
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
        let (service_desk, reset) = (Arc::clone(&desk), Reset::default());
        let socket = TokioIo::new(Socket::new(stream, reset.clone()));
        let service = service_fn(move |request| Arc::clone(&service_desk).receive(request, remote, reset.clone()));
        let connection = connections.watch(http.serve_connection(socket, service));
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            // A connection that breaks off concerns nobody else; a request that hyper had to refuse never reached the
            // desk, so it is said here.
            if let Err(error) = connection.await
                && error.is_parse()
            {
                desk.refused(remote, &error.to_string()).await;
            }
        });
    }
}
