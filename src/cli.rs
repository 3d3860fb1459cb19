//! Every flag and help text, and nothing that acts.
//!
//! House rules: a flag's help is one line that starts with a verb or a noun and ends without a full stop; what needs
//! more goes behind an empty line and shows with `--help` only. Every long flag can come from the environment as
//! `HOOKCTL_…`; [`command`] sees to that, so no flag says it for itself. Values are parsed here, once, into types.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use reqwest::Url;

use crate::error::Exit;
use crate::payload::Name;
use crate::payload::events::Events;
use crate::payload::jq::Jq;
use crate::payload::provider::Provider;
use crate::payload::provider::cog::Flavor;
use crate::payload::retry::Statuses;
use crate::payload::signature::{Scheme, SecretSpec, Tamper};

mod connection;
mod inspecting;
pub mod values;

pub use connection::Connection;
pub use inspecting::{Export, Filters, Views};
use values::{Pick, PickParser, Retry};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Test webhooks on your own machine: receive and verify them, fire them as the provider would, find out what is wrong
#[derive(Debug, Parser)]
#[command(name = "hookctl", version, styles = STYLES, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Every long flag can come from the environment: HOOKCTL_PORT for --port, HOOKCTL_TO for --to, …\n\
                        Start with: hookctl listen --secret s3cret --port 0 -- hookctl send success failed"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive webhooks, verify, print and answer them
    #[command(after_help = LISTEN_EXAMPLES, after_long_help = listen_long_help())]
    Listen(Box<Listen>),
    /// Fire signed payloads, with the provider's own retries
    #[command(after_help = SEND_EXAMPLES, after_long_help = send_long_help())]
    Send(Box<Send>),
    /// Read payloads and recorded deliveries; say what is wrong with them
    #[command(after_help = INSPECT_EXAMPLES, after_long_help = inspect_long_help())]
    Inspect(Box<Inspect>),
    /// Print a completion script for a shell
    Completions(Completions),
}

const LISTEN_EXAMPLES: &str = "\
Examples:
  hookctl listen --secret env:WEBHOOK_SECRET       receive on 8080, verify, print
  hookctl listen --record hooks.jsonl              keep every delivery in a journal
  hookctl listen --count 2 --timeout 30s --json    wait for two, as JSON Lines
  hookctl listen --respond 503x2,hang=35s,200      fail twice, time out, then accept
  hookctl listen -s env:KEY --forward-to 3000      verify, then pass on to your app
  hookctl listen --until terminal --timeout 1m     wait for the end of a prediction
  hookctl listen -s s3cret -p 0 -- ./app-test.sh   run a command against it
  hookctl listen --count 2 --timeout 30s --expect '.payload.status == \"succeeded\"'";

const SEND_EXAMPLES: &str = "\
Examples:
  hookctl send success --to 3000                   to http://localhost:3000/
  hookctl send failed --to :3000/hook -s env:KEY   signed as the provider signs
  hookctl send body.json --set output=null --to 3000
  hookctl send failed --to 3000 --retry 1s,5s --speed 1
  hookctl send success --to 3000 -s env:KEY --tamper body
  hookctl send --drill --to 3000 -s env:KEY        how does the handler do?
  hookctl send success --to 3000 --count 10000 --concurrency 64
  hookctl send cog/stream --to 3000 --flavor python
  hookctl send hooks.jsonl --to 3000               a journal, with its gaps";

const INSPECT_EXAMPLES: &str = "\
Examples:
  hookctl inspect body.json                        what it is, what is wrong with it
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: 9f86…'
  hookctl inspect hooks.jsonl --status failed --last 5
  hookctl inspect hooks.jsonl --where '.answer.ms > 100' --since 1h
  hookctl inspect hooks.jsonl --show 3             one recorded delivery, whole
  hookctl inspect hooks.jsonl --timeline           each prediction, gaps to scale, what is wrong
  hookctl inspect hooks.jsonl --diff 3 5           what changed between two
  hookctl inspect hooks.jsonl --follow --event completed
  hookctl inspect hooks.jsonl --show 3 --json | jq -r .body
  hookctl inspect hooks.jsonl --id abc --export curl --redact input.prompt
  hookctl inspect hooks.jsonl --html report.html   one page to look at, or to attach to a build";

const INSPECT_JSON: &str = "\
With --json, deliveries are records as in the journal, and views are objects of their own:
  {\"type\":\"timeline\",\"provider\",\"id\",\"direction\",\"end\",\"from\",\"ms\",\"deliveries\":[{\"number\",\"at\",\"offset_ms\",
   \"event\",\"status\",\"raw_status\",\"signature\",\"attempt\",\"repeat\",\"answer\",\"warnings\"}],\"warnings\"}, one a prediction
  {\"type\":\"stats\",\"deliveries\",\"repeats\",\"from\",\"to\",\"providers\",\"statuses\",\"verdicts\",\"answers\",\"warnings\",
   \"latency_ms\":{\"count\",\"p50\",\"p90\",\"p99\",\"max\",\"histogram\"},\"over_time\":[{\"at\",\"seconds\",\"count\"}]}
  {\"type\":\"diff\",\"a\",\"b\",\"changes\":[{\"path\",\"change\",\"a\",\"b\",\"volatile\"}]}";

fn listen_long_help() -> String {
    format!("{LISTEN_EXAMPLES}\n\n{}", exit_codes())
}

const RUN_EXAMPLE: &str = "\
A Cog run says what a model does, and how it ends (with \"output\", \"error\", or \"raises\": \"ValueError: no\"):
  {\"provider\": \"cog\", \"id\": \"p1\", \"input\": {\"n\": 2},
   \"steps\": [{\"at\": \"0ms\", \"log\": \"one\\n\"}, {\"at\": \"600ms\", \"output\": \"chunk\"}],
   \"end\": {\"at\": \"900ms\", \"status\": \"succeeded\"}}";

fn send_long_help() -> String {
    const SPACING: &str = "Where nobody says how a provider spaces its JSON, it is compact.";
    let payloads = format!("Built-in payloads (short names first):\n{}{SPACING}\n", values::fixture_list());
    let profiles = format!("Retry profiles:\n{}", values::retry_list());
    format!("{SEND_EXAMPLES}\n\n{RUN_EXAMPLE}\n\n{payloads}\n{profiles}\n{}", exit_codes())
}

fn inspect_long_help() -> String {
    format!("{INSPECT_EXAMPLES}\n\n{INSPECT_JSON}\n\n{}", exit_codes())
}

fn exit_codes() -> String {
    let lines = Exit::MEANINGS.iter().map(|(code, meaning)| format!("  {code:11}{}", meaning.replace('`', "")));
    format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Print data as JSON Lines on standard output, people's text on standard error
    #[arg(long)]
    pub json: bool,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", value_enum)]
    pub color: When,
    /// Print results only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print headers and whole bodies too
    #[arg(short, long)]
    pub verbose: bool,
}

impl Output {
    /// Whether to be quiet and whether to be verbose. The two exclude each other, so a variable counts only where
    /// neither flag was given: `-q` must beat HOOKCTL_VERBOSE, not clash with it.
    pub fn quiet_or_verbose(&self, variable: impl Fn(&str) -> Option<String>) -> (bool, bool) {
        let set =
            |name| variable(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no" | "off"));
        match (self.quiet, self.verbose) {
            (false, false) => (set("HOOKCTL_QUIET"), set("HOOKCTL_VERBOSE")),
            given => given,
        }
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a delivery is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Everything that matters, a line each
    Block,
    /// One line
    Compact,
}

/// Flags about signatures.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Signatures")]
pub struct Signing {
    /// Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation
    ///
    /// Without a value it is taken from HOOKCTL_SECRET, or asked for on a terminal. For listen and send, HOOKCTL_SECRET
    /// alone, without the flag, works too. Half of a key pair is written whsk_… (private) or whpk_… (public). The value
    /// is never printed, logged or recorded.
    #[arg(short, long, value_name = "VALUE", num_args = 0..=1, default_missing_value = values::ASK)]
    #[arg(value_parser = values::secret)]
    pub secret: Vec<Option<SecretSpec>>,
    /// How deliveries are signed [default: auto]
    ///
    /// auto reads it off the headers; when sending, it is the provider's own way. One of your own is spelled out:
    /// hmac-sha256:header=X-Sig,encoding=hex|base64,prefix=sha256=,signed=body|timestamp.body,timestamp-header=X-Ts
    #[arg(long, value_name = "NAME", default_value = values::AUTO, hide_default_value = true)]
    #[arg(value_parser = PickParser::<&'static Scheme>::new())]
    pub scheme: Pick<&'static Scheme>,
    /// Header with the signature, instead of the scheme's own; without --scheme it is that of eachlabs
    #[arg(long, value_name = "NAME", value_parser = values::header_name)]
    pub signature_header: Option<HeaderName>,
}

/// The tunnel clients that `listen` can start.
const TUNNELS: [&str; 4] = ["ngrok", "localtunnel", "cloudflared", "bore"];

/// `hookctl listen`
#[derive(Debug, Args)]
pub struct Listen {
    /// Port; 0 takes a free one
    #[arg(short, long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub host: String,
    /// Speak HTTPS with a certificate made for this run
    ///
    /// It is for localhost, 127.0.0.1, ::1 and --host. Where it lies, so that senders can be told to trust it, is said
    /// when the listener is ready; COMMAND has it as HOOKCTL_CACERT, so that a hookctl send in it needs no -k.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"], help_heading = "HTTPS")]
    pub tls: bool,
    /// Speak HTTPS with this certificate, a PEM file, which may hold its key too
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, help_heading = "HTTPS")]
    pub tls_cert: Option<String>,
    /// Key of the certificate, a PEM file
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, requires = "tls_cert", help_heading = "HTTPS")]
    pub tls_key: Option<String>,
    /// Open a tunnel to the listener with this client, which must be installed
    ///
    /// Its public URL is said when the listener is ready; COMMAND has it as HOOKCTL_PUBLIC_URL. The client ends with the
    /// listener. A server of one's own is named in the client's own way: BORE_SERVER, HOST for localtunnel.
    #[arg(long, value_name = "CLIENT", value_parser = TUNNELS, conflicts_with_all = ["tls", "tls_cert"])]
    pub tunnel: Option<String>,
    /// Who sends; auto reads it off each delivery
    #[arg(long, value_name = "NAME", default_value = values::AUTO, value_parser = PickParser::<&'static Provider>::new())]
    pub provider: Pick<&'static Provider>,
    /// Append every delivery to a journal (JSON Lines), before it is answered
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Write the data URLs and base64 of outputs into files in this folder
    ///
    /// A file is named by the prediction's id, its place in the output and what it is. What is there already is never
    /// overwritten. Deliveries that are refused, and those that --events leaves out, leave no files.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub save_outputs: Option<PathBuf>,
    /// Do not redact header values that are secrets themselves
    #[arg(long)]
    pub record_secrets: bool,
    /// Answer 413 to a larger body
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = values::size)]
    pub max_body: u64,
    /// What to answer, in turn: 503x2,hang=35s,200 [default: 200]
    ///
    /// Items are separated by commas, and the last one repeats for ever. An item is a status (503; 503x2 for twice), hang
    /// or hang=35s (never answer, or close after so long), close (FIN), reset (RST), truncate (break off within the
    /// answer) or forward (the answer of --forward-to, which makes it the default). Behind it may stand :delay=2s and,
    /// for a status, :retry-after=5 and :body=@FILE. A delivery that is answered 401 takes no item.
    #[arg(long, value_name = "SCRIPT", help_heading = "Answers")]
    pub respond: Option<String>,
    /// Start the script from its beginning for every distinct delivery (provider, id and event)
    #[arg(long, help_heading = "Answers")]
    pub respond_each: bool,
    /// Pass deliveries on to an app, and answer what it answers: 3000, localhost:3000/hook, http://…
    ///
    /// A URL with a path gets them at exactly that path; one without, at the path that the sender used. Method, headers
    /// and body bytes stay as they came; Host is the app's. A delivery that is answered 401 is not passed on.
    #[arg(short, long, value_name = "URL", value_parser = values::url, value_hint = ValueHint::Url)]
    #[arg(help_heading = "Answers")]
    pub forward_to: Option<Url>,
    /// Warn when an answer took longer than this, instead of the provider's own limit
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Answers")]
    pub ack_budget: Option<Duration>,
    /// Show and count only these: completed,output,workflow.*; others are still answered and recorded
    #[arg(short, long, value_name = "LIST", value_parser = Events::parse)]
    pub events: Option<Events>,
    /// End once N deliveries have been answered; with --until, once both have come true
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Waiting")]
    pub count: Option<u64>,
    /// End at the first delivery with this status or event; terminal is the last of any prediction
    #[arg(long, value_name = "STATUS|EVENT|terminal", help_heading = "Waiting")]
    pub until: Option<String>,
    /// Stop after this time: exit code 3 if something that is waited for is missing
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Waiting")]
    pub timeout: Option<Duration>,
    /// End with exit code 4 unless this jq filter is true of every counted delivery; repeatable
    ///
    /// The filter sees the delivery's record, as --json prints it: '.payload.status == "succeeded"'. It holds when all
    /// that it gives is neither false nor null. What fails is told with the value that was found.
    #[arg(long, value_name = "JQ", value_parser = Jq::parse, help_heading = "Waiting")]
    pub expect: Vec<Jq>,
    /// Take a warning about a counted delivery for a failed expectation: exit code 4
    #[arg(long, help_heading = "Waiting")]
    pub strict: bool,
    /// Write what was expected and waited for as JUnit XML
    #[arg(long, value_name = "junit=FILE", value_parser = values::report, value_hint = ValueHint::FilePath)]
    #[arg(help_heading = "Waiting")]
    pub report: Option<PathBuf>,
    /// Public keys that verify fal's signatures: a JWK set in a file or at a URL
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath, help_heading = "Signatures")]
    pub jwks: Option<String>,
    /// End with exit code 5 when a counted delivery did not verify
    #[arg(long, help_heading = "Signatures")]
    pub require_valid: bool,
    /// How far a signed time stamp may be off, instead of the scheme's own tolerance
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Signatures")]
    pub tolerance: Option<Duration>,
    /// Answer as usual when a signature does not hold, instead of 401
    #[arg(long, help_heading = "Signatures")]
    pub allow_invalid: bool,
    /// Flags about signatures.
    #[command(flatten)]
    pub signing: Signing,
    /// Flags about output.
    #[command(flatten)]
    pub output: Output,
    /// Show each delivery as a block of lines, or as one line
    #[arg(long, value_name = "FORM", default_value = "block", value_enum, conflicts_with = "verbose")]
    #[arg(help_heading = "Output")]
    pub format: Format,
    /// Run this once ready, with HOOKCTL_TO and HOOKCTL_SECRET set, and end when it ends
    ///
    /// Its exit code is passed on if it is not 0. With --count, the listener ends when both have come true; deliveries
    /// that are still missing when the command has ended are waited for as long as --timeout allows.
    #[arg(last = true, value_name = "COMMAND", help_heading = "Arguments", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<std::ffi::OsString>,
}

/// `hookctl send`
#[derive(Debug, Args)]
pub struct Send {
    /// File, - for standard input, or the name of a built-in payload
    ///
    /// A file is one payload, sent byte for byte; a journal, of which every received delivery goes out again; or a Cog run,
    /// JSON with "steps" and an "end" that says what a model does, of which Cog's deliveries are made.
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath)]
    pub sources: Vec<String>,
    /// Where to: 3000, :3000/hook, localhost:3000/hook, https://…
    #[arg(long, value_name = "URL", value_parser = values::url, value_hint = ValueHint::Url)]
    pub to: Option<Url>,
    /// Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Payload")]
    pub set: Vec<String>,
    /// Remove a field from the body
    #[arg(long, value_name = "PATH", help_heading = "Payload")]
    pub unset: Vec<String>,
    /// Give the prediction another id: a value, or `new` for a fresh one
    #[arg(long, value_name = "new|VALUE", help_heading = "Payload")]
    pub id: Option<String>,
    /// Add or replace a header
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = values::header, help_heading = "Payload")]
    pub headers: Vec<(Name, HeaderValue)>,
    /// Of a sequence, only these events (completed,output); of a Cog run, its webhook_events_filter
    #[arg(short, long, value_name = "LIST", value_delimiter = ',', help_heading = "Delivery")]
    pub events: Option<Vec<String>>,
    /// Which of Cog's servers sends a run: coglet (cog 0.17 and later) or the Python one [default: coglet]
    #[arg(long, value_name = "FLAVOR", value_parser = values::flavor(), help_heading = "Delivery")]
    pub flavor: Option<Flavor>,
    /// The interval of Cog's throttle [default: the run's, else 500ms]
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Delivery")]
    pub throttle: Option<Duration>,
    /// Retry as this provider, after these waits (30s,2m,10m), or not at all (none)
    #[arg(long, value_name = "PROFILE|LIST|none", value_parser = values::RetryParser, help_heading = "Delivery")]
    pub retry: Option<Retry>,
    /// Let simulated time pass N times faster [default: 100 for waits between retries, 1 for a sequence's gaps]
    #[arg(long, value_name = "N", value_parser = values::speed, help_heading = "Delivery")]
    pub speed: Option<f64>,
    /// Give up on an attempt after this time [default: as long as the provider waits, 30s where that is not known]
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Delivery")]
    pub timeout: Option<Duration>,
    /// Answers that count as right: 2xx, 200,202, 4xx [default: 2xx]
    #[arg(long, value_name = "LIST", value_parser = values::statuses, help_heading = "Delivery")]
    pub expect_status: Option<Statuses>,
    /// Send each delivery N more times
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "The worst day")]
    #[arg(value_parser = clap::value_parser!(u16).range(..=1000))]
    pub duplicate: u16,
    /// Send in another order
    #[arg(long, help_heading = "The worst day")]
    pub shuffle: bool,
    /// Shuffle by this seed: the same one gives the same order
    #[arg(long, value_name = "N", requires = "shuffle", help_heading = "The worst day")]
    pub seed: Option<u64>,
    /// Send what a good handler refuses; implies --expect-status 4xx
    #[arg(long, value_name = "KIND", value_parser = values::tamper(), help_heading = "The worst day")]
    pub tamper: Option<Tamper>,
    /// Put the handler through the whole pack: good, repeated, forged, broken; exit code 4 if it fails a case
    ///
    /// Every case says what a good handler does and why. It is made of the source, else of `success`; with --secret the
    /// signed cases run too.
    #[arg(long, help_heading = "The worst day")]
    #[arg(conflicts_with_all = ["tamper", "duplicate", "shuffle", "retry", "expect_status", "count", "dry_run", "curl"])]
    pub drill: bool,
    /// Write the drill's results as JUnit XML
    #[arg(long, value_name = "junit=FILE", value_parser = values::report, value_hint = ValueHint::FilePath)]
    #[arg(requires = "drill", help_heading = "The worst day")]
    pub report: Option<PathBuf>,
    /// Send N deliveries, each with its own id and signature, and measure
    ///
    /// Several sources take turns. Each is attempted once, unless --retry says otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Many")]
    #[arg(conflicts_with_all = ["duplicate", "shuffle", "dry_run", "curl"])]
    pub count: Option<u64>,
    /// Have N of them under way at the same time
    #[arg(long, value_name = "N", default_value = "16", value_parser = values::at_least_one, help_heading = "Many")]
    #[arg(requires = "count")]
    pub concurrency: usize,
    /// Let N leave in a second, however slow the answers are; without, as fast as they come
    #[arg(long, value_name = "N", value_parser = values::rate, requires = "count", help_heading = "Many")]
    pub rate: Option<f64>,
    /// Append every attempt to a journal (JSON Lines)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Do not redact header values that are secrets themselves
    #[arg(long)]
    pub record_secrets: bool,
    /// Show the exact request, and what is signed of it, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Show the curl command that sends the same bytes, and send nothing
    ///
    /// Secrets are left to the variable HOOKCTL_SECRET of the shell that runs it.
    #[arg(long, conflicts_with = "dry_run")]
    pub curl: bool,
    /// Flags about connections.
    #[command(flatten)]
    pub connection: Connection,
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
    pub serve_jwks: Option<u16>,
    /// Flags about signatures.
    #[command(flatten)]
    pub signing: Signing,
    /// Flags about output.
    #[command(flatten)]
    pub output: Output,
}

/// `hookctl inspect`
#[derive(Debug, Args)]
pub struct Inspect {
    /// Payload files, journals, or - for standard input
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath)]
    pub sources: Vec<String>,
    /// Header that came with the payload
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = values::header, help_heading = "Signatures")]
    pub headers: Vec<(Name, HeaderValue)>,
    /// Signature that came with the payload, in the header of --scheme
    #[arg(long, value_name = "VALUE", value_parser = values::header_value, help_heading = "Signatures")]
    pub signature: Option<HeaderValue>,
    /// Clock to verify by: Unix seconds, or 2026-11-20T21:23:21Z
    #[arg(long, value_name = "TIME", value_parser = values::time, help_heading = "Signatures")]
    pub now: Option<Timestamp>,
    /// Public keys that verify fal's signatures: a JWK set in a file or at a URL
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath, help_heading = "Signatures")]
    pub jwks: Option<String>,
    /// Give the whole reasoning: what was signed, what each secret gives
    #[arg(long, help_heading = "Signatures")]
    pub explain: bool,
    /// Who sent it; auto reads it off the payload. Of a journal, only the deliveries from there
    #[arg(long, value_name = "NAME", default_value = values::AUTO, value_parser = PickParser::<&'static Provider>::new())]
    pub provider: Pick<&'static Provider>,
    /// Which deliveries of journals.
    #[command(flatten)]
    pub filters: Filters,
    /// How to look at them.
    #[command(flatten)]
    pub views: Views,
    /// Flags about signatures.
    #[command(flatten)]
    pub signing: Signing,
    /// Flags about output.
    #[command(flatten)]
    pub output: Output,
}

/// `hookctl completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// For this shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The command line as clap sees it, every long flag also readable from the environment.
pub fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| command.mut_args(from_environment))
}

/// Flags that have their own way with the environment, or none.
const NOT_FROM_ENVIRONMENT: [&str; 5] = ["secret", "quiet", "verbose", "help", "version"];

fn from_environment(arg: clap::Arg) -> clap::Arg {
    let Some(long) = arg.get_long().filter(|long| !NOT_FROM_ENVIRONMENT.contains(long)) else { return arg };
    let name = format!("HOOKCTL_{}", long.replace('-', "_").to_uppercase());
    // A variable that is empty is one that was not meant to be set.
    if std::env::var_os(&name).is_some_and(|value| value.is_empty()) {
        return arg;
    }
    let arg = arg.env(name).hide_env(true);
    if matches!(arg.get_action(), clap::ArgAction::SetTrue) {
        // `HOOKCTL_JSON=1` and `HOOKCTL_JSON=no` mean what they say.
        return arg.value_parser(clap::builder::BoolishValueParser::new());
    }
    arg
}
