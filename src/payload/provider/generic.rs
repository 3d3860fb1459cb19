//! Bodies of unknown providers: shown, verified and recorded, with the field names that webhooks usually have.

use super::{Fields, Kind, Provider, Shape, Status};

/// Used when no row of [`ALL`](super::ALL) matches. It has no fixtures and no signs.
pub(crate) static PROVIDER: Provider =
    Provider { name: "generic", label: "generic", agents: &[], shapes: &[SHAPE], fixtures: &[] };

const SHAPE: Shape = Shape {
    variant: "generic",
    title: "a body that matches no known provider",
    kind: Kind::Other,
    fields: Fields {
        id: &["id", "request_id", "execution_id", "exec_id", "task_id", "transcript_id"],
        status: &["status", "state"],
        event: &["event", "type"],
        action: &[],
        output: &["output"],
        input: &["input"],
        error: &["error.message", "error", "message"],
        logs: &["logs"],
        metrics: &["metrics"],
        ids: &[("track_id", "track_id")],
    },
    statuses: &[
        ("queued", Status::Starting),
        ("pending", Status::Starting),
        ("starting", Status::Starting),
        ("running", Status::Processing),
        ("processing", Status::Processing),
        ("in_progress", Status::Processing),
        ("success", Status::Succeeded),
        ("succeeded", Status::Succeeded),
        ("completed", Status::Succeeded),
        ("failed", Status::Failed),
        ("error", Status::Failed),
        ("canceled", Status::Canceled),
        ("cancelled", Status::Canceled),
    ],
    // Without a provider's rules, no event can be inferred.
    inferred_event: |_| None,
    ..Shape::PLAIN
};
