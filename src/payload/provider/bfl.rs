//! Black Forest Labs (FLUX).
//!
//! Sources: `black-forest-labs/skills`, `skills/bfl-api/references/webhook-integration.md` (`Ready`, `Error`, signature,
//! retries); `vercel/ai`, `packages/black-forest-labs` (`Pending`, `Failed`, `Request Moderated`, which polling gives).
//! `Content Moderated` and `Task not found` are unverified, and read all the same. How the JSON is spaced on the wire is
//! not documented; it is compact here.

use super::{Fields, Fixture, Kind, PLAIN_HEADERS, Progress, Provider, Shape, Sign, Status};
use crate::payload::retry::{ONCE, RetryProfile, secs};

/// The row.
pub static PROVIDER: Provider =
    Provider { name: "bfl", label: "Black Forest Labs", agents: &[], shapes: &[GENERATION], fixtures: FIXTURES };

/// After 1 s, 5 s and 30 s; 2xx is wanted within 30 s.
pub static RETRY: RetryProfile = RetryProfile {
    name: "bfl",
    label: "Black Forest Labs",
    summary: "after 1 s, 5 s, 30 s",
    waits: &[secs(1), secs(5), secs(30)],
    answer_within: Some(secs(30)),
    ..ONCE
};

const GENERATION: Shape = Shape {
    variant: "generation",
    title: "generation",
    kind: Kind::Prediction,
    must: &[Sign::Has("id"), Sign::Has("status"), Sign::Lacks("output"), Sign::Lacks("input")],
    signs: &[
        (3, Sign::Header("x-bfl-signature")),
        (
            2,
            Sign::Word(
                "status",
                &["Ready", "Error", "Pending", "Request Moderated", "Content Moderated", "Task not found"],
            ),
        ),
        (2, Sign::Has("result.sample")),
        (1, Sign::Has("timestamp")),
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
    other_status: None,
    inferred_event: Progress::outcome,
    schemes: &["bfl"],
    retry: &RETRY,
    headers: PLAIN_HEADERS,
    follows_redirects: false,
};

const FIXTURES: &[Fixture] = &[fixture!("bfl/ready", "generation"), fixture!("bfl/error", "generation")];
