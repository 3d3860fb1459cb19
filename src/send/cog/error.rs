//! What is wrong with a run file.

use std::time::Duration;

/// What is wrong with a run file, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Not JSON, or no object.
    #[error("a Cog run is a JSON object, and this is not: {0}")]
    NotAnObject(String),
    /// Something that must be there is not.
    #[error("{place} is missing: write {mend}")]
    Missing {
        /// What and where.
        place: String,
        /// An example.
        mend: &'static str,
    },
    /// Something of another type.
    #[error("{place} is {found}: make it {wanted}")]
    WrongType {
        /// What and where.
        place: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// A time that cannot be read.
    #[error("{place} is '{text}': {reason}")]
    Time {
        /// What and where.
        place: String,
        /// As written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A word that is not one of those known.
    #[error("{place} is '{found}', which Cog does not know: {}", did_you_mean(.nearest, .known))]
    UnknownWord {
        /// What and where.
        place: String,
        /// As written.
        found: String,
        /// The known word most like it.
        nearest: Option<&'static str>,
        /// All that are known.
        known: String,
    },
    /// A member whose name is almost a known one.
    #[error("{place} has a member '{found}': did you mean '{nearest}'?")]
    UnknownMember {
        /// Where.
        place: String,
        /// As written.
        found: String,
        /// The known name.
        nearest: &'static str,
    },
    /// A step that does nothing, or two things.
    #[error("step {step} does {does}: give it one of \"log\", \"output\" and \"metrics\"")]
    NotOneDeed {
        /// Which, from 1.
        step: usize,
        /// How many it does.
        does: &'static str,
    },
    /// A step is before the one before it.
    #[error("step {step} is at {at:?}, before step {} at {before:?}: put the steps in order of time", .step - 1)]
    StepOutOfOrder {
        /// Which, from 1.
        step: usize,
        /// When it is.
        at: Duration,
        /// When the one before it is.
        before: Duration,
    },
    /// The end is before the last step.
    #[error("the end is at {end:?}, before step {step} at {at:?}: end later, or drop the step")]
    EndsTooEarly {
        /// The last step, from 1.
        step: usize,
        /// When it is.
        at: Duration,
        /// When the end is.
        end: Duration,
    },
    /// Members of `end` that exclude each other or its status.
    #[error("the end has {what}: {mend}")]
    Contradiction {
        /// What is there.
        what: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// JSON that no Cog can send.
    #[error("{place} is nothing that Cog can send: {reason}")]
    Unsendable {
        /// What and where.
        place: String,
        /// Why.
        reason: String,
    },
    /// coglet answers 422 to `null`.
    #[error(
        "\"webhook_events_filter\" is null, to which coglet answers 422: leave it out, or send with --flavor python"
    )]
    NullFilter,
}

fn did_you_mean(nearest: &Option<&'static str>, known: &str) -> String {
    match nearest {
        Some(word) => format!("did you mean '{word}'?"),
        None => format!("write one of {known}"),
    }
}
