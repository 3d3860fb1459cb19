//! What a provider is: the type of a row, and the list of rows. Which row a delivery belongs to is found by
//! [`detect`](super::detect::detect).
//!
//! Everything a provider does is data in one file of `provider/`: its shapes, statuses, events, signature schemes,
//! retry profiles, headers and fixtures. Adding one is such a file and a line in [`ALL`].

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

/// Every provider, in the order in which they are listed to people. [`generic::PROVIDER`] is not one of them: it is what
/// remains when none of these fits.
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
    /// The name as its owner writes it: `each::labs`.
    pub(crate) label: &'static str,
    /// How its requests name themselves: the start of the user agent, and the variant that it gives away.
    pub(crate) agents: &'static [(&'static str, &'static str)],
    /// Every form of its bodies. The first is taken when the provider was named by the user and none fits.
    pub(crate) shapes: &'static [Shape],
    /// Payloads built into the binary.
    pub(crate) fixtures: &'static [Fixture],
}

/// One form of a provider's bodies, and what goes along with it.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Which form: a generation, a flavor, or what the body describes.
    pub(crate) variant: &'static str,
    /// What it is, in words: `prediction, generation A (March 2026)`.
    pub(crate) title: &'static str,
    /// What the body reports on.
    pub(crate) kind: Kind,
    /// What must be so for a body to have this form.
    pub(crate) must: &'static [ShapeSign],
    /// What speaks for it, with a weight; [`ENOUGH`] in all makes it recognised.
    pub(crate) signs: &'static [(u8, ShapeSign)],
    /// Where its fields are.
    pub(crate) fields: Fields,
    /// Its status words.
    pub(crate) statuses: &'static [(&'static str, Status)],
    /// What any other word means; `None` where it would be an unknown one.
    pub(crate) other_status: Option<Status>,
    /// The event, where the body does not name one.
    pub(crate) inferred_event: fn(WorkProgress) -> Option<&'static str>,
    /// Signature schemes in use with it, strongest first; empty when the provider documents none.
    pub(crate) schemes: &'static [&'static str],
    /// How it retries.
    pub(crate) retry: &'static RetryProfile,
    /// Its headers in wire order.
    pub(crate) headers: &'static [HeaderLine],
    /// Whether it follows redirects.
    pub(crate) follows_redirects: bool,
}

/// Dotted paths to a shape's fields. Where there are several, the first with a value counts.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The id of the prediction or execution.
    pub(crate) id: &'static [&'static str],
    /// The status word.
    pub(crate) status: &'static [&'static str],
    /// The event, where the body names it.
    pub(crate) event: &'static [&'static str],
    /// What was done, where that is not in the event's name: the event then is `repo.content.update`.
    pub(crate) action: &'static [&'static str],
    /// What was made.
    pub(crate) output: &'static [&'static str],
    /// What it was made from.
    pub(crate) input: &'static [&'static str],
    /// Why it failed.
    pub(crate) error: &'static [&'static str],
    /// What was logged.
    pub(crate) logs: &'static [&'static str],
    /// Times and costs.
    pub(crate) metrics: &'static [&'static str],
    /// Further ids, under the names that the provider gives them.
    pub(crate) ids: &'static [(&'static str, &'static str)],
}

impl Fields {
    /// No fields; a row names those that it has.
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

/// A header that a provider sends, its name spelled as it goes over the wire. Where `host` and `content-length` are not
/// listed, they stand at the end, in this order and in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderLine {
    /// This one.
    Is(&'static str, &'static str),
    /// Whatever the signature scheme adds.
    Signature,
    /// `referer`, which goes along on a redirect only.
    Referer,
    /// `host`, spelled so.
    Host(&'static str),
    /// `content-length`, spelled so.
    ContentLength(&'static str),
}

/// The headers of a provider of which only the content type is documented.
pub(crate) const PLAIN_HEADERS: &[HeaderLine] = &[
    HeaderLine::Is("content-type", "application/json"),
    HeaderLine::Is("user-agent", concat!("hookctl/", env!("CARGO_PKG_VERSION"))),
    HeaderLine::Is("accept", "*/*"),
    HeaderLine::Signature,
];

/// What a body reports on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One run of a model (ModelsLab: a generation).
    Prediction,
    /// A chain of them.
    Workflow,
    /// Something that happened, with no run behind it that could fail.
    Notice,
    /// Something that hookctl does not know.
    Other,
}

impl Kind {
    /// The word in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Prediction => "prediction",
            Kind::Workflow => "workflow",
            Kind::Notice => "notice",
            Kind::Other => "other",
        }
    }
}

/// The one vocabulary of statuses. Cog's own words; every provider's are mapped to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Accepted or queued, not begun.
    Starting,
    /// Under way.
    Processing,
    /// Ended well.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended by the user.
    Canceled,
}

impl Status {
    /// The word in records and on screen.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Starting => "starting",
            Status::Processing => "processing",
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::Canceled => "canceled",
        }
    }

    /// Whether nothing comes after it.
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Status::Succeeded | Status::Failed | Status::Canceled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.pad(self.name())
    }
}

/// How far a body says the work has come: all that an event can be inferred from.
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
    /// The event of a provider that fires at the end only, and names none: the outcome is the event.
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
    /// Its name on the command line, without `.json`: `eachlabs/a/success`.
    pub(crate) name: &'static str,
    /// Shorter names for the same bytes: `success`.
    pub(crate) aliases: &'static [&'static str],
    /// The variant of the provider whose headers, scheme and retries go with it.
    pub(crate) variant: &'static str,
    /// The body.
    pub(crate) body: &'static str,
}

/// Something that tells one form of body from another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ShapeSign {
    /// The path has a value, `null` included.
    Has(&'static str),
    /// The path has none.
    Lacks(&'static str),
    /// The value at the path is of this type.
    Is(&'static str, JsonType),
    /// The value at the path is absent or of another type.
    IsNot(&'static str, JsonType),
    /// The string at the path is one of these.
    Word(&'static str, &'static [&'static str]),
    /// The string at the path starts with one of these.
    Starts(&'static str, &'static [&'static str]),
    /// The string at the path ends so.
    Ends(&'static str, &'static str),
    /// There are no members but these.
    Only(&'static [&'static str]),
    /// The request had this header.
    Header(&'static str),
    /// The request had this header; also true of a body that came without its request.
    HeaderIfKnown(&'static str),
}

/// The weight of signs from which on a form counts as recognised.
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

    /// What the status word means here.
    pub(crate) fn status(&self, word: &str) -> Option<Status> {
        let known = self.statuses.iter().find(|(known, _)| *known == word).map(|(_, status)| *status);
        known.or(self.other_status)
    }
}

impl Provider {
    /// Finds a provider by its name on the command line; `generic` is one here.
    pub(crate) fn named(name: &str) -> Option<&'static Provider> {
        ALL.iter().copied().chain([&generic::PROVIDER]).find(|provider| provider.name == name)
    }

    /// The shape of that variant, or the first.
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

/// Every event that a known provider's deliveries can be without naming it.
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

/// Every profile that can be named: those of the providers, the general ones, and [`ONCE`].
pub(crate) fn retry_profiles() -> impl Iterator<Item = &'static RetryProfile> {
    let mut seen: Vec<&'static RetryProfile> = Vec::new();
    for shape in ALL.iter().flat_map(|provider| provider.shapes) {
        if !seen.iter().any(|profile| profile.name == shape.retry.name) {
            seen.push(shape.retry);
        }
    }
    seen.into_iter().chain(general::ALL.iter().copied()).chain([&ONCE])
}
