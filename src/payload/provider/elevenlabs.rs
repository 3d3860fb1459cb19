//! ElevenLabs: the results of a call.
//!
//! Sources: elevenlabs.io/docs/eleven-api/resources/webhooks; `elevenlabs-python`, `webhooks_custom.py` (signature) and
//! `GetConversationResponseModel` (the fields of `data`, the status words). The spacing of the JSON on the wire is not
//! documented; the fixtures are compact.

use super::{Fields, Fixture, Kind, Provider, Shape, ShapeSign, Status};
use crate::json::JsonType;
use crate::payload::retry::{ONCE, RetryProfile};

pub(crate) static PROVIDER: Provider = Provider {
    name: "elevenlabs",
    label: "ElevenLabs",
    agents: &[],
    shapes: &[TRANSCRIPTION, AUDIO, OTHER],
    fixtures: FIXTURES,
};

/// Retries are off unless configured for a webhook, and their schedule is not documented. A webhook is disabled after 10
/// failures in a row without a successful delivery for 7 days.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "elevenlabs",
    label: "ElevenLabs",
    summary: "one attempt: retries are off by default, and their waits are not documented",
    ..ONCE
};

const SIGNS: &[(u8, ShapeSign)] = &[
    (3, ShapeSign::Header("elevenlabs-signature")),
    (3, ShapeSign::Starts("type", &["post_call_"])),
    (2, ShapeSign::Has("data.conversation_id")),
    (1, ShapeSign::Has("data.agent_id")),
];

const OTHER: Shape = Shape {
    variant: "event",
    title: "event",
    kind: Kind::Notice,
    must: &[
        ShapeSign::Is("type", JsonType::String),
        ShapeSign::Has("event_timestamp"),
        ShapeSign::Is("data", JsonType::Object),
    ],
    signs: SIGNS,
    fields: Fields {
        id: &["data.conversation_id"],
        event: &["type"],
        ids: &[("agent_id", "data.agent_id")],
        ..Fields::NONE
    },
    inferred_event: |_| None,
    schemes: &["elevenlabs"],
    retry: &RETRY,
    ..Shape::PLAIN
};

const TRANSCRIPTION: Shape = Shape {
    variant: "transcription",
    title: "transcript and analysis of a call",
    must: &[
        ShapeSign::Word("type", &["post_call_transcription"]),
        ShapeSign::Has("event_timestamp"),
        ShapeSign::Is("data", JsonType::Object),
    ],
    fields: Fields {
        status: &["data.status"],
        // The transcript can be switched off; the analysis is still sent.
        output: &["data.transcript", "data.analysis"],
        error: &["data.metadata.error.reason", "data.metadata.termination_reason"],
        ..OTHER.fields
    },
    statuses: &[
        ("initiated", Status::Starting),
        ("in-progress", Status::Processing),
        ("processing", Status::Processing),
        ("done", Status::Succeeded),
        ("failed", Status::Failed),
    ],
    ..OTHER
};

const AUDIO: Shape = Shape {
    variant: "audio",
    title: "audio of a call",
    must: &[
        ShapeSign::Word("type", &["post_call_audio"]),
        ShapeSign::Has("event_timestamp"),
        ShapeSign::Is("data", JsonType::Object),
    ],
    fields: Fields { output: &["data.full_audio"], ..OTHER.fields },
    ..OTHER
};

const FIXTURES: &[Fixture] = &[
    fixture!("elevenlabs/transcription", "transcription"),
    fixture!("elevenlabs/failed", "transcription"),
    fixture!("elevenlabs/audio", "audio"),
];
