//! Replicate: Cog's predictions, hosted and signed.
//!
//! Sources: replicate.com/docs/topics/webhooks (the body is the prediction itself, not wrapped in `type` and `data`) and
//! docs/topics/predictions (`model`, `data_removed`, `urls`, `metrics.total_time`). Signed exactly by Standard Webhooks. The
//! spacing of the JSON on the wire is not documented; the fixtures are compact.

use super::{Fields, Fixture, Provider, Shape, ShapeSign, Status, cog};
use crate::json::JsonType;
use crate::payload::retry::{ONCE, RetriedStatuses, RetryProfile, secs};

pub(crate) static PROVIDER: Provider =
    Provider { name: "replicate", label: "Replicate", agents: &[], shapes: &[PREDICTION], fixtures: FIXTURES };

/// Only the terminal webhook, "on no answer, 4xx or 5xx", exponentially, the last about a minute after completion. Doubling
/// from 1 s on is a guess that ends after about a minute.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "replicate",
    label: "Replicate",
    summary: "terminal deliveries only, for a minute; waits that double from 1 s are a guess",
    waits: &[secs(1), secs(2), secs(4), secs(8), secs(16), secs(32)],
    retried_statuses: RetriedStatuses::AllBut(&[(300, 399)]),
    terminal_only: true,
    ..ONCE
};

const PREDICTION: Shape = Shape {
    variant: "prediction",
    title: "prediction",
    must: &[
        ShapeSign::Has("id"),
        ShapeSign::Has("status"),
        ShapeSign::Has("input"),
        ShapeSign::Has("output"),
        ShapeSign::Has("logs"),
        ShapeSign::Has("created_at"),
    ],
    // Cog's Python server sends a similar body, but without a version and URLs, and with times that end in +00:00.
    signs: &[
        (5, ShapeSign::Ends("created_at", "Z")),
        (3, ShapeSign::Is("version", JsonType::String)),
        (3, ShapeSign::Has("urls.get")),
        (1, ShapeSign::Has("data_removed")),
        (1, ShapeSign::Header("webhook-id")),
    ],
    fields: Fields {
        id: &["id"],
        status: &["status"],
        output: &["output"],
        input: &["input"],
        error: &["error"],
        logs: &["logs"],
        metrics: &["metrics"],
        ids: &[("model", "model"), ("version", "version")],
        ..Fields::NONE
    },
    statuses: &[
        ("starting", Status::Starting),
        ("processing", Status::Processing),
        ("succeeded", Status::Succeeded),
        ("failed", Status::Failed),
        ("canceled", Status::Canceled),
    ],
    inferred_event: cog::event,
    schemes: &["standard-webhooks"],
    retry: &RETRY,
    ..Shape::PLAIN
};

const FIXTURES: &[Fixture] = &[
    fixture!("replicate/start", "prediction"),
    fixture!("replicate/logs", "prediction"),
    fixture!("replicate/output", "prediction"),
    fixture!("replicate/succeeded", "prediction"),
    fixture!("replicate/failed", "prediction"),
    fixture!("replicate/canceled", "prediction"),
];
