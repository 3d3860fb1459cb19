//! ModelsLab: generations, and workflows in two contradictory forms.
//!
//! Sources: `ModelsLab/docs-v2` commit c1440bc: `webhooks.mdx` (generation, nested workflow),
//! `workflows-api/overview.mdx` (flat workflow), the OpenAPI files (`processing`, integer ids, `messege`). No signature,
//! secret or header is documented.

use super::{Fields, Fixture, Kind, Provider, Shape, ShapeSign, Status};
use crate::json::JsonType;
use crate::payload::retry::{ONCE, RetryProfile, secs};

pub(crate) static PROVIDER: Provider = Provider {
    name: "modelslab",
    label: "ModelsLab",
    agents: &[],
    shapes: &[GENERATION, NESTED, FLAT],
    fixtures: FIXTURES,
};

/// "Generation webhooks: best-effort delivery": no retry is promised. 2xx is required within 30 s.
pub(crate) static RETRY_GENERATION: RetryProfile = RetryProfile {
    name: "modelslab",
    label: "ModelsLab",
    summary: "one attempt: generations are best effort",
    response_timeout: Some(secs(30)),
    ..ONCE
};

/// "Workflow webhooks: retried up to 3 times with exponential backoff". The waits are not documented; doubling from 5 s on is
/// a guess.
pub(crate) static RETRY_WORKFLOW: RetryProfile = RetryProfile {
    name: "modelslab-workflow",
    summary: "up to 3 retries; their delays are not documented, 5 s, 10 s, 20 s are a guess",
    waits: &[secs(5), secs(10), secs(20)],
    ..RETRY_GENERATION
};

const GENERATION: Shape = Shape {
    variant: "generation",
    title: "generation",
    must: &[
        ShapeSign::Has("id"),
        ShapeSign::Has("status"),
        ShapeSign::Lacks("event"),
        ShapeSign::Lacks("input"),
        ShapeSign::Lacks("logs"),
        ShapeSign::Lacks("object"),
    ],
    signs: &[
        (3, ShapeSign::Has("generationTime")),
        (2, ShapeSign::Has("track_id")),
        (2, ShapeSign::Has("fetch_result")),
        (2, ShapeSign::Has("webhook_status")),
        (2, ShapeSign::Has("messege")),
        (1, ShapeSign::Has("message")),
        (1, ShapeSign::Has("eta")),
        (1, ShapeSign::Has("meta")),
        (1, ShapeSign::Word("status", &["success", "processing", "failed", "error"])),
        (1, ShapeSign::Is("output", JsonType::Array)),
        (1, ShapeSign::Is("id", JsonType::Number)),
    ],
    fields: Fields {
        id: &["id"],
        status: &["status"],
        output: &["output"],
        input: &["meta"],
        // Some endpoints spell it `messege`.
        error: &["message", "messege"],
        ids: &[("track_id", "track_id")],
        ..Fields::NONE
    },
    statuses: &[
        ("processing", Status::Processing),
        ("success", Status::Succeeded),
        ("failed", Status::Failed),
        ("error", Status::Failed),
    ],
    retry: &RETRY_GENERATION,
    ..Shape::PLAIN
};

const NESTED: Shape = Shape {
    variant: "workflow",
    title: "workflow execution (webhooks.mdx: nested)",
    kind: Kind::Workflow,
    must: &[ShapeSign::Has("execution.id"), ShapeSign::Has("execution.status"), ShapeSign::Has("event")],
    signs: &[(3, ShapeSign::Starts("event", &["workflow."])), (2, ShapeSign::Has("workflow.id"))],
    fields: Fields {
        id: &["execution.id"],
        status: &["execution.status"],
        event: &["event"],
        output: &["execution.output_data"],
        input: &["execution.input_data"],
        error: &["execution.error", "error", "message"],
        ids: &[("workflow_id", "workflow.id"), ("track_id", "track_id")],
        ..Fields::NONE
    },
    statuses: &[
        ("pending", Status::Starting),
        ("running", Status::Processing),
        ("completed", Status::Succeeded),
        ("failed", Status::Failed),
        ("cancelled", Status::Canceled),
    ],
    retry: &RETRY_WORKFLOW,
    ..GENERATION
};

const FLAT: Shape = Shape {
    variant: "workflow-flat",
    title: "workflow execution (workflows-api/overview.mdx: flat)",
    must: &[ShapeSign::Has("execution_id"), ShapeSign::Has("status"), ShapeSign::Has("event")],
    signs: &[(3, ShapeSign::Starts("event", &["workflow."])), (2, ShapeSign::Has("workflow_id"))],
    fields: Fields {
        id: &["execution_id"],
        status: &["status"],
        event: &["event"],
        output: &["output.output", "output"],
        error: &["error", "message"],
        ids: &[("workflow_id", "workflow_id"), ("track_id", "track_id")],
        ..Fields::NONE
    },
    ..NESTED
};

const FIXTURES: &[Fixture] = &[
    fixture!("modelslab/success", "generation"),
    fixture!("modelslab/failed", "generation"),
    fixture!("modelslab/processing", "generation"),
    fixture!("modelslab/workflow", "workflow", "workflow", ["workflow"]),
    fixture!("modelslab/workflow-flat", "workflow-flat"),
];
