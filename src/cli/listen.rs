//! Flags of `listen`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use url::Url;

use super::completers;
use super::help::exit_codes;
use super::values::{self, Pick, PickParser};
use super::{CheckingArgs, OutputArgs, SigningArgs};
use crate::filter::jq::Jq;
use crate::payload::events::Events;
use crate::payload::provider::Provider;

pub(crate) const EXAMPLES: &str = "\
Examples:
  hookctl listen --secret env:KEY                  receive on 8080, verify
  hookctl listen -s env:KEY --forward-to 3000      verify, pass on to your app
  hookctl listen --record hooks.jsonl              keep every delivery
  hookctl listen -s s3cret -p 0 -- ./app-test.sh   run a command against it
  hookctl listen --count 2 --timeout 30s --json    wait for two, as JSON Lines
  hookctl listen --until terminal --timeout 1m     wait for a prediction's end
  hookctl listen --respond 503x2,hang=35s,200      fail twice, hang, accept
  hookctl listen --count 2 --expect '.payload.status == \"succeeded\"'";

pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{}\n\n{}", values::provider_list(), exit_codes())
}

/// The tunnel clients that `listen` can start.
const TUNNELS: [&str; 4] = ["ngrok", "localtunnel", "cloudflared", "bore"];

/// How a delivery is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Everything that matters, a line each
    Block,
    /// One line
    Compact,
}

/// `hookctl listen`
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Port; 0 takes a free one
    #[arg(short, long, value_name = "N", default_value_t = 8080)]
    pub(crate) port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    #[arg(hide_short_help = true)]
    pub(crate) host: String,
    /// Speak HTTPS with a certificate made for this run
    ///
    /// It is for localhost, 127.0.0.1, ::1 and --host. Where it lies, so that senders can be told to trust it, is said
    /// when the listener is ready; COMMAND has it as HOOKCTL_CACERT, so that a hookctl send in it needs no -k.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"], help_heading = "HTTPS")]
    pub(crate) tls: bool,
    /// Speak HTTPS with this certificate, a PEM file, which may hold its key too
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, help_heading = "HTTPS")]
    pub(crate) tls_cert: Option<String>,
    /// Key of the certificate, a PEM file
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, requires = "tls_cert", help_heading = "HTTPS")]
    #[arg(hide_short_help = true)]
    pub(crate) tls_key: Option<String>,
    /// Open a tunnel to the listener with this client, which must be installed
    ///
    /// Its public URL is said when the listener is ready; COMMAND has it as HOOKCTL_PUBLIC_URL. The client ends with the
    /// listener. A server of one's own is named in the client's own way: BORE_SERVER, HOST for localtunnel.
    #[arg(long, value_name = "CLIENT", value_parser = TUNNELS, conflicts_with_all = ["tls", "tls_cert"])]
    pub(crate) tunnel: Option<String>,
    /// Who sends; auto reads it off each delivery
    #[arg(long, value_name = "NAME", default_value = values::AUTO, value_parser = PickParser::<&'static Provider>::new())]
    #[arg(hide_possible_values = true)]
    pub(crate) provider: Pick<&'static Provider>,
    /// Append every delivery to a journal (JSON Lines), before it is answered
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) record: Option<PathBuf>,
    /// Answer only when the delivery is on the disk, so that it outlives a power cut too
    ///
    /// Without it a delivery is with the system when it is answered: it outlives the listener, whatever ends that. With it,
    /// deliveries that come while the disk is busy share the next turn.
    #[arg(long, requires = "record")]
    #[arg(hide_short_help = true)]
    pub(crate) record_sync: bool,
    /// Write the data URLs and base64 of outputs into files in this folder
    ///
    /// A file is named by the prediction's id, its place in the output and what it is. What is there already is never
    /// overwritten. Deliveries that are refused, and those that --events leaves out, leave no files.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(hide_short_help = true)]
    pub(crate) save_outputs: Option<PathBuf>,
    /// Do not redact header values that are secrets themselves
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) record_secrets: bool,
    /// Answer 413 to a larger body
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = values::size)]
    #[arg(hide_short_help = true)]
    pub(crate) max_body: u64,
    /// What to answer, in turn: 503x2,hang=35s,200 [default: 200]
    ///
    /// Items are separated by commas, and the last one repeats for ever. An item is a status (503; 503x2 for twice), hang
    /// or hang=35s (never answer, or close after so long; such a delivery counts when its sender has given up, or after
    /// so long), close (FIN), reset (RST), truncate (break off within the
    /// answer) or forward (the answer of --forward-to, which makes it the default). Behind it may stand :delay=2s and,
    /// for a status, :retry-after=5 and :body=@FILE. A delivery that is answered 401 takes no item.
    #[arg(long, value_name = "SCRIPT", help_heading = "Answers")]
    pub(crate) respond: Option<String>,
    /// Start the script from its beginning for every distinct delivery (provider, id and event)
    #[arg(long, help_heading = "Answers")]
    #[arg(hide_short_help = true)]
    pub(crate) respond_each: bool,
    /// Pass deliveries on to an app, and answer what it answers: 3000, localhost:3000/hook, http://…
    ///
    /// A URL with a path gets them at exactly that path; one without, at the path that the sender used. Method, headers
    /// and body bytes stay as they came; Host is the app's. A delivery that is answered 401 is not passed on. GET and HEAD
    /// (a health check, a provider's challenge) are passed on unsigned as they are, but neither counted nor recorded.
    #[arg(short, long, value_name = "URL", value_parser = values::url, value_hint = ValueHint::Url)]
    #[arg(help_heading = "Answers")]
    pub(crate) forward_to: Option<Url>,
    /// Warn when an answer took longer than this, instead of the provider's own limit
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Answers")]
    #[arg(hide_short_help = true)]
    pub(crate) ack_budget: Option<Duration>,
    /// Show and count only these: completed,output,workflow.*; others are still answered and recorded
    #[arg(short, long, value_name = "LIST", value_parser = Events::parse)]
    pub(crate) events: Option<Events>,
    /// End once N deliveries have been answered; with --until, once both have come true
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Waiting")]
    pub(crate) count: Option<u64>,
    /// End at the first delivery with this status or event; terminal is the last of any prediction
    #[arg(long, value_name = "STATUS|EVENT|terminal", help_heading = "Waiting")]
    pub(crate) until: Option<String>,
    /// Stop after this time: exit code 3 if something that is waited for is missing
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Waiting")]
    pub(crate) timeout: Option<Duration>,
    /// End with exit code 4 unless this jq filter is true of every counted delivery; repeatable
    ///
    /// The filter sees the delivery's record, as --json prints it: '.payload.status == "succeeded"'. It holds when all
    /// that it gives is neither false nor null. What fails is told with the value that was found.
    #[arg(long, value_name = "JQ", value_parser = Jq::parse, help_heading = "Waiting")]
    pub(crate) expect: Vec<Jq>,
    /// Take a warning about a counted delivery for a failed expectation: exit code 4
    ///
    /// A prediction that has not ended is one too when the time of --timeout is up or --until has not come true; whoever
    /// got what --count and --until wait for has not waited for its end. So is one delivery that was overtaken by another
    /// on the way.
    #[arg(long, help_heading = "Waiting")]
    pub(crate) strict: bool,
    /// Write what was expected and waited for as JUnit XML
    #[arg(long, value_name = "junit=FILE", value_parser = values::report)]
    #[arg(add = ArgValueCompleter::new(completers::report_files))]
    #[arg(help_heading = "Waiting")]
    pub(crate) report: Option<PathBuf>,
    /// End with exit code 5 when a counted delivery did not verify
    #[arg(long, help_heading = "Signatures")]
    pub(crate) require_valid: bool,
    /// Answer as usual when a signature does not hold, instead of 401
    #[arg(long, help_heading = "Signatures")]
    #[arg(hide_short_help = true)]
    pub(crate) allow_invalid: bool,
    /// Flags about checking signatures.
    #[command(flatten)]
    pub(crate) checking: CheckingArgs,
    /// Flags about signatures.
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    /// Flags about output.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Show each delivery as a block of lines, or as one line
    #[arg(long, value_name = "FORM", default_value = "block", value_enum, conflicts_with = "verbose")]
    #[arg(help_heading = "Output")]
    #[arg(hide_short_help = true)]
    pub(crate) format: Format,
    /// Run this once ready, with HOOKCTL_TO and HOOKCTL_SECRET set, and end when it ends
    ///
    /// Its exit code is passed on if it is not 0, unless the listener itself found something to end with 5 or 4: a hookctl
    /// send that gets the listener's 401 says less than --require-valid. With --count, the listener ends when both have come true; deliveries
    /// that are still missing when the command has ended are waited for as long as --timeout allows.
    #[arg(last = true, value_name = "COMMAND", help_heading = "Arguments", value_hint = ValueHint::CommandWithArguments)]
    #[arg(add = ArgValueCompleter::new(completers::programs))]
    pub(crate) command: Vec<std::ffi::OsString>,
}
