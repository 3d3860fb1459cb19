//! Every flag and help text, and nothing that acts.
//!
//! House rules: a flag's help is one line that starts with a verb or a noun and ends without a full stop; what needs
//! more goes behind an empty line and shows with `--help` only. Every long flag can come from the environment as
//! `HOOKCTL_…`; [`parser`] sees to that, so no flag says it for itself. Values are parsed here, once, into types.

use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCompleter;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::payload::FieldName;
use crate::payload::provider::Provider;
use crate::signature::{Scheme, SecretSpec};

pub(crate) mod completers;
pub(crate) mod completions;
pub(crate) mod help;
pub(crate) mod inspect;
pub(crate) mod listen;
pub(crate) mod man;
pub(crate) mod send;
pub mod since;
pub(crate) mod suggest;
pub(crate) mod tls;
pub(crate) mod topics;
pub mod values;

pub(crate) use inspect::{ExportFormat, FilterArgs, ViewArgs};
pub(crate) use listen::{Format, ListenArgs};
pub(crate) use send::SendArgs;
pub(crate) use suggest::with_tip;
pub(crate) use tls::ConnectionArgs;
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
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Receive webhooks, verify, print and answer them
    Listen(Box<ListenArgs>),
    /// Fire signed payloads, with the provider's own retries
    Send(Box<SendArgs>),
    /// Read payloads and journals; say what is wrong with them
    Inspect(Box<InspectArgs>),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a man page: of hookctl, or of one of its commands
    Man(ManArgs),
    /// Why a signature does not hold, and how each scheme signs
    #[command(hide = true, help_template = "{about}\n")]
    Signatures,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print data as JSON Lines on standard output, people's text on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", value_enum)]
    #[arg(hide_short_help = true)]
    pub(crate) color: When,
    /// Print results only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print headers and whole bodies too
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl OutputArgs {
    /// Whether to be quiet and whether to be verbose. The two exclude each other, so a variable counts only where
    /// neither flag was given: `-q` must beat HOOKCTL_VERBOSE, not clash with it.
    pub(crate) fn quiet_or_verbose(&self, variable: impl Fn(&str) -> Option<String>) -> (bool, bool) {
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
pub(crate) enum When {
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
pub(crate) struct SigningArgs {
    /// Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation
    ///
    /// Without a value it is taken from HOOKCTL_SECRET, or asked for on a terminal. HOOKCTL_SECRET alone, without the
    /// flag, works too; for inspect where -H or --signature says that there is something to verify. Half of a key pair is
    /// written whsk_… (private) or whpk_… (public). The value is never printed, logged or recorded.
    #[arg(short, long, value_name = "VALUE", num_args = 0..=1, default_missing_value = values::ASK)]
    #[arg(value_parser = values::secret)]
    pub(crate) secret: Vec<Option<SecretSpec>>,
    /// How deliveries are signed: a scheme's name, or hmac-sha256:… for one of your own [default: auto]
    ///
    /// auto reads it off the headers; when sending, it is the provider's own way. hookctl help signatures tells what
    /// each of them signs, and how one of your own is spelled out.
    #[arg(long, value_name = "NAME", default_value = values::AUTO, hide_default_value = true)]
    #[arg(hide_possible_values = true, value_parser = PickParser::<&'static Scheme>::new())]
    pub(crate) scheme: Pick<&'static Scheme>,
    /// Header with the signature, instead of the scheme's own; without --scheme it is that of eachlabs
    #[arg(long, value_name = "NAME", value_parser = values::header_name)]
    #[arg(hide_short_help = true)]
    pub(crate) signature_header: Option<HeaderName>,
}

/// Flags about checking signatures.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Signatures")]
pub(crate) struct CheckingArgs {
    /// Public keys that verify fal's signatures: a JWK set in a file or at a URL
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) jwks: Option<String>,
    /// How far a signed time stamp may be off, instead of the scheme's own tolerance
    #[arg(long, value_name = "DUR", value_parser = values::duration)]
    #[arg(hide_short_help = true)]
    pub(crate) tolerance: Option<Duration>,
}

/// `hookctl inspect`
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Payload files, journals, - for standard input, or names of built-in payloads
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath, add = ArgValueCompleter::new(completers::sources))]
    pub(crate) sources: Vec<String>,
    /// Header that came with the payload
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = values::header, help_heading = "Signatures")]
    pub(crate) headers: Vec<(FieldName, HeaderValue)>,
    /// Signature that came with the payload, in the header of --scheme
    #[arg(long, value_name = "VALUE", value_parser = values::header_value, help_heading = "Signatures")]
    pub(crate) signature: Option<HeaderValue>,
    /// Clock to verify by: Unix seconds, or 2026-11-20T21:23:21Z
    #[arg(long, value_name = "TIME", value_parser = values::time, help_heading = "Signatures")]
    #[arg(hide_short_help = true)]
    pub(crate) now: Option<Timestamp>,
    /// Give the whole reasoning: what was signed, what each secret gives
    #[arg(long, help_heading = "Signatures")]
    pub(crate) explain: bool,
    /// Who sent it; auto reads it off the payload. Of a journal, only the deliveries from there
    #[arg(long, value_name = "NAME", default_value = values::AUTO, value_parser = PickParser::<&'static Provider>::new())]
    #[arg(hide_possible_values = true)]
    pub(crate) provider: Pick<&'static Provider>,
    /// Which deliveries of journals.
    #[command(flatten)]
    pub(crate) filters: FilterArgs,
    /// How to look at them.
    #[command(flatten)]
    pub(crate) views: ViewArgs,
    /// Flags about checking signatures.
    #[command(flatten)]
    pub(crate) checking: CheckingArgs,
    /// Flags about signatures.
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    /// Flags about output.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `hookctl completions`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// For this shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `hookctl man`
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command; without, the page of hookctl itself
    #[arg(value_parser = ["listen", "send", "inspect", "signatures", "completions", "man"])]
    pub(crate) command: Option<String>,
}

/// The command line as clap sees it, every long flag also readable from the environment. It parses, but helps nobody yet:
/// texts take longer to put together than everything else that a command does before it begins.
pub(crate) fn parser() -> clap::Command {
    Cli::command().mut_subcommands(|command| command.mut_args(from_environment))
}

/// The same with everything that is told of it.
pub fn command() -> clap::Command {
    help::complete(parser())
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
