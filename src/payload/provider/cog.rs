//! Cog (`replicate/cog`): two senders with very different bodies.
//!
//! Sources: the software itself, run: cog 0.16.12 (the last Python server: `python/cog/server/{webhook,runner}.py`) and
//! 0.23.1 (coglet, Rust: `crates/coglet/src/{webhook,prediction}.rs`). Cog signs nothing; with `WEBHOOK_AUTH_TOKEN`
//! in the server's environment, it sends a bearer token.

use super::{Fields, Fixture, HeaderLine, Provider, Shape, ShapeSign, Status, WorkProgress};
use crate::json::JsonType;
use crate::json::Object;
use crate::json::value;
use crate::payload::retry::{ONCE, RetriedStatuses, RetryAfter, RetryProfile, millis, secs};

pub(crate) static PROVIDER: Provider = Provider {
    name: "cog",
    label: "Cog",
    agents: &[("coglet/", "coglet"), ("cog-worker/", "python")],
    shapes: &[COGLET, PYTHON],
    fixtures: FIXTURES,
};

/// Built-in runs: the name and text of the recorded predictions. `send` computes Cog's deliveries from the steps of a run.
pub static RUNS: [(&str, &str); 4] = [
    ("cog/succeeded", include_str!("../../../fixtures/cog/succeeded.json")),
    ("cog/failed", include_str!("../../../fixtures/cog/failed.json")),
    ("cog/canceled", include_str!("../../../fixtures/cog/canceled.json")),
    ("cog/stream", include_str!("../../../fixtures/cog/stream.json")),
];

/// Cog's two servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavor {
    /// The Python server: cog 0.16.12 and earlier.
    Python,
    /// The Rust server: cog 0.17 and later.
    #[default]
    Coglet,
}

impl Flavor {
    /// Both flavors, the default first.
    pub const ALL: [Flavor; 2] = [Flavor::Coglet, Flavor::Python];

    /// The name on the command line, and the variant of the shape.
    pub fn variant(self) -> &'static str {
        match self {
            Flavor::Python => "python",
            Flavor::Coglet => "coglet",
        }
    }
}

const RETRIED: RetriedStatuses = RetriedStatuses::Listed(&[429, 500, 502, 503, 504]);

/// `100 ms << min(attempt, 10)`, 13 attempts, `Retry-After` ignored. Only the terminal delivery is retried. An attempt
/// without a response ends after 30 s.
pub(crate) static RETRY_COGLET: RetryProfile = RetryProfile {
    name: "cog",
    label: "Cog",
    summary: "coglet's 13 attempts over 409 s; only terminal deliveries, only 429 and 5xx",
    waits: &[
        millis(200),
        millis(400),
        millis(800),
        millis(1_600),
        millis(3_200),
        millis(6_400),
        millis(12_800),
        millis(25_600),
        millis(51_200),
        millis(102_400),
        millis(102_400),
        millis(102_400),
    ],
    retried_statuses: RETRIED,
    terminal_only: true,
    response_timeout: Some(secs(30)),
    ..ONCE
};

/// urllib3 `Retry(total=12, backoff_factor=0.1, status_forcelist=[429,500,502,503,504])`: the first retry is immediate,
/// waits are capped at 120 s. `Retry-After` is obeyed, up to `retry_after_max`, and with the header 413 is retried too; a
/// value of 0 or a date in the past is ignored (`sleep_for_retry`: `if retry_after:`).
pub(crate) static RETRY_PYTHON: RetryProfile = RetryProfile {
    name: "cog-python",
    summary: "the Python server's 13 attempts over 325 s; obeys Retry-After",
    waits: &[
        millis(0),
        millis(200),
        millis(400),
        millis(800),
        millis(1_600),
        millis(3_200),
        millis(6_400),
        millis(12_800),
        millis(25_600),
        millis(51_200),
        millis(102_400),
        secs(120),
    ],
    retry_after: RetryAfter::Honored { also_on: 413, at_most: secs(21_600) },
    // Without a limit.
    response_timeout: None,
    ..RETRY_COGLET
};

/// Infers one of Cog's four events: the request does not name the event. An `output` and a `logs` delivery can look the
/// same, and so can `start` and an early `logs`.
pub(crate) fn event(progress: WorkProgress) -> Option<&'static str> {
    Some(match progress {
        WorkProgress { status: Some(status), .. } if status.is_terminal() => "completed",
        WorkProgress { status: None, .. } => return None,
        WorkProgress { output: true, .. } => "output",
        WorkProgress { logs: true, .. } => "logs",
        _ => "start",
    })
}

const COGLET: Shape = Shape {
    variant: "coglet",
    title: "prediction, sent by coglet (cog 0.17 and later)",
    must: &[
        ShapeSign::Has("id"),
        ShapeSign::Has("status"),
        ShapeSign::Is("logs", JsonType::String),
        ShapeSign::IsNot("output", JsonType::Null),
        ShapeSign::Only(&["error", "id", "logs", "metrics", "output", "status"]),
    ],
    signs: &[
        (1, ShapeSign::Has("logs")),
        (2, ShapeSign::Is("metrics", JsonType::Object)),
        (2, ShapeSign::Word("status", &["starting", "processing", "succeeded", "failed", "canceled"])),
    ],
    fields: Fields {
        id: &["id"],
        status: &["status"],
        output: &["output"],
        input: &["input"],
        error: &["error"],
        logs: &["logs"],
        metrics: &["metrics"],
        ..Fields::NONE
    },
    statuses: &[
        ("starting", Status::Starting),
        ("processing", Status::Processing),
        ("succeeded", Status::Succeeded),
        ("failed", Status::Failed),
        ("canceled", Status::Canceled),
    ],
    inferred_event: event,
    schemes: &["bearer"],
    retry: &RETRY_COGLET,
    headers: &[
        HeaderLine::Is("content-type", "application/json"),
        HeaderLine::Is("accept", "*/*"),
        HeaderLine::Signature,
        HeaderLine::Is("user-agent", "coglet/0.23.1"),
        HeaderLine::Referer,
        HeaderLine::Host("host"),
        HeaderLine::ContentLength("content-length"),
    ],
    follows_redirects: true,
    ..Shape::PLAIN
};

const PYTHON: Shape = Shape {
    variant: "python",
    title: "prediction, sent by the Python server (cog 0.16 and earlier)",
    // Seven keys are always present. Replicate's bodies are similar, but have `version` and `urls`.
    must: &[
        ShapeSign::Has("input"),
        ShapeSign::Has("output"),
        ShapeSign::Has("id"),
        ShapeSign::Has("created_at"),
        ShapeSign::Has("started_at"),
        ShapeSign::Has("logs"),
        ShapeSign::Has("status"),
        ShapeSign::Lacks("version"),
        ShapeSign::Lacks("urls"),
    ],
    signs: &[(4, ShapeSign::Has("started_at"))],
    retry: &RETRY_PYTHON,
    headers: &[
        HeaderLine::Host("Host"),
        HeaderLine::Is("user-agent", "cog-worker/0.16.12 python-requests/2.34.2"),
        HeaderLine::Is("Accept-Encoding", "gzip, deflate"),
        HeaderLine::Is("Accept", "*/*"),
        HeaderLine::Is("Connection", "keep-alive"),
        HeaderLine::Signature,
        HeaderLine::ContentLength("Content-Length"),
        HeaderLine::Is("Content-Type", "application/json"),
    ],
    ..COGLET
};

const FIXTURES: &[Fixture] = &[
    fixture!("cog/coglet/start", "coglet"),
    fixture!("cog/coglet/output", "coglet"),
    fixture!("cog/coglet/logs", "coglet"),
    fixture!("cog/coglet/succeeded", "coglet"),
    fixture!("cog/coglet/failed", "coglet"),
    fixture!("cog/coglet/canceled", "coglet"),
    fixture!("cog/python/start", "python"),
    fixture!("cog/python/output", "python"),
    fixture!("cog/python/logs", "python"),
    fixture!("cog/python/succeeded", "python"),
    fixture!("cog/python/failed", "python"),
    fixture!("cog/python/canceled", "python"),
];

/// Whether the text is a Cog run: a description of what a model does. A run has `steps` or an `end`; no payload of Cog has
/// either.
pub(crate) fn is_run(text: &str) -> bool {
    let Some(run) = Object::parse(text) else { return false };
    let is_cog = run.get("provider").and_then(value::string).is_some_and(|provider| provider == PROVIDER.name);
    is_cog && (run.get("steps").is_some() || run.get("end").is_some())
}
