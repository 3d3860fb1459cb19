//! OpenAI: thin events, with the id of an object and without its result.
//!
//! Sources: `openai/openai-python`, `types/webhooks/*.py` (every event and its fields; `object` may be absent) and
//! `lib/_webhooks.py` (its variant of Standard Webhooks). The spacing of the JSON on the wire is not documented; the
//! fixtures are compact.

use super::{Fields, Fixture, Kind, Provider, Shape, ShapeSign, Status};
use crate::json::JsonType;
use crate::payload::retry::general::DOUBLING_FOR_THREE_DAYS;
use crate::payload::retry::{ONCE, RetryProfile};

pub(crate) static PROVIDER: Provider =
    Provider { name: "openai", label: "OpenAI", agents: &[], shapes: &[RUN, NOTICE], fixtures: FIXTURES };

/// "Exponential, up to 72 hours" (from a secondary source). The waits are a guess. A redirect is a failure.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "openai",
    label: "OpenAI",
    summary: "up to 72 h with growing waits; 12 that double from 1 m are a guess",
    waits: DOUBLING_FOR_THREE_DAYS,
    ..ONCE
};

const RUN: Shape = Shape {
    variant: "run",
    title: "end of a response, batch, fine-tuning job or eval run",
    must: &[
        ShapeSign::Has("id"),
        ShapeSign::Is("created_at", JsonType::Number),
        ShapeSign::Is("data", JsonType::Object),
        ShapeSign::Starts("type", &["response.", "batch.", "fine_tuning.job.", "eval.run."]),
    ],
    signs: &[
        (3, ShapeSign::Word("object", &["event"])),
        (2, ShapeSign::Starts("id", &["evt_"])),
        (2, ShapeSign::Is("type", JsonType::String)),
    ],
    fields: Fields {
        id: &["data.id"],
        // The body has no status besides the event.
        status: &["type"],
        event: &["type"],
        ids: &[("event_id", "id")],
        ..Fields::NONE
    },
    statuses: &[
        ("response.completed", Status::Succeeded),
        ("response.failed", Status::Failed),
        // The response was cut: too long, or filtered.
        ("response.incomplete", Status::Failed),
        ("response.cancelled", Status::Canceled),
        ("batch.completed", Status::Succeeded),
        ("batch.failed", Status::Failed),
        ("batch.expired", Status::Failed),
        ("batch.cancelled", Status::Canceled),
        ("fine_tuning.job.succeeded", Status::Succeeded),
        ("fine_tuning.job.failed", Status::Failed),
        ("fine_tuning.job.cancelled", Status::Canceled),
        ("eval.run.succeeded", Status::Succeeded),
        ("eval.run.failed", Status::Failed),
        ("eval.run.canceled", Status::Canceled),
    ],
    inferred_event: |_| None,
    schemes: &["openai"],
    retry: &RETRY,
    ..Shape::PLAIN
};

/// Incoming calls, agents, safety: every event other than the end of a run.
const NOTICE: Shape = Shape {
    variant: "notice",
    title: "event",
    kind: Kind::Notice,
    must: &[
        ShapeSign::Has("id"),
        ShapeSign::Is("created_at", JsonType::Number),
        ShapeSign::Is("data", JsonType::Object),
        ShapeSign::Is("type", JsonType::String),
    ],
    signs: &[
        (3, ShapeSign::Word("object", &["event"])),
        (1, ShapeSign::Starts("id", &["evt_"])),
        (1, ShapeSign::Starts("type", &["realtime.", "live.", "agent.", "safety.", "safety_identifier."])),
    ],
    fields: Fields {
        id: &["id"],
        event: &["type"],
        ids: &[("call_id", "data.call_id"), ("session_id", "data.session_id"), ("subject", "data.id")],
        ..Fields::NONE
    },
    statuses: &[],
    ..RUN
};

const FIXTURES: &[Fixture] = &[
    fixture!("openai/completed", "run"),
    fixture!("openai/failed", "run"),
    fixture!("openai/incomplete", "run"),
    fixture!("openai/cancelled", "run"),
    fixture!("openai/batch-completed", "run"),
    fixture!("openai/fine-tuning-succeeded", "run"),
    fixture!("openai/eval-failed", "run"),
    fixture!("openai/call-incoming", "notice"),
];
