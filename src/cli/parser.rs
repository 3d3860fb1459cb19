//! The commands, and the parser with and without its help texts.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use super::help;
use super::inspect::InspectArgs;
use super::listen::ListenArgs;
use super::send::SendArgs;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Test webhooks on your own machine: receive and verify them, send them as the provider would, and find out why a
/// signature failed
#[derive(Debug, Parser)]
#[command(name = "hookctl", version, styles = STYLES, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Receive webhooks, verify, print and answer them
    Listen(Box<ListenArgs>),
    /// Send signed payloads, with the provider's own retries
    Send(Box<SendArgs>),
    /// Read payloads and journals; show what is wrong with them
    Inspect(Box<InspectArgs>),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a man page: of hookctl, or of one of its commands
    Man(ManArgs),
    /// Why a signature does not verify, and how each scheme signs
    #[command(hide = true, help_template = "{about}\n")]
    Signatures,
}

/// `hookctl completions`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell to print the script for
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `hookctl man`
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Command to print the page of; without it, the page of hookctl itself
    #[arg(value_parser = ["listen", "send", "inspect", "signatures", "completions", "man"])]
    pub(crate) command: Option<String>,
}

/// The parser, with every long flag also readable from the environment. It has no examples and lists: building these texts
/// takes longer than everything else that a command does at its start.
pub(crate) fn parser() -> clap::Command {
    Cli::command().mut_subcommands(|command| command.mut_args(from_environment))
}

/// The parser with all help texts.
pub fn command() -> clap::Command {
    help::complete(parser())
}

/// Flags without a variable, or with a variable that is read elsewhere.
const NOT_FROM_ENVIRONMENT: [&str; 5] = ["secret", "quiet", "verbose", "help", "version"];

fn from_environment(arg: clap::Arg) -> clap::Arg {
    let Some(long) = arg.get_long().filter(|long| !NOT_FROM_ENVIRONMENT.contains(long)) else { return arg };
    let name = format!("HOOKCTL_{}", long.replace('-', "_").to_uppercase());
    // An empty variable counts as unset.
    if std::env::var_os(&name).is_some_and(|value| value.is_empty()) {
        return arg;
    }
    let arg = arg.env(name).hide_env(true);
    if matches!(arg.get_action(), clap::ArgAction::SetTrue) {
        // `HOOKCTL_JSON=no` must not turn the flag on.
        return arg.value_parser(clap::builder::BoolishValueParser::new());
    }
    arg
}
