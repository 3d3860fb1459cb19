//! ModelsLab: generations, and workflows in two contradictory forms.
//!
//! Sources: `ModelsLab/docs-v2` commit c1440bc: `webhooks.mdx` (generation, nested workflow),
//! `workflows-api/overview.mdx` (flat workflow), the OpenAPI files (`processing`, integer ids, `messege`). No signature,
//! secret or header is documented.

use super::{Fields, Fixture, Kind, PLAIN_HEADERS, Progress, Provider, Shape, Sign, Status};
use crate::json::JsonType;
use crate::payload::retry::{Answered, RetryAfter, RetryProfile, secs};

/// The row.
pub static PROVIDER: Provider = Provider {
    name: "modelslab",
    label: "ModelsLab",
    agents: &[],
    shapes: &[GENERATION, NESTED, FLAT],
    fixtures: FIXTURES,
};

/// "Generation webhooks: best-effort delivery": no retry is promised. 2xx is wanted within 30 s.
pub static RETRY_GENERATION: RetryProfile = RetryProfile {
    name: "modelslab",
    label: "ModelsLab",
    summary: "one attempt: generations are best effort",
    waits: &[],
    again_on: Answered::AllButSuccess,
    again_unanswered: true,
    retry_after: RetryAfter::Ignored,
    terminal_only: false,
    answer_within: Some(secs(30)),
};

/// "Workflow webhooks: retried up to 3 times with exponential backoff". The delays are not given; these double from 5 s
/// on, which is a guess.
pub static RETRY_WORKFLOW: RetryProfile = RetryProfile {
    name: "modelslab-workflow",
    summary: "up to 3 retries; their delays are not documented, 5 s, 10 s, 20 s are a guess",
    waits: &[secs(5), secs(10), secs(20)],
    ..RETRY_GENERATION
};

const GENERATION: Shape = Shape {
    variant: "generation",
    title: "generation",
    kind: Kind::Prediction,
    must: &[
        Sign::Has("id"),
        Sign::Has("status"),
        Sign::Lacks("event"),
        Sign::Lacks("input"),
        Sign::Lacks("logs"),
        Sign::Lacks("object"),
    ],
    signs: &[
        (3, Sign::Has("generationTime")),
        (2, Sign::Has("track_id")),
        (2, Sign::Has("fetch_result")),
        (2, Sign::Has("webhook_status")),
        (2, Sign::Has("messege")),
        (1, Sign::Has("message")),
        (1, Sign::Has("eta")),
        (1, Sign::Has("meta")),
        (1, Sign::Word("status", &["success", "processing", "failed", "error"])),
        (1, Sign::Is("output", JsonType::Array)),
        (1, Sign::Is("id", JsonType::Number)),
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
    other_status: None,
    inferred_event: Progress::outcome,
    schemes: &[],
    retry: &RETRY_GENERATION,
    headers: PLAIN_HEADERS,
    follows_redirects: false,
};

const NESTED: Shape = Shape {
    variant: "workflow",
    title: "workflow execution (webhooks.mdx: nested)",
    kind: Kind::Workflow,
    must: &[Sign::Has("execution.id"), Sign::Has("execution.status"), Sign::Has("event")],
    signs: &[(3, Sign::Starts("event", &["workflow."])), (2, Sign::Has("workflow.id"))],
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
    must: &[Sign::Has("execution_id"), Sign::Has("status"), Sign::Has("event")],
    signs: &[(3, Sign::Starts("event", &["workflow."])), (2, Sign::Has("workflow_id"))],
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
    Fixture {
        name: "modelslab/success",
        aliases: &[],
        variant: "generation",
        body: include_str!("../../../fixtures/modelslab/success.json"),
    },
    Fixture {
        name: "modelslab/failed",
        aliases: &[],
        variant: "generation",
        body: include_str!("../../../fixtures/modelslab/failed.json"),
    },
    Fixture {
        name: "modelslab/processing",
        aliases: &[],
        variant: "generation",
        body: include_str!("../../../fixtures/modelslab/processing.json"),
    },
    Fixture {
        name: "modelslab/workflow",
        aliases: &["workflow"],
        variant: "workflow",
        body: include_str!("../../../fixtures/workflow.json"),
    },
    Fixture {
        name: "modelslab/workflow-flat",
        aliases: &[],
        variant: "workflow-flat",
        body: include_str!("../../../fixtures/modelslab/workflow-flat.json"),
    },
];
