//! fal: results of its queue.
//!
//! Source: docs.fal.ai/model-endpoints/webhooks. The spacing of the JSON on the wire and the response timeout are not
//! documented; the fixtures are compact, and the profile has no timeout.

use std::time::Duration;

use super::{Fields, Fixture, Provider, Shape, ShapeSign, Status};
use crate::payload::retry::{ONCE, RetryProfile, secs};

pub(crate) static PROVIDER: Provider =
    Provider { name: "fal", label: "fal", agents: &[], shapes: &[RESULT, UNSERIALIZABLE], fixtures: FIXTURES };

const TWELVE_MINUTES: Duration = secs(12 * 60);

/// "10 times in the span of 2 hours". The waits are not documented; equal waits are a guess.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "fal",
    label: "fal",
    summary: "10 retries in 2 h; that they are 12 m apart is a guess",
    waits: &[TWELVE_MINUTES; 10],
    ..ONCE
};

const RESULT: Shape = Shape {
    variant: "result",
    title: "result of a request",
    must: &[ShapeSign::Has("request_id"), ShapeSign::Has("status"), ShapeSign::Lacks("payload_error")],
    signs: &[
        (3, ShapeSign::Has("gateway_request_id")),
        (3, ShapeSign::Header("x-fal-webhook-signature")),
        (1, ShapeSign::Has("payload")),
        (1, ShapeSign::Word("status", &["OK", "ERROR"])),
    ],
    fields: Fields {
        id: &["request_id"],
        status: &["status"],
        output: &["payload"],
        // For a failure, the payload has the details.
        error: &["error", "payload.detail.0.msg"],
        ids: &[("gateway_request_id", "gateway_request_id")],
        ..Fields::NONE
    },
    statuses: &[("OK", Status::Succeeded), ("ERROR", Status::Failed)],
    schemes: &["fal"],
    retry: &RETRY,
    ..Shape::PLAIN
};

/// A result that is not JSON: `payload` is `null`, and `payload_error` has the reason.
const UNSERIALIZABLE: Shape = Shape {
    variant: "payload-error",
    title: "result of a request that could not be written as JSON",
    must: &[ShapeSign::Has("request_id"), ShapeSign::Has("status"), ShapeSign::Has("payload_error")],
    fields: Fields {
        output: &[],
        error: &["error", "payload_error"],
        // Shown with the delivery even when the status is OK.
        logs: &["payload_error"],
        ..RESULT.fields
    },
    ..RESULT
};

const FIXTURES: &[Fixture] =
    &[fixture!("fal/ok", "result"), fixture!("fal/error", "result"), fixture!("fal/payload-error", "payload-error")];
