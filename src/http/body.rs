//! The body of a response, read piece by piece.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use url::Url;

use super::connect::BoxedStream;
use super::exchange::ClientConnection;
use super::idle::IdleConnections;
use super::response::Framing;

pub(crate) struct IncomingBody {
    pub(crate) url: Url,
    /// Absent after the end of the body.
    pub(crate) connection: Option<ClientConnection<BoxedStream>>,
    pub(crate) framing: Framing,
    /// Present where the connection is kept after the body.
    pub(crate) idle: Option<IdleConnections>,
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.get_mut();
        let Some(connection) = &mut body.connection else { return Poll::Ready(None) };
        let piece = ready!(connection.poll_piece(cx, &mut body.framing));
        if let Ok(Some(piece)) = piece {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let connection = body.connection.take();
        if piece.is_ok()
            && let (Some(idle), Some(connection)) = (&body.idle, connection.filter(ClientConnection::is_reusable))
        {
            idle.keep(&body.url, connection);
        }
        Poll::Ready(piece.err().map(Err))
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Length(left) => SizeHint::with_exact(left),
            Framing::Chunked(_) | Framing::UntilClose => SizeHint::default(),
        }
    }
}
