//! The type of a provider row, and the list of rows. `detect` finds the row of a delivery.
//!
//! Everything about a provider is data in one file of `provider/`: shapes, statuses, events, signature schemes, retry
//! profiles, headers and fixtures. A new provider is a new file and a line in `ALL`.

use std::fmt;

use super::retry::{ONCE, RetryProfile, general};
use crate::json::JsonType;

/// A built-in payload of this name and variant: the bytes of `fixtures/NAME.json`, or of `fixtures/FILE.json` for a fixture
/// with aliases.
macro_rules! fixture {
    ($name:literal, $variant:literal) => {
        fixture!($name, $variant, $name, [])
    };
    ($name:literal, $variant:literal, $file:literal, $aliases:expr) => {
        Fixture {
            name: $name,
            aliases: &$aliases,
            variant: $variant,
            body: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/", $file, ".json")),
        }
    };
}

pub(crate) mod assemblyai;
pub(crate) mod bfl;
pub mod cog;
pub(crate) mod eachlabs;
pub(crate) mod elevenlabs;
pub(crate) mod fal;
pub(crate) mod generic;
pub(crate) mod huggingface;
pub(crate) mod kie;
pub(crate) mod luma;
pub(crate) mod modelslab;
pub(crate) mod openai;
pub(crate) mod replicate;
pub(crate) mod runpod;

/// Every provider, in the order of the help. [`generic::PROVIDER`] is not in the list: it is used when no provider matches.
pub(crate) static ALL: &[&Provider] = &[
    &eachlabs::PROVIDER,
    &modelslab::PROVIDER,
    &cog::PROVIDER,
    &replicate::PROVIDER,
    &openai::PROVIDER,
    &fal::PROVIDER,
    &bfl::PROVIDER,
    &runpod::PROVIDER,
    &huggingface::PROVIDER,
    &assemblyai::PROVIDER,
    &elevenlabs::PROVIDER,
    &luma::PROVIDER,
    &kie::PROVIDER,
];

/// A sender of webhooks.
#[derive(Debug)]
pub struct Provider {
    /// The name on the command line and in records: `eachlabs`.
    pub name: &'static str,
    /// The name in the provider's own spelling: `each::labs`.
    pub(crate) label: &'static str,
    /// Prefixes of the user agent, each with the variant of the shape that this sender uses.
    pub(crate) agents: &'static [(&'static str, &'static str)],
    /// Every shape of its bodies. The first is the default for `--provider` when no shape matches.
    pub(crate) shapes: &'static [Shape],
    /// Payloads built into the binary.
    pub(crate) fixtures: &'static [Fixture],
}

/// One shape of a provider's bodies, and the behaviour of its sender.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The name of the shape: a generation, a flavor, or the subject of the body.
    pub(crate) variant: &'static str,
    /// The shape in words: `prediction, generation A (March 2026)`.
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    /// Signs that must all hold.
    pub(crate) must: &'static [ShapeSign],
    /// Signs with weights. From a sum of [`ENOUGH`] on, the shape is recognised.
    pub(crate) signs: &'static [(u8, ShapeSign)],
    pub(crate) fields: Fields,
    pub(crate) statuses: &'static [(&'static str, Status)],
    /// The meaning of any other status word; `None` where other words are unknown.
    pub(crate) other_status: Option<Status>,
    /// The event of a body that does not name one.
    pub(crate) inferred_event: fn(WorkProgress) -> Option<&'static str>,
    /// Names of signature schemes, strongest first; empty when the provider documents none.
    pub(crate) schemes: &'static [&'static str],
    pub(crate) retry: &'static RetryProfile,
    /// Headers in wire order.
    pub(crate) headers: &'static [HeaderLine],
    pub(crate) follows_redirects: bool,
}

/// Dotted paths to a shape's fields. Of several paths, the first with a value counts.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The id of the prediction or execution.
    pub(crate) id: &'static [&'static str],
    /// The status word.
    pub(crate) status: &'static [&'static str],
    /// The event, where the body names it.
    pub(crate) event: &'static [&'static str],
    /// The action, where the body has it in a field of its own: with it, the event is `repo.content.update`.
    pub(crate) action: &'static [&'static str],
    pub(crate) output: &'static [&'static str],
    pub(crate) input: &'static [&'static str],
    /// The reason of a failure.
    pub(crate) error: &'static [&'static str],
    pub(crate) logs: &'static [&'static str],
    /// Times and costs.
    pub(crate) metrics: &'static [&'static str],
    /// The name and the path of further ids.
    pub(crate) ids: &'static [(&'static str, &'static str)],
}

impl Fields {
    /// The base of the rows.
    pub(crate) const NONE: Fields = Fields {
        id: &[],
        status: &[],
        event: &[],
        action: &[],
        output: &[],
        input: &[],
        error: &[],
        logs: &[],
        metrics: &[],
        ids: &[],
    };
}

/// A header that a provider sends, its name in the spelling on the wire. Where `host` and `content-length` are not listed,
/// they are sent last, in this order and in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderLine {
    /// A name and a fixed value.
    Is(&'static str, &'static str),
    /// The headers of the signature scheme.
    Signature,
    /// `referer`, sent after a redirect only.
    Referer,
    /// The spelling of `host`.
    Host(&'static str),
    /// The spelling of `content-length`.
    ContentLength(&'static str),
}

/// The headers of a provider that documents only the content type.
pub(crate) const PLAIN_HEADERS: &[HeaderLine] = &[
    HeaderLine::Is("content-type", "application/json"),
    HeaderLine::Is("user-agent", concat!("hookctl/", env!("CARGO_PKG_VERSION"))),
    HeaderLine::Is("accept", "*/*"),
    HeaderLine::Signature,
];

/// The subject of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One run of a model (ModelsLab: a generation).
    Prediction,
    /// A chain of runs.
    Workflow,
    /// An event without a run that could fail.
    Notice,
    /// Unknown to hookctl.
    Other,
}

impl Kind {
    /// The name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Prediction => "prediction",
            Kind::Workflow => "workflow",
            Kind::Notice => "notice",
            Kind::Other => "other",
        }
    }
}

/// Statuses in one vocabulary: Cog's words, to which the words of every provider are mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Accepted or queued.
    Starting,
    Processing,
    Succeeded,
    Failed,
    /// Ended by the user.
    Canceled,
}

impl Status {
    /// The name in records and on screen.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Starting => "starting",
            Status::Processing => "processing",
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::Canceled => "canceled",
        }
    }

    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Status::Succeeded | Status::Failed | Status::Canceled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The fields of a body from which an event can be inferred.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkProgress {
    /// The status, where its word is known.
    pub(crate) status: Option<Status>,
    /// Whether there is any output.
    pub(crate) output: bool,
    /// Whether there are any logs.
    pub(crate) logs: bool,
}

impl WorkProgress {
    /// The event of a provider that only sends at the end and names no event: the outcome.
    pub(crate) fn outcome(self) -> Option<&'static str> {
        Some(match self.status? {
            Status::Succeeded => "completed",
            Status::Failed => "failed",
            Status::Canceled => "canceled",
            Status::Processing => "processing",
            Status::Starting => "starting",
        })
    }
}

/// A payload built into the binary: the exact bytes that go over the wire.
#[derive(Debug)]
pub(crate) struct Fixture {
    /// The name on the command line, without `.json`: `eachlabs/a/success`.
    pub(crate) name: &'static str,
    /// Shorter names for the same bytes: `success`.
    pub(crate) aliases: &'static [&'static str],
    /// The variant of the shape that determines headers, scheme and retries.
    pub(crate) variant: &'static str,
    pub(crate) body: &'static str,
}

/// A condition that distinguishes shapes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ShapeSign {
    /// The path has a value, `null` included.
    Has(&'static str),
    /// The path has no value.
    Lacks(&'static str),
    /// The value at the path is of this type.
    Is(&'static str, JsonType),
    /// The value at the path is absent or of another type.
    IsNot(&'static str, JsonType),
    /// The string at the path is one of these.
    Word(&'static str, &'static [&'static str]),
    /// The string at the path starts with one of these.
    Starts(&'static str, &'static [&'static str]),
    /// The string at the path ends with this text.
    Ends(&'static str, &'static str),
    /// The object has no other members.
    Only(&'static [&'static str]),
    /// The request has this header.
    Header(&'static str),
    /// The request has this header, or the body was read without a request.
    HeaderIfKnown(&'static str),
}

/// The sum of weights from which on a shape counts as recognised.
pub(crate) const ENOUGH: u8 = 2;

impl Shape {
    /// The base of the rows: a prediction with the outcome as its event, unsigned, sent once, with the usual headers.
    pub(crate) const PLAIN: Shape = Shape {
        variant: "",
        title: "",
        kind: Kind::Prediction,
        must: &[],
        signs: &[],
        fields: Fields::NONE,
        statuses: &[],
        other_status: None,
        inferred_event: WorkProgress::outcome,
        schemes: &[],
        retry: &ONCE,
        headers: PLAIN_HEADERS,
        follows_redirects: false,
    };

    /// The status for the provider's word.
    pub(crate) fn status(&self, word: &str) -> Option<Status> {
        let known = self.statuses.iter().find(|(known, _)| *known == word).map(|(_, status)| *status);
        known.or(self.other_status)
    }
}

impl Provider {
    /// Finds a provider by its name on the command line, `generic` included.
    pub(crate) fn named(name: &str) -> Option<&'static Provider> {
        ALL.iter().copied().chain([&generic::PROVIDER]).find(|provider| provider.name == name)
    }

    /// The shape of this variant, or the first.
    pub(crate) fn shape(&self, variant: &str) -> &Shape {
        self.shapes.iter().find(|shape| shape.variant == variant).unwrap_or(&self.shapes[0])
    }
}

/// Every built-in payload with its provider, in the order of [`ALL`].
pub(crate) fn fixtures() -> impl Iterator<Item = (&'static Provider, &'static Fixture)> {
    ALL.iter().flat_map(|provider| provider.fixtures.iter().map(move |fixture| (*provider, fixture)))
}

const STATUSES: [Status; 5] =
    [Status::Starting, Status::Processing, Status::Succeeded, Status::Failed, Status::Canceled];

/// Every status and event that a known provider's deliveries can have.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    let shapes = ALL.iter().flat_map(|provider| provider.shapes);
    let spelled = shapes.flat_map(|shape| shape.statuses.iter().map(|(word, _)| *word));
    STATUSES.into_iter().map(Status::name).chain(spelled).chain(events())
}

/// Every event that can be inferred from the body of a known provider.
pub(crate) fn events() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|provider| provider.shapes).flat_map(|shape| {
        let progress = STATUSES.into_iter().flat_map(|status| {
            [(false, false), (false, true), (true, false)].map(|(output, logs)| WorkProgress {
                status: Some(status),
                output,
                logs,
            })
        });
        progress.filter_map(|progress| (shape.inferred_event)(progress))
    })
}

/// Every retry profile that can be named: those of the providers, the general ones, and [`ONCE`].
pub(crate) fn retry_profiles() -> impl Iterator<Item = &'static RetryProfile> {
    let mut seen: Vec<&'static RetryProfile> = Vec::new();
    for shape in ALL.iter().flat_map(|provider| provider.shapes) {
        if !seen.iter().any(|profile| profile.name == shape.retry.name) {
            seen.push(shape.retry);
        }
    }
    seen.into_iter().chain(general::ALL.iter().copied()).chain([&ONCE])
}
