//! Errors of a run file.

use std::time::Duration;

/// Why a run file is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Not JSON, or not an object.
    #[error("a Cog run must be a JSON object: {0}")]
    NotAnObject(String),
    /// A required member is missing.
    #[error("{place} is missing: write {mend}")]
    Missing {
        /// The member and its object.
        place: String,
        /// An example of the member.
        mend: &'static str,
    },
    /// A member of the wrong type.
    #[error("{place} is {found}: make it {wanted}")]
    WrongType {
        /// The member and its object.
        place: String,
        /// The type found.
        found: &'static str,
        /// The type expected.
        wanted: &'static str,
    },
    /// An invalid time or duration.
    #[error("{place} is '{text}': {reason}")]
    Time {
        /// The member and its object.
        place: String,
        /// As in the file.
        text: String,
        /// Why the text is invalid.
        reason: String,
    },
    /// A value that is not in the list of known values.
    #[error("{place} is '{found}', which Cog does not know: {}", did_you_mean(.nearest, .known))]
    UnknownWord {
        /// The member and its object.
        place: String,
        /// As in the file.
        found: String,
        /// The most similar known value.
        nearest: Option<&'static str>,
        /// All known values.
        known: String,
    },
    /// A member whose name is almost a known name.
    #[error("{place} has a member '{found}': did you mean '{nearest}'?")]
    UnknownMember {
        /// The object.
        place: String,
        /// As in the file.
        found: String,
        /// The most similar known name.
        nearest: &'static str,
    },
    /// A step with no action, or with several.
    #[error("step {step} does {does}: give it one of \"log\", \"output\" and \"metrics\"")]
    NotOneAction {
        /// The step's number, from 1.
        step: usize,
        /// "nothing" or "several things".
        does: &'static str,
    },
    /// A step is earlier than the step before.
    #[error("step {step} is at {at:?}, before step {} at {before:?}: sort the steps by time", .step - 1)]
    StepOutOfOrder {
        /// The step's number, from 1.
        step: usize,
        /// The step's time.
        at: Duration,
        /// The time of the step before.
        before: Duration,
    },
    /// The end is earlier than the last step.
    #[error("the end is at {end:?}, before step {step} at {at:?}: set a later end, or remove the step")]
    EndsTooEarly {
        /// The last step's number, from 1.
        step: usize,
        /// The last step's time.
        at: Duration,
        /// The end's time.
        end: Duration,
    },
    /// Members of `end` that contradict each other or the status.
    #[error("the end has {what}: {mend}")]
    Contradiction {
        /// The contradiction.
        what: &'static str,
        /// How to fix it.
        mend: &'static str,
    },
    /// JSON that Cog's servers cannot send.
    #[error("Cog cannot send {place}: {reason}")]
    Unsendable {
        /// The member and its object.
        place: String,
        /// Why not.
        reason: String,
    },
    /// A `webhook_events_filter` of `null`, which coglet refuses with 422.
    #[error(
        "\"webhook_events_filter\" is null, which coglet refuses with 422: remove it, or send with --flavor python"
    )]
    NullFilter,
}

fn did_you_mean(nearest: &Option<&'static str>, known: &str) -> String {
    match nearest {
        Some(word) => format!("did you mean '{word}'?"),
        None => format!("write one of {known}"),
    }
}
