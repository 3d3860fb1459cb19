//! The socket of a connection, and the state that the handler and the server share about the connection.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionState(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether the connection ends with RST instead of FIN.
    reset: AtomicBool,
    /// The number of reads that brought bytes.
    reads: AtomicU64,
    /// Whether the last read is pending.
    is_reading: AtomicBool,
    /// Whether a whole request has come that is not answered yet.
    is_complete: AtomicBool,
    /// The number of reads when the last response was ready; 0 before the first response.
    answered_at: AtomicU64,
    /// The same socket under another descriptor.
    dup: Mutex<Option<std::net::TcpStream>>,
}

impl ConnectionState {
    /// The state of a connection that can notice the [close of its sender](ConnectionState::sender_closed), which takes one
    /// more descriptor.
    pub(crate) fn watched(stream: &TcpStream) -> io::Result<Self> {
        #[cfg(unix)]
        let dup = std::os::fd::AsFd::as_fd(stream).try_clone_to_owned()?;
        #[cfg(windows)]
        let dup = std::os::windows::io::AsSocket::as_socket(stream).try_clone_to_owned()?;
        Ok(ConnectionState(Arc::new(State { dup: Mutex::new(Some(dup.into())), ..State::default() })))
    }

    /// Ends the connection with RST when the socket is dropped.
    pub(crate) fn reset_on_close(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
    }

    /// Resolves when the sender has closed the connection. Bytes that come meanwhile are lost.
    pub(crate) async fn sender_closed(&self) {
        let dup = self.0.dup.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Ok(mut dup)) = dup.map(TcpStream::from_std) else { return std::future::pending().await };
        let mut dropped = [0; 1024];
        while let Ok(1..) = dup.read(&mut dropped).await {}
    }

    /// Notes that the request is whole: bytes that are read now are no part of the request.
    pub(crate) fn request_done(&self) {
        self.0.is_complete.store(true, Ordering::Relaxed);
    }

    pub(crate) fn response_ready(&self) {
        self.0.answered_at.store(self.0.reads.load(Ordering::Relaxed), Ordering::Relaxed);
        self.0.is_complete.store(false, Ordering::Relaxed);
    }

    /// The number of reads so far, if the connection waits for the rest of a request. A pending read alone does not show that
    /// a request is incomplete: TLS reads ahead whenever it can.
    pub(crate) fn reads_if_mid_request(&self) -> Option<u64> {
        let reads = self.0.reads.load(Ordering::Relaxed);
        let is_between_requests = reads > 0 && self.0.answered_at.load(Ordering::Relaxed) == reads;
        let waits = self.0.is_reading.load(Ordering::Relaxed) && !self.0.is_complete.load(Ordering::Relaxed);
        (waits && !is_between_requests).then_some(reads)
    }

    fn read(&self, is_pending: bool) {
        self.0.is_reading.store(is_pending, Ordering::Relaxed);
        if !is_pending {
            self.0.reads.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The socket of an accepted connection. A write fails when the sender reads nothing for `answer_time`.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    state: ConnectionState,
    answer_time: Duration,
    /// Runs while a write is pending.
    write_timer: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, state: ConnectionState, answer_time: Duration) -> Self {
        Socket { stream, state, answer_time, write_timer: None }
    }

    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let time = self.answer_time;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(time)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.state.0.reset.load(Ordering::Relaxed) {
            // The option fails on a socket that the sender has closed already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        self.state.read(read.is_pending());
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
