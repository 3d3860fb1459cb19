//! What is made of the command line for others to read: completion scripts, completions themselves, man pages.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};

use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use clap_mangen::Man;

use crate::cli;
use crate::error::{Error, Exit};

const NAME: &str = "hookctl";

/// The variable by which a completion script asks what completes.
const ASKED_BY: &str = "HOOKCTL_COMPLETE";

/// Answers a completion script, if it is one that calls: whether it was.
pub fn completed(arguments: &[OsString]) -> bool {
    let completions = CompleteEnv::with_factory(cli::command).var(ASKED_BY).bin(NAME).completer(NAME);
    // A variable that names no shell is not a script that calls, and must not keep the program from running.
    completions.try_complete(arguments, env::current_dir().ok().as_deref()).unwrap_or(false)
}

/// Prints the script that a shell completes by.
///
/// bash, zsh and fish ask the program. PowerShell's way of doing so evaluates what was typed so far, and elvish's is no
/// better tried, so these two get a list of all flags.
pub fn completions(args: &cli::Completions) -> Result<Exit, Error> {
    let mut script = Vec::new();
    match args.shell {
        Shell::Bash | Shell::Zsh | Shell::Fish => {
            let shells = Shells::builtins();
            let asks = shells.completer(&args.shell.to_string());
            let written = asks.map(|shell| shell.write_registration(ASKED_BY, NAME, NAME, NAME, &mut script));
            written.transpose().map_err(|source| Error::Write { source })?;
            if args.shell == Shell::Zsh {
                script = called_at_once(&script);
            }
        }
        shell => clap_complete::generate(shell, &mut cli::command(), NAME, &mut script),
    }
    Ok(print(&script))
}

/// zsh loads a script from its path when something is to be completed for the first time, and runs it as the function that
/// completes. It must not only say what does from now on, but do it.
fn called_at_once(script: &[u8]) -> Vec<u8> {
    const SAYS: &str = "compdef _clap_dynamic_completer_hookctl hookctl";
    const DOES: &str = "if [[ $funcstack[1] == _hookctl ]]; then\n    _clap_dynamic_completer_hookctl \"$@\"\nfi";
    String::from_utf8_lossy(script).replace(SAYS, &format!("{SAYS}\n{DOES}")).into_bytes()
}

/// Prints a man page.
pub fn man(args: &cli::Man) -> Result<Exit, Error> {
    let mut command = cli::command();
    command.build();
    let page = match &args.command {
        None => command,
        Some(name) => {
            let unknown = || Error::Usage(format!("there is no page {name}"));
            let sub = command.find_subcommand(name).ok_or_else(unknown)?;
            sub.clone().name(format!("{NAME}-{name}"))
        }
    };
    let mut text = Vec::new();
    Man::new(page).render(&mut text).map_err(|source| Error::Write { source })?;
    // Examples and lists are laid out line by line.
    let text = String::from_utf8_lossy(&text)
        .replace("\n.SH EXTRA\n", "\n.SH NOTES\n.nf\n")
        .replace("\n.SH VERSION\n", "\n.fi\n.SH VERSION\n");
    Ok(print(text.as_bytes()))
}

/// Prints `hookctl help signatures`, also when it is called as a command.
pub fn signatures() -> Exit {
    let mut command = cli::command();
    let page = command.find_subcommand_mut("signatures").map(|topic| topic.render_long_help().to_string());
    print(page.unwrap_or_default().as_bytes())
}

fn print(text: &[u8]) -> Exit {
    // Into a closed pipe (`| head`) is no failure.
    let _ = io::stdout().write_all(text);
    Exit::Done
}
