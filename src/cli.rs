//! Every flag and help text, and nothing that acts.
//!
//! House rules: a flag's help is one line that starts with a verb or a noun and ends without a full stop; what needs
//! more goes behind an empty line and shows with `--help` only. Every long flag can come from the environment as
//! `HOOKCTL_…`; [`command`] sees to that, so no flag says it for itself. Values are parsed here, once, into types.

use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCompleter;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::error::Exit;
use crate::payload::Name;
use crate::payload::provider::Provider;
use crate::payload::signature::{Scheme, SecretSpec};

mod completers;
mod connection;
mod inspecting;
mod listening;
mod sending;
pub mod since;
mod tips;
mod topics;
pub mod values;

pub use connection::Connection;
pub use inspecting::{Export, Filters, Views};
pub use listening::{Format, Listen};
pub use sending::Send;
pub use tips::with_tip;
use values::{Pick, PickParser};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Test webhooks on your own machine: receive and verify them, fire them as the provider would, and learn why a
/// signature failed
#[derive(Debug, Parser)]
#[command(name = "hookctl", version, styles = STYLES, max_term_width = 100, propagate_version = true)]
#[command(after_help = BEGINNING)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const BEGINNING: &str = "\
Try it, in two terminals:
  hookctl listen --secret s3cret                                receive, verify
  hookctl send success --secret s3cret --to 8080                a signed one
  hookctl send success --secret s3cret --to 8080 --tamper body  a forged one

Then with your own handler, and with what you have received:
  hookctl send --drill --secret env:KEY --to 3000/hook          how good is it?
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: …'

Go on with: hookctl COMMAND -h, which reminds, or --help, which tells all, with
examples; hookctl help signatures, which says why one does not hold. Every long
flag can come from the environment: HOOKCTL_TO for --to.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  hookctl completions bash > ~/.local/share/bash-completion/completions/hookctl
  hookctl completions zsh > ~/.zfunc/_hookctl      with fpath+=~/.zfunc in .zshrc
  hookctl completions fish > ~/.config/fish/completions/hookctl.fish";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive webhooks, verify, print and answer them
    #[command(after_help = first(listening::EXAMPLES), after_long_help = listening::long_help())]
    Listen(Box<Listen>),
    /// Fire signed payloads, with the provider's own retries
    #[command(after_help = first(sending::EXAMPLES), after_long_help = sending::long_help())]
    Send(Box<Send>),
    /// Read payloads and journals; say what is wrong with them
    #[command(after_help = first(INSPECT_EXAMPLES), after_long_help = inspect_long_help())]
    Inspect(Box<Inspect>),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print a man page: of hookctl, or of one of its commands
    Man(Man),
    /// Why a signature does not hold, and how each scheme signs
    #[command(hide = true, long_about = topics::signatures(), help_template = "{about}\n")]
    Signatures,
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  hookctl inspect body.json                        what it is, what is wrong
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: 9f86…'
  hookctl inspect hooks.jsonl --status failed --last 5
  hookctl inspect hooks.jsonl --where '.answer.ms > 100' --since 1h
  hookctl inspect hooks.jsonl --show 3             one recorded delivery, whole
  hookctl inspect hooks.jsonl --timeline           each prediction, and its gaps
  hookctl inspect hooks.jsonl --diff 3 5           what changed between two
  hookctl inspect hooks.jsonl --follow --event completed
  hookctl inspect hooks.jsonl --show 3 --json | jq -r .body
  hookctl inspect hooks.jsonl --id abc --export curl --redact input.prompt
  hookctl inspect hooks.jsonl --html report.html   a page to keep with a build";

const INSPECT_JSON: &str = "\
With --json, deliveries are records as in the journal, and views are objects of
their own, the first of them one a prediction:
  {\"type\":\"timeline\",\"provider\",\"id\",\"direction\",\"end\",\"from\",\"ms\",
   \"deliveries\":[{\"number\",\"at\",\"offset_ms\",\"event\",\"status\",\"raw_status\",
   \"signature\",\"attempt\",\"repeat\",\"answer\",\"warnings\"}],\"warnings\"}
  {\"type\":\"stats\",\"deliveries\",\"repeats\",\"from\",\"to\",\"providers\",\"statuses\",
   \"verdicts\",\"answers\",\"warnings\",\"latency_ms\":{\"count\",\"p50\",\"p90\",\"p99\",
   \"max\",\"histogram\"},\"over_time\":[{\"at\",\"seconds\",\"count\"}]}
  {\"type\":\"diff\",\"a\",\"b\",\"changes\":[{\"path\",\"change\",\"a\",\"b\",\"volatile\"}]}";

fn inspect_long_help() -> String {
    format!("{INSPECT_EXAMPLES}\n\n{INSPECT_JSON}\n\n{}\n\n{}", values::provider_list(), exit_codes())
}

/// How many examples remind of a command.
const REMINDERS: usize = 4;

/// The first of the examples, under their heading.
fn first(examples: &str) -> String {
    examples.lines().take(1 + REMINDERS).collect::<Vec<_>>().join("\n")
}

fn exit_codes() -> String {
    let lines = Exit::MEANINGS.iter().map(|(code, meaning)| topics::entry(11, code, &meaning.replace('`', "")));
    format!("Exit codes:\n{}", lines.collect::<String>().trim_end())
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
    #[arg(hide_short_help = true)]
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

/// Flags about signatures.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Signatures")]
pub struct Signing {
    /// Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation
    ///
    /// Without a value it is taken from HOOKCTL_SECRET, or asked for on a terminal. HOOKCTL_SECRET alone, without the
    /// flag, works too; for inspect where -H or --signature says that there is something to verify. Half of a key pair is
    /// written whsk_… (private) or whpk_… (public). The value is never printed, logged or recorded.
    #[arg(short, long, value_name = "VALUE", num_args = 0..=1, default_missing_value = values::ASK)]
    #[arg(value_parser = values::secret)]
    pub secret: Vec<Option<SecretSpec>>,
    /// How deliveries are signed: a scheme's name, or hmac-sha256:… for one of your own [default: auto]
    ///
    /// auto reads it off the headers; when sending, it is the provider's own way. hookctl help signatures tells what
    /// each of them signs, and how one of your own is spelled out.
    #[arg(long, value_name = "NAME", default_value = values::AUTO, hide_default_value = true)]
    #[arg(hide_possible_values = true, value_parser = PickParser::<&'static Scheme>::new())]
    pub scheme: Pick<&'static Scheme>,
    /// Header with the signature, instead of the scheme's own; without --scheme it is that of eachlabs
    #[arg(long, value_name = "NAME", value_parser = values::header_name)]
    #[arg(hide_short_help = true)]
    pub signature_header: Option<HeaderName>,
}

/// Flags about checking signatures.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Signatures")]
pub struct Checking {
    /// Public keys that verify fal's signatures: a JWK set in a file or at a URL
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub jwks: Option<String>,
    /// How far a signed time stamp may be off, instead of the scheme's own tolerance
    #[arg(long, value_name = "DUR", value_parser = values::duration)]
    #[arg(hide_short_help = true)]
    pub tolerance: Option<Duration>,
}

/// `hookctl inspect`
#[derive(Debug, Args)]
pub struct Inspect {
    /// Payload files, journals, - for standard input, or names of built-in payloads
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath, add = ArgValueCompleter::new(completers::sources))]
    pub sources: Vec<String>,
    /// Header that came with the payload
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = values::header, help_heading = "Signatures")]
    pub headers: Vec<(Name, HeaderValue)>,
    /// Signature that came with the payload, in the header of --scheme
    #[arg(long, value_name = "VALUE", value_parser = values::header_value, help_heading = "Signatures")]
    pub signature: Option<HeaderValue>,
    /// Clock to verify by: Unix seconds, or 2026-11-20T21:23:21Z
    #[arg(long, value_name = "TIME", value_parser = values::time, help_heading = "Signatures")]
    #[arg(hide_short_help = true)]
    pub now: Option<Timestamp>,
    /// Give the whole reasoning: what was signed, what each secret gives
    #[arg(long, help_heading = "Signatures")]
    pub explain: bool,
    /// Who sent it; auto reads it off the payload. Of a journal, only the deliveries from there
    #[arg(long, value_name = "NAME", default_value = values::AUTO, value_parser = PickParser::<&'static Provider>::new())]
    #[arg(hide_possible_values = true)]
    pub provider: Pick<&'static Provider>,
    /// Which deliveries of journals.
    #[command(flatten)]
    pub filters: Filters,
    /// How to look at them.
    #[command(flatten)]
    pub views: Views,
    /// Flags about checking signatures.
    #[command(flatten)]
    pub checking: Checking,
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

/// `hookctl man`
#[derive(Debug, Args)]
pub struct Man {
    /// The command; without, the page of hookctl itself
    #[arg(value_parser = ["listen", "send", "inspect", "signatures", "completions", "man"])]
    pub command: Option<String>,
}

/// The command line as clap sees it, every long flag also readable from the environment.
pub fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| with_further(command.mut_args(from_environment)))
}

/// The short help with the names of the flags that only the long one tells of.
fn with_further(command: clap::Command) -> clap::Command {
    let further = command.get_arguments().filter(|arg| arg.is_hide_short_help_set());
    let names: Vec<_> = further.filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")).collect();
    let (false, Some(help)) = (names.is_empty(), command.get_after_help()) else { return command };
    let text = format!("Further, told by --help:\n{}\n{help}", topics::entry(0, "", &names.join(", ")));
    command.after_help(text)
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
