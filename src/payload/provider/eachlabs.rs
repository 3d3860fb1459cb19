//! each::labs: three generations of the prediction webhook, and the workflow webhook.
//!
//! Sources: the vendor's documentation repository `eachlabs/mintlify-docs`. Generation A is the page of March 2026;
//! B its rewrite from the sender's source (commit 47ab06e, July 2026); C adds signing (7f9ea4be and a65610e7, about
//! September 2026), with the same body as B. hookctl detects all three and sends them by name.

use super::{Fields, Fixture, HeaderLine, Kind, Provider, Shape, ShapeSign, Status};
use crate::json::JsonType;
use crate::payload::retry::{ONCE, RetryProfile, secs};

pub(crate) static PROVIDER: Provider = Provider {
    name: "eachlabs",
    label: "each::labs",
    agents: &[],
    shapes: &[GENERATION_A, GENERATION_B, GENERATION_C, REDELIVERY, WORKFLOW],
    fixtures: FIXTURES,
};

/// "1st retry ~30 seconds, 2nd retry ~2 minutes, 3rd retry ~10 minutes"; the page of March 2026 asks for 200.
pub(crate) static RETRY_A: RetryProfile = RetryProfile {
    name: "eachlabs",
    label: "each::labs",
    summary: "after 30 s, 2 m, 10 m (as documented in March 2026)",
    waits: &[secs(30), secs(120), secs(600)],
    ..ONCE
};

/// "3 attempts in all, ~10 s apart", any 2xx acknowledges (commit 47ab06e).
pub(crate) static RETRY_B: RetryProfile = RetryProfile {
    name: "eachlabs-b",
    summary: "3 attempts 10 s apart (documented from July 2026)",
    waits: &[secs(10), secs(10)],
    ..RETRY_A
};

const STATUSES: &[(&str, Status)] = &[
    ("success", Status::Succeeded),
    ("succeeded", Status::Succeeded),
    ("failed", Status::Failed),
    ("error", Status::Failed),
    ("cancelled", Status::Canceled),
    ("created", Status::Starting),
    ("starting", Status::Starting),
    ("processing", Status::Processing),
];

const GENERATION_A: Shape = Shape {
    variant: "A",
    title: "prediction, generation A (documented March to July 2026)",
    must: &[
        ShapeSign::Has("id"),
        ShapeSign::Has("status"),
        ShapeSign::Lacks("created_at"),
        ShapeSign::Lacks("started_at"),
        ShapeSign::Lacks("track_id"),
        ShapeSign::Lacks("generationTime"),
    ],
    signs: &[
        (2, ShapeSign::Has("input")),
        (1, ShapeSign::Word("status", &["success"])),
        (1, ShapeSign::Is("output", JsonType::String)),
        (2, ShapeSign::Is("output", JsonType::Null)),
        (1, ShapeSign::Has("metrics.predict_time")),
        (1, ShapeSign::Has("metrics.cost")),
        (1, ShapeSign::Header("x-webhook-signature")),
    ],
    fields: Fields {
        id: &["id"],
        status: &["status"],
        output: &["output"],
        input: &["input"],
        // In the documentation, the reason of a failure is in `logs`.
        error: &["error", "logs"],
        logs: &["logs"],
        metrics: &["metrics"],
        ..Fields::NONE
    },
    statuses: STATUSES,
    schemes: &["eachlabs"],
    retry: &RETRY_A,
    ..Shape::PLAIN
};

const GENERATION_B: Shape = Shape {
    variant: "B",
    title: "prediction, generation B (documented from July 2026)",
    must: &[ShapeSign::Has("exec_id"), ShapeSign::Has("status")],
    signs: &[(4, ShapeSign::Has("exec_id"))],
    fields: Fields {
        id: &["exec_id"],
        status: &["status"],
        output: &["output"],
        // A string; in one revision of the documentation, an object with a code and a message.
        error: &["output.0.error.error_message", "output.0.error.error_code", "output.0.error", "error"],
        ids: &[("flow_id", "flow_id")],
        ..Fields::NONE
    },
    schemes: &["shared-secret"],
    retry: &RETRY_B,
    ..GENERATION_A
};

const GENERATION_C: Shape = Shape {
    variant: "C",
    title: "prediction, generation C (signed; documented from about September 2026)",
    must: &[ShapeSign::Has("exec_id"), ShapeSign::Has("status"), ShapeSign::HeaderIfKnown("x-webhook-timestamp")],
    signs: &[(5, ShapeSign::Has("exec_id"))],
    // "`X-Webhook-Secret` predates signing" and is still sent.
    schemes: &["eachlabs-timestamped", "shared-secret"],
    ..GENERATION_B
};

/// A redelivery on request: the same body, "signed afresh", with an additional header that is not signed.
const REDELIVERY: Shape = Shape {
    variant: "C-redelivery",
    title: "prediction, generation C, delivered again on request",
    must: &[ShapeSign::Has("exec_id"), ShapeSign::Has("status"), ShapeSign::Header("x-webhook-redelivery")],
    signs: &[(6, ShapeSign::Has("exec_id"))],
    headers: &[
        HeaderLine::Is("content-type", "application/json"),
        HeaderLine::Is("user-agent", concat!("hookctl/", env!("CARGO_PKG_VERSION"))),
        HeaderLine::Is("accept", "*/*"),
        HeaderLine::Is("x-webhook-redelivery", "true"),
        HeaderLine::Signature,
    ],
    ..GENERATION_C
};

/// `workflows/webhooks.mdx`: the body of Get Execution; `bulk_id` for an execution of a bulk request.
const WORKFLOW: Shape = Shape {
    variant: "workflow",
    title: "workflow execution",
    kind: Kind::Workflow,
    must: &[
        ShapeSign::Has("execution_id"),
        ShapeSign::Has("workflow_id"),
        ShapeSign::Has("status"),
        ShapeSign::Lacks("event"),
    ],
    signs: &[
        (2, ShapeSign::Is("execution_id", JsonType::String)),
        (2, ShapeSign::Has("step_outputs")),
        (1, ShapeSign::Has("inputs")),
        (1, ShapeSign::Has("error_cause")),
    ],
    fields: Fields {
        id: &["execution_id"],
        status: &["status"],
        output: &["output"],
        input: &["inputs"],
        error: &["error_cause", "error"],
        ids: &[("workflow_id", "workflow_id"), ("bulk_id", "bulk_id")],
        ..Fields::NONE
    },
    statuses: &[
        ("queued", Status::Starting),
        ("running", Status::Processing),
        ("completed", Status::Succeeded),
        ("failed", Status::Failed),
        ("cancelled", Status::Canceled),
    ],
    ..GENERATION_C
};

const FIXTURES: &[Fixture] = &[
    fixture!("eachlabs/a/success", "A", "success", ["success"]),
    fixture!("eachlabs/a/failed", "A", "failed", ["failed"]),
    fixture!("eachlabs/b/succeeded", "B"),
    fixture!("eachlabs/b/failed", "B"),
    fixture!("eachlabs/b/failed-code", "B"),
    fixture!("eachlabs/c/succeeded", "C"),
    fixture!("eachlabs/c/redelivery", "C-redelivery"),
    fixture!("eachlabs/c/failed", "C"),
    fixture!("eachlabs/workflow/completed", "workflow", "eachlabs/workflow/completed", ["eachlabs/workflow"]),
    fixture!("eachlabs/workflow/failed", "workflow"),
    fixture!("eachlabs/workflow/bulk", "workflow"),
];
