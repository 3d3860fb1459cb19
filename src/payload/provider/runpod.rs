//! RunPod serverless: the response of `/status`, once, at the end.
//!
//! Sources: `runpod/docs`, `serverless/endpoints/send-requests.mdx` and `operation-reference.mdx` (the body, its keys
//! sorted; some with the `input`); `runpod-python`, `endpoint/helpers.py` (the terminal states) and `rp_job.py` (the error as
//! JSON in a string). No signature. The spacing of the JSON on the wire is not documented; the fixtures are compact.

use super::{Fields, Fixture, Provider, Shape, ShapeSign, Status};
use crate::payload::retry::{ONCE, RetryProfile, secs};

pub(crate) static PROVIDER: Provider =
    Provider { name: "runpod", label: "RunPod", agents: &[], shapes: &[JOB], fixtures: FIXTURES };

/// Two retries, 10 s apart. RunPod asks for 200; other 2xx statuses are not documented and count as acknowledgements.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "runpod",
    label: "RunPod",
    summary: "2 retries 10 s apart",
    waits: &[secs(10), secs(10)],
    ..ONCE
};

const JOB: Shape = Shape {
    variant: "job",
    title: "serverless job",
    must: &[ShapeSign::Has("id"), ShapeSign::Has("status")],
    signs: &[
        (3, ShapeSign::Has("delayTime")),
        (3, ShapeSign::Has("executionTime")),
        (1, ShapeSign::Word("status", &["COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", "IN_QUEUE", "IN_PROGRESS"])),
    ],
    fields: Fields {
        id: &["id"],
        status: &["status"],
        output: &["output"],
        input: &["input"],
        error: &["error", "output.error"],
        ..Fields::NONE
    },
    statuses: &[
        ("IN_QUEUE", Status::Starting),
        ("IN_PROGRESS", Status::Processing),
        ("COMPLETED", Status::Succeeded),
        ("FAILED", Status::Failed),
        ("TIMED_OUT", Status::Failed),
        ("CANCELLED", Status::Canceled),
    ],
    retry: &RETRY,
    ..Shape::PLAIN
};

const FIXTURES: &[Fixture] = &[
    fixture!("runpod/completed", "job"),
    fixture!("runpod/completed-with-input", "job"),
    fixture!("runpod/failed", "job"),
];
