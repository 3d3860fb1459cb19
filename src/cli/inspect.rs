//! Flags of `inspect` that are about journals.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::since::{Since, since};
use super::values;
use crate::filter::jq::Jq;
use crate::payload::events::Events;

/// Which deliveries of journals.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Journals: which deliveries")]
pub(crate) struct FilterArgs {
    /// Only deliveries about this prediction, execution or track id
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Only deliveries with one of these statuses: succeeded,failed or the provider's own words
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word)]
    pub(crate) status: Option<Vec<String>>,
    /// Only these events: completed,output,workflow.*
    #[arg(short, long, alias = "events", value_name = "LIST", value_parser = Events::parse)]
    pub(crate) event: Option<Events>,
    /// Only deliveries of whose signature this was said, or is said now with --secret: verified,authenticated, or a
    /// reason such as wrong_secret
    #[arg(long, value_name = "LIST", value_delimiter = ',', ignore_case = true, hide_possible_values = true,
        value_parser = values::verdict())]
    pub(crate) verdict: Option<Vec<String>>,
    /// Only deliveries since then: 10m (ago), 14:05 (today, or yesterday), 2026-11-20, '2026-11-20 14:05',
    /// 2026-11-20T21:23:21Z or 1790000000
    #[arg(long, value_name = "T", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Only deliveries with this text in the body, a header or the path, letter for letter; what the body's JSON escapes
    /// is found as it reads
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only deliveries of which this jq filter is true; repeatable
    ///
    /// The filter sees the delivery's record, as --json prints it: '.answer.ms > 100'. It has seq, id, at, direction,
    /// method, target, headers, body (a text: '.body | fromjson'), payload (provider, event, status, raw_status, id, key,
    /// error), signature (verdict, scheme, reason), duplicate_of, warnings (code, path, message), answer (status, by, ms);
    /// a sent one attempt, url, outcome, error too, and case and expect_status where that was asked for.
    #[arg(long = "where", value_name = "JQ", value_parser = Jq::parse)]
    pub(crate) filters: Vec<Jq>,
    /// Only the last N of those that are left
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<usize>,
    /// Go on reading as the journal grows, until Ctrl-C; a file that is begun anew is read from its beginning
    #[arg(long, conflicts_with_all = ["show", "timeline", "stats", "diff", "export", "html"])]
    pub(crate) follow: bool,
}

/// How to look at deliveries of journals.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Journals: how to look at them")]
#[group(multiple = true)]
pub(crate) struct ViewArgs {
    /// Show a delivery whole: its number in the table, or an id for all that have it; with --export, hand it on
    #[arg(long, value_name = "N|ID", conflicts_with_all = ["timeline", "stats", "diff", "html"])]
    pub(crate) show: Option<String>,
    /// Show each prediction: events, attempts, gaps to scale, repeats, and what is suspicious
    ///
    /// Filters choose what is shown; repeats and warnings are found over everything that was recorded of a prediction.
    #[arg(long, conflicts_with_all = ["stats", "diff", "export", "html"])]
    pub(crate) timeline: bool,
    /// Count by provider, status, signature, reason and answer; latencies, and deliveries over time
    #[arg(long, conflicts_with_all = ["diff", "export", "html"])]
    pub(crate) stats: bool,
    /// Show what changed from one delivery to another, field by field: numbers, or ids for the first that has it; one id
    /// twice for its first two
    ///
    /// What differs between any two deliveries (times, signatures, ids of deliveries) is dimmed.
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["export", "html"])]
    pub(crate) diff: Option<Vec<String>>,
    /// Print what is left for another program
    #[arg(long, value_name = "FORM", value_enum, conflicts_with = "html")]
    pub(crate) export: Option<ExportFormat>,
    /// Write what is left into one self-contained page: timeline, table, headers, bodies, verdicts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Blank a field wherever deliveries are shown or handed on: headers.authorization, input.prompt, output.*; repeatable
    ///
    /// headers and body are all of them, target is the path with its query; what is said about a field goes with it.
    /// A body that is not JSON has no fields: where one of its fields is to be blanked, all of it is.
    #[arg(long, value_name = "PATH")]
    pub(crate) redact: Vec<String>,
}

/// A form that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// curl commands that send the same bytes
    Curl,
    /// An HTTP archive 1.2, which the developers' tools of browsers open
    Har,
    /// The body of the one that is left, which send takes
    Fixture,
}
