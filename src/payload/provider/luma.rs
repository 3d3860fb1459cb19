//! Luma (Dream Machine): a generation, on every change of its state.
//!
//! Sources: docs.lumalabs.ai, changelog (callbacks); `lumaai-python`, `types/generation.py` (fields, states, and that a
//! callback comes "when the generation is dreaming, completed, or failed"). No signature. The spacing of the JSON on the
//! wire is not documented; the fixtures are compact.

use super::{Fields, Fixture, Provider, Shape, ShapeSign, Status};
use crate::payload::retry::{ONCE, RetryProfile, millis, secs};

pub(crate) static PROVIDER: Provider =
    Provider { name: "luma", label: "Luma", agents: &[], shapes: &[GENERATION], fixtures: FIXTURES };

/// "Retried 3 times, 100 ms apart"; 200 is required within 5 s. Other 2xx statuses are not documented and count as
/// acknowledgements.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "luma",
    label: "Luma",
    summary: "3 retries 100 ms apart",
    waits: &[millis(100); 3],
    response_timeout: Some(secs(5)),
    ..ONCE
};

const GENERATION: Shape = Shape {
    variant: "generation",
    title: "generation",
    must: &[ShapeSign::Has("id"), ShapeSign::Has("state")],
    signs: &[
        (2, ShapeSign::Has("generation_type")),
        (2, ShapeSign::Word("state", &["dreaming"])),
        (1, ShapeSign::Has("failure_reason")),
        (1, ShapeSign::Has("assets")),
        (1, ShapeSign::Has("request")),
    ],
    fields: Fields {
        id: &["id"],
        status: &["state"],
        output: &["assets.video", "assets.image", "assets"],
        input: &["request"],
        error: &["failure_reason"],
        ids: &[("model", "model")],
        ..Fields::NONE
    },
    statuses: &[
        ("queued", Status::Starting),
        ("dreaming", Status::Processing),
        ("completed", Status::Succeeded),
        ("failed", Status::Failed),
    ],
    retry: &RETRY,
    ..Shape::PLAIN
};

const FIXTURES: &[Fixture] = &[
    fixture!("luma/dreaming", "generation"),
    fixture!("luma/completed", "generation"),
    fixture!("luma/failed", "generation"),
];
