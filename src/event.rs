//! Events: commands send them, sinks show them, and nothing else prints.

pub(crate) mod inspect;
pub(crate) mod kinds;
pub(crate) mod listen;
pub(crate) mod send;
pub(crate) mod sink;

pub use inspect::JournalRow;
pub(crate) use inspect::{
    Counts, Diff, Examined, FieldChange, Latencies, Rate, ReadProgress, Stats, TableTotals, Timeline, TimelineDelivery,
    line_of,
};
pub use kinds::{Event, Note, Skipped};
pub(crate) use listen::{Ready, Saved, Tally, count};
pub(crate) use send::{
    DrillExpectation, DrillResponse, DrillResult, DrillTally, DrillVerdict, Latency, LoadProgress, LoadReport, Plan,
    PlannedRetry, SentTally,
};
pub use sink::{Backpressure, Closed, OutputState, QueuedEvent, Sink, Slot, channel};
