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
    // Behind `--`, the program and its first word.
    let is_help = arguments.iter().skip_while(|word| *word != "--").nth(2).is_some_and(|word| word == "help");
    let command = || match is_help {
        true => with_signatures(cli::command()),
        false => cli::command(),
    };
    let completions = CompleteEnv::with_factory(command).var(ASKED_BY).bin(NAME).completer(NAME);
    // A variable that names no shell is not a script that calls, and must not keep the program from running.
    completions.try_complete(arguments, env::current_dir().ok().as_deref()).unwrap_or(false)
}

/// The same with the page about signatures among the commands.
fn with_signatures(command: clap::Command) -> clap::Command {
    command.mut_subcommand("signatures", |topic| topic.hide(false))
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
            script = match args.shell {
                Shell::Zsh => called_at_once(&script),
                Shell::Bash => whole_words(&script),
                _ => script,
            };
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

/// bash takes a word apart at every `=`, and puts what completes it behind the last one; the program is asked about whole
/// words.
fn whole_words(script: &[u8]) -> Vec<u8> {
    const AS_TAKEN: &str = r#"    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
"#;
    const WHOLE: &str = r#"    local words=() at last=0 word
    for at in "${!COMP_WORDS[@]}"; do
        word="${COMP_WORDS[at]}"
        if [[ $at -eq $COMP_CWORD && "$word" != "=" ]] && [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
            word="$2"
        fi
        if [[ $at -gt 1 && ( "${COMP_WORDS[at]}" == "=" || "${COMP_WORDS[at-1]}" == "=" ) ]]; then
            words[last]+="$word"
        else
            last=$at
            words[last]="$word"
        fi
        if [[ $at -eq $COMP_CWORD ]]; then
            break
        fi
    done
    words=("${words[@]}")
    local _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1))
    local kept="${words[_CLAP_COMPLETE_INDEX]%"$2"}"
"#;
    const INDEX: &str = "    local _CLAP_COMPLETE_INDEX=${COMP_CWORD}\n";
    const FAILED: &str = "    if [[ $? != 0 ]]; then\n        unset COMPREPLY\n";
    const CUT: &str = "    elif [[ \"$kept\" == *= ]]; then\n        COMPREPLY=(\"${COMPREPLY[@]#\"$kept\"}\")\n";
    let script = String::from_utf8_lossy(script).replace(INDEX, "").replace(AS_TAKEN, WHOLE);
    script.replace(FAILED, &format!("{FAILED}{CUT}")).into_bytes()
}

/// Prints a man page.
pub fn man(args: &cli::Man) -> Result<Exit, Error> {
    // The page about signatures is in no list of commands, and help has no page.
    let mut command = with_signatures(cli::command().disable_help_subcommand(true));
    command.build();
    let page = match &args.command {
        None => command,
        Some(name) => {
            let unknown = || Error::Usage(format!("there is no page {name}"));
            let sub = command.find_subcommand(name).ok_or_else(unknown)?;
            sub.clone().name(format!("{NAME}-{name}"))
        }
    };
    let usage = page.clone().render_usage().to_string();
    let mut text = Vec::new();
    Man::new(page).render(&mut text).map_err(|source| Error::Write { source })?;
    // Examples and lists are laid out line by line.
    let text = with_synopsis(&String::from_utf8_lossy(&text), &usage)
        .replace("\n.SH EXTRA\n", "\n.SH NOTES\n.nf\n")
        .replace("\n.SH VERSION\n", "\n.fi\n.SH VERSION\n");
    Ok(print(text.as_bytes()))
}

/// The page with the usage as `-h` has it, which says what takes a value; the generator's own names every flag without.
fn with_synopsis(page: &str, usage: &str) -> String {
    const HEADING: &str = "\n.SH SYNOPSIS\n";
    let usage = usage.trim_start_matches("Usage:").trim().replace('-', "\\-");
    match page.split_once(HEADING).and_then(|(before, rest)| Some((before, rest.split_once("\n.SH ")?.1))) {
        Some((before, behind)) => format!("{before}{HEADING}{usage}\n.SH {behind}"),
        None => page.to_owned(),
    }
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
