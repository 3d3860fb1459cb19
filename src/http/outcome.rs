//! The outcome of one attempt, with or without a response.

use tokio::time::Instant;

use crate::payload::retry::AttemptOutcome;

/// The outcome of one request, redirects included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IncomingResponse {
    /// In the words of retry profiles.
    pub(crate) outcome: AttemptOutcome,
    /// From connecting to the response's head, milliseconds.
    pub(crate) ms: f64,
    /// The first line of the response's body, or the way to the response when there was a redirect.
    pub(crate) line: Option<String>,
    /// When the response's head came, for durations that do not start at the connect, as `ms` does.
    pub(crate) answered_at: Option<Instant>,
    /// Why no response came, in words.
    pub(crate) error: Option<String>,
    /// The cause of `error`, if it is a known cause.
    pub(crate) cause: Option<NoResponse>,
}

/// Why no response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// No program listens on the port.
    Refused,
    /// The host has no address.
    Unresolved,
    /// The connection was reset.
    Reset,
    /// The connection was closed without a response.
    Closed,
    /// There was no connection, or no response, in time.
    TimedOut,
    /// The TLS handshake failed.
    Tls,
    /// The bytes that came are no HTTP response.
    Malformed,
}

/// An attempt without a response.
#[derive(Debug)]
pub(crate) struct FailedAttempt {
    pub(crate) outcome: AttemptOutcome,
    pub(crate) cause: Option<NoResponse>,
    pub(crate) reason: String,
}

impl FailedAttempt {
    /// A failed attempt. `sent`: a byte of the request was sent, so the receiver may have the request.
    pub(crate) fn new((cause, reason): (Option<NoResponse>, String), sent: bool) -> Self {
        let outcome = if sent { AttemptOutcome::Unknown } else { AttemptOutcome::Unreachable };
        FailedAttempt { outcome, cause, reason }
    }
}

impl IncomingResponse {
    /// An outcome and a time; every other field is `None`.
    pub(crate) fn of(outcome: AttemptOutcome, ms: f64) -> Self {
        IncomingResponse { outcome, ms, line: None, answered_at: None, error: None, cause: None }
    }
}
