//! Flags of `send`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use http::HeaderValue;
use url::Url;

use super::completers;
use super::help::exit_codes;
use super::tls::ConnectionArgs;
use super::values::{self, RetryChoice};
use super::{OutputArgs, SigningArgs};
use crate::payload::FieldName;
use crate::payload::provider::cog::Flavor;
use crate::payload::retry::Statuses;
use crate::signature::Tamper;

pub(crate) const EXAMPLES: &str = "\
Examples:
  hookctl send success --to 3000                   to http://localhost:3000/
  hookctl send failed --to :3000/hook -s env:KEY   signed as the provider signs
  hookctl send --drill --to 3000 -s env:KEY        how does the handler do?
  hookctl send hooks.jsonl --to 3000               a journal, with its gaps
  hookctl send body.json --set output=null --to 3000
  hookctl send failed --to 3000 --retry 1s,5s --speed 1
  hookctl send success --to 3000 -s env:KEY --tamper body
  hookctl send success --to 3000 --count 10000 --concurrency 64
  hookctl send cog/stream --to 3000 --flavor python";

const RUN_EXAMPLE: &str = "\
A Cog run says what a model does, and how it ends (with \"output\", \"error\", or \"raises\": \"ValueError: no\"):
  {\"provider\": \"cog\", \"id\": \"p1\", \"input\": {\"n\": 2},
   \"steps\": [{\"at\": \"0ms\", \"log\": \"one\\n\"}, {\"at\": \"600ms\", \"output\": \"chunk\"}],
   \"end\": {\"at\": \"900ms\", \"status\": \"succeeded\"}}";

pub(crate) fn long_help() -> String {
    const SPACING: &str = "Where nobody says how a provider spaces its JSON, it is compact.";
    let payloads = format!("Built-in payloads (short names first):\n{}{SPACING}\n", values::fixture_list());
    let profiles = format!("Retry profiles:\n{}", values::retry_list());
    format!("{EXAMPLES}\n\n{RUN_EXAMPLE}\n\n{payloads}\n{profiles}\n{}", exit_codes())
}

/// `hookctl send`
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// File, - for standard input, or the name of a built-in payload
    ///
    /// A file is one payload, sent byte for byte; a journal, of which every received delivery goes out again, repeats and forgeries too; or a Cog run,
    /// JSON with "steps" and an "end" that says what a model does, of which Cog's deliveries are made.
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath, add = ArgValueCompleter::new(completers::sources))]
    pub(crate) sources: Vec<String>,
    /// Where to: 3000, :3000/hook, localhost:3000/hook, https://…
    #[arg(long, value_name = "URL", value_parser = values::url, value_hint = ValueHint::Url)]
    pub(crate) to: Option<Url>,
    /// Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Payload")]
    pub(crate) set: Vec<String>,
    /// Remove a field from the body
    #[arg(long, value_name = "PATH", help_heading = "Payload")]
    pub(crate) unset: Vec<String>,
    /// Give the prediction another id: a value, or `new` for a fresh one
    #[arg(long, value_name = "new|VALUE", help_heading = "Payload")]
    pub(crate) id: Option<String>,
    /// Add or replace a header
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = values::header, help_heading = "Payload")]
    pub(crate) headers: Vec<(FieldName, HeaderValue)>,
    /// Of a sequence, only these events (completed,output); of a Cog run, its webhook_events_filter
    #[arg(short, long, value_name = "LIST", value_delimiter = ',', help_heading = "Delivery")]
    pub(crate) events: Option<Vec<String>>,
    /// Which of Cog's servers sends a run: coglet (cog 0.17 and later) or the Python one [default: coglet]
    #[arg(long, value_name = "FLAVOR", value_parser = values::flavor(), help_heading = "Delivery")]
    #[arg(hide_short_help = true)]
    pub(crate) flavor: Option<Flavor>,
    /// The interval of Cog's throttle [default: the run's, else 500ms]
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Delivery")]
    #[arg(hide_short_help = true)]
    pub(crate) throttle: Option<Duration>,
    /// Retry as this provider, after these waits (30s,2m,10m), or not at all (none) [default: the provider's own]
    #[arg(long, value_name = "PROFILE|LIST|none", value_parser = values::RetryParser, help_heading = "Delivery")]
    #[arg(hide_possible_values = true)]
    pub(crate) retry: Option<RetryChoice>,
    /// Let simulated time pass N times faster [default: 100 for waits between retries, 1 for a sequence's gaps]
    #[arg(long, value_name = "N", value_parser = values::speed, help_heading = "Delivery")]
    pub(crate) speed: Option<f64>,
    /// Give up on an attempt after this time [default: as long as the provider waits, 30s where that is not known]
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Delivery")]
    pub(crate) timeout: Option<Duration>,
    /// Answers that count as right: 2xx, 200,202, 4xx [default: 2xx]
    #[arg(long, value_name = "LIST", value_parser = values::statuses, help_heading = "Delivery")]
    pub(crate) expect_status: Option<Statuses>,
    /// Send each delivery N more times
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "The worst day")]
    #[arg(value_parser = clap::value_parser!(u16).range(..=1000))]
    pub(crate) duplicate: u16,
    /// Send in another order
    #[arg(long, help_heading = "The worst day")]
    #[arg(hide_short_help = true)]
    pub(crate) shuffle: bool,
    /// Shuffle by this seed: the same one gives the same order
    #[arg(long, value_name = "N", requires = "shuffle", help_heading = "The worst day")]
    #[arg(hide_short_help = true)]
    pub(crate) seed: Option<u64>,
    /// Send what a good handler refuses; implies --expect-status 4xx
    #[arg(long, value_name = "KIND", value_parser = values::tamper(), help_heading = "The worst day")]
    pub(crate) tamper: Option<Tamper>,
    /// Put the handler through the whole pack: good, repeated, forged, broken; exit code 4 if it fails a case
    ///
    /// Every case says what a good handler does and why. It is made of the source, else of `success`; with --secret the
    /// signed cases run too.
    ///
    /// Whether a repeat was processed again shows only in answers that say so: let a test's handler answer JSON with
    /// "duplicate": true or false, or with "processed", how many it has. Without that, acknowledging a repeat passes.
    #[arg(long, help_heading = "The worst day")]
    #[arg(conflicts_with_all = ["tamper", "duplicate", "shuffle", "retry", "expect_status", "count", "dry_run", "curl"])]
    pub(crate) drill: bool,
    /// Write the drill's results as JUnit XML
    #[arg(long, value_name = "junit=FILE", value_parser = values::report)]
    #[arg(add = ArgValueCompleter::new(completers::report_files))]
    #[arg(requires = "drill", help_heading = "The worst day")]
    pub(crate) report: Option<PathBuf>,
    /// Send N deliveries, each with its own id and signature, and measure
    ///
    /// Several sources take turns. Each is attempted once, unless --retry says otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Many")]
    #[arg(conflicts_with_all = ["duplicate", "shuffle", "dry_run", "curl"])]
    pub(crate) count: Option<u64>,
    /// Have N of them under way at the same time
    #[arg(long, value_name = "N", default_value = "16", value_parser = values::at_least_one, help_heading = "Many")]
    #[arg(requires = "count")]
    pub(crate) concurrency: usize,
    /// Let N leave in a second, however slow the answers are; without, as fast as they come
    #[arg(long, value_name = "N", value_parser = values::rate, requires = "count", help_heading = "Many")]
    pub(crate) rate: Option<f64>,
    /// Append every attempt to a journal (JSON Lines)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) record: Option<PathBuf>,
    /// Do not redact header values that are secrets themselves
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) record_secrets: bool,
    /// Show the exact request, and what is signed of it, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show the curl command that sends the same bytes, and send nothing
    ///
    /// Secrets are left to the variable HOOKCTL_SECRET of the shell that runs it.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) curl: bool,
    /// Flags about connections.
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Serve the public half of the key pair that signs as a JWK set on 127.0.0.1, for as long as this runs
    ///
    /// For a handler that fetches fal's keys: point it at http://127.0.0.1:PORT/.well-known/jwks.json. A fresh key pair signs unless
    /// --secret gives one; without PORT a free port is taken.
    #[arg(
        long,
        value_name = "PORT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0",
        conflicts_with_all = ["dry_run", "curl"],
        help_heading = "Signatures"
    )]
    #[arg(hide_short_help = true)]
    pub(crate) serve_jwks: Option<u16>,
    /// Flags about signatures.
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    /// Flags about output.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
