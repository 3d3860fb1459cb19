//! Flags of `inspect`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use http::HeaderValue;
use jiff::Timestamp;

use super::completers;
use super::shared::{CheckingArgs, OutputArgs, SigningArgs};
use super::since::{Since, since};
use super::values::{self, Pick, PickParser};
use crate::filter::jq::Jq;
use crate::payload::FieldName;
use crate::payload::events::Events;
use crate::payload::provider::Provider;

/// `hookctl inspect`
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Payload file, journal, - for standard input, or name of a built-in payload
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath, add = ArgValueCompleter::new(completers::sources))]
    pub(crate) sources: Vec<String>,
    /// Header received with the payload
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = values::header, help_heading = "Signatures")]
    pub(crate) headers: Vec<(FieldName, HeaderValue)>,
    /// Signature received with the payload, in the header of --scheme
    #[arg(long, value_name = "VALUE", value_parser = values::header_value, help_heading = "Signatures")]
    pub(crate) signature: Option<HeaderValue>,
    /// Time to verify at, instead of now: Unix seconds, or 2026-11-20T21:23:21Z
    #[arg(long, value_name = "TIME", value_parser = values::time, help_heading = "Signatures")]
    #[arg(hide_short_help = true)]
    pub(crate) now: Option<Timestamp>,
    /// Show how the signature was checked: the signed bytes, and the signature that each secret gives
    #[arg(long, help_heading = "Signatures")]
    pub(crate) explain: bool,
    /// Provider of the payload; auto detects it. Of a journal, only deliveries from this provider
    #[arg(long, value_name = "NAME", default_value = values::AUTO, value_parser = PickParser::<&'static Provider>::new())]
    #[arg(hide_possible_values = true)]
    pub(crate) provider: Pick<&'static Provider>,
    #[command(flatten)]
    pub(crate) filters: FilterArgs,
    #[command(flatten)]
    pub(crate) views: ViewArgs,
    #[command(flatten)]
    pub(crate) checking: CheckingArgs,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Which deliveries of journals to show.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Journal filters")]
pub(crate) struct FilterArgs {
    /// Only deliveries with this prediction, execution or track id
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Only deliveries with one of these statuses: succeeded,failed or the provider's own words
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word)]
    pub(crate) status: Option<Vec<String>>,
    /// Only these events: completed,output,workflow.*
    #[arg(short, long, alias = "events", value_name = "LIST", value_parser = Events::parse)]
    pub(crate) event: Option<Events>,
    /// Only deliveries with one of these verdicts about the signature, as recorded or, with --secret, as verified now:
    /// verified,authenticated, or a reason such as wrong_secret
    #[arg(long, value_name = "LIST", value_delimiter = ',', ignore_case = true, hide_possible_values = true,
        value_parser = values::verdict())]
    pub(crate) verdict: Option<Vec<String>>,
    /// Only deliveries since this time: 10m (ago), 14:05 (today, or yesterday), 2026-11-20, '2026-11-20 14:05',
    /// 2026-11-20T21:23:21Z or 1790000000
    #[arg(long, value_name = "T", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Only deliveries with this text in the body, a header or the path; case-sensitive, and JSON escapes in the body are
    /// decoded first
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only deliveries for which this jq filter is true; repeatable
    ///
    /// The filter's input is the delivery's record, as printed by --json: '.answer.ms > 100'. A record has seq, id, at,
    /// direction, method, target, headers, body (a text: '.body | fromjson'), payload (provider, event, status, raw_status,
    /// id, key, error), signature (verdict, scheme, reason), duplicate_of, warnings (code, path, message), answer (status,
    /// by, ms); a sent delivery also has attempt, url, outcome and error, and, where they were set, case and expect_status.
    #[arg(long = "where", value_name = "JQ", value_parser = Jq::parse)]
    pub(crate) filters: Vec<Jq>,
    /// Only the last N matching deliveries
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<usize>,
    /// Keep reading as the journal grows, until Ctrl-C; a file that is truncated or replaced is read from its start
    #[arg(long, conflicts_with_all = ["show", "timeline", "stats", "diff", "export", "html"])]
    pub(crate) follow: bool,
}

/// How to show deliveries of journals.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Journal views")]
#[group(multiple = true)]
pub(crate) struct ViewArgs {
    /// Show one delivery in full: its number in the table, or an id for every delivery with it; with --export, export it
    #[arg(long, value_name = "N|ID", conflicts_with_all = ["timeline", "stats", "diff", "html"])]
    pub(crate) show: Option<String>,
    /// Show each prediction: events, attempts, gaps to scale, repeats and warnings
    ///
    /// Filters choose what is shown. Repeats and warnings take every recorded delivery of a prediction into account.
    #[arg(long, conflicts_with_all = ["stats", "diff", "export", "html"])]
    pub(crate) timeline: bool,
    /// Show counts by provider, status, signature, reason and answer; latencies, and deliveries over time
    #[arg(long, conflicts_with_all = ["diff", "export", "html"])]
    pub(crate) stats: bool,
    /// Show what changed between two deliveries, field by field: numbers, or ids for the first delivery with it; the same
    /// id twice for its first two
    ///
    /// Fields that differ between any two deliveries (times, signatures, ids of deliveries) are dimmed.
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["export", "html"])]
    pub(crate) diff: Option<Vec<String>>,
    /// Print the matching deliveries in a format of other programs
    #[arg(long, value_name = "FORM", value_enum, conflicts_with = "html")]
    pub(crate) export: Option<ExportFormat>,
    /// Write the matching deliveries into one self-contained page: timeline, table, headers, bodies, verdicts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Redact a field wherever deliveries are shown or exported: headers.authorization, input.prompt, output.*; repeatable
    ///
    /// headers and body redact all headers and the whole body, target the path with its query. Messages about a redacted
    /// field are left out too. A body that is not JSON has no fields: naming any field of the body redacts all of it.
    #[arg(long, value_name = "PATH")]
    pub(crate) redact: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// curl commands that send the same bytes
    Curl,
    /// An HTTP archive (HAR 1.2), for the developer tools of browsers
    Har,
    /// The body of the one matching delivery, which send accepts
    Fixture,
}
