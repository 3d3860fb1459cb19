//! From arguments to a running command, and the report of an error.

use std::io::{self, IsTerminal, Write};

use console::Term;

use crate::cli::{Command, When, completions, man};
use crate::error::{Error, Exit};
use crate::journal::Redaction;
use crate::render::block::message;
use crate::render::escape;
use crate::render::paint::Paint;
use crate::signature::Secret;

pub(crate) mod inspect;
pub(crate) mod listen;
pub(crate) mod output;
pub(crate) mod send;
pub(crate) mod signing;
pub(crate) mod suggest;
pub(crate) mod usage_error;

/// Runs a command and reports an error on standard error.
pub(crate) fn run(command: Command) -> Exit {
    let mut known = Vec::new();
    let (outcome, color) = match command {
        Command::Listen(args) => (listen::start(&args, &mut known), args.output.color),
        Command::Send(args) => (send::start(&args, &mut known), args.output.color),
        Command::Inspect(args) => (inspect::start(&args, &mut known), args.output.color),
        Command::Completions(args) => (completions::script(args.shell).map(|script| print(&script)), When::Auto),
        Command::Man(args) => (man::page(args.command.as_deref()).map(|page| print(page.as_bytes())), When::Auto),
        Command::Signatures => (Ok(print(man::signatures().as_bytes())), When::Auto),
    };
    outcome.unwrap_or_else(|error| {
        report(&error, &known, output::paint_for(color, io::stderr().is_terminal()));
        error.exit()
    })
}

fn print(text: &[u8]) -> Exit {
    // A closed pipe (`| head`) is not a failure.
    let _ = io::stdout().write_all(text);
    Exit::Done
}

/// Prints an error, which may quote arguments, with the known secrets redacted.
fn report(error: &Error, known: &[Secret], paint: Paint) {
    let redaction = Redaction::new(known, []);
    let width = output::columns(&Term::stderr());
    let mut text = message(&paint.bad("error:"), &escape::line(&redaction.text(error.to_string())), width) + "\n";
    if let Some(hint) = error.hint() {
        text += &(message(&paint.name("hint:"), &escape::line(&redaction.text(hint)), width) + "\n");
    }
    // Standard error may be closed.
    let _ = io::stderr().write_all(text.as_bytes());
}
