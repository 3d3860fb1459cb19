//! How a request ends: with an answer, or in one of the ways that a script asks for instead.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, SizeHint};

use super::script::{Act, carries_nothing};
use crate::journal::record::{Answer, By, Deed};

/// The body of an answer: whole, or one that breaks off.
pub type Content = Either<Full<Bytes>, Torn>;

/// The connection ends without an answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection ends without a whole answer")]
pub struct Ended;

/// How a request ends, and who decided it.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Who.
    pub by: By,
    /// How.
    pub end: End,
    /// The first line of the app's answer, or why there was none.
    pub line: Option<String>,
}

/// How a request ends.
#[derive(Clone, Debug)]
pub enum End {
    /// With this answer.
    Answer {
        /// The status.
        status: StatusCode,
        /// The headers, but for those that follow from the body.
        headers: HeaderMap,
        /// The body.
        body: Bytes,
    },
    /// With an answer that breaks off.
    Truncate,
    /// Without one, after this time or never.
    Hang(Option<Duration>),
    /// Without one, by FIN.
    Close,
    /// Without one, by RST.
    Reset,
}

/// What a delivery is acknowledged with where nobody says otherwise.
const RECEIVED: &str = r#"{"received":true}"#;

impl Reply {
    /// An answer in JSON.
    pub fn new(status: StatusCode, by: By, body: impl Into<Bytes>) -> Self {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
        Reply { by, end: End::Answer { status, headers, body: body.into() }, line: None }
    }

    /// What is answered in place of an app that gave no answer, for this reason.
    pub fn unanswered(status: StatusCode, reason: String) -> Self {
        let reply = Reply::new(status, By::Forward, r#"{"error":"the app gave no answer"}"#);
        Reply { line: Some(reason), ..reply }
    }

    /// What is answered in place of an acknowledgement when the journal cannot be written.
    pub fn not_recorded() -> Self {
        Reply::new(StatusCode::SERVICE_UNAVAILABLE, By::Refused, r#"{"error":"not recorded"}"#)
    }

    /// What is answered in place of an app's answer that cannot be passed on, for this reason.
    pub fn unusable(reason: String) -> Self {
        let reply =
            Reply::new(StatusCode::BAD_GATEWAY, By::Forward, r#"{"error":"the app's answer cannot be passed on"}"#);
        Reply { line: Some(reason), ..reply }
    }

    /// What a script asks for; `None` where it asks for the app's answer.
    pub fn scripted(act: &Act) -> Option<Self> {
        let end = match act {
            Act::Answer { status, retry_after, body } => {
                return Some(Self::answer(*status, *retry_after, body.clone()));
            }
            Act::Truncate => End::Truncate,
            Act::Hang(time) => End::Hang(*time),
            Act::Close => End::Close,
            Act::Reset => End::Reset,
            Act::Forward => return None,
        };
        Some(Reply { by: By::Script, end, line: None })
    }

    fn answer(status: StatusCode, retry_after: Option<u64>, body: Option<Bytes>) -> Self {
        let usual = || match status.canonical_reason() {
            _ if carries_nothing(status) => Bytes::new(),
            _ if status.is_success() => Bytes::from_static(RECEIVED.as_bytes()),
            Some(reason) => Bytes::from(format!(r#"{{"error":"{}"}}"#, reason.to_lowercase())),
            None => Bytes::from_static(br#"{"error":"scripted"}"#),
        };
        let mut reply = Reply::new(status, By::Script, body.unwrap_or_else(usual));
        if let (Some(seconds), End::Answer { headers, .. }) = (retry_after, &mut reply.end) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }

    /// The status that the sender gets to see.
    pub fn status(&self) -> Option<u16> {
        match &self.end {
            End::Answer { status, .. } => Some(status.as_u16()),
            End::Truncate => Some(StatusCode::OK.as_u16()),
            End::Hang(_) | End::Close | End::Reset => None,
        }
    }

    /// What the record says of it, that long after the request.
    pub fn recorded(&self, ms: f64) -> Answer {
        let did = match &self.end {
            End::Answer { .. } => None,
            End::Truncate => Some(Deed::Truncate),
            End::Hang(_) => Some(Deed::Hang),
            End::Close => Some(Deed::Close),
            End::Reset => Some(Deed::Reset),
        };
        Answer { status: self.status(), did, line: self.line.clone(), ..Answer::new(0, self.by, ms) }
    }
}

/// An answer as hyper sends it.
pub fn response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Content> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An acknowledgement that breaks off.
pub fn torn() -> Response<Content> {
    let mut response = Response::new(Either::Right(Torn::default()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body that announces more than it has.
#[derive(Debug, Default)]
pub struct Torn {
    polled: u8,
}

/// How much of it there is.
const PART: &str = r#"{"received":"#;

impl Body for Torn {
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        self.polled = self.polled.saturating_add(1);
        match self.polled {
            1 => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PART.as_bytes()))))),
            // hyper throws away what it has not written yet when a body fails; while it waits for one, it writes.
            2 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(Ended))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(RECEIVED.len() as u64)
    }
}
