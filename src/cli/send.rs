//! Flags of `send`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use http::HeaderValue;
use url::Url;

use super::completers;
use super::connection::ConnectionArgs;
use super::shared::{OutputArgs, SigningArgs};
use super::topics::exit_codes;
use super::values;
use crate::payload::FieldName;
use crate::payload::provider::cog::Flavor;
use crate::payload::retry::{RetryProfile, Statuses};
use crate::signature::Tamper;

pub(crate) const EXAMPLES: &str = "\
Examples:
  hookctl send success --to 3000                   to http://localhost:3000/
  hookctl send failed --to :3000/hook -s env:KEY   signed as the provider signs
  hookctl send --drill --to 3000 -s env:KEY        test the handler
  hookctl send hooks.jsonl --to 3000               a journal, with its gaps
  hookctl send body.json --set output=null --to 3000
  hookctl send failed --to 3000 --retry 1s,5s --speed 1
  hookctl send success --to 3000 -s env:KEY --tamper body
  hookctl send success --to 3000 --count 10000 --concurrency 64
  hookctl send cog/stream --to 3000 --flavor python";

const RUN_EXAMPLE: &str = "\
A Cog run describes what a model does, and how it ends (with \"output\", \"error\", or \"raises\": \"ValueError: no\"):
  {\"provider\": \"cog\", \"id\": \"p1\", \"input\": {\"n\": 2},
   \"steps\": [{\"at\": \"0ms\", \"log\": \"one\\n\"}, {\"at\": \"600ms\", \"output\": \"chunk\"}],
   \"end\": {\"at\": \"900ms\", \"status\": \"succeeded\"}}";

pub(crate) fn long_help() -> String {
    const SPACING: &str = "JSON is compact where a provider does not document its spacing.";
    let payloads = format!("Built-in payloads (short names first):\n{}{SPACING}\n", values::fixture_list());
    let profiles = format!("Retry profiles:\n{}", values::retry_list());
    format!("{EXAMPLES}\n\n{RUN_EXAMPLE}\n\n{payloads}\n{profiles}\n{}", exit_codes())
}

/// `hookctl send`
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// File, - for standard input, or name of a built-in payload
    ///
    /// A file is one payload, sent byte for byte; a journal, of which every received delivery is sent again, repeats and
    /// forgeries too; or a Cog run: JSON with "steps" and an "end" that describes what a model does, from which the
    /// deliveries of Cog are made.
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath, add = ArgValueCompleter::new(completers::sources))]
    pub(crate) sources: Vec<String>,
    /// Target URL: 3000, :3000/hook, localhost:3000/hook, https://…
    #[arg(long, value_name = "URL", value_parser = values::url, value_hint = ValueHint::Url)]
    pub(crate) to: Option<Url>,
    /// Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Payload")]
    pub(crate) set: Vec<String>,
    /// Remove a field from the body
    #[arg(long, value_name = "PATH", help_heading = "Payload")]
    pub(crate) unset: Vec<String>,
    /// Change the id of the prediction: a value, or `new` for a fresh id
    #[arg(long, value_name = "new|VALUE", help_heading = "Payload")]
    pub(crate) id: Option<String>,
    /// Add or replace a header
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = values::header, help_heading = "Payload")]
    pub(crate) headers: Vec<(FieldName, HeaderValue)>,
    /// Send only these events of a sequence (completed,output); for a Cog run, its webhook_events_filter
    #[arg(short, long, value_name = "LIST", value_delimiter = ',', help_heading = "Delivery")]
    pub(crate) events: Option<Vec<String>>,
    /// Server of Cog that sends a run: coglet (cog 0.17 and later) or python [default: coglet]
    #[arg(long, value_name = "FLAVOR", value_parser = values::flavor(), help_heading = "Delivery")]
    #[arg(hide_short_help = true)]
    pub(crate) flavor: Option<Flavor>,
    /// Interval of Cog's throttle [default: the run's, else 500ms]
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Delivery")]
    #[arg(hide_short_help = true)]
    pub(crate) throttle: Option<Duration>,
    /// Retry like this provider, after these waits (30s,2m,10m), or never (none) [default: the provider's own]
    #[arg(long, value_name = "PROFILE|LIST|none", value_parser = values::RetryParser, help_heading = "Delivery")]
    #[arg(hide_possible_values = true)]
    pub(crate) retry: Option<RetryProfile>,
    /// Divide waits by N [default: 100 for waits between retries, 1 for the gaps of a sequence]
    #[arg(long, value_name = "N", value_parser = values::speed, help_heading = "Delivery")]
    pub(crate) speed: Option<f64>,
    /// Time limit of an attempt [default: the provider's own, 30s if unknown]
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Delivery")]
    pub(crate) timeout: Option<Duration>,
    /// Expected answers: 2xx, 200,202, 4xx [default: 2xx]
    #[arg(long, value_name = "LIST", value_parser = values::statuses, help_heading = "Delivery")]
    pub(crate) expect_status: Option<Statuses>,
    /// Send each delivery N more times
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "Faults and drill")]
    #[arg(value_parser = clap::value_parser!(u16).range(..=1000))]
    pub(crate) duplicate: u16,
    /// Send in random order
    #[arg(long, help_heading = "Faults and drill")]
    #[arg(hide_short_help = true)]
    pub(crate) shuffle: bool,
    /// Seed of --shuffle: the same seed gives the same order
    #[arg(long, value_name = "N", requires = "shuffle", help_heading = "Faults and drill")]
    #[arg(hide_short_help = true)]
    pub(crate) seed: Option<u64>,
    /// Send a delivery that a good handler refuses; implies --expect-status 4xx
    #[arg(long, value_name = "KIND", value_parser = values::tamper(), help_heading = "Faults and drill")]
    pub(crate) tamper: Option<Tamper>,
    /// Test the handler with valid, repeated, forged and malformed deliveries; exit code 4 if it fails a case
    ///
    /// Every case shows what a good handler answers, and why. The cases are made from the source, by default from
    /// `success`. With --secret, the signed cases run too.
    ///
    /// Whether a repeat was processed twice can only be seen in the body of the answer. Let the handler answer JSON with
    /// "duplicate": true or false, or with "processed", its number of processed deliveries. Otherwise acknowledging a
    /// repeat passes.
    #[arg(long, help_heading = "Faults and drill")]
    #[arg(conflicts_with_all = ["tamper", "duplicate", "shuffle", "retry", "expect_status", "count", "dry_run", "curl"])]
    pub(crate) drill: bool,
    /// Write the results of the drill as JUnit XML
    #[arg(long, value_name = "junit=FILE", value_parser = values::report)]
    #[arg(add = ArgValueCompleter::new(completers::report_files))]
    #[arg(requires = "drill", help_heading = "Faults and drill")]
    pub(crate) report: Option<PathBuf>,
    /// Send N deliveries, each with its own id and signature, and measure
    ///
    /// Several sources take turns. Each delivery is attempted once, unless --retry is given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Load")]
    #[arg(conflicts_with_all = ["duplicate", "shuffle", "dry_run", "curl"])]
    pub(crate) count: Option<u64>,
    /// Number of deliveries in flight at the same time
    #[arg(long, value_name = "N", default_value = "16", value_parser = values::at_least_one, help_heading = "Load")]
    #[arg(requires = "count")]
    pub(crate) concurrency: usize,
    /// Send N deliveries a second, however slow the answers are; without it, as fast as answers come
    #[arg(long, value_name = "N", value_parser = values::rate, requires = "count", help_heading = "Load")]
    pub(crate) rate: Option<f64>,
    /// Append every attempt to a journal (JSON Lines)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) record: Option<PathBuf>,
    /// Do not redact header values that are secrets
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) record_secrets: bool,
    /// Show the exact request and the signed bytes, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show the curl command that sends the same bytes, and send nothing
    ///
    /// The command contains no secret: the shell that runs it needs HOOKCTL_SECRET.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) curl: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Serve the public key of the signing key pair as a JWK set on 127.0.0.1, until the command ends
    ///
    /// For a handler that fetches fal's keys: point it at http://127.0.0.1:PORT/.well-known/jwks.json. A fresh key pair signs
    /// unless --secret gives one; without PORT, a free port is used.
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
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
