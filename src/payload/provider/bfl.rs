//! Black Forest Labs (FLUX).
//!
//! Sources: `black-forest-labs/skills`, `skills/bfl-api/references/webhook-integration.md` (`Ready`, `Error`, signature,
//! retries); `vercel/ai`, `packages/black-forest-labs` (`Pending`, `Failed`, `Request Moderated`, from the polling API).
//! `Content Moderated` and `Task not found` are accepted, but unverified. The spacing of the JSON on the wire is not
//! documented; the fixtures are compact.

use super::{Fields, Fixture, Provider, Shape, ShapeSign, Status};
use crate::payload::retry::{ONCE, RetryProfile, secs};

pub(crate) static PROVIDER: Provider =
    Provider { name: "bfl", label: "Black Forest Labs", agents: &[], shapes: &[GENERATION], fixtures: FIXTURES };

/// After 1 s, 5 s and 30 s; 2xx is required within 30 s.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "bfl",
    label: "Black Forest Labs",
    summary: "after 1 s, 5 s, 30 s",
    waits: &[secs(1), secs(5), secs(30)],
    response_timeout: Some(secs(30)),
    ..ONCE
};

const GENERATION: Shape = Shape {
    variant: "generation",
    title: "generation",
    must: &[ShapeSign::Has("id"), ShapeSign::Has("status"), ShapeSign::Lacks("output"), ShapeSign::Lacks("input")],
    signs: &[
        (3, ShapeSign::Header("x-bfl-signature")),
        (
            2,
            ShapeSign::Word(
                "status",
                &["Ready", "Error", "Pending", "Request Moderated", "Content Moderated", "Task not found"],
            ),
        ),
        (2, ShapeSign::Has("result.sample")),
        (1, ShapeSign::Has("timestamp")),
    ],
    fields: Fields {
        id: &["id"],
        status: &["status"],
        output: &["result.sample", "result"],
        input: &["result.prompt"],
        error: &["message", "error"],
        ..Fields::NONE
    },
    statuses: &[
        ("Pending", Status::Processing),
        ("Ready", Status::Succeeded),
        ("Error", Status::Failed),
        ("Failed", Status::Failed),
        ("Request Moderated", Status::Failed),
        ("Content Moderated", Status::Failed),
        ("Task not found", Status::Failed),
    ],
    schemes: &["bfl"],
    retry: &RETRY,
    ..Shape::PLAIN
};

const FIXTURES: &[Fixture] = &[fixture!("bfl/ready", "generation"), fixture!("bfl/error", "generation")];
