//! One connection: sends a request and reads its response.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::buf::Chain;
use bytes::{Buf, Bytes, BytesMut};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::response::{Framing, HeadFields, Malformed, ResponseHead};

/// The size of a read in bytes; most responses are smaller.
const READ: usize = 4096;

/// A connection to a receiver, or to a proxy on the way to it.
pub(crate) struct ClientConnection<S> {
    stream: S,
    /// Bytes that have come and are not parsed.
    buffer: BytesMut,
    /// The unsent rest of the request: head and body.
    unsent: Chain<Bytes, Bytes>,
    /// Whether any byte of the request was sent.
    has_sent: bool,
    /// Whether the whole request has left this process.
    flushed: bool,
    /// The error that stopped the sending.
    write_error: Option<io::Error>,
}

/// The reason why no response came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("the connection was closed before an answer came")]
    Closed,
    #[error("the connection was reset before an answer came")]
    Reset,
    /// Any other error of the connection.
    #[error("{0}")]
    Lost(io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl<S: AsyncRead + AsyncWrite + Unpin> ClientConnection<S> {
    pub(crate) fn new(stream: S) -> Self {
        let unsent = Bytes::new().chain(Bytes::new());
        ClientConnection { stream, buffer: BytesMut::new(), unsent, has_sent: false, flushed: true, write_error: None }
    }

    /// Queues a request, which is sent while [`ClientConnection::head`] waits for the response.
    pub(crate) fn send(&mut self, head: Bytes, body: Bytes) {
        self.unsent = head.chain(body);
        (self.has_sent, self.flushed) = (false, false);
    }

    /// Whether any byte of the request was sent. Without a byte, nothing was delivered.
    pub(crate) fn has_sent(&self) -> bool {
        self.has_sent
    }

    /// Waits for the head of the response, which may come before the whole request is sent.
    pub(crate) async fn head(&mut self, fields: HeadFields) -> Result<ResponseHead, ExchangeError> {
        loop {
            if let Some(head) = ResponseHead::take(&mut self.buffer, Timestamp::now(), fields)? {
                return Ok(head);
            }
            // A write error counts only after all bytes were parsed: the receiver may have sent a whole response.
            match (self.more().await, self.write_error.take()) {
                (Ok(0), None) => return Err(ExchangeError::Closed),
                (Ok(0) | Err(_), Some(error)) | (Err(error), None) => return Err(ExchangeError::lost(error)),
                (Ok(_), write_error) => self.write_error = write_error,
            }
        }
    }

    /// Reads the body until `is_enough` or its end. Returns `true` for a whole body.
    pub(crate) async fn body(
        &mut self,
        framing: &mut Framing,
        body: &mut Vec<u8>,
        is_enough: impl Fn(&[u8]) -> bool,
    ) -> bool {
        loop {
            match poll_fn(|cx| self.poll_body(cx, framing, body)).await {
                Ok(whole) if whole || is_enough(body) => return whole,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// The next piece of the body; `None` at its end.
    pub(crate) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        framing: &mut Framing,
    ) -> Poll<io::Result<Option<Bytes>>> {
        let mut piece = Vec::new();
        if ready!(self.poll_body(cx, framing, &mut piece))? {
            // The next call finds the end again, where this call returns a piece.
            *framing = Framing::Length(0);
        }
        Poll::Ready(Ok((!piece.is_empty()).then(|| piece.into())))
    }

    /// Appends the next bytes of the body to `body`: at least one byte, unless the body ends. Returns `true` at the end.
    fn poll_body(&mut self, cx: &mut Context<'_>, framing: &mut Framing, body: &mut Vec<u8>) -> Poll<io::Result<bool>> {
        let before = body.len();
        loop {
            if framing.take(&mut self.buffer, body).map_err(io::Error::other)? {
                return Poll::Ready(Ok(true));
            }
            if body.len() > before {
                return Poll::Ready(Ok(false));
            }
            match ready!(self.poll_more(cx))? {
                0 if *framing == Framing::UntilClose => return Poll::Ready(Ok(true)),
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                _ => {}
            }
        }
    }

    /// Whether the exchange is over, with no bytes left in either direction.
    pub(crate) fn is_reusable(&self) -> bool {
        self.flushed && self.write_error.is_none() && self.buffer.is_empty()
    }

    /// Whether a kept connection is still good: the receiver has neither closed it nor sent bytes.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        // Yields, so that the runtime polls the socket for new bytes.
        tokio::task::yield_now().await;
        poll_fn(|cx| Poll::Ready(self.poll_read(cx).is_pending())).await
    }

    /// Sends and reads, whichever is possible first. Returns the number of bytes read; 0 at the end.
    async fn more(&mut self) -> io::Result<usize> {
        poll_fn(|cx| self.poll_more(cx)).await
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Err(error)) = self.poll_send(cx) {
            self.write_error = Some(error);
        }
        self.poll_read(cx)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flushed || self.write_error.is_some() {
            return Poll::Ready(Ok(()));
        }
        while self.unsent.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 2];
            let filled = self.unsent.chunks_vectored(&mut slices);
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..filled]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.has_sent = true;
            self.unsent.advance(written);
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.reserve(READ);
        pin!(self.stream.read_buf(&mut self.buffer)).poll(cx)
    }
}

impl ExchangeError {
    /// A peer that ends TLS or TCP without a close message has closed the connection.
    fn lost(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof, WriteZero};
        match error.kind() {
            ConnectionReset => ExchangeError::Reset,
            BrokenPipe | ConnectionAborted | UnexpectedEof | WriteZero => ExchangeError::Closed,
            _ => ExchangeError::Lost(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    const REQUEST: &[u8] = b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n";

    /// The result of a request to a receiver that sends these bytes, buffers `capacity` bytes, and closes.
    async fn exchange(response: &[u8], capacity: usize, body: &'static [u8]) -> (Result<u16, ExchangeError>, bool) {
        let (near, mut far) = duplex(capacity);
        let mut connection = ClientConnection::new(near);
        connection.send(Bytes::from_static(REQUEST), Bytes::from_static(body));
        far.write_all(response).await.unwrap();
        far.shutdown().await.unwrap();
        let head = connection.head(HeadFields::Known).await.map(|head| head.status);
        (head, connection.is_reusable())
    }

    #[tokio::test]
    async fn an_early_response_counts_though_the_request_does_not_fit() {
        let refusal = b"HTTP/1.1 413 X\r\ncontent-length: 0\r\n\r\n";
        let (head, is_reusable) = exchange(refusal, 64, &[b'x'; 10_000]).await;
        assert_eq!(head.unwrap(), 413);
        assert!(!is_reusable, "a connection with half a request left cannot be kept");
        let (head, is_reusable) = exchange(refusal, 1024, b"hello").await;
        assert!(head.unwrap() == 413 && is_reusable);
    }

    #[tokio::test]
    async fn a_response_that_breaks_off_is_closed_and_a_wrong_one_malformed() {
        for answer in [&b""[..], b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nx: y\r\n"] {
            let (head, _) = exchange(answer, 1024, b"hello").await;
            assert!(matches!(head, Err(ExchangeError::Closed)), "{head:?}");
        }
        let (head, _) = exchange(b"garbage\r\n\r\n", 1024, b"hello").await;
        assert!(matches!(head, Err(ExchangeError::Malformed(_))), "{head:?}");
    }

    #[tokio::test]
    async fn head_and_body_are_sent_unchanged_and_the_response_is_read() {
        let (near, mut far) = duplex(1024);
        let mut connection = ClientConnection::new(near);
        assert!(connection.is_quiet().await && connection.is_reusable());
        connection.send(Bytes::from_static(REQUEST), Bytes::from_static(b"hello"));
        assert!(!connection.has_sent() && !connection.is_reusable());
        let answer = async {
            let mut seen = vec![0; REQUEST.len() + 5];
            far.read_exact(&mut seen).await.unwrap();
            assert_eq!(seen, [REQUEST, b"hello"].concat());
            far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na\nb").await.unwrap();
        };
        let (head, ()) = tokio::join!(connection.head(HeadFields::Known), answer);
        let (mut head, mut body) = (head.unwrap(), Vec::new());
        assert!(connection.body(&mut head.framing, &mut body, |_| false).await && connection.is_reusable());
        assert_eq!((body.as_slice(), connection.has_sent()), (&b"a\nb"[..], true));
        assert!(connection.is_quiet().await);
        far.write_all(b"HTTP/1.1 408 X\r\n\r\n").await.unwrap();
        assert!(!connection.is_quiet().await, "the receiver sent bytes without a request");
    }

    #[tokio::test]
    async fn nothing_is_sent_on_a_closed_connection() {
        let (near, far) = duplex(64);
        drop(far);
        let mut connection = ClientConnection::new(near);
        assert!(!connection.is_quiet().await);
        connection.send(Bytes::from_static(REQUEST), Bytes::new());
        assert!(matches!(connection.head(HeadFields::Known).await, Err(ExchangeError::Closed)));
        assert!(!connection.has_sent());
    }
}
