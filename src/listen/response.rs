//! How a request ends: with an answer, or in one of the ways that a script asks for instead.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, SizeHint};

use super::script::{ScriptAction, carries_nothing};
use crate::journal::record::{Answer, AnsweredBy, ConnectionAction};

/// The body of an answer: whole, or one that breaks off.
pub(crate) type ResponseBody = Either<Full<Bytes>, TruncatedBody>;

/// The connection ends without an answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection ends without a whole answer")]
pub(crate) struct ConnectionClosed;

/// How a request ends, and who decided it.
#[derive(Clone, Debug)]
pub(crate) struct HandlerResponse {
    /// Who.
    pub(crate) by: AnsweredBy,
    /// How.
    pub(crate) kind: ResponseKind,
    /// The first line of the app's answer, or why there was none.
    pub(crate) line: Option<String>,
}

/// How a request ends.
#[derive(Clone, Debug)]
pub(crate) enum ResponseKind {
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

impl HandlerResponse {
    /// An answer in JSON.
    pub(crate) fn new(status: StatusCode, by: AnsweredBy, body: impl Into<Bytes>) -> Self {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
        HandlerResponse { by, kind: ResponseKind::Answer { status, headers, body: body.into() }, line: None }
    }

    /// What is answered in place of an app that gave no answer, for this reason.
    pub(crate) fn unanswered(status: StatusCode, reason: String) -> Self {
        let response = HandlerResponse::new(status, AnsweredBy::Forward, r#"{"error":"the app gave no answer"}"#);
        HandlerResponse { line: Some(reason), ..response }
    }

    /// What is answered in place of an acknowledgement when the journal cannot be written.
    pub(crate) fn not_recorded() -> Self {
        HandlerResponse::new(StatusCode::SERVICE_UNAVAILABLE, AnsweredBy::Refused, r#"{"error":"not recorded"}"#)
    }

    /// What is answered in place of an app's answer that cannot be passed on, for this reason.
    pub(crate) fn unusable(reason: String) -> Self {
        let response = HandlerResponse::new(
            StatusCode::BAD_GATEWAY,
            AnsweredBy::Forward,
            r#"{"error":"the app's answer cannot be passed on"}"#,
        );
        HandlerResponse { line: Some(reason), ..response }
    }

    /// What a script asks for; `None` where it asks for the app's answer.
    pub(crate) fn scripted(act: &ScriptAction) -> Option<Self> {
        let kind = match act {
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
            _ if carries_nothing(status) => Bytes::new(),
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

    /// The status that the sender gets to see.
    pub(crate) fn status(&self) -> Option<u16> {
        match &self.kind {
            ResponseKind::Answer { status, .. } => Some(status.as_u16()),
            ResponseKind::Truncate => Some(StatusCode::OK.as_u16()),
            ResponseKind::Hang(_) | ResponseKind::Close | ResponseKind::Reset => None,
        }
    }

    /// What the record says of it, that long after the request.
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

/// An answer as hyper sends it.
pub(crate) fn response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<ResponseBody> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An acknowledgement that breaks off.
pub(crate) fn truncated() -> Response<ResponseBody> {
    let mut response = Response::new(Either::Right(TruncatedBody::default()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body that announces more than it has.
#[derive(Debug, Default)]
pub(crate) struct TruncatedBody {
    polled: u8,
}

/// How much of it there is.
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
            // hyper throws away what it has not written yet when a body fails; while it waits for one, it writes.
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
