//! hookctl: test webhooks on your own machine.
//!
//! | module | content |
//! |---|---|
//! | `cli` | every flag and help text; nothing that acts |
//! | `configure` | arguments to the configuration of each command, output, runtime |
//! | `listen`, `send`, `inspect` | the three commands |
//! | `render` | text, JSON Lines, HTML, colours, progress, prompts |
//! | `event` | the events of commands, and the bounded queue to the writer |
//! | `http`, `filter`, `sys` | the HTTP client; jq; secrets, signals, key sets, JUnit reports |
//! | `journal` | records: their form, reading and writing |
//! | `signature` | signing, verifying, and why a signature failed; pure |
//! | `payload` | what a webhook is: deliveries, providers, events, retries, warnings; pure |
//! | `json` | JSON text; pure |
//! | `clock`, `error` | the time of day; errors and exit codes |
//!
//! `run` parses the arguments, configures the command, runs it and reports its error.

pub mod cli;
pub mod clock;
pub mod error;
pub mod event;
pub mod filter;
pub mod http;
pub(crate) mod inspect;
pub mod journal;
pub mod json;
pub mod listen;
pub mod payload;
pub mod render;
pub mod send;
pub mod signature;
pub mod sys;

mod configure;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;

/// Runs hookctl with these arguments, the first of which is the name of the program, and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if cli::completions::complete(&arguments) {
        return error::Exit::Done.into();
    }
    // The parser's own command `help` has no flags.
    if arguments.get(1).is_some_and(|command| command == "help") {
        arguments.retain(|argument| argument != "--help" && argument != "-h");
    }
    let parse = |command: clap::Command| {
        let parsed = command.try_get_matches_from(&arguments).and_then(|matches| cli::Cli::from_arg_matches(&matches));
        parsed.map_err(|error| cli::with_tip(error, arguments.get(1).and_then(|command| command.to_str())))
    };
    // Only an error or a help page needs the help texts.
    let parsed = parse(cli::parser()).or_else(|error| match error.kind() {
        ErrorKind::DisplayVersion => Err(error),
        _ => parse(cli::command()),
    });
    match parsed {
        Ok(cli) => configure::run(cli.command).into(),
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(error::Exit::Usage.code());
            configure::usage_error::report(error, |styles| parse(cli::command().styles(styles)).err());
            ExitCode::from(code)
        }
    }
}
