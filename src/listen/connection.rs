//! A connection's socket, and what can be asked of it by whoever answers on it.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// The connection, for whoever answers on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionState(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether it must end in a reset (RST) instead of an orderly end (FIN).
    reset: AtomicBool,
    /// How often something came.
    came: AtomicU64,
    /// Whether more is waited for.
    waits: AtomicBool,
    /// Whether what came is a whole request, which is not answered yet.
    whole: AtomicBool,
    /// How often something had come when the last answer was ready; before the first, nothing.
    answered: AtomicU64,
    /// The same socket once more.
    twin: Mutex<Option<std::net::TcpStream>>,
}

impl ConnectionState {
    /// One on which the sender's [going](ConnectionState::sender_closed) can be noticed. It takes a descriptor more.
    pub(crate) fn watched(stream: &TcpStream) -> io::Result<Self> {
        #[cfg(unix)]
        let twin = std::os::fd::AsFd::as_fd(stream).try_clone_to_owned()?;
        #[cfg(windows)]
        let twin = std::os::windows::io::AsSocket::as_socket(stream).try_clone_to_owned()?;
        Ok(ConnectionState(Arc::new(State { twin: Mutex::new(Some(twin.into())), ..State::default() })))
    }

    /// Lets the socket be reset when it is closed.
    pub(crate) fn reset_on_close(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
    }

    /// Resolves when the sender has nothing more to say, because it has gone. Nothing that it says can be read after this.
    pub(crate) async fn sender_closed(&self) {
        let twin = self.0.twin.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Ok(mut twin)) = twin.map(TcpStream::from_std) else { return std::future::pending().await };
        let mut unheard = [0; 1024];
        while let Ok(1..) = twin.read(&mut unheard).await {}
    }

    /// Lets it be known that the request is whole: whatever is waited for now is no part of it.
    pub(crate) fn request_complete(&self) {
        self.0.whole.store(true, Ordering::Relaxed);
    }

    /// Lets it be known that the answer is ready.
    pub(crate) fn response_ready(&self) {
        self.0.answered.store(self.0.came.load(Ordering::Relaxed), Ordering::Relaxed);
        self.0.whole.store(false, Ordering::Relaxed);
    }

    /// How often something came, as long as more is waited for of a request that is not whole. TLS reads on whenever it
    /// can, whatever it has.
    pub(crate) fn waits_since(&self) -> Option<u64> {
        let came = self.0.came.load(Ordering::Relaxed);
        let is_between = came > 0 && self.0.answered.load(Ordering::Relaxed) == came;
        let waits = self.0.waits.load(Ordering::Relaxed) && !self.0.whole.load(Ordering::Relaxed);
        (waits && !is_between).then_some(came)
    }

    fn read(&self, is_pending: bool) {
        self.0.waits.store(is_pending, Ordering::Relaxed);
        if !is_pending {
            self.0.came.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    line: ConnectionState,
    /// Time in which something must be taken of what is written.
    answer_time: Duration,
    /// Runs while nothing is.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// A socket that heeds what is asked on `line`, and ends when nothing is taken for this time of what is written.
    pub(crate) fn new(stream: TcpStream, line: ConnectionState, answer_time: Duration) -> Self {
        Socket { stream, line, answer_time, stuck: None }
    }

    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let time = self.answer_time;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(time)));
        stuck.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.line.0.reset.load(Ordering::Relaxed) {
            // A socket that cannot linger any more is one that the other side has closed before us.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        self.line.read(read.is_pending());
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
