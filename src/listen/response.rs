//! How a request ends: with a response, a truncated response, or a closed connection.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, SizeHint};

use super::script::{ScriptAction, has_no_body};
use crate::journal::record::{Answer, AnsweredBy, ConnectionAction};

/// A whole or truncated body.
pub(crate) type ResponseBody = Either<Full<Bytes>, TruncatedBody>;

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection ends without a whole answer")]
pub(crate) struct ConnectionClosed;

/// The decided response, or the decision to send none.
#[derive(Clone, Debug)]
pub(crate) struct HandlerResponse {
    pub(crate) by: AnsweredBy,
    pub(crate) kind: ResponseKind,
    /// The first line of the app's response, or the reason why the app gave none.
    pub(crate) line: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum ResponseKind {
    Answer {
        status: StatusCode,
        /// Without the headers that follow from the body.
        headers: HeaderMap,
        body: Bytes,
    },
    /// A response with a truncated body.
    Truncate,
    /// No response; the connection ends after this time, or with the sender.
    Hang(Option<Duration>),
    /// No response; the connection ends with FIN.
    Close,
    /// No response; the connection ends with RST.
    Reset,
}

/// The body of a 2xx response, unless the script has its own.
const RECEIVED: &str = r#"{"received":true}"#;

impl HandlerResponse {
    pub(crate) fn new(status: StatusCode, by: AnsweredBy, body: impl Into<Bytes>) -> Self {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
        HandlerResponse { by, kind: ResponseKind::Answer { status, headers, body: body.into() }, line: None }
    }

    /// The response in place of an app that gave none.
    pub(crate) fn unanswered(status: StatusCode, reason: String) -> Self {
        let response = HandlerResponse::new(status, AnsweredBy::Forward, r#"{"error":"the app gave no answer"}"#);
        HandlerResponse { line: Some(reason), ..response }
    }

    /// The response in place of an acknowledgement when the journal cannot be written.
    pub(crate) fn not_recorded() -> Self {
        HandlerResponse::new(StatusCode::SERVICE_UNAVAILABLE, AnsweredBy::Refused, r#"{"error":"not recorded"}"#)
    }

    /// The response in place of an app's response that cannot be passed on.
    pub(crate) fn unusable(reason: String) -> Self {
        let response = HandlerResponse::new(
            StatusCode::BAD_GATEWAY,
            AnsweredBy::Forward,
            r#"{"error":"the app's answer cannot be passed on"}"#,
        );
        HandlerResponse { line: Some(reason), ..response }
    }

    /// The response of a script; `None` for [`ScriptAction::Forward`].
    pub(crate) fn scripted(action: &ScriptAction) -> Option<Self> {
        let kind = match action {
            ScriptAction::Answer { status, retry_after, body } => {
                return Some(Self::answer(*status, *retry_after, body.clone()));
            }
            ScriptAction::Truncate => ResponseKind::Truncate,
            ScriptAction::Hang(time) => ResponseKind::Hang(*time),
            ScriptAction::Close => ResponseKind::Close,
            ScriptAction::Reset => ResponseKind::Reset,
            ScriptAction::Forward => return None,
        };
        Some(HandlerResponse { by: AnsweredBy::Script, kind, line: None })
    }

    fn answer(status: StatusCode, retry_after: Option<u64>, body: Option<Bytes>) -> Self {
        let usual = || match status.canonical_reason() {
            _ if has_no_body(status) => Bytes::new(),
            _ if status.is_success() => Bytes::from_static(RECEIVED.as_bytes()),
            Some(reason) => Bytes::from(format!(r#"{{"error":"{}"}}"#, reason.to_lowercase())),
            None => Bytes::from_static(br#"{"error":"scripted"}"#),
        };
        let mut response = HandlerResponse::new(status, AnsweredBy::Script, body.unwrap_or_else(usual));
        if let (Some(seconds), ResponseKind::Answer { headers, .. }) = (retry_after, &mut response.kind) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The status that the sender receives.
    pub(crate) fn status(&self) -> Option<u16> {
        match &self.kind {
            ResponseKind::Answer { status, .. } => Some(status.as_u16()),
            ResponseKind::Truncate => Some(StatusCode::OK.as_u16()),
            ResponseKind::Hang(_) | ResponseKind::Close | ResponseKind::Reset => None,
        }
    }

    /// The answer to record; `ms` is the time from the complete request to the decided response.
    pub(crate) fn recorded(&self, ms: f64) -> Answer {
        let did = match &self.kind {
            ResponseKind::Answer { .. } => None,
            ResponseKind::Truncate => Some(ConnectionAction::Truncate),
            ResponseKind::Hang(_) => Some(ConnectionAction::Hang),
            ResponseKind::Close => Some(ConnectionAction::Close),
            ResponseKind::Reset => Some(ConnectionAction::Reset),
        };
        Answer { status: self.status(), did, line: self.line.clone(), ..Answer::new(0, self.by, ms) }
    }
}

pub(crate) fn response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<ResponseBody> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An acknowledgement whose body breaks off.
pub(crate) fn truncated() -> Response<ResponseBody> {
    let mut response = Response::new(Either::Right(TruncatedBody::default()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body that announces more bytes than it sends.
#[derive(Debug, Default)]
pub(crate) struct TruncatedBody {
    polled: u8,
}

/// The bytes of [`RECEIVED`] that a truncated response sends.
const PART: &str = r#"{"received":"#;

impl Body for TruncatedBody {
    type Data = Bytes;
    type Error = ConnectionClosed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionClosed>>> {
        self.polled = self.polled.saturating_add(1);
        match self.polled {
            1 => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PART.as_bytes()))))),
            // hyper drops unwritten bytes when a body fails; while a body is pending, hyper writes.
            2 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(ConnectionClosed))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(RECEIVED.len() as u64)
    }
}
