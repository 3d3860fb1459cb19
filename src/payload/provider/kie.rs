//! Kie: one API for many models (Suno, Veo and others).
//!
//! Source: docs.kie.ai, `common-api/webhook-verification` (the signature, which does not cover the body; a response within
//! 15 s). The body is a response of the API: `code`, `msg`, and `data` with the id of the task. The spelling of the id and
//! the other members of `data` depend on the model. The spacing of the JSON on the wire is not documented; the fixtures are
//! compact.

use super::{Fields, Fixture, Provider, Shape, ShapeSign, Status};
use crate::json::JsonType;
use crate::payload::retry::{ONCE, RetryProfile, secs};

pub(crate) static PROVIDER: Provider =
    Provider { name: "kie", label: "Kie", agents: &[], shapes: &[TASK], fixtures: FIXTURES };

/// No retry is documented.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "kie",
    label: "Kie",
    summary: "one attempt: retries are not documented",
    response_timeout: Some(secs(15)),
    ..ONCE
};

const TASK: Shape = Shape {
    variant: "task",
    title: "task",
    must: &[ShapeSign::Is("code", JsonType::Number), ShapeSign::Has("msg")],
    signs: &[
        (3, ShapeSign::Has("data.task_id")),
        (3, ShapeSign::Has("data.taskId")),
        (3, ShapeSign::Has("taskId")),
        (2, ShapeSign::Header("x-webhook-timestamp")),
    ],
    fields: Fields {
        id: &["data.task_id", "data.taskId", "taskId"],
        status: &["code"],
        output: &["data"],
        error: &["msg"],
        ..Fields::NONE
    },
    statuses: &[("200", Status::Succeeded)],
    // As in HTTP, there are many codes for failures.
    other_status: Some(Status::Failed),
    schemes: &["kie"],
    retry: &RETRY,
    ..Shape::PLAIN
};

const FIXTURES: &[Fixture] = &[fixture!("kie/success", "task"), fixture!("kie/failed", "task")];
