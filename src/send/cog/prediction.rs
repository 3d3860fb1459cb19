//! The state of a prediction, for both servers.

use std::time::Duration;

use super::event::CogEvent;

/// A change that a server applies to its prediction.
#[derive(Debug)]
pub(crate) enum CogChange {
    Start,
    /// The model is a generator.
    Streams,
    Log(String),
    /// A JSON object.
    Metrics(String),
    /// JSON of one more item of output.
    OutputItem(String),
    /// JSON of the whole output.
    Output(String),
    End(CogOutcome),
}

impl CogChange {
    pub(crate) fn event(&self) -> Option<CogEvent> {
        match self {
            CogChange::Start => Some(CogEvent::Start),
            CogChange::Log(_) => Some(CogEvent::Logs),
            CogChange::OutputItem(_) => Some(CogEvent::Output),
            CogChange::End(_) => Some(CogEvent::Completed),
            CogChange::Streams | CogChange::Metrics(_) | CogChange::Output(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CogOutcome {
    Succeeded,
    Failed(String),
    Canceled,
}

impl CogOutcome {
    pub(crate) fn status(&self) -> &'static str {
        match self {
            CogOutcome::Succeeded => "succeeded",
            CogOutcome::Failed(_) => "failed",
            CogOutcome::Canceled => "canceled",
        }
    }

    pub(crate) fn error(&self) -> Option<&str> {
        match self {
            CogOutcome::Failed(error) => Some(error),
            CogOutcome::Succeeded | CogOutcome::Canceled => None,
        }
    }
}

pub(crate) trait Prediction {
    /// `now` counts from the start of the run.
    fn apply(&mut self, change: CogChange, now: Duration);

    /// The body of a delivery that is sent now.
    fn body(&self) -> String;
}

/// Why the last attempt at a delivery failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastFailure {
    /// A status that is retried.
    Status(u16),
    /// The connection was refused.
    Refused,
    /// The connection was reset.
    Reset,
    /// The connection was closed without a response.
    Closed,
    /// The host has no address.
    Unresolved,
}
