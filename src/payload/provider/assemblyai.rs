//! AssemblyAI: a transcript is ready or has failed.
//!
//! Source: the webhook pages of assemblyai.com/docs. No signature: users may configure a header with a value of their own
//! (`webhook_auth_header_name`); use `--header` for the same. Sent by Python's `requests`, hence the spaces in the JSON.

use std::time::Duration;

use super::{Fields, Fixture, HeaderLine, Provider, Shape, ShapeSign, Status};
use crate::payload::retry::{ONCE, RetriedStatuses, RetryProfile, secs};

/// No `agents`: the user agent of Python's `requests` identifies no provider.
pub(crate) static PROVIDER: Provider =
    Provider { name: "assemblyai", label: "AssemblyAI", agents: &[], shapes: &[TRANSCRIPT], fixtures: FIXTURES };

const TEN_SECONDS: Duration = secs(10);

/// Up to 10 attempts, 10 s apart; 2xx is required within 10 s. The newer page adds that a 4xx ends the retries.
pub(crate) static RETRY: RetryProfile = RetryProfile {
    name: "assemblyai",
    label: "AssemblyAI",
    summary: "10 attempts 10 s apart; ends on 4xx",
    waits: &[TEN_SECONDS; 9],
    retried_statuses: RetriedStatuses::AllBut(&[(400, 499)]),
    response_timeout: Some(TEN_SECONDS),
    ..ONCE
};

const TRANSCRIPT: Shape = Shape {
    variant: "transcript",
    title: "transcript",
    must: &[ShapeSign::Has("transcript_id"), ShapeSign::Has("status")],
    signs: &[(3, ShapeSign::Has("transcript_id"))],
    // The body has neither the text nor the reason of a failure.
    fields: Fields { id: &["transcript_id"], status: &["status"], ..Fields::NONE },
    statuses: &[("completed", Status::Succeeded), ("error", Status::Failed)],
    retry: &RETRY,
    // The order and spelling of `requests`; its version is not documented.
    headers: &[
        HeaderLine::Host("Host"),
        HeaderLine::Is("User-Agent", "python-requests/2.34.2"),
        HeaderLine::Is("Accept-Encoding", "gzip, deflate"),
        HeaderLine::Is("Accept", "*/*"),
        HeaderLine::Is("Connection", "keep-alive"),
        HeaderLine::Signature,
        HeaderLine::ContentLength("Content-Length"),
        HeaderLine::Is("Content-Type", "application/json"),
    ],
    ..Shape::PLAIN
};

const FIXTURES: &[Fixture] =
    &[fixture!("assemblyai/completed", "transcript"), fixture!("assemblyai/error", "transcript")];
