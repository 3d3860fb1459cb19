//! Hugging Face: events of repositories and discussions.
//!
//! Sources: `huggingface/hub-docs`, `docs/hub/webhooks.md`; `huggingface_hub`, `_webhooks_payload.py`. The secret itself is
//! sent in a header. Deliveries have no id: the id of a repository is the same in every update and identifies no repeat. The
//! spacing of the JSON on the wire is not documented; the fixtures are compact.

use super::{Fields, Fixture, Kind, Provider, Shape, ShapeSign};
use crate::json::JsonType;
use crate::payload::retry::{ONCE, RetryProfile};

pub(crate) static PROVIDER: Provider =
    Provider { name: "huggingface", label: "Hugging Face", agents: &[], shapes: &[CHANGE], fixtures: FIXTURES };

/// Retries are not documented; users can replay a delivery by hand.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "huggingface",
    label: "Hugging Face",
    summary: "one attempt: retries are not documented",
    ..ONCE
};

const CHANGE: Shape = Shape {
    variant: "change",
    title: "event of a repository",
    kind: Kind::Notice,
    must: &[ShapeSign::Has("event.action"), ShapeSign::Has("event.scope"), ShapeSign::Is("repo", JsonType::Object)],
    signs: &[
        (2, ShapeSign::Has("event.scope")),
        (1, ShapeSign::Has("webhook.id")),
        (1, ShapeSign::Word("event.action", &["create", "delete", "update", "move"])),
    ],
    fields: Fields {
        event: &["event.scope"],
        action: &["event.action"],
        ids: &[
            ("repo", "repo.name"),
            ("discussion", "discussion.num"),
            ("comment", "comment.id"),
            ("commit", "updatedRefs.0.newSha"),
        ],
        ..Fields::NONE
    },
    inferred_event: |_| None,
    schemes: &["shared-secret"],
    retry: &RETRY,
    ..Shape::PLAIN
};

const FIXTURES: &[Fixture] = &[
    fixture!("huggingface/repo", "change"),
    fixture!("huggingface/discussion", "change"),
    fixture!("huggingface/comment", "change"),
];
