//! The events of `webhook_events_filter`.

/// The event of a delivery. The request itself does not name the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CogEvent {
    /// The prediction has started.
    Start,
    /// There is new output.
    Output,
    /// There are new logs.
    Logs,
    /// The prediction has ended.
    Completed,
}

impl CogEvent {
    /// All events, in Cog's order.
    pub const ALL: [CogEvent; 4] = [CogEvent::Start, CogEvent::Output, CogEvent::Logs, CogEvent::Completed];

    /// The name in `webhook_events_filter`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CogEvent::Start => "start",
            CogEvent::Output => "output",
            CogEvent::Logs => "logs",
            CogEvent::Completed => "completed",
        }
    }

    /// Case-sensitive.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        CogEvent::ALL.into_iter().find(|event| event.name() == name)
    }
}
