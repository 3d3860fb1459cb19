//! hookctl: test webhooks on your own machine.
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | every flag and help text, and nothing that acts |
//! | [`listen`], [`send`], [`inspect`] | the three commands |
//! | [`payload`] | the shared module: what a webhook is; pure |
//! | [`event`] | the narrow waist between doing and showing |
//! | [`render`] | text, JSON Lines, colours, progress, prompts |
//! | [`io`] | files, journals, secrets, signals, the HTTP client |
//! | [`clock`], [`error`] | the time of day; what stops the program, and the exit codes |
//!
//! [`run`] is the straight line through it: parse, choose the sinks, dispatch, report. The part between parsing and a
//! running command is in `start.rs`.

pub mod cli;
pub mod clock;
pub mod error;
pub mod event;
pub mod filter;
pub mod http;
pub mod inspect;
pub mod journal;
pub mod json;
pub mod listen;
pub mod payload;
pub mod render;
pub mod send;
pub mod sys;

mod configure;
pub mod signature;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;

/// Runs hookctl with these arguments (the program's name is the first) and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if cli::completions::answered(&arguments) {
        return error::Exit::Done.into();
    }
    // To the parser, the command `help` has no flags at all.
    if arguments.get(1).is_some_and(|command| command == "help") {
        arguments.retain(|argument| argument != "--help" && argument != "-h");
    }
    let parse = |command: clap::Command| {
        let parsed = command.try_get_matches_from(&arguments).and_then(|matches| cli::Cli::from_arg_matches(&matches));
        parsed.map_err(|error| cli::with_tip(error, arguments.get(1).and_then(|command| command.to_str())))
    };
    // Most commands go right, and need no texts that help.
    let parsed = parse(cli::parser()).or_else(|error| match error.kind() {
        ErrorKind::DisplayVersion => Err(error),
        _ => parse(cli::command()),
    });
    match parsed {
        Ok(cli) => configure::command(cli.command).into(),
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(error::Exit::Usage.code());
            configure::usage_error::report(error, |styles| parse(cli::command().styles(styles)).err());
            ExitCode::from(code)
        }
    }
}
